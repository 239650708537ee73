// What helps a reader along: links that scroll in place, sharing, filters, following a story, and what happened since the
// last visit. All of it is kept in this browser and told to nobody. Without this script everything is on the page still.

const feed = document.getElementById("feed");
const channel = document.body.dataset.channel || "news";
const isStory = channel.startsWith("story:");
const isOld = Boolean(document.body.dataset.before);
const AWAY_MS = 10 * 60_000;
const MOST_SEEN = 300;
const MOST_FILTERS = 8;

const elementById = (id) => document.getElementById(id);
const make = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const kept = (name) => {
  try {
    return JSON.parse(localStorage.getItem(`slugline-${name}`));
  } catch {
    return null;
  }
};
const keep = (name, value) => {
  try {
    localStorage.setItem(`slugline-${name}`, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing shows the page all the same.
  }
};
const say = (words) => {
  const region = elementById("announce");
  if (region) region.textContent = words;
};

// Links to updates that are on the page scroll to them; an address with an update's id opens the page where it stands.
function show(id) {
  const target = elementById(`u-${id}`);
  if (!target) return false;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  target.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  (target.querySelector("h1 a, h2 a, h3 a") ?? target.querySelector("a"))?.focus({ preventScroll: true });
  history.replaceState(null, "", `#u-${id}`);
  return true;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-jump]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  if (show(link.dataset.jump)) event.preventDefault();
});

async function openLinked() {
  const id = location.hash.match(/^#u-([a-z2-7]{26})$/)?.[1];
  if (!id || !feed || elementById(`u-${id}`) || isOld) return;
  const answer = await fetch(`/v1/updates/${id}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const [epoch, offset] = ((await answer.json()).position ?? "").split("-").map(Number);
  if (offset >= 0) location.replace(`?before=${epoch}-${offset + 1}#u-${id}`);
}

// Sharing: by what the reader's device has for it, else by copying the address.
function showButtons(root) {
  for (const button of root.querySelectorAll("[data-share][hidden]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-share]");
  if (!button) return;
  const url = new URL(button.dataset.share, location.href).href;
  try {
    if (navigator.share) {
      await navigator.share({ title: button.dataset.title, url });
      return;
    }
    await navigator.clipboard.writeText(url);
    button.textContent = t("Link copied");
    say(t("Link copied"));
    setTimeout(() => (button.textContent = t("Share")), 3000);
  } catch (error) {
    if (error.name !== "AbortError") prompt(t("Copy this address"), url);
  }
});

// Filters by what the updates on the page are about: key events, topics, authors.
const chosen = { about: "" };

function aboutOf(item) {
  const about = item.dataset.about?.split(" ").filter(Boolean) ?? [];
  return item.classList.contains("item-key") ? ["key", ...about] : about;
}

function applyFilter() {
  for (const item of feed.querySelectorAll(":scope > .item")) {
    item.hidden = Boolean(chosen.about) && !aboutOf(item).includes(chosen.about);
  }
  for (const day of feed.querySelectorAll(":scope > .day")) {
    let item = day.nextElementSibling;
    while (item?.hidden && item.classList.contains("item")) item = item.nextElementSibling;
    day.hidden = !item?.classList.contains("item");
  }
}

const labels = JSON.parse(elementById("filters")?.dataset.labels || "{}");
const nameOf = (about) => (about === "key" ? t("Key events") : labels[about]);

function offerFilters() {
  const place = elementById("filters");
  if (!feed || !place || isOld) return;
  const counts = new Map();
  const all = feed.querySelectorAll(":scope > .item");
  for (const item of all) for (const about of aboutOf(item)) counts.set(about, (counts.get(about) ?? 0) + 1);
  const useful = [...counts]
    .filter(([about, count]) => about !== channel && count < all.length && (count > 1 || about === "key") && nameOf(about))
    .sort((a, b) => (b[0] === "key") - (a[0] === "key") || b[1] - a[1])
    .slice(0, MOST_FILTERS);
  if (chosen.about && !useful.some(([about]) => about === chosen.about)) useful.push([chosen.about, 0]);
  const names = useful.map(([about]) => about).join(" ");
  place.hidden = useful.length === 0;
  if (place.dataset.names === names) return;
  place.dataset.names = names;
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", t("Show only"));
  const button = (about, words) => {
    const made = make("button", { type: "button", className: "filter", textContent: words });
    made.setAttribute("aria-pressed", String(chosen.about === about));
    made.addEventListener("click", () => {
      chosen.about = about;
      for (const each of place.children) each.setAttribute("aria-pressed", String(each === made));
      applyFilter();
    });
    return made;
  };
  place.replaceChildren(button("", t("All updates")), ...useful.map(([about]) => button(about, nameOf(about))));
}

// Following a story: kept in this browser, shown on the front page.
const followed = () => kept("followed") ?? {};

function offerToFollow() {
  const button = document.querySelector("[data-follow]");
  if (!button) return;
  const story = button.dataset.follow;
  const tell = () => {
    const on = story in followed();
    button.textContent = on ? t("You follow this story") : t("Follow this story");
    button.setAttribute("aria-pressed", String(on));
  };
  button.hidden = false;
  tell();
  button.addEventListener("click", () => {
    const stories = followed();
    if (story in stories) delete stories[story];
    else stories[story] = document.querySelector("h1").textContent;
    keep("followed", stories);
    tell();
  });
}

function markFollowed() {
  const stories = followed();
  for (const card of document.querySelectorAll("#cards [data-story]")) {
    card.classList.toggle("card-followed", card.dataset.story in stories);
  }
}

// Since the last visit: key events, and what became of what this reader saw.
const visit = { seen: new Map(), cursor: document.body.dataset.cursor };

function watchReading() {
  const last = kept(`left:${channel}`);
  for (const [id, revision] of last?.seen ?? []) visit.seen.set(id, revision);
  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      visit.seen.delete(target.dataset.id);
      visit.seen.set(target.dataset.id, Number(target.dataset.revision));
    }
  });
  const observeAll = () => {
    for (const item of document.querySelectorAll("#feed > .item, #lead > article")) observer.observe(item);
  };
  observeAll();
  const leave = () => {
    const seen = [...visit.seen].slice(-MOST_SEEN);
    keep(`left:${channel}`, { cursor: document.body.dataset.cursor, at: Date.now(), seen });
  };
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave());
  addEventListener("pagehide", leave);
  return { last, observeAll };
}

async function tellWhatHappened(last) {
  const place = elementById("away");
  if (!place || !last?.cursor || Date.now() - last.at < AWAY_MS) return;
  const seen = new Map(last.seen);
  const [keys, corrected, gone] = [new Map(), new Map(), new Set()];
  let { cursor } = last;
  for (let more = true, rounds = 0; more && rounds < 5; rounds += 1) {
    const query = new URLSearchParams({ channel, cursor });
    const answer = await fetch(`/v1/since?${query}`);
    if (!answer.ok) return;
    const found = await answer.json();
    if (found.events.some(({ event }) => event === "reset")) return; // too long ago for this
    for (const { event, data } of found.events) {
      if (event === "kill" || data.removal) {
        if (seen.has(data.update_id)) gone.add(data.update_id);
        keys.delete(data.update_id);
        corrected.delete(data.update_id);
      } else {
        if (data.key_event) keys.set(data.update_id, data);
        else keys.delete(data.update_id);
        if (event === "correct" && seen.has(data.update_id)) corrected.set(data.update_id, data);
      }
    }
    ({ cursor, more } = found);
  }
  if (keys.size + corrected.size + gone.size === 0) return;
  const line = (words, { path, headline, excerpt, update_id: id }) => {
    const link = make("a", { href: path, textContent: headline || excerpt });
    link.dataset.jump = id;
    link.dir = "auto";
    const item = make("li", {}, make("span", { className: "away-what", textContent: words }), " ", link);
    item.dataset.line = id;
    return item;
  };
  const list = make("ul", {});
  list.append(...[...keys.values()].reverse().slice(0, 5).map((data) => line(t("Key event"), data)));
  list.append(...[...corrected.values()].map((data) => line(t("Corrected"), data)));
  if (gone.size) {
    list.append(make("li", { textContent: tn("%(num)s update that you saw was withdrawn", "%(num)s updates that you saw were withdrawn", gone.size) }));
  }
  const close = make("button", { type: "button", className: "action", textContent: t("Close") });
  const block = make("section", { className: "away" }, make("h2", { textContent: t("Since you were here") }), list, close);
  block.setAttribute("aria-label", t("Since you were here"));
  close.addEventListener("click", () => place.replaceChildren());
  place.replaceChildren(block);
}

// What scrolls sideways can be reached with the keyboard alone.
function reachTables() {
  for (const table of document.querySelectorAll(".body table")) {
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
    else table.removeAttribute("tabindex");
  }
}

showButtons(document);
reachTables();
addEventListener("resize", reachTables);
offerToFollow();
markFollowed();
offerFilters();
openLinked().catch((error) => console.warn("slugline: the update cannot be found", error));
if (feed && !isOld) {
  const { last, observeAll } = watchReading();
  if (isStory) tellWhatHappened(last).catch((error) => console.warn("slugline: what happened is not known", error));
  new MutationObserver(() => {
    showButtons(feed);
    reachTables();
    observeAll();
    offerFilters();
    if (chosen.about) applyFilter();
  }).observe(feed, { childList: true });
}
const cards = elementById("cards");
if (cards) new MutationObserver(markFollowed).observe(document.querySelector("main"), { childList: true, subtree: true });

// Changes the open page as updates come in: live.js tells of them as events on `document`. Without this script the page
// shows the same, but only when it is loaded again. Nothing that is being read is moved: what belongs above waits behind a
// button.

const AT_TOP_PX = 40;
const MOST_ITEMS = 300;
const REFRESH_SPREAD_MS = 1200;
const MINUTE_MS = 60_000;

const find = (id) => document.getElementById(id);
const body = document.body;
const feed = find("feed");
const pill = find("pill");
const title = document.title;
const held = new Map(); // update id → {element, position}: new, and waiting for the reader
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const place = (text) => {
  const dash = (text || "").lastIndexOf("-");
  return dash < 1 ? [-1, -1] : [Number(text.slice(0, dash)), Number(text.slice(dash + 1))];
};
const compare = (a, b) => a[0] - b[0] || a[1] - b[1];
const positionOf = (element) => place(element.dataset.position);
const itemOf = (id) => feed?.querySelector(`:scope > [data-id="${CSS.escape(id)}"]`);
const articleIn = (id, holder) => find(holder)?.querySelector(`:scope > [data-id="${CSS.escape(id)}"]`);

function elementOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

// Announcements: one polite sentence for what came within two seconds.
const said = { fresh: 0, headline: "", changed: 0, gone: 0, timer: 0 };

function announce(what, headline = "") {
  said[what] += 1;
  if (headline) said.headline = headline;
  said.timer ||= setTimeout(() => {
    const words = [];
    if (said.fresh === 1) words.push(`New update: ${said.headline}`);
    else if (said.fresh) words.push(`${said.fresh} new updates`);
    if (said.changed) words.push(said.changed === 1 ? "An update was changed" : `${said.changed} updates were changed`);
    if (said.gone) words.push(said.gone === 1 ? "An update was withdrawn" : `${said.gone} updates were withdrawn`);
    const region = find("announce");
    if (region) region.textContent = `${words.join(". ")}.`;
    Object.assign(said, { fresh: 0, headline: "", changed: 0, gone: 0, timer: 0 });
  }, 2000);
}

// Times: what is younger than an hour is told in minutes; the whole time stays in the title.
function tellTimes(root) {
  for (const time of root.querySelectorAll("time.clock")) {
    time.dataset.clock ||= time.textContent;
    const minutes = Math.floor((Date.now() - Date.parse(time.dateTime)) / MINUTE_MS);
    time.textContent =
      minutes < 0 || minutes >= 60 ? time.dataset.clock : minutes < 1 ? "Just now" : `${minutes} min ago`;
  }
}

// A reader at the very top, or one who has not come to the feed yet, is not disturbed by what is put on top of it.
function mayInsert() {
  const { top } = feed.getBoundingClientRect();
  return window.scrollY < AT_TOP_PX || top >= window.innerHeight;
}

function showPill() {
  const count = held.size;
  pill.hidden = count === 0;
  pill.textContent = count === 1 ? "1 new update" : `${count} new updates`;
  document.title = count ? `(${count}) ${title}` : title;
}

function insert(element) {
  const position = positionOf(element);
  const next = [...feed.children].find((item) => compare(positionOf(item), position) < 0);
  feed.insertBefore(element, next ?? null);
  tellTimes(element);
  const empty = find("empty");
  if (empty) empty.hidden = true;
}

function release() {
  const fresh = [...held.values()].sort((a, b) => compare(a.position, b.position));
  held.clear();
  for (const { element } of fresh) {
    element.classList.add("item-new");
    insert(element);
  }
  showPill();
  trim();
  return fresh.at(-1)?.element;
}

// A page that stays open all day keeps what can be read on; the rest is behind "Show more".
function trim() {
  if (window.scrollY > window.innerHeight || feed.children.length <= MOST_ITEMS) return;
  while (feed.children.length > MOST_ITEMS) feed.lastElementChild.remove();
  showMore(feed.lastElementChild.dataset.position);
}

function showMore(cursor) {
  const more = find("more");
  let link = more.querySelector('a[rel="next"]');
  if (!cursor) {
    link?.remove();
    return;
  }
  if (!link) {
    link = elementOf('<a class="button" rel="next">Show more</a>');
    more.prepend(link);
  }
  link.href = `?before=${encodeURIComponent(cursor)}`;
}

// Puts a newer revision in the place of an older one, with what the reader had opened and where the reader was.
function swap(old, element) {
  const opened = [...old.querySelectorAll("details")].map((details) => details.open);
  const links = [...old.querySelectorAll("a, summary")];
  const focused = links.indexOf(document.activeElement);
  element.querySelectorAll("details").forEach((details, index) => {
    details.open = opened[index] ?? false;
  });
  old.replaceWith(element);
  tellTimes(element);
  if (focused >= 0) [...element.querySelectorAll("a, summary")][focused]?.focus({ preventScroll: true });
}

function headlineOf(element) {
  return element.querySelector(".item-headline, .headline")?.textContent.trim() ?? "";
}

function upsert(kind, element) {
  const id = element.dataset.id;
  const revision = Number(element.dataset.revision);
  const old = itemOf(id) ?? held.get(id)?.element;
  if (old) {
    if (Number(old.dataset.revision) >= revision) return;
    element.dataset.position = old.dataset.position;
    if (held.has(id)) held.set(id, { element, position: positionOf(element) });
    else swap(old, element);
    if (kind === "correct" || kind === "update") announce("changed");
    return;
  }
  if (articleIn(id, "lead")) return;
  const position = positionOf(element);
  const last = feed.lastElementChild;
  const isOlder = last && compare(position, positionOf(last)) < 0;
  if (position[0] < 1 || (isOlder && find("more").querySelector('a[rel="next"]'))) return;
  const first = feed.firstElementChild;
  if (first && compare(position, positionOf(first)) < 0) {
    insert(element);
  } else if (mayInsert()) {
    element.classList.add("item-new");
    insert(element);
    trim();
  } else {
    held.set(id, { element, position });
    showPill();
  }
  announce("fresh", headlineOf(element));
}

function remove(id) {
  const item = itemOf(id);
  if (item) {
    if (item.contains(document.activeElement)) {
      (item.nextElementSibling ?? item.previousElementSibling)?.querySelector("a")?.focus({ preventScroll: true });
    }
    item.remove();
    announce("gone");
  }
  if (held.delete(id)) showPill();
  if (articleIn(id, "lead")) {
    find("lead").replaceChildren();
    announce("gone");
    refreshLead();
  }
  if (articleIn(id, "own")) withdraw();
}

function withdraw() {
  const note = document.createElement("p");
  note.className = "withdrawn";
  note.textContent = "This update has been withdrawn.";
  find("own").replaceChildren(note);
  find("history")?.remove();
  document.title = note.textContent;
  announce("gone");
}

async function pageAt(address) {
  const answer = await fetch(address, { cache: "no-cache", headers: { Accept: "text/html" } });
  if (answer.status === 410) return null;
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// An article is longer than what a stream carries: it is fetched, spread over a moment since all readers hear at once.
async function refreshArticle(holder, id, path, revision) {
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await wait(REFRESH_SPREAD_MS * (attempt + Math.random()));
    const old = articleIn(id, holder);
    if (!old || Number(old.dataset.revision) >= revision) return;
    const page = await pageAt(path).catch(() => undefined);
    if (page === null) return remove(id);
    const fresh = page?.querySelector(`#own > [data-id="${CSS.escape(id)}"]`);
    if (!fresh || Number(fresh.dataset.revision) < revision) continue;
    if (holder === "lead") asLead(fresh, path);
    swap(old, fresh);
    if (holder === "own") {
      const history = page.getElementById("history");
      if (find("history") && history) find("history").replaceWith(history);
      else if (history) find("own").after(history);
      document.title = page.title;
    }
    announce("changed");
    return;
  }
}

function asLead(article, path) {
  const headline = article.querySelector(".headline");
  if (!headline || headline.querySelector("a")) return;
  const link = document.createElement("a");
  link.href = path;
  link.append(...headline.childNodes);
  headline.append(link);
}

async function refreshLead() {
  await wait(REFRESH_SPREAD_MS * Math.random());
  const page = await pageAt(location.pathname).catch(() => null);
  if (page) takeLead(page);
}

function takeLead(page) {
  const fresh = page.getElementById("lead");
  const holder = find("lead");
  const article = fresh?.firstElementChild;
  if (!holder || !article) return;
  const old = holder.firstElementChild;
  if (old?.dataset.id === article.dataset.id && old.dataset.revision === article.dataset.revision) return;
  itemOf(article.dataset.id)?.remove();
  holder.replaceChildren(article);
}

// The page as it is now takes the place of the page as it was: after a gap nobody can tell what was missed.
async function reconcile(page) {
  if (find("own")) {
    const fresh = page.getElementById("own");
    if (!fresh) return withdraw();
    find("own").replaceWith(fresh);
    const history = page.getElementById("history");
    find("history")?.remove();
    if (history) fresh.after(history);
    return;
  }
  if (!feed) return;
  takeLead(page);
  const seen = new Set();
  let next = page;
  let link = null;
  let oldest = [Infinity, Infinity];
  for (let pages = 0; next && pages < 15; pages += 1) {
    const items = [...(next.getElementById("feed")?.children ?? [])];
    for (const item of items) {
      seen.add(item.dataset.id);
      oldest = positionOf(item);
      const old = itemOf(item.dataset.id);
      if (pages === 0 || old) upsert("reset", document.adoptNode(item));
    }
    link = next.querySelector('#more a[rel="next"]')?.getAttribute("href") ?? null;
    const last = feed.lastElementChild;
    if (!link || !last || compare(positionOf(last), oldest) >= 0) break;
    next = await pageAt(location.pathname + link).catch(() => null);
  }
  for (const item of [...feed.children]) {
    if (!seen.has(item.dataset.id) && (!link || compare(positionOf(item), oldest) >= 0)) item.remove();
  }
  for (const id of [...held.keys()]) if (!seen.has(id)) held.delete(id);
  showPill();
}

document.addEventListener("slugline:update", ({ detail: { kind, data } }) => {
  const id = data.update_id;
  if (kind === "kill" || data.removal) {
    remove(id);
    return;
  }
  for (const holder of ["lead", "own"]) {
    if (articleIn(id, holder)) refreshArticle(holder, id, data.path, data.revision);
  }
  const element = feed && data.html && !articleIn(id, "lead") ? elementOf(data.html) : null;
  if (element) upsert(kind, element);
});

document.addEventListener("slugline:reset", (event) => {
  event.preventDefault();
  reconcile(event.detail.page);
});

const STATES = { connected: "Live", polling: "Live", reconnecting: "Waiting", offline: "Offline" };

document.addEventListener("slugline:state", ({ detail: { state } }) => {
  const shown = find("live-state");
  shown.dataset.state = STATES[state] === "Live" ? "live" : "waiting";
  find("live-words").textContent = STATES[state] ?? "";
});

pill?.addEventListener("click", () => {
  const newest = release();
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  find("live-heading").scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  newest?.querySelector(".item-headline a")?.focus({ preventScroll: true });
});

window.addEventListener("scroll", () => held.size && window.scrollY < AT_TOP_PX && release(), { passive: true });

find("more")?.addEventListener("click", async (event) => {
  const link = event.target.closest('a[rel="next"]');
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (link.ariaBusy === "true") return;
  link.ariaBusy = "true";
  try {
    const page = await pageAt(link.href);
    const items = [...page.getElementById("feed").children].filter(
      (item) => !itemOf(item.dataset.id) && !articleIn(item.dataset.id, "lead"),
    );
    for (const item of items) feed.append(document.adoptNode(item));
    tellTimes(feed);
    const next = page.querySelector('#more a[rel="next"]');
    showMore(next ? new URL(next.href, location.href).searchParams.get("before") : null);
    items[0]?.querySelector(".item-headline a")?.focus({ preventScroll: true });
  } catch {
    location.assign(link.href);
  } finally {
    link.ariaBusy = "false";
  }
});

tellTimes(body);
setInterval(() => tellTimes(body), MINUTE_MS / 2);

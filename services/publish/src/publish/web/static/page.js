// Changes the open page as updates come in: live.js tells of them as events on `document`. Without this script the page
// shows the same, but only when it is loaded again. Nothing that is being read is moved: what belongs above waits behind a
// button. What stands above and beside the feed is in top.js, which shares the names of this script.

const AT_TOP_PX = 40;
const MOST_ITEMS = 300;
const REFRESH_SPREAD_MS = 1200; // since all readers hear at once
const ANNOUNCED_EVERY_MS = 10_000;

const find = (id) => document.getElementById(id);
const body = document.body;
const feed = find("feed");
const pill = find("pill");
let { title } = document;
const held = new Map(); // update id → {element, position}: new, and waiting for the reader; "" → another lead
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const place = (text) => {
  const dash = (text || "").lastIndexOf("-");
  return dash < 1 ? [-1, -1] : [Number(text.slice(0, dash)), Number(text.slice(dash + 1))];
};
const compare = (a, b) => a[0] - b[0] || a[1] - b[1];
const positionOf = (element) => place(element.dataset.position);
const items = () => [...feed.querySelectorAll(":scope > .item")];
const before = body.dataset.before ? place(body.dataset.before) : null; // of a page of earlier updates
const [channelKind, ...rest] = (body.dataset.channel || "news").split(":");
const channelName = rest.join(":");
const itemOf = (id) => feed?.querySelector(`:scope > [data-id="${CSS.escape(id)}"]`);
const articleIn = (id, holder) => find(holder)?.querySelector(`:scope > [data-id="${CSS.escape(id)}"]`);

function elementOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

// Announcements: one polite sentence for what came within two seconds, and no more than one in ten.
const said = { fresh: 0, headline: "", changed: 0, gone: 0, timer: 0, at: -ANNOUNCED_EVERY_MS };

function announce(what, headline = "") {
  said[what] += 1;
  if (headline) said.headline = headline;
  const pause = Math.max(2000, said.at + ANNOUNCED_EVERY_MS - performance.now());
  said.timer ||= setTimeout(() => {
    const sentences = [];
    if (said.fresh === 1) sentences.push(t("New update: %(headline)s", { headline: said.headline }));
    else if (said.fresh) sentences.push(tn("%(num)s new update", "%(num)s new updates", said.fresh));
    if (said.changed) sentences.push(tn("%(num)s update was changed", "%(num)s updates were changed", said.changed));
    if (said.gone) sentences.push(tn("%(num)s update was withdrawn", "%(num)s updates were withdrawn", said.gone));
    const region = find("announce");
    if (region) region.textContent = `${sentences.join(". ")}.`;
    Object.assign(said, { fresh: 0, headline: "", changed: 0, gone: 0, timer: 0, at: performance.now() });
  }, pause);
}

// A reader at the very top, or one who has not come to the feed yet, is not disturbed by what is put on top of it.
function mayInsert() {
  if (isPaused()) return false;
  const { top } = feed.getBoundingClientRect();
  return window.scrollY < AT_TOP_PX || top >= window.innerHeight;
}

function showPill() {
  const count = [...held.keys()].filter(Boolean).length;
  pill.hidden = held.size === 0;
  pill.textContent = count ? tn("%(num)s new update", "%(num)s new updates", count) : t("New at the top");
  document.title = count ? `(${count}) ${title}` : title;
}

function insert(element) {
  const position = positionOf(element);
  const next = items().find((item) => compare(positionOf(item), position) < 0);
  feed.insertBefore(element, next ?? null);
  const empty = find("empty");
  if (empty) empty.hidden = true;
}

function release() {
  const lead = held.get("");
  const waiting = [...held.values()].filter(({ element }) => element).sort((a, b) => compare(a.position, b.position));
  held.clear();
  for (const { element } of waiting) {
    element.classList.add("item-new");
    insert(element);
  }
  if (lead) refreshPage();
  showPill();
  trim();
  return waiting.at(-1)?.element;
}

// A page that stays open all day keeps what can be read on; the rest is behind "Show more".
function trim() {
  const all = items();
  if (window.scrollY > window.innerHeight || all.length <= MOST_ITEMS) return;
  for (const item of all.slice(MOST_ITEMS)) item.remove();
  showMore(all[MOST_ITEMS - 1].dataset.position);
}

function showMore(cursor) {
  const more = find("more");
  let link = more.querySelector('a[rel="next"]');
  if (!cursor) {
    link?.remove();
    return;
  }
  if (!link) {
    link = elementOf('<a class="button" rel="next"></a>');
    link.textContent = t("Show more");
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
  const all = items();
  const isOlder = all.length > 0 && compare(position, positionOf(all.at(-1))) < 0;
  if (position[0] < 1 || (isOlder && find("more").querySelector('a[rel="next"]'))) return;
  // A page of earlier updates shows what lies before its place, and nothing that is newer.
  if (before && compare(position, before) >= 0) return;
  if (all.length > 0 && compare(position, positionOf(all[0])) < 0) {
    insert(element);
  } else if (before || mayInsert()) {
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
      const all = items();
      const at = all.indexOf(item);
      (all[at + 1] ?? all[at - 1])?.querySelector("a")?.focus({ preventScroll: true });
    }
    item.remove();
    showEmpty();
    announce("gone");
  }
  if (held.delete(id)) showPill();
  removeFromParts(id);
  leaveList();
  if (articleIn(id, "lead")) {
    find("lead").replaceChildren();
    announce("gone");
    refreshPage();
  }
  if (articleIn(id, "own")) withdraw();
}

function showEmpty() {
  const empty = find("empty");
  if (empty) empty.hidden = items().length > 0 || held.size > 0 || Boolean(find("lead")?.firstElementChild);
}

function withdraw() {
  const note = document.createElement("p");
  note.className = "withdrawn";
  note.textContent = t("This update has been withdrawn.");
  find("own").replaceChildren(note);
  find("history")?.remove();
  find("around")?.replaceChildren();
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
async function refreshOwn(id, path, revision) {
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await wait(REFRESH_SPREAD_MS * (attempt + Math.random()));
    const old = articleIn(id, "own");
    if (!old || Number(old.dataset.revision) >= revision) return;
    const page = await pageAt(path).catch(() => undefined);
    if (page === null) return remove(id);
    const fresh = page?.querySelector(`#own > [data-id="${CSS.escape(id)}"]`);
    if (!fresh || Number(fresh.dataset.revision) < revision) continue;
    swap(old, fresh);
    const history = page.getElementById("history");
    if (find("history") && history) find("history").replaceWith(history);
    else if (history) find("own").after(history);
    document.title = page.title;
    takeAround(page);
    announce("changed");
    return;
  }
}

// Whether a revision is of this page's channel: the stream also tells of what has just left it.
function isOfChannel(data) {
  if (channelKind === "tag") return (data.tags ?? []).some(({ code }) => code === channelName);
  if (channelKind === "author") return (data.authors ?? []).some(({ slug }) => slug === channelName);
  if (channelKind === "story") return data.story?.id === channelName;
  if (channelKind === "source") return data.source === channelName;
  return true;
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
    takeAround(page);
    return;
  }
  if (list) takeList(page);
  if (!feed) return;
  takeTop(page);
  const seen = new Set();
  let next = page;
  let link = null;
  let oldest = [Infinity, Infinity];
  for (let pages = 0; next && pages < 15; pages += 1) {
    const found = [...(next.getElementById("feed")?.querySelectorAll(":scope > .item") ?? [])];
    for (const item of found) {
      seen.add(item.dataset.id);
      oldest = positionOf(item);
      const old = itemOf(item.dataset.id);
      if (pages === 0 || old) upsert("reset", document.adoptNode(item));
    }
    link = next.querySelector('#more a[rel="next"]')?.getAttribute("href") ?? null;
    const last = items().at(-1);
    if (!link || !last || compare(positionOf(last), oldest) >= 0) break;
    next = await pageAt(location.pathname + link).catch(() => null);
  }
  for (const item of items()) {
    if (!seen.has(item.dataset.id) && (!link || compare(positionOf(item), oldest) >= 0)) item.remove();
  }
  for (const id of [...held.keys()]) if (id && !seen.has(id)) held.delete(id);
  showEmpty();
  showPill();
}

document.addEventListener("slugline:update", ({ detail: { kind, id: cursor, data } }) => {
  const id = data.update_id;
  if (kind === "kill" || data.removal || !isOfChannel(data)) {
    remove(id);
    return;
  }
  if (data.cards) takeCards(data.cards, cursor);
  if (find("own")) followStory(id, data);
  followList(id, data);
  if (articleIn(id, "own")) refreshOwn(id, data.path, data.revision);
  const element = feed && data.html ? elementOf(data.html) : null;
  if (!element) return;
  const wasClosed = Boolean(document.querySelector(".live-header .closed"));
  const isOfTop = channelKind === "story" && !before && (Boolean(data.closed) !== wasClosed || isTold(id, data));
  const leads = mayLead(id, element, data);
  if (leads) since.clear();
  if (leads || isOfTop) refreshPage(cursor);
  if (!articleIn(id, "lead")) upsert(kind, element);
});

document.addEventListener("slugline:reset", (event) => {
  event.preventDefault();
  reconcile(event.detail.page);
});

const STATES = { connected: t("Live"), polling: t("Live"), asking: t("Now and then"), reconnecting: t("Waiting"), offline: t("Offline") };

document.addEventListener("slugline:state", ({ detail: { state } }) => {
  const shown = find("live-state");
  shown.dataset.state = state === "connected" || state === "polling" ? "live" : "waiting";
  const words = find("live-words");
  words.textContent = STATES[state] ?? "";
  if (state === "asking") {
    // The last rung: the same news as text alone.
    const [, kind, name] = /^(story|update):(.+)$/.exec(document.body.dataset.channel ?? "") ?? [];
    const folder = { story: "stories", update: "updates" }[kind];
    const path = folder ? `/text/${folder}/${encodeURIComponent(name)}` : "/text";
    words.append(" · ", Object.assign(document.createElement("a"), { href: path, textContent: t("Text only") }));
  }
});

// A reader who pauses is shown nothing new until the end of it; what is withdrawn goes all the same.
const pause = find("pause");
const isPaused = () => pause?.getAttribute("aria-pressed") === "true";

if (pause) {
  pause.hidden = false;
  pause.addEventListener("click", () => {
    const isOver = isPaused();
    pause.setAttribute("aria-pressed", String(!isOver));
    pause.textContent = isOver ? t("Pause") : t("Go on");
    if (isOver && held.size > 0) release();
  });
}

pill?.addEventListener("click", () => {
  const newest = release();
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  find("live-heading").scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  (newest?.querySelector(".item-headline a") ?? newest?.querySelector("a"))?.focus({ preventScroll: true });
});

window.addEventListener("scroll", () => held.size && window.scrollY < AT_TOP_PX && !isPaused() && release(), { passive: true });

find("more")?.addEventListener("click", async (event) => {
  const link = event.target.closest('a[rel="next"]');
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (link.ariaBusy === "true") return;
  link.ariaBusy = "true";
  try {
    const page = await pageAt(link.href);
    const found = [...page.querySelectorAll("#feed > .item")].filter(
      (item) => !itemOf(item.dataset.id) && !articleIn(item.dataset.id, "lead"),
    );
    for (const item of found) feed.append(document.adoptNode(item));
    const next = page.querySelector('#more a[rel="next"]');
    showMore(next ? new URL(next.href, location.href).searchParams.get("before") : null);
    (found[0]?.querySelector(".item-headline a") ?? found[0]?.querySelector("a"))?.focus({ preventScroll: true });
  } catch {
    location.assign(link.href);
  } finally {
    link.ariaBusy = "false";
  }
});

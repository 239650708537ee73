// Changes the open page as updates come in: live.js tells of them as events on `document`. Without this script the page
// shows the same, but only when it is loaded again. Nothing that is being read is moved: what belongs above waits behind a
// button.

const AT_TOP_PX = 40;
const MOST_ITEMS = 300;
const REFRESH_SPREAD_MS = 1200;
const ANNOUNCED_EVERY_MS = 10_000;
const CARDS = 4;

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
  if (articleIn(id, "lead")) {
    find("lead").replaceChildren();
    announce("gone");
    refreshPage();
  }
  if (articleIn(id, "own")) withdraw();
}

// What is said of an update beside the feed: in cards, among key events, before and after another. It goes at once; what
// comes in its place is for the server to say.
function removeFromParts(id) {
  const name = CSS.escape(id);
  const lines = document.querySelectorAll(`[data-line="${name}"], [data-key="${name}"]`);
  if (lines.length === 0) return;
  for (const line of lines) line.remove();
  if (feed) refreshPage();
  else refreshAround();
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

// What a page of many says above its feed is for the server to decide: when that may be another, the page is asked for.
const refreshing = { wanted: [0, -1], running: false };

async function refreshPage(cursor = body.dataset.cursor) {
  if (!feed) return;
  if (compare(place(cursor), refreshing.wanted) > 0) refreshing.wanted = place(cursor);
  if (refreshing.running) return;
  refreshing.running = true;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await wait(REFRESH_SPREAD_MS * (attempt + Math.random()));
    const { wanted } = refreshing;
    const page = await pageAt(location.href).catch(() => null);
    if (!page || compare(place(page.body.dataset.cursor), wanted) < 0) continue;
    takeTop(page);
    if (compare(refreshing.wanted, wanted) === 0) break;
    attempt = -1;
  }
  refreshing.running = false;
}

// The lead, and what is said of the whole page. Who is reading the lead keeps it: another waits behind the button.
const TOP_PARTS = [
  ["#kicker"], [".feed-title"], ["#top .standfirst", ".feed-title"], ["#top .story-meta"], [".live-header .closed", ".live-header > :last-child"],
];

function takeTop(page) {
  for (const [selector, behind] of TOP_PARTS) {
    const [ours, theirs] = [document.querySelector(selector), page.querySelector(selector)];
    if (ours && !theirs) ours.remove();
    else if (ours && !sameWords(ours, theirs)) ours.replaceWith(theirs);
    else if (theirs && !ours) document.querySelector(behind)?.after(theirs);
  }
  if (page.body.dataset.edition) body.dataset.edition = page.body.dataset.edition;
  if (feed && page.title !== title) {
    title = page.title;
    showPill();
  }
  const [ours, theirs] = [find("digest"), page.getElementById("digest")];
  if (ours && theirs && !sameWords(ours, theirs)) ours.replaceWith(theirs);
  takeAllCards(page);
  takeLead(page);
}

// Times tell how long ago something was, and are no other words.
function sameWords(a, b) {
  const [one, two] = [a, b].map((element) => {
    const copy = element.cloneNode(true);
    for (const time of copy.querySelectorAll("time")) time.textContent = time.dateTime;
    return copy.className + copy.textContent.replace(/\s+/g, " ");
  });
  return one === two;
}

// Cards of stories. They are of one height, so that what changes in one moves nothing; their order changes only where
// nobody looks at them.
function mayMoveCards() {
  const { top, bottom } = find("card-row").getBoundingClientRect();
  return window.scrollY < AT_TOP_PX || bottom < 0 || top > window.innerHeight;
}

function takeAllCards(page) {
  const [ours, theirs] = [find("cards"), page.getElementById("cards")];
  if (!ours || !theirs || sameWords(ours, theirs)) return;
  if (!ours.hidden && !mayMoveCards()) {
    held.set("", {});
    showPill();
    return;
  }
  ours.replaceWith(theirs);
}

function takeCards(cards, cursor) {
  const row = find("card-row");
  if (!row || before) return;
  for (const [story, html] of Object.entries(cards)) {
    const old = row.querySelector(`:scope > [data-story="${CSS.escape(story)}"]`);
    const card = html ? elementOf(html) : null;
    if (find("own")) {
      if (old && card) swap(old, card);
    } else if (!card || "closed" in card.dataset || (old && compare(positionOf(card), positionOf(old)) < 0)) {
      // Another story may have a place now.
      if (old) refreshPage(cursor);
    } else {
      placeCard(row, card, old);
    }
  }
}

function placeCard(row, card, old) {
  const all = [...row.children];
  const next = all.find((each) => each !== old && compare(positionOf(each), positionOf(card)) < 0) ?? null;
  const stays = old && (next ?? null) === (all[all.indexOf(old) + 1] ?? null);
  if (stays) return swap(old, card);
  if (!old && !next && all.length >= CARDS) return;
  if (!find("cards").hidden && !mayMoveCards()) {
    if (old) swap(old, card);
    held.set("", {});
    return showPill();
  }
  old?.remove();
  row.insertBefore(card, next);
  while (row.children.length > CARDS) row.lastElementChild.remove();
  find("cards").hidden = false;
}

// What stands around an update's own page, when its story goes on.
const around = { wanted: false };

async function refreshAround() {
  if (around.wanted || !find("around")) return;
  around.wanted = true;
  await wait(REFRESH_SPREAD_MS * (1 + Math.random()));
  around.wanted = false;
  const page = await pageAt(location.href).catch(() => undefined);
  if (page) takeAround(page);
}

function takeAround(page) {
  const [ours, theirs] = [find("around"), page.getElementById("around")];
  if (ours && theirs && !sameWords(ours, theirs)) ours.replaceWith(theirs);
}

function takeLead(page) {
  const fresh = page.getElementById("lead");
  const holder = find("lead");
  if (!holder) return;
  const article = fresh?.firstElementChild;
  if (!article) {
    for (const item of page.querySelectorAll("#feed > .item")) {
      if (articleIn(item.dataset.id, "lead")) holder.replaceChildren();
    }
    return showEmpty();
  }
  const old = holder.firstElementChild;
  const same = old?.dataset.id === article.dataset.id;
  if (same && Number(old.dataset.revision) >= Number(article.dataset.revision)) return;
  if (same) {
    swap(old, article);
    announce("changed");
    return;
  }
  if (old && !mayChangeLead()) {
    held.set("", {});
    showPill();
    return;
  }
  itemOf(article.dataset.id)?.remove();
  if (held.delete(article.dataset.id)) showPill();
  holder.replaceChildren(article);
  // What was the lead is an item of the feed now, as the server has it.
  const item = old && page.querySelector(`#feed > [data-id="${CSS.escape(old.dataset.id)}"]`);
  if (item) insert(document.adoptNode(item));
  showEmpty();
}

// The lead is above everything: changing it moves nothing for who is at the very top, or has it far above the window.
function mayChangeLead() {
  return window.scrollY < AT_TOP_PX;
}

// Whether a revision may have made another update the lead: see `weight` in update.html and `lead_of` in pages.py.
function mayLead(id, element, data) {
  const lead = find("lead");
  if (before || !(channelKind === "news" || channelKind === "story")) return false;
  if (articleIn(id, "lead")) return true;
  if (!lead?.firstElementChild) return true;
  since.add(id);
  if (since.size >= LEAD_AMONG) return true;
  const isPinned = data.pinned && (channelKind === "story" || !data.story);
  const ours = [isPinned ? 1 : 0, data.key_event ? 1 : 0, element.querySelector(".picture") ? 1 : 0, -(data.urgency || 5)];
  const theirs = lead.firstElementChild.dataset.weight.split(" ").map(Number);
  const differs = ours.findIndex((value, at) => value !== theirs[at]);
  return differs < 0 || ours[differs] > theirs[differs];
}

const LEAD_AMONG = 50;
const since = new Set(); // updates since the lead was last looked at: it leads no longer than it is among the newest

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

// Whether a revision changes what is said of its story above the feed.
function isTold(id, data) {
  const isListed = Boolean(find("digest")?.querySelector(`[data-key="${CSS.escape(id)}"]`));
  return data.key_event || isListed || (data.edition ?? 0) > Number(body.dataset.edition ?? 0);
}

// The story of an update's own page goes on: what came next, and other words of what stands there.
function followStory(id, data) {
  if (articleIn(id, "own")) return;
  const isShown = find("around")?.querySelector(`.neighbours [data-line="${CSS.escape(id)}"]`);
  const isFirst = !find("around")?.querySelector('[rel="next"]') && data.story;
  if (isShown || isFirst) refreshAround();
}

document.addEventListener("slugline:reset", (event) => {
  event.preventDefault();
  reconcile(event.detail.page);
});

const STATES = { connected: t("Live"), polling: t("Live"), reconnecting: t("Waiting"), offline: t("Offline") };

document.addEventListener("slugline:state", ({ detail: { state } }) => {
  const shown = find("live-state");
  shown.dataset.state = state === "connected" || state === "polling" ? "live" : "waiting";
  find("live-words").textContent = STATES[state] ?? "";
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

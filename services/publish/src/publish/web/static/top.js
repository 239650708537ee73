// What stands above and beside the feed: the lead, what is said of a story, cards of stories, what came before and after an
// update. It goes on from page.js and has its names.

const CARDS = 4;

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
  const [known, fresh] = [find("languages"), page.getElementById("languages")];
  if (known && fresh && !sameWords(known, fresh)) known.replaceWith(fresh);
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

// What is said of an update beside the feed: in cards, among key events, before and after another. It goes at once; what
// comes in its place is for the server to say.
function removeFromParts(id) {
  const name = CSS.escape(id);
  const lines = document.querySelectorAll(`[data-line="${name}"], [data-key="${name}"]`);
  if (lines.length === 0) return;
  for (const line of lines) line.remove();
  if (feed) refreshPage();
  else if (list) refreshList();
  else refreshAround();
}

// Whether a revision changes what is said of its story above the feed.
function isTold(id, data) {
  const isListed = Boolean(find("digest")?.querySelector(`[data-key="${CSS.escape(id)}"]`));
  return data.key_event || isListed || (data.edition ?? 0) > Number(body.dataset.edition ?? 0);
}

// The story of an update's own page goes on: what came next or between, and other words of what stands there.
function followStory(id, data) {
  if (articleIn(id, "own")) return;
  const isShown = find("around")?.querySelector(`.neighbours [data-line="${CSS.escape(id)}"]`);
  const { family } = body.dataset;
  if (isShown || isNearest(data) || id === family || data.translation_of === family) refreshAround();
}

// Whether an update of the story stands nearer to this page's own than those which are told as the ones around it.
function isNearest({ story, position }) {
  if (!story || `story:${story.id}` !== body.dataset.beside || !position) return false;
  const own = positionOf(find("own").firstElementChild);
  const at = place(position);
  const isNewer = compare(at, own) > 0;
  const known = find("around").querySelector(`[rel="${isNewer ? "next" : "prev"}"]`);
  return !known || compare(at, positionOf(known)) > 0 !== isNewer;
}

// Lists that the server makes of many updates: of stories, and of what was found. What is withdrawn leaves them at once; what
// else they say now is asked of the server. It goes on from page.js and top.js and has their names.

const list = find("list");
const listing = { wanted: false, isBehind: false };

// Results say what an update said when it was found: other words of those that are shown, and no new ones.
function followList(id, data) {
  if (!list) return;
  const isShown = list.querySelector(`[data-line="${CSS.escape(id)}"]`);
  // What has no story now may have left one, which then has an update less.
  const isOfStories = list.dataset.list === "stories" && (data.story || data.revision > 1);
  if (isShown || isOfStories) refreshList();
}

// Of a story that goes on with one update less, the list tells how many there are.
function leaveList() {
  if (list?.dataset.list === "stories") refreshList();
}

async function refreshList() {
  if (!list || listing.wanted) return;
  listing.wanted = true;
  await wait(REFRESH_SPREAD_MS * (1 + Math.random()));
  listing.wanted = false;
  const page = await pageAt(location.href).catch(() => undefined);
  if (page) takeList(page);
}

// Who reads further down keeps the order: what has another place, or is new, comes once the reader is at the top again.
function takeList(page) {
  const fresh = page.getElementById("list");
  if (!fresh || sameWords(list, fresh)) return;
  if (window.scrollY < AT_TOP_PX) {
    list.replaceChildren(...fresh.childNodes);
    return;
  }
  listing.isBehind = true;
  for (const old of list.querySelectorAll("[data-key]")) {
    const now = fresh.querySelector(`[data-key="${CSS.escape(old.dataset.key)}"]`);
    if (!now) old.remove();
    else if (!sameWords(old, now)) swap(old, now.cloneNode(true));
  }
}

window.addEventListener(
  "scroll",
  () => {
    if (!listing.isBehind || window.scrollY >= AT_TOP_PX) return;
    listing.isBehind = false;
    refreshList();
  },
  { passive: true },
);

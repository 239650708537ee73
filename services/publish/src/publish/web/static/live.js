// Keeps this page current. One tab holds the stream for all tabs of the site, since a browser opens only six
// connections to a host over HTTP/1.1; the others hear it from that tab, and one of them takes over when it goes.
//
// What comes in is told as events on `document`:
//   slugline:update  {kind, id, data}   one revision: publish, update, enrich, correct, kill or pin
//   slugline:state   {state}            connected, polling, asking (now and then), reconnecting or offline
//   slugline:reset   {reason, page}     the page as it is now, a Document; without preventDefault() its #lead and #feed
//                                       take the place of ours
// The ladder (ladder.js) is stream, long poll, and plain questions that a cache may answer; where the reader saves data,
// those at once, once a minute. The page links its text version below them.
//
// The page says where it stands in <body data-cursor data-channel>, and of what else it shows something in data-beside,
// and of which update it is a translation, or the original, in data-family.

const NAME = "slugline-live";
const LEADER_ANSWERS_MS = 4_000;
const FORGET_TAB_MS = 120_000;

const body = document.body;
const tab = Array.from(crypto.getRandomValues(new Uint32Array(2)), (n) => n.toString(36)).join("");
const { family } = body.dataset;
const ofFamily = family ? [`update:${family}`, `translations:${family}`] : [];
const channels = [...new Set([body.dataset.channel || "news", body.dataset.beside, ...ofFamily].filter(Boolean))];
const shared = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;
const canLead = Boolean(shared && navigator.locks);

// This tab's own view of what comes in: each event once, in order, and only of its channels.
let cursor = body.dataset.cursor || "";
let state = "";
let catching = false;
let held = [];

function hear(message) {
  if (message.type === "state") {
    if (message.state === state) return;
    state = message.state;
    document.dispatchEvent(new CustomEvent("slugline:state", { detail: { state } }));
  } else if (catching) {
    held.push(message);
  } else if (message.type === "place") {
    if (isAfter(message.id, cursor)) advance(message.id);
  } else if (message.kind === "reset") {
    startOver(message.data);
  } else {
    take(message);
  }
}

function take({ kind, id, data }) {
  if (!isAfter(id, cursor)) return;
  advance(id);
  if (data.channels && !channels.some((name) => data.channels.includes(name))) return;
  document.dispatchEvent(new CustomEvent("slugline:update", { detail: { kind, id, data } }));
}

function advance(id) {
  cursor = id;
  body.dataset.cursor = id;
}

// Runs one piece of catching up until it succeeds; what is heard meanwhile follows it.
async function meanwhile(work) {
  if (catching) return;
  catching = true;
  for (let failures = 0; ; failures += 1) {
    try {
      await work();
      break;
    } catch (error) {
      console.warn("slugline: could not catch up", error);
      await wait(Math.min(60_000, 2_000 * 2 ** failures) * (0.5 + Math.random()));
    }
  }
  catching = false;
  const waiting = held;
  held = [];
  waiting.forEach(hear);
}

async function takeMissed() {
  for (let more = true, resets = 0; more; ) {
    const answer = await askFor(address("/v1/since", channels, cursor));
    const reset = answer.events.find(({ event }) => event === "reset");
    more = Boolean(reset) || answer.more;
    if (reset) {
      resets += 1;
      if (resets > 2) throw new Error(reset.data.reason);
      await renew(reset.data);
    } else {
      for (const { event, id, data } of answer.events) take({ kind: event, id, data });
      if (isAfter(answer.cursor, cursor)) advance(answer.cursor);
    }
  }
}

const catchUp = () => meanwhile(takeMissed);

const startOver = (reset) =>
  meanwhile(async () => {
    await wait(3_000 * Math.random()); // every reader is told at the same moment
    await renew(reset);
    await takeMissed();
  });

async function renew(reset) {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok && answer.status !== 410) throw new Error(`${location.href}: ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const event = new CustomEvent("slugline:reset", { cancelable: true, detail: { reason: reset.reason, page } });
  if (document.dispatchEvent(event)) {
    for (const id of ["lead", "feed"]) {
      const fresh = page.getElementById(id);
      if (fresh) document.getElementById(id)?.replaceWith(fresh);
    }
  }
  advance(page.body.dataset.cursor || reset.cursor);
}

// Leading: the stream of all tabs' channels together. Tabs are kept for a while after their last word.
let leading = null;

class Leader {
  constructor() {
    this.tabs = new Map();
    this.said = 0;
    if (!catching) held = [];
    this.note({ tab, channels });
    this.tell({ type: "who" });
    this.timer = setInterval(() => this.roll(), FORGET_TAB_MS / 4);
    setTimeout(() => this.follow(), 150); // for the other tabs to answer
  }

  end() {
    clearInterval(this.timer);
    this.stream?.end();
    leading = null;
  }

  note({ tab: id, channels: names }) {
    this.tabs.set(id, { names, at: Date.now() });
  }

  wanted() {
    return new Set([...this.tabs.values()].flatMap(({ names }) => names));
  }

  tell(message) {
    shared.postMessage({ ...message, leader: tab, number: this.said++ });
  }

  follow() {
    if (leading !== this) return;
    const names = this.wanted();
    const from = this.stream ? this.stream.cursor : cursor;
    if (!this.stream || [...names].some((name) => !this.stream.names.has(name))) {
      this.stream?.end();
      this.stream = new Stream(names, from, (message) => {
        this.tell(message);
        hear(message);
      });
    }
    this.tell({ type: "at", cursor: this.stream.cursor, names: [...this.stream.names], state });
  }

  roll() {
    this.note({ tab, channels });
    for (const [id, { at }] of this.tabs) if (Date.now() - at > FORGET_TAB_MS) this.tabs.delete(id);
    this.tell({ type: "who" });
  }
}

// Following: a tab that cannot have missed anything takes what the leader says as it comes. One that may have (it just
// came, slept, or the leader is another one) keeps it back until the leader says where it is, and catches up first.
const heard = { at: 0, leader: "", number: -1, whole: false };

shared?.addEventListener("message", ({ data: message }) => {
  if (leading) {
    if (message.type === "follow") {
      leading.note(message);
      if (leading.stream) leading.follow();
    } else if (message.type === "leave") {
      leading.tabs.delete(message.tab);
    }
    return;
  }
  if (!message.leader) return;
  if (message.leader !== heard.leader || message.number !== heard.number + 1) heard.whole = false;
  Object.assign(heard, { at: Date.now(), leader: message.leader, number: message.number });
  if (message.type === "who") {
    shared.postMessage({ type: "follow", tab, channels });
  } else if (message.type === "at") {
    if (message.state) hear({ type: "state", state: message.state });
    if (heard.whole || !channels.every((name) => message.names.includes(name))) return;
    heard.whole = true;
    if (held.length || isAfter(message.cursor, cursor)) catchUp();
  } else if (heard.whole || message.type === "state") {
    hear(message);
  } else {
    held.push(message);
    if (held.length === 1) shared.postMessage({ type: "follow", tab, channels });
  }
});

function lead(options) {
  navigator.locks
    .request(NAME, options, () => {
      leading = new Leader();
      return new Promise(() => {}); // until this tab closes, or another takes the lock away
    })
    .catch(() => {
      leading?.end();
      lead({});
    });
}

// Asks the leader where it is. One that does not answer sleeps or hangs: a tab that is looked at takes its place.
async function join() {
  if (leading) return;
  const asked = Date.now();
  shared.postMessage({ type: "follow", tab, channels });
  await wait(LEADER_ANSWERS_MS);
  if (!leading && heard.at < asked && document.visibilityState === "visible") lead({ steal: true });
}

let own = null;

function start() {
  if (canLead) {
    lead({});
    join();
    return;
  }
  // Without locks every tab has its own stream, and only while it is looked at.
  const turn = () => {
    const visible = document.visibilityState === "visible";
    if (visible && !own) own = new Stream(new Set(channels), cursor, hear);
    else if (!visible && own) {
      own.end();
      own = null;
    }
  };
  document.addEventListener("visibilitychange", turn);
  turn();
}

// After a sleep: the leader's stream may be dead without knowing, and others may have missed what it said.
function wake() {
  if (document.visibilityState !== "visible") return;
  const stream = leading ? leading.stream : own;
  if (stream) stream.check();
  else if (canLead) join();
}

for (const name of ["visibilitychange", "resume"]) document.addEventListener(name, wake);
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  heard.whole = false;
  wake();
});
window.addEventListener("online", () => (leading ? leading.stream : own)?.open());
window.addEventListener("offline", () => hear({ type: "state", state: "offline" }));
window.addEventListener("pagehide", () => shared?.postMessage({ type: "leave", tab }));

if (document.readyState === "complete") start();
else window.addEventListener("DOMContentLoaded", start, { once: true });

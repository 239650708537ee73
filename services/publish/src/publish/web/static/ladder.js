// What brings updates to this tab: the stream, or what comes below it on the ladder, a long poll and then plain questions
// that a cache may answer. All go on from one cursor. live.js, of which this is the first half, decides which tab holds it.

const KINDS = ["publish", "update", "enrich", "correct", "kill", "pin"];
const SILENCE_MS = 45_000; // the server says something every 15 s
const FIRST_WORD_MS = 8_000; // a stream that says nothing for so long is held back by something in between
const STREAM_AGAIN_MS = 300_000;
const ASK_EVERY_MS = 15_000;
const ASK_EVERY_SAVING_MS = 60_000;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const place = (cursor) => {
  const dash = cursor.indexOf("-");
  return dash < 1 ? [0, -1] : [Number(cursor.slice(0, dash)), Number(cursor.slice(dash + 1))];
};
const isAfter = (a, b) => {
  const [x, y] = [place(a), place(b)];
  return x[0] > y[0] || (x[0] === y[0] && x[1] > y[1]);
};
const address = (path, names, cursor, more = {}) => {
  const query = new URLSearchParams({ view: "page", ...more });
  if (cursor) query.set("cursor", cursor);
  for (const name of [...names].sort()) query.append("channel", name);
  return `${path}?${query}`;
};
// Whether the reader's browser or connection asks for little data.
const savesData = () => {
  const { saveData, effectiveType } = navigator.connection ?? {};
  return Boolean(saveData) || /^(slow-)?2g$/.test(effectiveType ?? "");
};
const askFor = async (url, signal, cache = "no-store") => {
  const answer = await fetch(url, { cache, signal });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
};

// The stream itself, or what comes below it on the ladder. `hear(message)` is told everything.
class Stream {
  constructor(names, cursor, hear) {
    this.names = names;
    this.cursor = cursor;
    this.hear = hear;
    this.failures = 0;
    this.turn = 0;
    this.ended = new AbortController();
    this.open();
  }

  end() {
    this.turn += 1;
    this.ended.abort();
    clearInterval(this.watch);
    this.source?.close();
  }

  open() {
    if (this.ended.signal.aborted) return;
    if (savesData()) {
      this.poll();
      return;
    }
    this.turn += 1;
    this.source?.close();
    clearInterval(this.watch);
    this.heardAt = 0;
    this.openedAt = Date.now();
    const source = (this.source = new EventSource(address("/v1/stream", this.names, this.cursor)));
    source.addEventListener("ready", (event) => {
      this.alive(event.lastEventId);
      this.hear({ type: "place", id: this.cursor });
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        this.alive(event.lastEventId);
        this.hear({ type: "event", kind, id: event.lastEventId, data: JSON.parse(event.data) });
      });
    }
    source.addEventListener("reset", (event) => {
      const data = JSON.parse(event.data);
      if (!data.cursor) return; // too slow: the connection ends, and the browser resumes where it was
      this.cursor = data.cursor;
      this.alive(data.cursor);
      this.hear({ type: "event", kind: "reset", id: data.cursor, data });
    });
    source.addEventListener("error", () => {
      if (source !== this.source) return;
      this.hear({ type: "state", state: navigator.onLine ? "reconnecting" : "offline" });
      if (source.readyState === EventSource.CLOSED) this.failed();
      this.heardAt = 0;
      this.openedAt = Date.now();
    });
    this.watch = setInterval(() => this.check(), 1_000);
  }

  alive(id) {
    this.failures = 0;
    if (!this.heardAt) this.hear({ type: "state", state: "connected" });
    this.heardAt = Date.now();
    if (id && isAfter(id, this.cursor)) this.cursor = id;
  }

  // Looks by the clock, since timers of a hidden tab are rare and those of a sleeping machine stand still.
  check() {
    const now = Date.now();
    if (this.source?.readyState === EventSource.OPEN && savesData()) {
      this.poll();
    } else if (this.heardAt && now - this.heardAt > SILENCE_MS) {
      this.hear({ type: "state", state: navigator.onLine ? "reconnecting" : "offline" });
      this.open();
    } else if (!this.heardAt && this.source?.readyState === EventSource.OPEN && now - this.openedAt > FIRST_WORD_MS) {
      this.poll();
    }
  }

  async failed() {
    clearInterval(this.watch);
    this.failures += 1;
    if (this.failures > 2) return this.poll();
    const { turn } = this;
    await wait(500 * 2 ** this.failures * (0.5 + Math.random()));
    if (turn === this.turn) this.open();
  }

  async poll() {
    clearInterval(this.watch);
    this.source?.close();
    this.heardAt = 0;
    this.turn += 1;
    const { turn } = this;
    const until = Date.now() + STREAM_AGAIN_MS;
    let failures = 0;
    let asks = false;
    while (turn === this.turn && Date.now() < until) {
      const saving = savesData();
      asks ||= saving || failures > 2;
      try {
        const url = asks
          ? address("/v1/since", this.names, this.cursor)
          : address("/v1/poll", this.names, this.cursor, { timeout: failures ? 0 : 25 });
        const answer = await askFor(url, this.ended.signal, asks ? "default" : "no-store");
        if (turn !== this.turn) return;
        failures = 0;
        this.hear({ type: "state", state: asks ? "asking" : "polling" });
        for (const { event, id, data } of answer.events) this.hear({ type: "event", kind: event, id, data });
        this.cursor = answer.cursor;
        if (asks && !answer.more) await wait(saving ? ASK_EVERY_SAVING_MS : ASK_EVERY_MS);
      } catch {
        if (this.ended.signal.aborted) return;
        failures += 1;
        this.hear({ type: "state", state: navigator.onLine ? "reconnecting" : "offline" });
        await wait(Math.min(30_000, 1_000 * 2 ** failures) * (0.5 + Math.random()));
      }
    }
    this.failures = 0;
    if (turn === this.turn) this.open();
  }
}

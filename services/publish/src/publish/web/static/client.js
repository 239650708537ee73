// Follows a channel of live updates on any page: https://…/docs#javascript
//
//   const stop = follow("https://news.example", { channel: "story:flood", snapshot, update, remove, state });
//
//   snapshot(updates)     all that is visible, newest first: show these alone. At the start, and after a reset
//   update(update, kind)  a new update, or another revision of one: sort by `position`, show the greatest `revision`
//   remove(updateId)      take it out, whatever you had of it: withdrawn, or no longer of the channel
//   state(state)          "connected" (stream), "polling", "asking" (now and then) or "offline"
//
// The cursor is kept here; after any break the next answer goes on behind it, on any replica of the site. The ladder is
// stream, long poll, plain questions; where the reader saves data, plain questions at once. `follow` returns a function
// that ends it.

const KINDS = ["publish", "update", "correct", "enrich", "pin", "kill", "reset"];
const SILENCE_MS = 45_000; // the server says something every 15 s
const FIRST_WORD_MS = 8_000; // something in between holds the stream back
const UP_AGAIN_MS = 300_000; // a lower rung is left after so long, to try the stream again
const ASK_EVERY_MS = 15_000;
const ASK_EVERY_SAVING_MS = 60_000;

const place = (cursor) => {
  const [, epoch = 0, offset = -1] = /^(\d+)-(-?\d+)$/.exec(cursor) || [];
  return [Number(epoch), Number(offset)];
};

/** Compares two positions or cursors, for sorting. */
export const compare = (a, b) => {
  const [x, y] = [place(a), place(b)];
  return x[0] - y[0] || x[1] - y[1];
};

/** Whether the reader's browser or connection asks for little data. */
export const savesData = () => {
  const { saveData, effectiveType } = navigator.connection || {};
  return Boolean(saveData) || /^(slow-)?2g$/.test(effectiveType || "");
};

// The stream also tells of what has just left a channel.
const isOf = (channel, { tags = [], authors = [], story, source }) => {
  const [kind, name] = [channel.split(":", 1)[0], channel.slice(channel.indexOf(":") + 1)];
  if (kind === "story") return story?.id === name;
  if (kind === "source") return source === name;
  if (kind === "tag") return tags.some(({ code }) => code === name);
  return kind !== "author" || authors.some(({ slug }) => slug === name);
};

export function follow(site, options = {}) {
  const { channel = "news", limit = 20, snapshot, update, remove, state, saving = savesData } = options;
  const base = site.replace(/\/$/, "");
  const ended = new AbortController();
  const { signal } = ended;
  let cursor = "";
  let rung = 0;
  let said = "";

  const say = (now) => now !== said && state?.((said = now));
  const wait = (ms) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
    });
  const pause = (failures) => wait(Math.min(30_000, 500 * 2 ** failures) * (0.5 + Math.random()));
  const ask = async (path, parameters) => {
    const query = new URLSearchParams(parameters);
    const answer = await fetch(`${base}${path}${path.includes("?") ? "&" : "?"}${query}`, { signal });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  };

  async function load(path = `/v1/updates?channel=${encodeURIComponent(channel)}`) {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        const page = await ask(path, { limit });
        cursor = page.cursor;
        snapshot?.(page.updates);
        return;
      } catch {
        say("offline");
        await pause(failures);
      }
    }
  }

  async function take({ id, event, data }) {
    if (event === "reset") {
      await wait(3_000 * Math.random()); // everybody is told at the same moment
      return load(data.snapshot);
    }
    if (compare(id, cursor) <= 0 || signal.aborted) return;
    cursor = id;
    if (event === "kill" || !isOf(channel, data)) remove?.(data.update_id);
    else update?.(data, event);
  }

  // Resolves once the stream does not get through, or must begin again after a reset.
  const stream = () =>
    new Promise((resolve) => {
      const query = new URLSearchParams({ channel, cursor });
      const source = new EventSource(`${base}/v1/stream?${query}`);
      let heard = 0;
      let since = Date.now();
      let failures = 0;
      const end = (fails) => {
        clearInterval(watch);
        source.close();
        signal.removeEventListener("abort", stop);
        resolve(fails);
      };
      const stop = () => end(false);
      const hear = () => {
        heard = Date.now();
        failures = 0;
        say("connected");
      };
      const watch = setInterval(() => {
        const now = Date.now();
        if (saving() || (heard && now - heard > SILENCE_MS)) end(false);
        else if (!heard && now - since > FIRST_WORD_MS) end(true);
      }, 1_000);
      signal.addEventListener("abort", stop);
      source.onopen = () => {
        hear();
        since = Date.now();
      };
      source.onmessage = hear;
      source.onerror = () => {
        say("offline");
        failures += 1;
        heard = 0;
        since = Date.now();
        if (source.readyState === EventSource.CLOSED || failures > 3) end(true);
      };
      for (const event of KINDS) {
        source.addEventListener(event, async (message) => {
          hear();
          const data = JSON.parse(message.data);
          if (event === "reset") end(false);
          await take({ id: message.lastEventId, event, data });
        });
      }
    });

  // One question after the other; resolves whether it failed too often.
  async function questions(path, waitS, everyMs, name) {
    const until = Date.now() + UP_AGAIN_MS;
    let well = false; // nothing is waited for before one answer has come
    for (let failures = 0; failures < 3 && Date.now() < until && !signal.aborted; ) {
      try {
        const answer = await ask(path, { channel, cursor, ...(waitS && { timeout: well ? waitS : 0 }) });
        well = true;
        failures = 0;
        say(name);
        for (const each of answer.events) await take(each);
        if (compare(answer.cursor, cursor) > 0) cursor = answer.cursor;
        if (!answer.more) await wait(everyMs);
      } catch {
        failures += 1;
        well = false;
        say("offline");
        await pause(failures);
      }
    }
    return Date.now() < until;
  }

  async function run() {
    await load();
    while (!signal.aborted) {
      let fails;
      if (saving()) fails = await questions("/v1/since", 0, ASK_EVERY_SAVING_MS, "asking");
      else if (rung === 0) fails = await stream();
      else if (rung === 1) fails = await questions("/v1/poll", 25, 0, "polling");
      else fails = await questions("/v1/since", 0, ASK_EVERY_MS, "asking");
      rung = fails ? Math.min(rung + 1, 2) : 0;
    }
  }

  run();
  return () => ended.abort();
}

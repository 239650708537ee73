// The alerts of a page: a button for what the page is about, and behind it what a reader has chosen. It asks for permission
// only after a reader's click, and says what came of it, also where alerts cannot work.
// The page says where the push API is in <meta name="slugline-push" content="https://push.example"> and its channel in
// <body data-channel>; the API answers this site's origin by CORS, so a page on another port or host names its origin in
// connect-src. All stands in an element [data-push], else at the end of .live-header.

const CHECKED_EVERY_MS = 24 * 3600 * 1000;
const LABELS = { news: t("All news") };
const OFFERS = {
  news: [t("Get alerts"), t("Alerts are on")],
  tag: [t("Get alerts on this topic"), t("Alerts on this topic are on")],
  author: [t("Get alerts by this author"), t("Alerts by this author are on")],
  story: [t("Get alerts on this story"), t("Alerts on this story are on")],
  source: [t("Get alerts from this source"), t("Alerts from this source are on")],
};
const ANSWERS = {
  unable: t("This browser cannot show alerts. On a phone or tablet it may once the site is on the home screen."),
  denied: t("Your browser blocks alerts from this site. Allow them in the browser's settings for this site, then try again."),
  default: t("Nothing was turned on: the browser was not given permission."),
  "push-service": t("The push service of your browser does not answer. Please try again later."),
  newsroom: t("Alerts cannot be changed right now. Please try again later."),
};

const meta = document.querySelector('meta[name="slugline-push"]');
const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
const place = document.querySelector("[data-push]") || document.querySelector(".live-header");
// Why something did not work, as a key of ANSWERS.
class Refused extends Error {
  constructor(answer, cause) {
    super(answer, { cause });
    this.answer = answer;
  }
}

function start(api) {
  const channel = document.body.dataset.channel || "news";
  const [offer, isOn] = OFFERS[channel.split(":")[0]] ?? OFFERS.news;
  const button = element("button", { type: "button", className: "button button-quiet push-button" });
  const status = element("span", { className: "push-status" });
  status.setAttribute("role", "status");
  const settings = element("div", { className: "push-settings", hidden: true });
  place.append(button, status);
  place.after(settings);
  const say = (text) => (status.textContent = text);

  function show(own) {
    const on = Boolean(own?.wishes.channels.includes(channel));
    button.textContent = on ? isOn : offer;
    button.setAttribute("aria-pressed", String(on));
    settings.hidden = !own;
    if (own) fill(own);
  }

  // One thing at a time, and the page says how it ended. Nothing is disabled meanwhile, so that no control loses the focus.
  let busy = false;
  async function act(done) {
    if (busy) return;
    busy = true;
    try {
      say(await done());
    } catch (error) {
      say(ANSWERS[error.answer ?? "newsroom"]);
      if (!error.answer) console.error(error);
    }
    busy = false;
    show(able ? await current().catch(() => null) : null);
  }

  async function choose(own, channels) {
    if (channels.length === 0) {
      await unsubscribe(api, own);
      return t("Alerts are off.");
    }
    await change(api, own, { ...own.wishes, channels });
    return t("Your choice is kept.");
  }

  function fill(own) {
    const topics = element("fieldset", {}, element("legend", { textContent: t("You are alerted to") }));
    for (const name of own.wishes.channels) {
      const box = element("input", { type: "checkbox", checked: true });
      box.addEventListener("change", () =>
        act(() => choose(own, own.wishes.channels.filter((each) => each !== name))),
      );
      topics.append(element("label", {}, box, ` ${own.labels[name] || name}`));
    }
    const quiet = element("input", { type: "checkbox", checked: Boolean(own.wishes.quiet_from) });
    const from = element("input", { type: "time", value: own.wishes.quiet_from || "22:00", disabled: !quiet.checked });
    const to = element("input", { type: "time", value: own.wishes.quiet_to || "07:00", disabled: !quiet.checked });
    for (const each of [quiet, from, to]) {
      each.addEventListener("change", () =>
        act(async () => {
          const hours = quiet.checked && from.value && to.value;
          const [quiet_from, quiet_to] = hours ? [from.value, to.value] : [null, null];
          await change(api, own, { ...own.wishes, quiet_from, quiet_to, time_zone: timeZone() });
          return t("Your choice is kept.");
        }),
      );
    }
    const test = element("button", { type: "button", className: "button button-quiet", textContent: t("Send a test alert") });
    test.addEventListener("click", () =>
      act(async () => {
        const answer = await ask(api, `/${own.id}/test`, "POST", own.token);
        return (await answer.json()).result === "sent" ? t("A test alert is on its way.") : t("The test alert was not taken.");
      }),
    );
    const details = settings.querySelector("details") || element("details", {});
    const index = [...details.querySelectorAll("input, button")].indexOf(document.activeElement);
    details.replaceChildren(
      element("summary", { textContent: t("Alert settings") }),
      topics,
      element(
        "fieldset",
        {},
        element("legend", { textContent: t("Quiet hours") }),
        element("label", {}, quiet, ` ${t("Only the most urgent alerts, the rest afterwards")}`),
        element("label", {}, `${t("From")} `, from),
        element("label", {}, `${t("until")} `, to),
      ),
      test,
    );
    settings.replaceChildren(details);
    if (index >= 0) [...details.querySelectorAll("input, button")][index]?.focus();
  }

  button.addEventListener("click", () =>
    act(async () => {
      if (!able) throw new Refused("unable");
      const own = await current();
      const label = document.title.replace(/^\(\d+\) /, "").split(" · ")[0];
      if (own?.wishes.channels.includes(channel)) {
        return choose(own, own.wishes.channels.filter((each) => each !== channel));
      }
      if (own) {
        await change(api, own, { ...own.wishes, channels: [...own.wishes.channels, channel] }, { [channel]: label });
        return t("Alerts are on.");
      }
      const permission = await Notification.requestPermission();
      if (permission !== "granted") throw new Refused(permission);
      await subscribe(api, channel, label);
      return t("Alerts are on.");
    }),
  );

  show(null);
  if (!able) return;
  current()
    .then((own) => own && stillThere(api, own))
    .then(show)
    .catch((error) => console.error(error));
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const store = () => caches.open("slugline-push");

async function kept(name) {
  const found = await (await store()).match(`/${name}`);
  return found ? found.json() : null;
}

async function keep(name, value) {
  await (await store()).put(`/${name}`, new Response(JSON.stringify(value)));
}

async function ask(api, path, method, token, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(`${api}/v1/push/subscriptions${path}`, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw Object.assign(new Error(`the push API answers ${answer.status}`), { status: answer.status });
  return answer;
}

// What this browser has, as it was kept when it was last said; null without a subscription.
async function current() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  const subscription = registration && (await registration.pushManager.getSubscription());
  if (!subscription) return null;
  const [own, wishes, labels] = await Promise.all(["own", "wishes", "labels"].map(kept));
  if (!own || !wishes) return null;
  return { ...own, subscription, wishes, labels: { ...LABELS, ...labels } };
}

// A subscription that the newsroom has lost (its push service said that it had ended) must not look as if it were on.
async function stillThere(api, own) {
  const checked = (await kept("checked")) || 0;
  if (Date.now() - checked < CHECKED_EVERY_MS) return own;
  try {
    await ask(api, `/${own.id}`, "GET", own.token);
  } catch (error) {
    if (error.status !== 404) return own;
    await forget(own);
    return null;
  }
  await keep("checked", Date.now());
  return own;
}

async function subscribe(api, channel, label) {
  const answer = await fetch(`${api}/v1/push/key`);
  if (!answer.ok) throw new Error(`the push API answers ${answer.status}`);
  const { public_key: key } = await answer.json();
  await navigator.serviceWorker.register(`/sw.js?push=${encodeURIComponent(api)}`, { scope: "/" });
  const registration = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: bytes(key) };
  const subscription = await registration.pushManager.subscribe(options).catch((error) => {
    throw new Refused(error.name === "NotAllowedError" ? "denied" : "push-service", error);
  });
  const wishes = { channels: [channel], time_zone: timeZone(), quiet_from: "22:00", quiet_to: "07:00" };
  try {
    const made = await ask(api, "", "POST", null, { ...wishes, subscription: subscription.toJSON() });
    await keep("own", await made.json());
  } catch (error) {
    await subscription.unsubscribe();
    throw error;
  }
  await keep("wishes", wishes);
  await keep("labels", { [channel]: label, ...LABELS });
  await keep("checked", Date.now());
}

async function change(api, own, wishes, labels = {}) {
  try {
    await ask(api, `/${own.id}`, "PATCH", own.token, wishes);
  } catch (error) {
    if (error.status === 404) await forget(own);
    throw error;
  }
  await keep("wishes", wishes);
  await keep("labels", { ...own.labels, ...labels, ...LABELS });
}

async function unsubscribe(api, own) {
  await forget(own);
  await ask(api, `/${own.id}`, "DELETE", own.token).catch((error) => {
    // The push service says for itself that the subscription has ended, the next time it is used.
    if (error.status !== 404) console.warn(error);
  });
}

async function forget(own) {
  await own.subscription.unsubscribe();
  const cache = await store();
  for (const name of ["own", "wishes", "labels", "checked"]) await cache.delete(`/${name}`);
}

function bytes(base64url) {
  const padded = base64url.replace(/-/g, "+").replace(/_/g, "/").padEnd(Math.ceil(base64url.length / 4) * 4, "=");
  return Uint8Array.from(atob(padded), (character) => character.charCodeAt(0));
}

if (meta && place) start(meta.content || location.origin);

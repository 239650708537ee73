// The service worker: shows alerts, puts a correction in the place of what it corrects, and takes back what was withdrawn.
// Served as /sw.js with the address of the push API as its query: /sw.js?push=https://push.example

const api = new URL(self.location).searchParams.get("push") || self.location.origin;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(receive(event.data)));

async function receive(data) {
  let message;
  try {
    message = data.json();
  } catch {
    return;
  }
  if (!message || typeof message !== "object" || typeof message.tag !== "string") return;
  const shown = await self.registration.getNotifications({ tag: message.tag });
  const seen = shown.length > 0 || (await hasSeen(message.tag));
  if (message.kind === "withdraw") {
    // Who was away all the time has nothing to take back: the push service kept only this last word of the alert.
    if (!seen) return;
    await self.registration.showNotification("Alert withdrawn", {
      body: "An earlier alert does not stand any more.",
      tag: message.tag,
      silent: true,
      data: { url: self.location.origin + "/" },
    });
    return;
  }
  // A correction is quiet, unless it came in the place of an alert that never reached this device: then it is the news.
  const quiet = message.kind === "replace" && seen;
  await note(message.tag);
  await self.registration.showNotification(String(message.title || ""), {
    body: String(message.body || ""),
    tag: message.tag,
    renotify: !quiet && shown.length > 0,
    silent: quiet,
    requireInteraction: message.level === 1,
    timestamp: message.timestamp,
    data: { url: ownAddress(message.url) },
  });
}

// Tags that this device has shown, for as long as a correction may follow.
const SEEN_MS = 3 * 24 * 3600 * 1000;
const seenAddress = (tag) => "/seen/" + encodeURIComponent(tag);

async function hasSeen(tag) {
  return Boolean(await (await caches.open("slugline-push")).match(seenAddress(tag)));
}

async function note(tag) {
  const cache = await caches.open("slugline-push");
  for (const request of await cache.keys()) {
    if (!new URL(request.url).pathname.startsWith("/seen/")) continue;
    const at = Number(await (await cache.match(request)).text());
    if (!(Date.now() - at < SEEN_MS)) await cache.delete(request);
  }
  await cache.put(seenAddress(tag), new Response(String(Date.now())));
}

function ownAddress(url) {
  const here = self.location.origin;
  try {
    const address = new URL(url, here);
    return address.origin === here ? address.href : here + "/";
  } catch {
    return here + "/";
  }
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data && event.notification.data.url));
});

async function open(url) {
  const target = ownAddress(url);
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((each) => each.url === target);
  if (page) return page.focus();
  return self.clients.openWindow(target);
}

// The browser changes the keys or the address of a subscription: the newsroom is told the new one, with the same wishes.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribeAgain(event)));

async function subscribeAgain(event) {
  const old = event.oldSubscription;
  const subscription =
    event.newSubscription || (await self.registration.pushManager.subscribe(old ? old.options : undefined));
  const cache = await caches.open("slugline-push");
  const kept = await cache.match("/wishes");
  const wishes = kept ? await kept.json() : { channels: ["news"] };
  const answer = await fetch(api + "/v1/push/subscriptions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...wishes, subscription: subscription.toJSON() }),
  });
  if (answer.ok) await cache.put("/own", new Response(await answer.text()));
}

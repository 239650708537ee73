// The subscribe button. It asks for permission only after a reader's click, and is absent where alerts cannot work.
// The page says where the push API is in <meta name="slugline-push" content="https://push.example"> and which channels it
// offers in <body data-channels>; the API answers this site's origin by CORS, so a page on another port or host names its
// origin in connect-src. The button stands in an element [data-push], else at the end of .live-header.

const meta = document.querySelector('meta[name="slugline-push"]');
const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
if (meta && able) start(meta.content || location.origin);

function start(api) {
  const place = document.querySelector("[data-push]") || document.querySelector(".live-header");
  if (!place) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-quiet push-button";
  const status = document.createElement("span");
  status.className = "unseen";
  status.setAttribute("role", "status");
  place.append(button, status);

  const say = (words) => (status.textContent = words);
  const show = (on) => {
    button.textContent = on ? "Alerts are on" : "Get alerts";
    button.setAttribute("aria-pressed", String(on));
    button.disabled = false;
  };

  show(false);
  current().then((own) => show(Boolean(own)));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const own = await current();
      if (own) {
        await unsubscribe(api, own);
        say("Alerts are off.");
        show(false);
      } else if ((await Notification.requestPermission()) !== "granted") {
        say("Your browser does not let this site show alerts.");
        show(false);
      } else {
        await subscribe(api);
        say("Alerts are on.");
        show(true);
      }
    } catch (error) {
      say("That did not work. Please try again later.");
      show(Boolean(await current()));
      console.error(error);
    }
  });
}

const store = () => caches.open("slugline-push");

async function current() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  const subscription = registration && (await registration.pushManager.getSubscription());
  if (!subscription) return null;
  const kept = await (await store()).match("/own");
  return kept ? { subscription, ...(await kept.json()) } : null;
}

async function subscribe(api) {
  const answer = await fetch(api + "/v1/push/key");
  if (!answer.ok) throw new Error("the push API answers " + answer.status);
  const { public_key: key } = await answer.json();
  await navigator.serviceWorker.register("/sw.js?push=" + encodeURIComponent(api), { scope: "/" });
  const registration = await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  const wishes = {
    channels: (document.body.dataset.channels || "news").split(","),
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
    quiet_from: "22:00",
    quiet_to: "07:00",
  };
  const made = await fetch(api + "/v1/push/subscriptions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...wishes, subscription: subscription.toJSON() }),
  });
  if (!made.ok) {
    await subscription.unsubscribe();
    throw new Error("the push API answers " + made.status);
  }
  const kept = await store();
  await kept.put("/own", new Response(await made.text()));
  await kept.put("/wishes", new Response(JSON.stringify(wishes)));
}

async function unsubscribe(api, own) {
  await own.subscription.unsubscribe();
  await fetch(api + "/v1/push/subscriptions/" + own.id, {
    method: "DELETE",
    headers: { Authorization: "Bearer " + own.token },
  });
  const kept = await store();
  await kept.delete("/own");
}

function bytes(base64url) {
  const padded = base64url.replace(/-/g, "+").replace(/_/g, "/").padEnd(Math.ceil(base64url.length / 4) * 4, "=");
  return Uint8Array.from(atob(padded), (character) => character.charCodeAt(0));
}

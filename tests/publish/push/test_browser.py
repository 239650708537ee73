"""Alerts in a real browser: subscribe on a page, be alerted, be corrected, have it withdrawn.

The push service's part is played by a local server, since a browser's own is on the Internet: the page's keys are real,
what is sent is decrypted with them, and handed to the service worker as the browser would.
"""

import base64
import shutil
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import http_ece
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import Error, async_playwright, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from publish.push.main import serve
from publish.settings import Settings
from shared.messages import Passport
from shared.process import http_server
from support.revisions import emit, free_port, revision, running
from support.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.integration]

SYSTEM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

PAGE = """<!doctype html><html lang="en"><head><title>News</title><meta name="slugline-push" content="{push}">
<script type="module" src="/static/push.js"></script></head>
<body data-channels="news"><div class="live-header"></div></body></html>"""

PUSH_SERVICE = """
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=/g, "");
let subscription = null;
PushManager.prototype.getSubscription = async () => subscription;
PushManager.prototype.subscribe = async function (options) {
  window.asked = { visible: options.userVisibleOnly, key: options.applicationServerKey.length };
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  const auth = crypto.getRandomValues(new Uint8Array(16));
  window.device = { d: (await crypto.subtle.exportKey("jwk", pair.privateKey)).d, auth: base64url(auth) };
  const p256dh = base64url(await crypto.subtle.exportKey("raw", pair.publicKey));
  subscription = {
    endpoint: "ENDPOINT", options,
    toJSON: () => ({ endpoint: "ENDPOINT", expirationTime: null, keys: { p256dh, auth: window.device.auth } }),
    unsubscribe: async () => { subscription = null; return true; },
  };
  return subscription;
};
"""


def _b64(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


async def test_a_reader_subscribes_on_the_page_and_reads_the_alert(
    settings: Settings, pool: Any, site: Any, recipients: Any
) -> None:
    """After a click, the subscription is the page's own; the alert decrypts with its keys, is shown, replaced and withdrawn; a second click ends it."""
    port = free_port()
    url = f"http://localhost:{port}"
    own = settings.model_copy(update={"publish_site_url": url})
    push_url = f"http://127.0.0.1:{settings.health_port}"

    async def script(request: Request) -> Response:
        name = "sw.js" if request.url.path == "/sw.js" else "push.js"
        return Response((files("publish.push") / "static" / name).read_bytes(), media_type="text/javascript")

    async def page_of(_: Request) -> Response:
        return HTMLResponse(PAGE.format(push=push_url))

    app = Starlette(routes=[Route("/", page_of), Route("/sw.js", script), Route("/static/push.js", script)])
    async with (
        http_server(app, "127.0.0.1", port),
        running(lambda stop: serve(own, stop)),
        async_playwright() as playwright,
    ):
        try:
            browser = await playwright.chromium.launch(
                executable_path=SYSTEM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
        except Error as error:
            pytest.skip(f"no Chromium: {error.message[:100]}")
        context = await browser.new_context()
        await context.grant_permissions(["notifications"], origin=url)
        await context.add_init_script(PUSH_SERVICE.replace("ENDPOINT", f"{recipients.url}/device"))
        page = await context.new_page()
        await page.goto(url)
        assert await page.evaluate("window.asked") is None, "nothing is asked before a click"
        await page.get_by_role("button", name="Get alerts").click()
        await expect(page.get_by_role("button", name="Alerts are on")).to_be_visible()
        assert await page.evaluate("window.asked") == {"visible": True, "key": 65}
        device = await page.evaluate("window.device")
        private = ec.derive_private_key(int.from_bytes(_b64(device["d"]), "big"), ec.SECP256R1())

        session = await context.new_cdp_session(page)
        registrations: list[str] = []
        session.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda event: registrations.extend(each["registrationId"] for each in event["registrations"]),
        )
        await session.send("ServiceWorker.enable")
        await eventually(lambda: registrations)

        async def deliver(number: int) -> dict[str, Any]:
            got = (await eventually(lambda: recipients.at("/device"), lambda got: len(got) >= number))[number - 1]
            plain = http_ece.decrypt(got.body, private_key=private, auth_secret=_b64(device["auth"]))
            await session.send(
                "ServiceWorker.deliverPushMessage",
                {"origin": url, "registrationId": registrations[-1], "data": plain.decode()},
            )
            return dict(orjson.loads(plain))

        async def shown() -> Any:
            return await page.evaluate(
                "navigator.serviceWorker.ready.then((r) => r.getNotifications())"
                ".then((all) => all.map((each) => [each.title, each.body, each.tag]))"
            )

        now = {"passport": Passport(received_at=_now(), enriched_at=_now())}
        update = revision("a", 1, urgency=2, headline="Bridge reopens — ‘at last’", summary="Traffic flows.", **now)
        await emit(settings, [update])
        message = await deliver(1)
        assert message["url"].startswith(url)
        await eventually(
            shown, lambda seen: seen == [["Bridge reopens — ‘at last’", "Traffic flows.", update.update_id]]
        )
        await emit(settings, [revision("a", 2, urgency=2, kind="correct", headline="Bridge stays shut", **now)])
        await deliver(2)
        await eventually(shown, lambda seen: len(seen) == 1 and seen[0][0] == "Bridge stays shut")
        await emit(settings, [revision("a", 3, removal="killed", **now)])
        await deliver(3)
        await eventually(shown, lambda seen: len(seen) == 1 and seen[0][0] == "Alert withdrawn")
        await page.get_by_role("button", name="Alerts are on").click()
        await expect(page.get_by_role("button", name="Get alerts")).to_be_visible()
        assert await pool.fetchval("SELECT count(*) FROM publish.subscriptions") == 0
        await browser.close()


def _now() -> Any:
    return datetime.now(UTC)

"""Apple's Push Notification service over HTTP/2 (Apple, "Sending notification requests to APNs")."""

import contextlib
import time
from collections.abc import AsyncIterator

import httpx
import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import JsonValue

from publish.push.alerts.providers import jwt
from publish.push.alerts.providers.apns.error import EXPIRED_PROVIDER_TOKEN, send_result
from publish.push.alerts.providers.apns.settings import ApnsSettings
from publish.push.alerts.providers.provider import Notification, Resources, SendResult, Target

TOKEN_LIFE_S = 2400
"""Apple wants a token between 20 and 60 minutes old."""


def provider_token(private_key_pem: str, key_id: str, team_id: str, now: int) -> str:
    """The JWT (ES256) that says whose app it is."""
    key = load_pem_private_key(private_key_pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the key of APNs is an elliptic curve's")

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return jwt.encoded({"alg": "ES256", "kid": key_id}, {"iss": team_id, "iat": now}, sign)


class Apns:
    """Sends notifications to Apple's devices; one HTTP/2 connection carries them all."""

    def __init__(
        self,
        *,
        private_key_pem: str,
        key_id: str,
        team_id: str,
        app: str,
        url: str = "https://api.push.apple.com",
        timeout_s: float = 15.0,
    ) -> None:
        self._private_key = private_key_pem
        self._key_id = key_id
        self._team_id = team_id
        self._app = app
        self._token = ""
        self._made_at = 0.0
        self._client = httpx.AsyncClient(base_url=url, http1=False, http2=True, timeout=timeout_s, trust_env=False)

    async def aclose(self) -> None:
        """End the connection."""
        await self._client.aclose()

    def _authorization(self) -> str:
        if time.time() - self._made_at > TOKEN_LIFE_S:
            self._made_at = time.time()
            self._token = provider_token(self._private_key, self._key_id, self._team_id, int(self._made_at))
        return f"bearer {self._token}"

    async def send(self, target: Target, notification: Notification) -> SendResult:
        """Send one notification. A withdrawal is a background push: the app takes the notification away."""
        aps: dict[str, JsonValue] = {"content-available": 1}
        if not notification.withdraws:
            aps = {
                "alert": {"title": notification.title, "body": notification.body},
                "thread-id": notification.topic,
                "interruption-level": "time-sensitive" if notification.urgency == "high" else "active",
                "mutable-content": 1,
            }
        headers = {
            "authorization": self._authorization(),
            "apns-topic": self._app,
            "apns-push-type": "background" if notification.withdraws else "alert",
            "apns-priority": "10" if notification.urgency == "high" and not notification.withdraws else "5",
            "apns-expiration": str(int(time.time()) + notification.ttl_s),
            "apns-collapse-id": notification.topic,
        }
        content = orjson.dumps({"aps": aps, "slugline": orjson.Fragment(notification.payload)})
        try:
            answer = await self._client.post(f"/3/device/{target.address}", headers=headers, content=content)
        except httpx.HTTPError as error:
            return SendResult("later", None, f"{type(error).__name__}: {error}"[:200])
        result = send_result(answer.status_code, answer.content)
        if result.reason == EXPIRED_PROVIDER_TOKEN:
            self._made_at = 0.0
        return result


@contextlib.asynccontextmanager
async def open_apns(settings: ApnsSettings, resources: Resources) -> AsyncIterator[Apns | None]:
    """APNs, where a key is given."""
    if settings.publish_push_apns_key is None:
        yield None
        return
    apns = Apns(
        private_key_pem=settings.publish_push_apns_key.read_text(),
        key_id=settings.publish_push_apns_key_id,
        team_id=settings.publish_push_apns_team,
        app=settings.publish_push_apns_app,
        url=settings.publish_push_apns_url,
        timeout_s=resources.timeout_s,
    )
    async with contextlib.aclosing(apns):
        yield apns

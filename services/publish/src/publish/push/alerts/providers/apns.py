"""Apple Push Notification service over HTTP/2 (Apple, "Sending notification requests to APNs")."""

import base64
import time
from typing import Any

import httpx
import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from publish.push.alerts.providers import Brought, Message, Target

TOKEN_LIFE_S = 2400
"""Apple wants a token between 20 and 60 minutes old."""
GONE = {"BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered", "ExpiredToken"}


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def provider_token(private_key_pem: str, key_id: str, team_id: str, now: int) -> str:
    """The JWT (ES256) that says whose app it is."""
    key = load_pem_private_key(private_key_pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101
    signed = b".".join(
        _base64url(orjson.dumps(part)) for part in ({"alg": "ES256", "kid": key_id}, {"iss": team_id, "iat": now})
    )
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return (signed + b"." + _base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))).decode()


class Apns:
    """Brings messages to Apple's devices; one HTTP/2 connection carries them all."""

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

    async def bring(self, target: Target, message: Message) -> Brought:
        """One message. A withdrawal is a background push: the app takes the notification away."""
        aps: dict[str, Any] = {"content-available": 1}
        if not message.withdraws:
            level = "time-sensitive" if message.urgency == "high" else "active"
            aps = {
                "alert": {"title": message.title, "body": message.body},
                "thread-id": message.topic,
                "interruption-level": level,
                "mutable-content": 1,
            }
        headers = {
            "authorization": self._authorization(),
            "apns-topic": self._app,
            "apns-push-type": "background" if message.withdraws else "alert",
            "apns-priority": "10" if message.urgency == "high" and not message.withdraws else "5",
            "apns-expiration": str(int(time.time()) + message.ttl_s),
            "apns-collapse-id": message.topic,
        }
        content = orjson.dumps({"aps": aps, "slugline": orjson.loads(message.payload)})
        try:
            answer = await self._client.post(f"/3/device/{target.address}", headers=headers, content=content)
        except httpx.HTTPError as error:
            return Brought("later", None, f"{type(error).__name__}: {error}"[:200])
        if answer.status_code == 200:
            return Brought("sent", 200)
        reason = _reason(answer.content)
        if answer.status_code == 410 or reason in GONE:
            return Brought("gone", answer.status_code, reason)
        if reason == "ExpiredProviderToken":
            self._made_at = 0.0
        if answer.status_code in (403, 429) or answer.status_code >= 500:
            return Brought("later", answer.status_code, reason)
        return Brought("failed", answer.status_code, reason)


def _reason(body: bytes) -> str:
    try:
        return str(orjson.loads(body).get("reason", ""))
    except (ValueError, AttributeError):
        return ""

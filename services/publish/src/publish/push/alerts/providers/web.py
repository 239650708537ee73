"""Web Push to browsers: RFC 8030 (protocol), RFC 8291 (encryption), RFC 8292 (VAPID)."""

import time
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from py_vapid.utils import b64urlencode

from publish.push.alerts.providers import MAX_ATTEMPT_PAUSE_S, Brought, Message, Target
from publish.push.delivery.outbound import Answer, Outbound
from shared.http.retry_after import retry_after_s

MAX_PAYLOAD_BYTES = 3993
"""What push services must take is 4,096 bytes (RFC 8030, section 7.2), less header, delimiter and tag (RFC 8291, section 4)."""
TOKEN_LIFE_S = 12 * 3600
"""Of 24 h that RFC 8292, section 2, permits."""


def encrypt(
    payload: bytes,
    p256dh: bytes,
    auth: bytes,
    *,
    salt: bytes | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The payload for one browser, as one aes128gcm record (RFC 8291); salt and key are random unless given."""
    sealed: bytes = http_ece.encrypt(
        payload,
        salt=salt,
        private_key=key or ec.generate_private_key(ec.SECP256R1()),
        dh=p256dh,
        auth_secret=auth,
        version="aes128gcm",
    )
    return sealed


def why_no_keys(p256dh: bytes, auth: bytes) -> str | None:
    """Why these are not the keys of a browser; None where they are."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    except ValueError:
        return "p256dh is not a point on P-256"
    if len(p256dh) != 65:
        return "p256dh is not uncompressed"
    return None if len(auth) == 16 else "auth is not 16 bytes"


def new_vapid_key() -> str:
    """A new private key, 32 bytes in base64url."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return str(b64urlencode(number.to_bytes(32, "big")))


class Vapid:
    """Says who sends: a signed token for each push service, made anew in time."""

    def __init__(self, private_key: str, contact: str) -> None:
        self._vapid = Vapid02.from_string(private_key)
        self._contact = contact
        self._tokens: dict[str, tuple[float, str]] = {}

    @property
    def public_key(self) -> str:
        """What the page subscribes with (`applicationServerKey`), in base64url."""
        point = self._vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return str(b64urlencode(point))

    def authorization(self, endpoint: str) -> str:
        """The Authorization header for the push service of an endpoint."""
        parts = urlsplit(endpoint)
        audience = f"{parts.scheme}://{parts.netloc}"
        made_at, token = self._tokens.get(audience, (0.0, ""))
        if time.time() - made_at > TOKEN_LIFE_S / 2:
            now = time.time()
            claims = {"aud": audience, "exp": int(now) + TOKEN_LIFE_S, "sub": self._contact}
            token = self._vapid.sign(claims)["Authorization"]
            if len(self._tokens) > 1000:
                self._tokens.clear()
            self._tokens[audience] = (now, token)
        return token


def judge(answer: Answer) -> Brought:
    """What a push service's answer means (RFC 8030, section 5)."""
    if answer.ok:
        return Brought("sent", answer.status)
    if answer.status in (404, 410):
        return Brought("gone", answer.status, "the subscription has ended")
    if answer.status is None or answer.status == 429 or answer.status >= 500:
        asked_s = retry_after_s(answer.headers, longest_s=MAX_ATTEMPT_PAUSE_S)
        return Brought("later", answer.status, answer.error, asked_s)
    said = answer.body[:200].decode("utf-8", "replace").replace("\x00", "")
    return Brought("failed", answer.status, f"answered {answer.status}: {said}")


class WebPush:
    """Brings messages to browsers."""

    def __init__(self, outbound: Outbound, vapid: Vapid) -> None:
        self._outbound = outbound
        self._vapid = vapid

    async def bring(self, target: Target, message: Message) -> Brought:
        """One encrypted message."""
        assert target.p256dh is not None  # noqa: S101
        assert target.auth is not None  # noqa: S101
        try:
            sealed = encrypt(message.payload, target.p256dh, target.auth)
            authorization = self._vapid.authorization(target.address)
        except ValueError as error:
            return Brought("gone", None, f"the keys are of no use: {error}")
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(message.ttl_s),
            "Urgency": message.urgency,
            "Topic": message.topic,
            "Authorization": authorization,
        }
        return judge(await self._outbound.send("POST", target.address, headers=headers, body=sealed))

"""VAPID (RFC 8292): the newsroom's key, by which push services know who sends."""

import time
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from py_vapid.utils import b64urlencode

from shared.postgres.pool import Pool

TOKEN_LIFE_S = 12 * 3600
"""Of 24 h that RFC 8292, section 2, permits."""


def new_vapid_key() -> str:
    """A new private key, 32 bytes in base64url."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return str(b64urlencode(number.to_bytes(32, "big")))


async def kept_vapid_key(pool: Pool) -> str:
    """The newsroom's private key in Postgres: made once and kept."""
    await pool.execute(
        "INSERT INTO publish.push_identity (name, value) VALUES ('vapid', $1) ON CONFLICT DO NOTHING", new_vapid_key()
    )
    return str(await pool.fetchval("SELECT value FROM publish.push_identity WHERE name = 'vapid'"))


class Vapid:
    """Signs a token for each push service, and renews it in time."""

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

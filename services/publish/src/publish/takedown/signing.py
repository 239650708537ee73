"""Signed reports: a JWS (RFC 7515) in flattened JSON, signed with Ed25519 (RFC 8037), which any JOSE library verifies."""

import base64
import hashlib
from collections.abc import Mapping

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import JsonValue

from shared.postgres.pool import Pool

TYPE = "slugline-takedown+jws"


class NotSigned(Exception):
    """The document is no signed report, or another key signed it, or somebody changed it."""


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))


class ReportKey:
    """The newsroom's key for reports."""

    def __init__(self, private_key: str) -> None:
        """`private_key`: 32 bytes in base64url; ValueError where it is not."""
        self._key = Ed25519PrivateKey.from_private_bytes(_decoded(private_key))

    @property
    def public_key(self) -> str:
        """The public key, 32 bytes in base64url: the `x` of an OKP JWK."""
        return _encoded(self._key.public_key().public_bytes_raw())

    def sign(self, report: Mapping[str, JsonValue]) -> dict[str, str]:
        """The signed report; its payload is the JSON of `report`."""
        protected = {"alg": "EdDSA", "kid": key_id(self.public_key), "typ": TYPE}
        first, second = _encoded(orjson.dumps(protected)), _encoded(orjson.dumps(dict(report)))
        signature = self._key.sign(f"{first}.{second}".encode())
        return {"payload": second, "protected": first, "signature": _encoded(signature)}


def key_id(public_key: str) -> str:
    """The thumbprint of a public key (RFC 7638)."""
    return _encoded(hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{public_key}"}}'.encode()).digest())


def verify(document: bytes, public_key: str) -> dict[str, JsonValue]:
    """The report in a signed document, once its signature is proven; raises NotSigned."""
    try:
        parts = orjson.loads(document)
        protected, payload = str(parts["protected"]), str(parts["payload"])
        header = orjson.loads(_decoded(protected))
        if header.get("alg") != "EdDSA":
            raise NotSigned("it is signed in another way")
        key = Ed25519PublicKey.from_public_bytes(_decoded(public_key))
        key.verify(_decoded(str(parts["signature"])), f"{protected}.{payload}".encode())
        report: dict[str, JsonValue] = orjson.loads(_decoded(payload))
    except InvalidSignature:
        raise NotSigned("another key signed it, or it was changed since") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotSigned(f"it is no signed report: {type(error).__name__}") from error
    return report


async def report_key(pool: Pool, given: str) -> ReportKey:
    """The key of the settings, or the one in Postgres, which is made once and kept."""
    if given:
        return ReportKey(given)
    await pool.execute(
        "INSERT INTO publish.push_identity (name, value) VALUES ('takedown', $1) ON CONFLICT DO NOTHING",
        _encoded(Ed25519PrivateKey.generate().private_bytes_raw()),
    )
    return ReportKey(str(await pool.fetchval("SELECT value FROM publish.push_identity WHERE name = 'takedown'")))

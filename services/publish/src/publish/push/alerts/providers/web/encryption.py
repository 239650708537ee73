"""The encryption of Web Push (RFC 8291): only the reader's browser can read a notification."""

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec

MAX_PAYLOAD_BYTES = 3993
"""What push services must take is 4,096 bytes (RFC 8030, section 7.2), less header, delimiter and tag (RFC 8291, section 4)."""


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


def keys_problem(p256dh: bytes, auth: bytes) -> str | None:
    """Why these are not the keys of a browser; None where they are."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    except ValueError:
        return "p256dh is not a point on P-256"
    if len(p256dh) != 65:
        return "p256dh is not uncompressed"
    return None if len(auth) == 16 else "auth is not 16 bytes"

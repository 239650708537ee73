"""Signed pushes (Standard Webhooks): the sender shows no key, and what it signed cannot be changed on the way.

The secrets are derived from one of the installation's (`INGEST_SIGNING_SECRET`), so that the database holds nothing with
which a push could be signed. The library `standardwebhooks` is not used, because it decodes a body as UTF-8 before it
verifies it, and copy comes compressed and in other encodings.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from shared.http.problem import Problem

PREFIX = "whsec_"
TOLERANCE_S = 300
"""How far the timestamp may be from our clock, against replays (Standard Webhooks)."""
MAX_SIGNATURES = 8


def derive_secret(master: str, source: str, generation: int) -> bytes:
    """The secret of one generation of a source."""
    return hmac.new(master.encode(), f"slugline/ingest/{source}/{generation}".encode(), hashlib.sha256).digest()


def format_secret(secret: bytes) -> str:
    """A secret as senders' libraries take it."""
    return PREFIX + base64.b64encode(secret).decode()


def live_secrets(master: str, source: str, generation: int) -> list[bytes]:
    """The newest secret that was issued and the one before it, for the time of a rotation."""
    return [derive_secret(master, source, each) for each in (generation, generation - 1) if each > 0]


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a request claims to be signed."""
    return "webhook-signature" in headers


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now_s: float) -> None:
    """Raises a 401 problem that names the header at fault, unless one of the signatures is valid."""
    signatures = check_headers(headers, secrets, now_s)
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode("utf-8", "replace") + body
    expected = [hmac.new(secret, content, hashlib.sha256).digest() for secret in secrets]
    if not any(hmac.compare_digest(one, other) for one in signatures for other in expected):
        raise _bad_signature("webhook-signature", "no signature is ours over this body")


def check_headers(headers: Mapping[str, str], secrets: Sequence[bytes], now_s: float) -> list[bytes]:
    """The signatures of a request, before its body is read; raises a 401 problem where no body could make one valid."""
    timestamp = headers.get("webhook-timestamp", "")
    if not headers.get("webhook-id", ""):
        raise _bad_signature("webhook-id", "the header is missing")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise _bad_signature("webhook-timestamp", "it is not a time in whole seconds since 1970")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise _bad_signature("webhook-timestamp", f"it is more than {TOLERANCE_S} s from our clock")
    signatures = [_decoded(each) for each in headers.get("webhook-signature", "").split()[:MAX_SIGNATURES]]
    signatures = [each for each in signatures if len(each) == hashlib.sha256().digest_size]
    if not signatures or not secrets:
        raise _bad_signature("webhook-signature", "no signature is ours over this body")
    return signatures


def _decoded(signature: str) -> bytes:
    version, _, value = signature.partition(",")
    if version != "v1":
        return b""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _bad_signature(field: str, reason: str) -> Problem:
    return Problem(401, "bad-signature", reason, field=field)

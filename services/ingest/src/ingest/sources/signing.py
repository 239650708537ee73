"""Signed pushes, as Standard Webhooks say: the sender shows no key, and what it signed cannot be changed on the way.

The secrets are derived from one of the installation's (`INGEST_SIGNING_SECRET`), so that the database holds nothing
with which a push could be signed.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from shared.http.problem import Problem

PREFIX = "whsec_"
TOLERANCE_S = 300
"""Standard Webhooks: how far the timestamp may be from our clock, against replays."""
MAX_SIGNATURES = 8


def derived(master: str, source: str, generation: int) -> bytes:
    """The secret of one generation of a source."""
    return hmac.new(master.encode(), f"slugline/ingest/{source}/{generation}".encode(), hashlib.sha256).digest()


def written(secret: bytes) -> str:
    """A secret as senders' libraries take it."""
    return PREFIX + base64.b64encode(secret).decode()


def live_secrets(master: str, source: str, generation: int) -> list[bytes]:
    """The newest secret that was given out and the one before it, for the time of a rotation."""
    return [derived(master, source, each) for each in (generation, generation - 1) if each > 0]


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a request claims to be signed."""
    return "webhook-signature" in headers


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now_s: float) -> None:
    """Raises a 401 problem that names the header at fault; nothing where one signature is good."""
    given = claimed(headers, secrets, now_s)
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode("utf-8", "replace") + body
    expected = [hmac.new(secret, content, hashlib.sha256).digest() for secret in secrets]
    if not any(hmac.compare_digest(one, other) for one in given for other in expected):
        raise _refused("webhook-signature", "no signature is ours over this body")


def claimed(headers: Mapping[str, str], secrets: Sequence[bytes], now_s: float) -> list[bytes]:
    """The signatures that a request shows, as far as they could be good whatever its body is; else the 401 problem."""
    timestamp = headers.get("webhook-timestamp", "")
    if not headers.get("webhook-id", ""):
        raise _refused("webhook-id", "the header is missing")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise _refused("webhook-timestamp", "it is not a time in whole seconds since 1970")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise _refused("webhook-timestamp", f"it is more than {TOLERANCE_S} s from our clock")
    given = [_decoded(each) for each in headers.get("webhook-signature", "").split()[:MAX_SIGNATURES]]
    given = [each for each in given if len(each) == hashlib.sha256().digest_size]
    if not given or not secrets:
        raise _refused("webhook-signature", "no signature is ours over this body")
    return given


def _decoded(signature: str) -> bytes:
    release, _, value = signature.partition(",")
    if release != "v1":
        return b""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _refused(field: str, reason: str, **members: Any) -> Problem:
    return Problem(401, "bad-signature", reason, field=field, **members)

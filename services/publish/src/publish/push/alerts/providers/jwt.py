"""Signed JSON Web Tokens (RFC 7519), by which a provider says whose app it is."""

import base64
from collections.abc import Callable, Mapping

import orjson
from pydantic import JsonValue


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def encoded(header: Mapping[str, JsonValue], claims: Mapping[str, JsonValue], sign: Callable[[bytes], bytes]) -> str:
    """A token in its compact form."""
    signed = b".".join(_base64url(orjson.dumps(part)) for part in (header, claims))
    return (signed + b"." + _base64url(sign(signed))).decode()

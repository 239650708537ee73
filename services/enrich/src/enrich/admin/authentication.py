"""The key to the newsroom's own API on the port of `enrich text`."""

import hashlib
import hmac

from starlette.requests import Request

from shared.http.problem import Problem


def check_key(request: Request, key_sha256: str) -> None:
    """Raise a Problem (401) unless the request carries the key of that digest, in hex."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    digest = hashlib.sha256(key.strip().encode()).hexdigest()
    if scheme.lower() != "bearer" or not hmac.compare_digest(digest, key_sha256):
        raise Problem(401, "key", "a key is needed: Authorization: Bearer …", headers={"WWW-Authenticate": "Bearer"})

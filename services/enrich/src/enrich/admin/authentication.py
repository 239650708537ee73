"""Whose key a request to the newsroom's own API shows, on the port of `enrich text`."""

from datetime import UTC, datetime

from enrich.settings import Settings
from shared.access.authentication import Authentication, WrongKeys
from shared.access.holder import KeyHolder
from shared.access.key import Key
from shared.access.ring import KeyRing
from shared.access.store import KeyTable
from shared.http.problem import Problem
from shared.http.proxies import TrustedProxies
from shared.messages import Signature
from shared.postgres.pool import Pool

SCOPES = {
    "authors": "read and change the directory of authors",
    "stories": "read and change what is said of stories",
    "corrections": "see what is in conflict with corrections, and decide it",
    "held": "see what is held back, and let it go",
}
KEYS = KeyTable("enrich.keys", SCOPES, ("desk", "operator"))


def authentication_of(settings: Settings, pool: Pool) -> Authentication:
    """The keys of the port: those in Postgres, and the one whose digest `ENRICH_API_KEY_SHA256` is, which cannot make keys."""
    fixed: dict[bytes, Key] = {}
    if settings.enrich_api_key_sha256:
        key = Key("setting", "desk", "newsroom", "", frozenset(SCOPES), "ENRICH_API_KEY_SHA256", datetime.now(UTC))
        fixed[bytes.fromhex(settings.enrich_api_key_sha256)] = key
    return Authentication(
        KeyRing(KEYS, fixed=fixed),
        WrongKeys(TrustedProxies.of(settings)),
        lambda: pool,
        realm="slugline enrich",
        on_demand=True,
    )


def signature_of(key: KeyHolder, named: str) -> Signature:
    """Who signs a decision: the key's person, or of a desk's key without one whoever the body names.

    Raises a `Problem`: 422 where neither says who, 403 where somebody signs as another.
    """
    if key.person and named not in ("", key.person):
        raise Problem(403, "not-this-person", f"this key is {key.person}'s, who signs as nobody else", field="/by")
    person = key.person or named
    if not person.strip():
        raise Problem(422, "not-valid", "/by: say who decides", pointer="/by")
    return Signature(key_id=key.key_id, holder=key.holder, person=person)

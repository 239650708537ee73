"""Whose key a request to the newsroom's own API shows, on the port of `enrich text`."""

from datetime import UTC, datetime

from enrich.settings import Settings
from shared.access.authentication import Authentication, WrongKeys
from shared.access.key import Key
from shared.access.ring import KeyRing
from shared.access.store import KeyTable
from shared.http.proxies import TrustedProxies
from shared.postgres.pool import Pool

SCOPES = {
    "authors": "read and change the directory of authors",
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

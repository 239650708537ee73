"""A key: what is known of it, how it is made, and what is stored of it."""

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.access.holder import OPERATE, KeyHolder

HolderKind = Literal["source", "desk", "partner", "operator"]
KINDS: tuple[HolderKind, ...] = ("source", "desk", "partner", "operator")

PREFIX = "slk_"
"""Of every key, so that scanners for secrets know one."""
PREFIXES = (PREFIX, "slp_")
"""With that of older keys of push."""


def new_key() -> str:
    """A key of 32 random bytes. So much entropy cannot be guessed offline, so a plain SHA-256 of it may be stored."""
    return PREFIX + secrets.token_urlsafe(32)


def new_key_id() -> str:
    """A public id."""
    return f"key_{secrets.token_hex(8)}"


def digest_of(key: str) -> bytes:
    """The digest of a key, which is all that is stored of it."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key."""

    id: str
    kind: HolderKind
    holder: str
    person: str
    scopes: frozenset[str]
    label: str
    made_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    """About; written once a minute at the most."""
    revoked_at: datetime | None = None
    lineage: str = ""
    """The id of the first of the keys that took each other's place: what belongs to a key belongs to all of them."""
    more: Mapping[str, object] = field(default_factory=dict)
    """What else its table knows of a key."""

    @property
    def by(self) -> KeyHolder:
        """Whose it is."""
        return KeyHolder(self.id, self.holder, self.person, self.scopes)

    def may(self, scope: str) -> bool:
        """Whether it opens what needs `scope`."""
        return scope in self.scopes or OPERATE in self.scopes

    def is_live(self, now_s: float | None = None) -> bool:
        """Whether it works at a moment, given in Unix time; now when left out."""
        if self.revoked_at is not None:
            return False
        return self.expires_at is None or self.expires_at.timestamp() > (time.time() if now_s is None else now_s)

    def shown(self) -> dict[str, object]:
        """For people and answers, without what is empty."""
        document: dict[str, object] = {
            "id": self.id, "kind": self.kind, "holder": self.holder, "person": self.person,
            "scopes": sorted(self.scopes), "label": self.label, "made_at": self.made_at, "expires_at": self.expires_at,
            "last_used_at": self.last_used_at, "revoked_at": self.revoked_at,
            "lineage": self.lineage if self.lineage != self.id else "", **self.more,
        }  # fmt: skip
        return {name: value for name, value in document.items() if value not in (None, "")}

"""An entry, and the digests that it is chained by."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from shared.access.holder import KeyHolder

VERSION = 1
GENESIS = bytes(32)
"""What stands for the hash before the first entry."""
ERASABLE = ("person", "address", "reason", "before", "after")
"""What may say something of a person. The chain covers a salted digest of each, so that it can be erased and the chain stays whole."""
LONGEST = 100_000
"""Characters of a value; a longer one is represented by its SHA-256."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change: who made it, to what, from what to what, and why."""

    actor: KeyHolder
    action: str
    """What was done, in kebab case: `key-revoked`, `order-kill`."""
    subject: str
    """What it was done to: the id of an update, a key, a source, an alert."""
    before: object = None
    after: object = None
    reason: str = ""
    address: str = ""
    """The client's address, as far as trusted proxies name it (of IPv6 its /64); of a command the machine's name."""


def canonical(value: object) -> str:
    """JSON as RFC 8785 has it, for what entries hold: sorted names, no space. Times and sets are text and sorted lists."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: object) -> object:
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, bytes):
        return f"sha256:{hashlib.sha256(value).hexdigest()}"
    return str(value)


def salted(salt: str, value: str) -> str:
    """The digest that the chain covers of a value that can be erased."""
    return "sha256:" + hashlib.sha256(f"{salt}\n{value}".encode()).hexdigest()


def sealed(entry: Entry, service: str, at: datetime) -> tuple[str, dict[str, dict[str, str]]]:
    """What the chain covers, as canonical JSON; and the values and salts of what can be erased."""
    values = {"person": entry.actor.person, "address": entry.address, "reason": entry.reason}
    values |= {name: canonical(value) for name, value in (("before", entry.before), ("after", entry.after)) if value}
    erasable = {
        name: {"salt": secrets.token_hex(16), "value": _bounded(value)} for name, value in values.items() if value
    }
    covered: dict[str, object] = {
        "version": VERSION, "service": service, "at": at.isoformat(), "action": entry.action, "subject": entry.subject,
        "key_id": entry.actor.key_id, "holder": entry.actor.holder,
        **{name: salted(each["salt"], each["value"]) for name, each in erasable.items()},
    }  # fmt: skip
    return canonical(covered), erasable


def _bounded(value: str) -> str:
    value = value.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    if len(value) <= LONGEST:
        return value
    return canonical({"characters": len(value), "sha256": hashlib.sha256(value.encode()).hexdigest()})


def chained(previous: bytes, seq: int, covered: str) -> bytes:
    """The hash of an entry: over the one before, its number, and what it says."""
    return hashlib.sha256(previous + f"{seq} {covered}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as it is kept."""

    seq: int
    entry: str
    erasable: Mapping[str, Mapping[str, str]]
    previous: bytes
    hash: bytes

    def shown(self) -> dict[str, object]:
        """For people and export: what was erased is `null`, with its digest beside it as the chain has it."""
        covered: dict[str, object] = orjson.loads(self.entry)
        document = {"seq": self.seq, **covered}
        for name in ERASABLE:
            if name in covered:
                kept = self.erasable.get(name)
                value: object = None if kept is None else kept["value"]
                document[name] = orjson.loads(kept["value"]) if kept and name in ("before", "after") else value
        erased = {name: covered[name] for name in ERASABLE if name in covered and name not in self.erasable}
        return {**document, **({"erased": erased} if erased else {}), "hash": self.hash.hex()}

"""Keeps typed blocks within their limits, and refuses those whose votes could not be counted. Pure.

Texts that are too long are cut and what is too many left out, and both are recorded; whether a block has what its kind
needs is looked at with the rest of the update.
"""

from collections.abc import Callable, Collection

from ingest.formats.model import RefusedItem
from shared.messages.limits import LONGEST, MOST

Record = Callable[[str, str, str], None]
"""Records a repair: its code, its place below the item, its detail."""

_LINES = frozenset(
    ["title", "speaker", "role", "question", "asked_by", "answered_by", "name", "score", "detail", "note", "label"]
)
_TEXTS = frozenset(["text", "answer", "facts"])
_LISTS = frozenset(["facts", "sides", "options"])


def keep_blocks_within(fields: dict[str, object], place: str, record: Record) -> RefusedItem | None:
    """Cut the blocks of an update in place; the refusal of those with the same id twice. What is no list is left to validation."""
    blocks = fields.get("blocks")
    if not isinstance(blocks, list | tuple):
        return None
    kept = _few(list(blocks), "blocks", "/blocks", record)
    fields["blocks"] = kept = [_within(one, f"/blocks/{index}", record) for index, one in enumerate(kept)]
    if twice := _twice([each for each in kept if isinstance(each, dict) and each.get("kind") == "poll"]):
        return RefusedItem(code="invalid-field", place=f"{place}/blocks", reason=f"two polls have the id {twice!r}")
    for index, one in enumerate(kept):
        options = one.get("options") if isinstance(one, dict) else None
        if isinstance(options, list) and (twice := _twice(options)):
            reason = f"two options have the id {twice!r}"
            return RefusedItem(code="invalid-field", place=f"{place}/blocks/{index}/options", reason=reason)
    return None


def _few(several: list[object], name: str, place: str, record: Record) -> list[object]:
    if len(several) <= MOST[name]:
        return several
    record("too-many", place, f"{len(several)}, the first {MOST[name]} are kept")
    return several[: MOST[name]]


def _within(block: object, place: str, record: Record) -> object:
    """A block, or a part of one, with its texts within their limits."""
    if not isinstance(block, dict):
        return block
    made: dict[str, object] = {}
    for name, value in block.items():
        here = f"{place}/{name}"
        if name in _LISTS and isinstance(value, list | tuple):
            made[name] = [
                _text(one, name, here, record) if isinstance(one, str) else _within(one, f"{here}/{index}", record)
                for index, one in enumerate(_few(list(value), name, here, record))
            ]
        else:
            made[name] = _text(value, name, here, record) if isinstance(value, str) else value
    return made


def _text(value: str, name: str, place: str, record: Record) -> str:
    most = LONGEST["block_text"] if name in _TEXTS else LONGEST["block_line"]
    if name not in _LINES | _TEXTS or len(value) <= most:
        return value.strip() if name in _LINES | _TEXTS else value
    record("too-long", place, f"{len(value)} characters, {most} are permitted")
    return value[: most - 1].rstrip() + "…"


def _twice(several: Collection[object]) -> str:
    """The first id that two of them have."""
    ids: set[str] = set()
    for one in several:
        name = one.get("id") if isinstance(one, dict) else None
        if isinstance(name, str):
            if name in ids:
                return name[:60]
            ids.add(name)
    return ""

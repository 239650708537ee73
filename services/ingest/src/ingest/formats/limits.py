"""Keeps an update within the limits of its fields, whatever format it came in. Pure.

A text that is too long is cut, and the repair is recorded. What identifies something is never cut, since two that begin
alike would become one: an item whose own name is too long is refused, a reference to another is left out.
"""

from collections.abc import Callable, Mapping

import orjson

from ingest.formats.fields import TextField, UpdateFields
from shared.messages.limits import LONGEST, MOST, MOST_EXTRA_BYTES

ELLIPSIS = "…"

Record = Callable[[str, str, str], None]
"""Records a repair: its code, its place below the item, its detail."""

_IDENTITY = ("guid", "version")
_WHOLE_OR_NOT = frozenset(
    [
        "evolved_from",
        "translation_of",
        "replaces",
        "story",
        "link",
        "language",
        "code",
        "scheme",
        "uri",
        "email",
        "url",
        "mime_type",
    ]
)
_NESTED = ("subjects", "creators", "media")
_PLAIN = ("keywords", "replaces")
_LEAST = min(LONGEST.values())
_Several = list[object] | tuple[object, ...]


class TooLong(ValueError):
    """A field that cannot be cut."""

    def __init__(self, field: str, length: int) -> None:
        super().__init__(f"{length} characters, {LONGEST[field]} are permitted")
        self.field = field


def shortened(value: str, most: int) -> str:
    """The text, at most so long, with an ellipsis where it was cut."""
    return value if len(value) <= most else value[: most - 1].rstrip() + ELLIPSIS


def add_text(fields: UpdateFields, name: TextField, value: str, between: str) -> None:
    """Append to a text what another element says for it too, as long as there is room in the field."""
    known = fields.get(name, "")
    if len(known) <= LONGEST[name]:
        fields[name] = f"{known}{between}{value}" if known else value


def keep_within(fields: dict[str, object], record: Record) -> None:
    """Cut in place what is longer or more than an update may have; raises `TooLong` for what cannot be cut.

    `body_html` is not looked at: that is `flatten`'s work.
    """
    for name, value in fields.items():
        if isinstance(value, str) and len(value) > _LEAST and name != "body_html":
            most = LONGEST.get(name)
            if most is not None and len(value) > most:
                if name in _IDENTITY:
                    raise TooLong(name, len(value))
                record("too-long", f"/{name}", f"{len(value)} characters, {most} are permitted")
                fields[name] = None if name in _WHOLE_OR_NOT else shortened(value, most)
    for name in _NESTED:
        if several := fields.get(name):
            fields[name] = _parts(name, several, record)
    for name in _PLAIN:
        if several := fields.get(name):
            fields[name] = _texts(name, several, record)


def _few(name: str, several: _Several, place: str, record: Record) -> _Several:
    if len(several) <= MOST[name]:
        return several
    record("too-many", place, f"{len(several)}, the first {MOST[name]} are kept")
    return several[: MOST[name]]


def _texts(name: str, several: object, record: Record, place: str = "") -> object:
    """A list of texts, its long ones cut or left out."""
    if not isinstance(several, list | tuple):
        return several
    several = _few(name, several, place or f"/{name}", record)
    most = LONGEST[name]
    if not any(isinstance(one, str) and len(one) > most for one in several):
        return several
    record("too-long", place or f"/{name}", f"more than {most} characters")
    if name == "keywords":
        return [shortened(one, most) if isinstance(one, str) else one for one in several]
    return [one for one in several if not (isinstance(one, str) and len(one) > most)]


def _parts(name: str, several: object, record: Record) -> object:
    """A list of objects, the texts of each within their limits."""
    if not isinstance(several, list | tuple):
        return several
    several = _few(name, several, f"/{name}", record)
    kept: list[object] | None = None
    for index, one in enumerate(several):
        if not isinstance(one, dict) or not _exceeds(one):
            continue
        kept = list(several) if kept is None else kept
        kept[index] = _part(one, f"/{name}/{index}", record)
    if kept is None:
        return several
    # A part that has lost its address or its name is left out.
    return [one for one in kept if one is not None]


def _exceeds(one: Mapping[str, object]) -> bool:
    for name, value in one.items():
        if isinstance(value, str) and len(value) > _LEAST and len(value) > LONGEST.get(name, len(value)):
            return True
    several = one.get("renditions")
    if not isinstance(several, list | tuple):
        return False
    most = LONGEST["renditions"]
    return len(several) > MOST["renditions"] or any(isinstance(url, str) and len(url) > most for url in several)


def _part(one: Mapping[str, object], place: str, record: Record) -> dict[str, object] | None:
    made = dict(one)
    for name, value in one.items():
        most = LONGEST.get(name)
        if name == "renditions":
            made[name] = _texts(name, value, record, f"{place}/{name}")
        elif most is not None and isinstance(value, str) and len(value) > most:
            record("too-long", f"{place}/{name}", f"{len(value)} characters, {most} are permitted")
            if name == "url":
                return None
            made[name] = None if name in _WHOLE_OR_NOT else shortened(value, most)
    nameless = "url" not in made and not (made.get("code") or made.get("name"))
    return None if nameless else made


def extra_within(extra: Mapping[str, object], record: Record) -> dict[str, object]:
    """The first members of what has no field of ours that together are no larger than an update may carry."""
    kept: dict[str, object] = {}
    size = 0
    for name, value in extra.items():
        size += len(name) + len(_written(value)) + 4
        if size > MOST_EXTRA_BYTES:
            record(
                "too-large", "/extra", f"{len(kept)} of {len(extra)} members are kept, {MOST_EXTRA_BYTES} bytes at most"
            )
            break
        kept[name] = value
    return kept


def _written(value: object) -> bytes:
    try:
        return orjson.dumps(value, default=str)
    except TypeError:
        # A number of more than 64 bits, half a surrogate pair: about as long as Python writes it.
        return str(value).encode("utf-8", "replace")

"""Keeps an update within the limits of its fields, whatever format it came in. Pure.

A text that is too long is cut, and the repair is told. What identifies something is never cut, since two that begin
alike would become one: an item whose own name is too long is refused, a reference to another is left out.
"""

from collections.abc import Callable
from typing import Any

import orjson

from shared.messages.limits import LONGEST, MOST, MOST_EXTRA_BYTES

ELLIPSIS = "…"

Tell = Callable[[str, str, str], None]
"""Records a repair: its code, its place below the item, its detail."""

_IDENTITY = ("guid", "version")
_WHOLE_OR_NOT = frozenset(
    ["evolved_from", "replaces", "story", "link", "language", "code", "scheme", "uri", "email", "url", "mime_type"]
)
_NESTED = ("subjects", "creators", "media")
_PLAIN = ("keywords", "replaces")
_LEAST = min(LONGEST.values())


class TooLong(ValueError):
    """A field that cannot be cut."""

    def __init__(self, field: str, length: int) -> None:
        super().__init__(f"{length} characters, {LONGEST[field]} are permitted")
        self.field = field


def shortened(value: str, most: int) -> str:
    """The text, at most so long, with an ellipsis where it was cut."""
    return value if len(value) <= most else value[: most - 1].rstrip() + ELLIPSIS


def add_text(fields: dict[str, Any], name: str, said: str, between: str) -> None:
    """Append to a text what another element says for it too, as long as there is room in the field."""
    known = fields.get(name) or ""
    if len(known) <= LONGEST[name]:
        fields[name] = f"{known}{between}{said}" if known else said


def keep_within(fields: dict[str, Any], tell: Tell) -> None:
    """Cut in place what is longer or more than an update may have; raises `TooLong` for what cannot be cut.

    `body_html` is not looked at: that is `flatten`'s work.
    """
    for name, value in fields.items():
        if value.__class__ is str and len(value) > _LEAST and name != "body_html":
            most = LONGEST.get(name)
            if most is not None and len(value) > most:
                if name in _IDENTITY:
                    raise TooLong(name, len(value))
                tell("too-long", f"/{name}", f"{len(value)} characters, {most} are permitted")
                fields[name] = None if name in _WHOLE_OR_NOT else shortened(value, most)
    for name in _NESTED:
        if several := fields.get(name):
            fields[name] = _parts(name, several, tell)
    for name in _PLAIN:
        if several := fields.get(name):
            fields[name] = _texts(name, several, tell)


def _few(name: str, several: Any, place: str, tell: Tell) -> Any:
    if not isinstance(several, list | tuple) or len(several) <= MOST[name]:
        return several
    tell("too-many", place, f"{len(several)}, the first {MOST[name]} are kept")
    return several[: MOST[name]]


def _texts(name: str, several: Any, tell: Tell, place: str = "") -> Any:
    """A list of texts, its long ones cut or left out."""
    several = _few(name, several, place or f"/{name}", tell)
    most = LONGEST[name]
    if not isinstance(several, list | tuple) or not any(one.__class__ is str and len(one) > most for one in several):
        return several
    tell("too-long", place or f"/{name}", f"more than {most} characters")
    if name == "keywords":
        return [shortened(one, most) if isinstance(one, str) else one for one in several]
    return [one for one in several if not (isinstance(one, str) and len(one) > most)]


def _parts(name: str, several: Any, tell: Tell) -> Any:
    """A list of objects, the texts of each within their limits."""
    several = _few(name, several, f"/{name}", tell)
    if not isinstance(several, list | tuple):
        return several
    kept: list[Any] | None = None
    for index, one in enumerate(several):
        if one.__class__ is not dict or not _exceeds(one):
            continue
        kept = list(several) if kept is None else kept
        kept[index] = _part(one, f"/{name}/{index}", tell)
    if kept is None:
        return several
    # What has lost its address or its name is nothing any more.
    return [one for one in kept if one is not None]


def _exceeds(one: dict[str, Any]) -> bool:
    for name, value in one.items():
        if value.__class__ is str:
            if len(value) > _LEAST and len(value) > LONGEST.get(name, len(value)):
                return True
        elif name == "renditions" and isinstance(value, list | tuple):
            most = LONGEST["renditions"]
            if len(value) > MOST["renditions"] or any(isinstance(url, str) and len(url) > most for url in value):
                return True
    return False


def _part(one: dict[str, Any], place: str, tell: Tell) -> dict[str, Any] | None:
    made = dict(one)
    for name, value in one.items():
        most = LONGEST.get(name)
        if name == "renditions":
            made[name] = _texts(name, value, tell, f"{place}/{name}")
        elif most is not None and value.__class__ is str and len(value) > most:
            tell("too-long", f"{place}/{name}", f"{len(value)} characters, {most} are permitted")
            if name == "url":
                return None
            made[name] = None if name in _WHOLE_OR_NOT else shortened(value, most)
    nameless = "url" not in made and not (made.get("code") or made.get("name"))
    return None if nameless else made


def extra_within(extra: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """The first members of what has no field of ours that together are no larger than an update may carry."""
    kept: dict[str, Any] = {}
    size = 0
    for name, value in extra.items():
        size += len(name) + len(_written(value)) + 4
        if size > MOST_EXTRA_BYTES:
            tell(
                "too-large", "/extra", f"{len(kept)} of {len(extra)} members are kept, {MOST_EXTRA_BYTES} bytes at most"
            )
            break
        kept[name] = value
    return kept


def _written(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=str)
    except TypeError:
        # A number of more than 64 bits, half a surrogate pair: about as long as Python writes it.
        return str(value).encode("utf-8", "replace")

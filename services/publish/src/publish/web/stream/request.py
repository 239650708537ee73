"""What a reader asks of the stream, and where the request comes from. All of it is hostile until read."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs

from publish.story import NEWS
from publish.web.stream.event import VIEWS, parse_cursor
from shared.problem import Problem

MOST_CHANNELS = 32
MOST_CHARACTERS = 200

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The channels and the view that a reader follows, and the cursor as given: empty for none."""

    channels: frozenset[str]
    view: str
    cursor: str


def wanted(query: str, last_event_id: str = "") -> Wanted:
    """Read `channels` (comma-separated), `channel` (each as it is), `view` and `cursor`. `Last-Event-ID` wins over `cursor` unless the latter is the newer.

    A browser that reconnects repeats the address it began with, so its cursor there is the older; a page that opens a
    new connection with a fresh cursor has no `Last-Event-ID`.
    """
    channels, view, cursor = _read(query)
    return Wanted(channels, view, _newer(last_event_id, cursor))


@lru_cache(maxsize=1024)
def _read(query: str) -> tuple[frozenset[str], str, str]:
    try:
        fields = parse_qs(query, max_num_fields=64, errors="replace") if query else {}
    except ValueError as error:
        raise Problem(400, "bad-query", "query: too many fields") from error
    names = [name.strip() for value in fields.get("channels", ()) for name in value.split(",")]
    names.extend(fields.get("channel", ()))
    channels = frozenset(name for name in names if name) or frozenset({NEWS})
    if len(channels) > MOST_CHANNELS:
        raise Problem(400, "too-many-channels", f"channels: at most {MOST_CHANNELS} in one connection")
    if any(len(name) > MOST_CHARACTERS or _CONTROL.search(name) for name in channels):
        raise Problem(400, "bad-channel", f"channels: a name has at most {MOST_CHARACTERS} characters, none of control")
    view = fields.get("view", ["json"])[-1]
    if view not in VIEWS:
        raise Problem(400, "bad-view", f"view: one of {', '.join(VIEWS)}")
    return channels, view, fields.get("cursor", [""])[-1]


def _newer(header: str, query: str) -> str:
    if not header or not query:
        return header or query
    try:
        return max(header, query, key=parse_cursor)
    except ValueError:
        return header

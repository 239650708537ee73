"""What a reader asks of the stream, and where the request comes from. All of it is hostile until read."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs

from publish.representation.position import NEWS
from publish.web.stream.event import VIEWS, parse_cursor
from shared.http.problem import Problem
from shared.http.query import check_names

MOST_CHANNELS = 32
MOST_CHARACTERS = 200
MOST_CURSOR_CHARACTERS = 100
MOST_FIELDS = 64

KEPT_CHARACTERS = 512
"""Longest query that is remembered as it was read."""

CURSOR = "cursor"
LAST_EVENT_ID = "lasteventid"
"""What clients that cannot set the header call it: `lastEventId` (polyfills), `Last-Event-ID` and `lastEventID` (Mercure), in
any case, with hyphens, underscores or nothing between the words."""

STREAM_PARAMETERS = frozenset({"channels", "channel", "view", CURSOR})
POLL_PARAMETERS = STREAM_PARAMETERS | {"timeout", "limit"}
SINCE_PARAMETERS = STREAM_PARAMETERS | {"limit"}

_SEVERAL = frozenset({"channels", "channel"})

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """The channels and the view that a reader follows, and the cursor as given: empty for none."""

    channels: frozenset[str]
    view: str
    cursor: str


def parse_request(query: str, last_event_id: str = "", known: Collection[str] = STREAM_PARAMETERS) -> StreamRequest:
    """Read `channels` (comma-separated), `channel` (each as it is), `view` and the cursor: the header's, or the newest of the query.

    A browser that reconnects repeats the address it began with, so that its Last-Event-ID is where it is; a page that opens
    a new connection with a fresh cursor has none. Problem (400) names the parameter that is wrong, or not `known`; a cursor
    that cannot be read is passed on, so that the reader is told.
    """
    read = _remembered if len(query) <= KEPT_CHARACTERS else _read
    channels, view, cursor = read(query, frozenset(known))
    return StreamRequest(channels, view, last_event_id[:MOST_CURSOR_CHARACTERS] or cursor)


def _read(query: str, known: frozenset[str]) -> tuple[frozenset[str], str, str]:
    try:
        fields = parse_qs(query, max_num_fields=MOST_FIELDS, keep_blank_values=True, errors="replace") if query else {}
    except ValueError as error:
        raise Problem(400, "bad-query", "query: too many fields") from error
    cursors = [name for name in fields if _is_cursor(name)]
    check_names({name: len(values) for name, values in fields.items()}, known.union(cursors), _SEVERAL)
    names = [name.strip() for value in fields.get("channels", ()) for name in value.split(",")]
    names.extend(fields.get("channel", ()))
    channels = frozenset(name for name in names if name) or frozenset({NEWS})
    if len(channels) > MOST_CHANNELS:
        raise Problem(
            400, "too-many-channels", f"channels: at most {MOST_CHANNELS} in one connection", field="channels"
        )
    if any(len(name) > MOST_CHARACTERS or _CONTROL.search(name) for name in channels):
        raise Problem(
            400,
            "bad-channel",
            f"channels: a name has at most {MOST_CHARACTERS} characters, none of control",
            field="channels",
        )
    view = fields.get("view", [""])[0] or "json"
    if view not in VIEWS:
        raise Problem(400, "bad-view", f"view: one of {', '.join(VIEWS)}", field="view")
    cursor = ""
    for name in cursors:
        value = fields[name][0]
        if len(value) > MOST_CURSOR_CHARACTERS:
            raise Problem(400, "bad-cursor", f"{name}: at most {MOST_CURSOR_CHARACTERS} characters", field=name)
        cursor = _newer(value, cursor)
    return channels, view, cursor


_remembered = lru_cache(maxsize=1024)(_read)


def _is_cursor(name: str) -> bool:
    return name == CURSOR or name.replace("-", "").replace("_", "").lower() == LAST_EVENT_ID


def _newer(value: str, other: str) -> str:
    if not value or not other:
        return value or other
    try:
        return max(value, other, key=parse_cursor)
    except ValueError:
        return value

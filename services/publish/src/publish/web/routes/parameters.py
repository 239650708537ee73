"""The parameters of requests: what their values may be."""

import re

from starlette.requests import Request

from publish.representation.position import Position
from shared.http.problem import Problem

UPDATE_ID = re.compile(r"^[a-z2-7]{26}$")
CHANNEL_KINDS = ("source", "tag", "story", "author", "update", "translations")
MAX_CHANNEL_CHARS = 300
MOST_ON_A_PAGE = 100
NOW = "at"
"""Given, with any value, by whoever needs what is true now and no cached answer: our own push process does."""


def before_of(request: Request) -> Position | None:
    """The cursor `before` of a request."""
    given = request.query_params.get("before")
    if given is None or given == "":
        return None
    try:
        return Position.parse(given)
    except ValueError as error:
        raise Problem(400, "bad-cursor", f"before: {error}", field="before") from error


def limit_of(request: Request, default: int, most: int = MOST_ON_A_PAGE) -> int:
    """The `limit` of a request."""
    given = request.query_params.get("limit")
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 6 and 1 <= int(given) <= most):
        raise Problem(400, "bad-limit", f"limit: a whole number from 1 to {most} is needed", field="limit")
    return int(given)


def channel_of(request: Request) -> str:
    """The `channel` of a request; `news` without one."""
    given = request.query_params.get("channel", "news")
    kind, colon, name = given.partition(":")
    known = given == "news" or (colon and name and kind in CHANNEL_KINDS)
    if not known or len(given) > MAX_CHANNEL_CHARS or "\x00" in given:
        raise Problem(
            400, "bad-channel",
            "channel: news, source:NAME, tag:CODE, story:ID, author:SLUG or update:ID is needed", field="channel",
        )  # fmt: skip
    return given

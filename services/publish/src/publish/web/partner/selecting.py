"""The parameters by which a request selects updates, and parts of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

import orjson
from starlette.requests import Request

from publish.archive.search.selection import Selection
from publish.representation.position import NEWS
from publish.representation.reader_json import MEMBERS
from publish.web.routes.parameters import MAX_CHANNEL_CHARS, channel_of
from shared.http.problem import Problem
from shared.messages import Kind

KINDS = tuple(each for each in get_args(Kind) if each != "kill")
OF_CHANNELS = ("story", "author", "tag", "source")
"""The first that is given says which channel the page is of; the others narrow it."""
FILTERS = (*OF_CHANNELS, "language", "urgency", "key_events", "kind", "from", "to")
YEARS = range(1900, 2200)


def selection_of(request: Request) -> tuple[str, Selection]:
    """The channel of a request, and what else its updates must be."""
    query = request.query_params
    named = [f"{kind}:{_name(request, kind)}" for kind in OF_CHANNELS if kind in query]
    channel = channel_of(request) if "channel" in query else next(iter(named), NEWS)
    kind = query.get("kind")
    if kind is not None and kind not in KINDS:
        raise Problem(400, "bad-kind", f"kind: one of {', '.join(KINDS)} is needed", field="kind")
    return channel, Selection(
        channels=frozenset(named) - {channel},
        language=_language(query.get("language")),
        urgency=_urgency(query.get("urgency")),
        key_events=_yes(query.get("key_events")),
        kind=next((each for each in KINDS if each == kind), None),
        since=_time(request, "from"),
        until=_time(request, "to"),
    )


def _name(request: Request, kind: str) -> str:
    name = request.query_params[kind]
    if not name or len(name) > MAX_CHANNEL_CHARS or "\x00" in name:
        raise Problem(400, f"bad-{kind}", f"{kind}: 1 to {MAX_CHANNEL_CHARS} characters are needed", field=kind)
    return name


def _language(given: str | None) -> str:
    if given is None:
        return ""
    if not (given.isascii() and given.replace("-", "").isalnum() and 2 <= len(given) <= 35):
        raise Problem(400, "bad-language", "language: a tag as en or pt-BR is needed (BCP 47)", field="language")
    return given.lower()


def _urgency(given: str | None) -> int | None:
    if given is None:
        return None
    if given not in tuple("123456789"):
        raise Problem(400, "bad-urgency", "urgency: a whole number from 1 to 9 is needed", field="urgency")
    return int(given)


def _yes(given: str | None) -> bool:
    if given not in (None, "true", "false"):
        raise Problem(400, "bad-key-events", "key_events: true or false is needed", field="key_events")
    return given == "true"


def _time(request: Request, name: str) -> datetime | None:
    """A day, which for `to` counts whole, or a moment; of a time without an offset in UTC."""
    given = request.query_params.get(name)
    if given is None:
        return None
    is_day = len(given) == len("2026-01-31")
    try:
        # A plus that came unescaped is a space by now.
        moment = datetime.fromisoformat(given.replace(" ", "+"))
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.year not in YEARS or not given.isascii():
        raise Problem(
            400, f"bad-{name}", f"{name}: a day as 2026-01-31 or a time as 2026-01-31T12:00:00Z is needed", field=name
        )
    return moment + timedelta(days=1) if is_day and name == "to" else moment


def fields_of(request: Request) -> Sequence[str]:
    """The members of an update that a request names; none for all."""
    given = request.query_params.get("fields")
    if given is None:
        return ()
    names = list(dict.fromkeys(name.strip() for name in given[:4000].split(",") if name.strip()))
    unknown = next((name for name in names if name not in MEMBERS), None)
    if unknown is not None or not names:
        detail = f"no member {unknown[:60]!r}" if unknown is not None else "names of members are needed"
        raise Problem(400, "bad-fields", f"fields: {detail}; known are {', '.join(sorted(MEMBERS))}", field="fields")
    return names


def only(update: bytes, names: Sequence[str]) -> bytes:
    """The JSON of an update with these members alone."""
    whole = orjson.loads(update)
    return orjson.dumps({name: whole[name] for name in names})

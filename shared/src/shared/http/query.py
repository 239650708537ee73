"""Which query parameters a request may have."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping

from starlette.requests import Request
from starlette.responses import Response

from shared.http.problem import Problem

MAX_SHOWN_CHARACTERS = 60

NAMES_OF_KEYS = frozenset(
    ["access_token", "api_key", "api-key", "apikey", "authorization", "key", "token", "x-api-key"]
)
"""Of parameters in which people send keys."""
KEY = re.compile(rb"sl[kp]_[A-Za-z0-9_-]{20}")
"""The beginning of a key, of any kind (`shared.access.key.PREFIXES`)."""

Endpoint = Callable[[Request], Awaitable[Response]]


def check_names(given: Mapping[str, int], known: Collection[str], repeatable: Collection[str] = ()) -> None:
    """Raises a Problem (400) that names the first parameter that is not known, or comes more often than it may.

    One that is misspelt would otherwise be as good as absent, and the answer to another question. `given` says how often
    each comes.
    """
    for name, times in given.items():
        shown = name[:MAX_SHOWN_CHARACTERS]
        if name not in known:
            if name.lower() in NAMES_OF_KEYS:
                raise key_in_address(shown)
            may = f"known are {', '.join(sorted(known))}" if known else "there are none here"
            raise Problem(400, "unknown-parameter", f"{shown!r} is no query parameter; {may}", field=shown)
        if times > 1 and name not in repeatable:
            raise Problem(400, "repeated-parameter", f"{shown}: given {times} times, may come once", field=shown)


def key_in_address(name: str) -> Problem:
    """Why a key in an address is refused, right or wrong (RFC 6750, section 5.3)."""
    return Problem(
        400, "key-in-address", "an address ends up in logs: send the key as 'Authorization: Bearer …', and revoke this one",
        field=name,
    )  # fmt: skip


def check_query(request: Request, known: Collection[str] = ()) -> None:
    """The same for a request whose parameters come once each."""
    query: bytes = request.scope["query_string"]
    if query:
        if KEY.search(query):
            raise key_in_address("")
        check_names(Counter(name for name, _ in request.query_params.multi_items()), known)


def with_query(endpoint: Endpoint, *names: str) -> Endpoint:
    """An endpoint that takes these query parameters, each once, and no others."""

    async def checked(request: Request) -> Response:
        check_query(request, names)
        return await endpoint(request)

    return checked

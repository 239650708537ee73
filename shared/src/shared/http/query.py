"""Which query parameters a request may have."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping

from starlette.requests import Request
from starlette.responses import Response

from shared.http.problem import Problem

MAX_SHOWN_CHARACTERS = 60

Endpoint = Callable[[Request], Awaitable[Response]]


def check_names(given: Mapping[str, int], known: Collection[str], repeatable: Collection[str] = ()) -> None:
    """Raises a Problem (400) that names the first parameter that is not known, or comes more often than it may.

    One that is misspelt would otherwise be as good as absent, and the answer to another question. `given` says how often
    each comes.
    """
    for name, times in given.items():
        shown = name[:MAX_SHOWN_CHARACTERS]
        if name not in known:
            may = f"known are {', '.join(sorted(known))}" if known else "there are none here"
            raise Problem(400, "unknown-parameter", f"{shown!r} is no query parameter; {may}", field=shown)
        if times > 1 and name not in repeatable:
            raise Problem(400, "repeated-parameter", f"{shown}: given {times} times, may come once", field=shown)


def check_query(request: Request, known: Collection[str] = ()) -> None:
    """The same for a request whose parameters come once each."""
    if request.scope["query_string"]:
        check_names(Counter(name for name, _ in request.query_params.multi_items()), known)


def with_query(endpoint: Endpoint, *names: str) -> Endpoint:
    """An endpoint that takes these query parameters, each once, and no others."""

    async def checked(request: Request) -> Response:
        check_query(request, names)
        return await endpoint(request)

    return checked

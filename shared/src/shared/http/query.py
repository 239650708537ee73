"""Which query parameters a request may have."""

from collections import Counter
from collections.abc import Collection

from starlette.requests import Request

from shared.http.problem import Problem

MOST_SHOWN = 60


def check_query(request: Request, known: Collection[str] = ()) -> None:
    """Raises a Problem (400) that names the first parameter that is not known, or comes more than once.

    One that is misspelt would otherwise be as good as absent, and the answer to another question.
    """
    if not request.scope["query_string"]:
        return
    given = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in given.items():
        shown = name[:MOST_SHOWN]
        if name not in known:
            may = f"known are {', '.join(sorted(known))}" if known else "there are none here"
            raise Problem(400, "unknown-parameter", f"{shown!r} is no query parameter; {may}", field=shown)
        if times > 1:
            raise Problem(400, "repeated-parameter", f"{shown}: given {times} times, may come once", field=shown)

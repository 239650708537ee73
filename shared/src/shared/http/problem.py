"""problem+json, RFC 9457: the one shape of every HTTP error."""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

from shared.failures.transient import TRANSIENT, is_transient, reason_of

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 5
"""During an outage; restarts take a few seconds."""

TITLES = {
    400: "Bad request",
    401: "Key missing or wrong",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    408: "Too slow",
    409: "Conflict",
    410: "Gone",
    413: "Too large",
    414: "Address too long",
    415: "Unsupported media type",
    422: "Not valid",
    429: "Too many requests",
    431: "Head too large",
    500: "Internal error",
    503: "Unavailable",
}


class ProblemDocument(BaseModel):
    """RFC 9457: the one shape of every error."""

    type: str = Field(description="A URN of the code")
    title: str = Field(description="What kind of error it is, in words")
    status: int = Field(description="The HTTP status")
    code: str = Field(description="Stable, kebab case")
    detail: str = Field(description="What is wrong, and with which field")


class Problem(Exception):
    """An unsuccessful response. `code` is stable and documented; `detail` names the field and the reason."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members


def problem_response(problem: Problem) -> Response:
    """The response of a problem."""
    body = {
        "type": f"urn:slugline:problem:{problem.code}",
        "title": TITLES.get(problem.status, "Error"),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        **problem.members,
    }
    headers = {"Cache-Control": "no-store", **problem.headers}
    return JSONResponse(body, problem.status, headers, media_type="application/problem+json")


def problem_bytes(problem: Problem) -> bytes:
    """The whole HTTP/1.1 response of a problem, after which the connection ends, for a connection without an application."""
    response = problem_response(problem)
    response.headers["Connection"] = "close"
    response.headers["Access-Control-Allow-Origin"] = "*"
    status = HTTPStatus(problem.status)
    lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
    return b"".join([b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()), *lines, b"\r\n", bytes(response.body)])


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101
    return problem_response(error)


async def _on_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, f"http-{error.status_code}")
    return problem_response(Problem(error.status_code, code, str(error.detail), headers=error.headers))


async def _on_disconnect(_: Request, __: Exception) -> Response:
    # Nobody reads it, but the request must not count as an error of ours.
    return problem_response(Problem(400, "truncated", "the connection ended before the body did"))


async def _on_bug(_: Request, __: Exception) -> Response:
    return problem_response(Problem(500, "internal", "an error of ours; it is logged"))


def outage_problem(error: Exception) -> Problem:
    """The response during an outage of a server that the request needs; any other error is raised again."""
    if not is_transient(error):
        raise error
    log.warning("request failed in an outage", error=reason_of(error), fold="http")
    return Problem(
        503,
        "unavailable",
        "what this needs does not answer now; try again",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


async def _on_outage(_: Request, error: Exception) -> Response:
    return problem_response(outage_problem(error))


PROBLEM_HANDLERS: dict[type[Exception], ExceptionHandler] = {
    **dict.fromkeys(TRANSIENT, _on_outage),
    Problem: _on_problem,
    HTTPException: _on_http_exception,
    ClientDisconnect: _on_disconnect,
    Exception: _on_bug,
}
"""For `Starlette(exception_handlers=...)`."""

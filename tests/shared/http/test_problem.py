"""What a handler raises is answered in one way on every port."""

import asyncpg
import httpx
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.failures import Transient
from shared.http.problem import PROBLEM_HANDLERS


async def answer_to(error: Exception) -> httpx.Response:
    """What a client is answered when the handler raises `error`."""

    async def fails(_: Request) -> Response:
        raise error

    app = Starlette(routes=[Route("/", fails)], exception_handlers=PROBLEM_HANDLERS)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get("/")


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("cannot switch to state 11"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction"),
        asyncpg.TooManyConnectionsError("too many clients"),
        asyncpg.InterfaceError("connection is closed"),
        ConnectionRefusedError(111, "refused"),
        TimeoutError(),
        RedisConnectionError("refused"),
        Transient("not yet"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_outage_is_503_with_retry_after(error: Exception) -> None:
    """The client is told to come again, and not what went wrong inside."""
    answer = await answer_to(error)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == "unavailable"
    assert str(error) == "" or str(error) not in answer.text


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a bug"),
        asyncpg.UndefinedColumnError("no such column"),
        asyncpg.InterfaceError("the server expects 2 arguments for this query, 1 was passed"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_bug_is_500(error: Exception) -> None:
    """Nobody is told to repeat what cannot succeed."""
    answer = await answer_to(error)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("application/problem+json")

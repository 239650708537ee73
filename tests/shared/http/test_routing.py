"""Routes: what has a slash too many is redirected by a path, and never to the `Host` of the request."""

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.http.problem import PROBLEM_HANDLERS
from shared.http.routing import Replaceable, application
from shared.observability.health import starting_route


async def page(_: Request) -> Response:
    return PlainTextResponse("page")


APP = application([Route("/", page), Route("/page", page), Route("/{name}/more", page)], PROBLEM_HANDLERS)


async def ask(method: str, path: str, app: object = APP) -> httpx.Response:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
        return await client.request(method, path)


@pytest.mark.parametrize(
    ("path", "location"),
    [("/page/", "/page"), ("/page/?a=1", "/page?a=1"), ("/x/more/", "/x/more"), ("/a%0d%0ab/more/", "/a%0D%0Ab/more")],
)
async def test_a_trailing_slash_is_redirected_by_a_path(path: str, location: str) -> None:
    """A shared cache may keep it."""
    answer = await ask("GET", path)
    assert (answer.status_code, answer.headers["location"]) == (307, location)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/page", 200), ("GET", "/missing", 404), ("GET", "/missing/", 404), ("POST", "/page", 405), ("POST", "/page/", 404)],
)  # fmt: skip
async def test_nothing_else_is_redirected(method: str, path: str, status: int) -> None:
    """Other methods keep their own answers."""
    answer = await ask(method, path)
    assert answer.status_code == status
    assert "location" not in answer.headers


async def test_an_application_is_replaced_while_it_is_served() -> None:
    """A process that waits for its servers answers 503 to everything but the probes."""
    site = Replaceable(application([starting_route()], PROBLEM_HANDLERS))
    assert (await ask("GET", "/page", site)).status_code == 503
    site.app = APP
    assert (await ask("GET", "/page", site)).status_code == 200


async def test_a_wrong_method_is_told_every_method_of_the_address() -> None:
    """Also where several routes have the address, and whatever the first of them takes (RFC 9110, section 15.5.6)."""
    routes = [
        Route("/{name}", page, methods=["GET"]),
        Route("/{name}", page, methods=["DELETE"]),
        Route("/other", page, methods=["PUT"]),
        Route("/{name}/more", page, methods=["PATCH"]),
    ]
    answer = await ask("POST", "/x", application(routes, PROBLEM_HANDLERS))
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD")
    assert answer.json()["code"] == "method-not-allowed"

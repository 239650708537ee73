"""The HTTP API of stories: what editors say of each."""

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from enrich.admin.story_profiles import StoryDescription, StoryEdit, describe, described, edit_of
from shared.access.authentication import Authentication
from shared.audit.author import Author
from shared.audit.log import append
from shared.failures import Invalid
from shared.http.openapi import PROBLEM_JSON, Content, Operation, Parameter, json_content
from shared.http.problem import Problem, ProblemDocument
from shared.http.query import check_query
from shared.postgres.pool import Pool

LARGEST_EDIT = 64 * 1024
NO_STORE = {"Cache-Control": "no-store"}
REFUSED = {"4XX": Content("Why not (RFC 9457)", {PROBLEM_JSON: ProblemDocument})}
STORY = Parameter("story", "path", {"type": "string", "maxLength": 500}, "The story's id")
OPERATIONS = (
    Operation(
        "GET",
        "/v1/stories/{story}",
        "What is said of a story",
        {"200": json_content(StoryDescription), **REFUSED},
        [STORY],
    ),
    Operation(
        "PATCH",
        "/v1/stories/{story}",
        "Name a story, or change its standfirst or summary; open pages follow",
        {"200": json_content(StoryDescription), **REFUSED},
        [STORY],
        json_content(StoryEdit),
    ),
)


def story_routes(pool: Pool, keys: Authentication) -> list[Route]:
    """`GET` and `PATCH /v1/stories/{story}`."""
    api = StoryApi(pool, keys)
    return [
        Route("/v1/stories/{story}", api.read, methods=["GET"]),
        Route("/v1/stories/{story}", api.change, methods=["PATCH"]),
    ]


class StoryApi:
    """The handlers; each asks for the key first."""

    def __init__(self, pool: Pool, keys: Authentication) -> None:
        self._pool = pool
        self._keys = keys

    async def read(self, request: Request) -> Response:
        """What is said of a story."""
        _, story = await self._authorised(request)
        found = await described(self._pool, story)
        if found is None:
            raise Problem(404, "no-story", f"no story {story[:80]!r}")
        return JSONResponse(found.model_dump(), headers=NO_STORE)

    async def change(self, request: Request) -> Response:
        """An edit."""
        by, story = await self._authorised(request)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_EDIT:
                raise Problem(413, "too-large", f"an edit has at most {LARGEST_EDIT} bytes")
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Problem(400, "not-json", f"the body is not JSON: {error}") from error
        try:
            edit = edit_of(document)
            async with self._pool.acquire() as connection, connection.transaction():
                before = await described(connection, story)
                told = await describe(connection, story, edit)
                was = before.model_dump() if before is not None else None
                await append(connection, by.entry("story-described", story, was, told.model_dump()))
        except Invalid as failure:
            raise Problem(422, "not-valid", f"{failure.field}: {failure.reason}", pointer=failure.field) from failure
        return JSONResponse(told.model_dump(), headers=NO_STORE)

    async def _authorised(self, request: Request) -> tuple[Author, str]:
        check_query(request)
        by = await self._keys.author(request, "stories")
        story: str = request.path_params["story"]
        if "\x00" in story:
            raise Problem(404, "no-story", "no story has such an id")
        return by, story

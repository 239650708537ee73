"""The HTTP API for a newsroom's own tools, on the port of `enrich text`, with a key: the author directory, stories,
and corrections.
"""

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from enrich.admin.authentication import check_key
from enrich.admin.author_directory import put, remove
from enrich.admin.correction_api import correction_routes
from enrich.admin.openapi import openapi_route
from enrich.admin.story_api import story_routes
from enrich.documents import validated
from enrich.reference.directory import AuthorProfile
from enrich.settings import Settings
from shared.failures import Invalid
from shared.http.problem import Problem
from shared.http.query import check_query
from shared.kafka.producer import Producer
from shared.postgres.pool import Pool

LARGEST_PROFILE = 64 * 1024
NO_STORE = {"Cache-Control": "no-store"}


def newsroom_routes(pool: Pool, settings: Settings, producer: Producer) -> list[Route]:
    """All routes of the API, with their OpenAPI document; none where no key is set."""
    if not settings.enrich_api_key_sha256:
        return []
    return [
        *author_routes(pool, settings),
        *story_routes(pool, settings),
        *correction_routes(pool, settings, producer),
        openapi_route(),
    ]


def author_routes(pool: Pool, settings: Settings) -> list[Route]:
    """`GET /v1/authors`, and `GET`, `PUT`, `DELETE /v1/authors/{id}`; none where no key is set."""
    if not settings.enrich_api_key_sha256:
        return []
    api = AuthorApi(pool, settings.enrich_api_key_sha256.lower())
    return [
        Route("/v1/authors", api.authors, methods=["GET"]),
        Route("/v1/authors/{author_id}", api.read, methods=["GET"]),
        Route("/v1/authors/{author_id}", api.replace, methods=["PUT"]),
        Route("/v1/authors/{author_id}", api.remove, methods=["DELETE"]),
    ]


class AuthorApi:
    """The handlers; each asks for the key first."""

    def __init__(self, pool: Pool, key_sha256: str) -> None:
        self._pool = pool
        self._key_sha256 = key_sha256

    async def authors(self, request: Request) -> Response:
        """The whole directory."""
        self._authorise(request)
        rows = await self._pool.fetch("SELECT profile FROM enrich.authors ORDER BY id")
        return JSONResponse({"authors": [row["profile"] for row in rows]}, headers=NO_STORE)

    async def read(self, request: Request) -> Response:
        """One profile."""
        author_id = self._authorise(request)
        profile = await self._pool.fetchval("SELECT profile FROM enrich.authors WHERE id = $1", author_id)
        if profile is None:
            raise _no_author(author_id)
        return JSONResponse(profile, headers=NO_STORE)

    async def replace(self, request: Request) -> Response:
        """Add a profile, or replace the one of that id."""
        author_id = self._authorise(request)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_PROFILE:
                raise Problem(413, "too-large", f"a profile has at most {LARGEST_PROFILE} bytes")
        profile = profile_of(body, author_id)
        async with self._pool.acquire() as connection, connection.transaction():
            added, _ = await put(connection, [profile])
        document = profile.model_dump(mode="json", exclude_defaults=True)
        return JSONResponse(document, 201 if added else 200, headers=NO_STORE)

    async def remove(self, request: Request) -> Response:
        """Remove a profile; the name stays on updates as text."""
        author_id = self._authorise(request)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await remove(connection, author_id):
                raise _no_author(author_id)
        return Response(status_code=204)

    def _authorise(self, request: Request) -> str:
        check_query(request)
        check_key(request, self._key_sha256)
        author_id: str = request.path_params.get("author_id", "")
        if "\x00" in author_id:
            raise _no_author(author_id)
        return author_id


def _no_author(author_id: str) -> Problem:
    return Problem(404, "no-author", f"no author {author_id[:80]!r}")


def profile_of(body: bytes, author_id: str) -> AuthorProfile:
    """The profile of a request's body, under the id of its path; a Problem names the field that is at fault."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "not-json", f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise Problem(400, "not-an-object", "a profile is a JSON object")
    if document.get("id", author_id) != author_id:
        raise Problem(422, "not-valid", "the id is that of the path", pointer="/id")
    if b"\\u0000" in body:
        raise Problem(422, "not-valid", "NUL is no text")
    try:
        return validated(AuthorProfile, {**document, "id": author_id})
    except Invalid as failure:
        raise Problem(422, "not-valid", f"{failure.field}: {failure.reason}", pointer=failure.field) from failure

"""The HTTP API for a newsroom's own tools, on the port of `enrich text`, with a key: the author directory, stories,
corrections, what is held, and keys.
"""

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from enrich.admin.authentication import KEYS, authentication_of
from enrich.admin.author_directory import put, remove
from enrich.admin.correction_api import correction_routes
from enrich.admin.held_api import held_routes
from enrich.admin.openapi import openapi_route
from enrich.admin.story_api import story_routes
from enrich.documents import validated
from enrich.reference.directory import AuthorProfile
from enrich.settings import Settings
from shared.access.authentication import Authentication
from shared.access.management import KeyManagement
from shared.access.routes import KeyRoutes
from shared.audit.author import Author
from shared.audit.log import append
from shared.failures import Invalid
from shared.http.problem import Problem
from shared.http.query import check_query
from shared.kafka.producer import Producer
from shared.postgres.pool import Pool

LARGEST_PROFILE = 64 * 1024
NO_STORE = {"Cache-Control": "no-store"}


def newsroom_routes(pool: Pool, settings: Settings, producer: Producer) -> list[Route]:
    """All routes of the API, with their OpenAPI document. Nobody gets in without a key."""
    keys = authentication_of(settings, pool)

    async def postgres() -> Pool:
        return pool

    return [
        *author_routes(pool, keys),
        *story_routes(pool, keys),
        *correction_routes(pool, keys, producer),
        *held_routes(pool, keys, producer),
        *KeyRoutes(KeyManagement(KEYS), keys, postgres).routes(),
        openapi_route(),
    ]


def author_routes(pool: Pool, keys: Authentication) -> list[Route]:
    """`GET /v1/authors`, and `GET`, `PUT`, `DELETE /v1/authors/{id}`."""
    api = AuthorApi(pool, keys)
    return [
        Route("/v1/authors", api.authors, methods=["GET"]),
        Route("/v1/authors/{author_id}", api.read, methods=["GET"]),
        Route("/v1/authors/{author_id}", api.replace, methods=["PUT"]),
        Route("/v1/authors/{author_id}", api.remove, methods=["DELETE"]),
    ]


class AuthorApi:
    """The handlers; each asks for the key first."""

    def __init__(self, pool: Pool, keys: Authentication) -> None:
        self._pool = pool
        self._keys = keys

    async def authors(self, request: Request) -> Response:
        """The whole directory."""
        await self._authorised(request)
        rows = await self._pool.fetch("SELECT profile FROM enrich.authors ORDER BY id")
        return JSONResponse({"authors": [row["profile"] for row in rows]}, headers=NO_STORE)

    async def read(self, request: Request) -> Response:
        """One profile."""
        _, author_id = await self._authorised(request)
        profile = await self._pool.fetchval("SELECT profile FROM enrich.authors WHERE id = $1", author_id)
        if profile is None:
            raise _no_author(author_id)
        return JSONResponse(profile, headers=NO_STORE)

    async def replace(self, request: Request) -> Response:
        """Add a profile, or replace the one of that id."""
        by, author_id = await self._authorised(request)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_PROFILE:
                raise Problem(413, "too-large", f"a profile has at most {LARGEST_PROFILE} bytes")
        profile = profile_of(body, author_id)
        async with self._pool.acquire() as connection, connection.transaction():
            before = await connection.fetchval("SELECT profile FROM enrich.authors WHERE id = $1", author_id)
            added, _ = await put(connection, [profile])
            after = profile.model_dump(mode="json", exclude_defaults=True)
            await append(connection, by.entry("author-put", author_id, before, after))
        document = profile.model_dump(mode="json", exclude_defaults=True)
        return JSONResponse(document, 201 if added else 200, headers=NO_STORE)

    async def remove(self, request: Request) -> Response:
        """Remove a profile; the name stays on updates as text."""
        by, author_id = await self._authorised(request)
        async with self._pool.acquire() as connection, connection.transaction():
            before = await connection.fetchval("SELECT profile FROM enrich.authors WHERE id = $1", author_id)
            if not await remove(connection, author_id):
                raise _no_author(author_id)
            await append(connection, by.entry("author-removed", author_id, before))
        return Response(status_code=204)

    async def _authorised(self, request: Request) -> tuple[Author, str]:
        check_query(request)
        by = await self._keys.author(request, "authors")
        author_id: str = request.path_params.get("author_id", "")
        if "\x00" in author_id:
            raise _no_author(author_id)
        return by, author_id


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

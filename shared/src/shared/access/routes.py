"""`/v1/keys` of a port: keys are made, listed, rotated and revoked with an operator's key."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.access import store
from shared.access.authentication import Authentication
from shared.access.holder import OPERATE
from shared.access.key import HolderKind, Key
from shared.access.management import KeyManagement, NoSuchHolder
from shared.access.store import LONGEST_OVERLAP, OVERLAP, NewKey, UnknownScope
from shared.audit.author import Author
from shared.http.problem import Problem
from shared.http.query import check_query
from shared.postgres.pool import Pool

MAX_BODY_BYTES = 8192
PATH = "/v1/keys"
NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Asked(BaseModel):
    """What every change may say."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=1000, description="Kept in the audit log")


class WantedKey(Asked):
    """A key to be made."""

    holder: str = Field(min_length=1, max_length=200, description="The source, desk, partner or team that gets it")
    kind: HolderKind | None = None
    scopes: list[str] = Field(min_length=1, max_length=20)
    person: str = Field(default="", max_length=200, description="What is done with the key is signed by this name")
    label: str = Field(default="", max_length=200)
    expires_at: AwareDatetime | None = None

    def more(self) -> dict[str, object]:
        """What a service asks beside, for the further columns of its table."""
        return {}


class Rotation(Asked):
    """How a key is replaced."""

    overlap_s: float = Field(
        default=OVERLAP.total_seconds(), ge=0, le=LONGEST_OVERLAP.total_seconds(),
        description="Seconds for which the old key works yet",
    )  # fmt: skip


class Revocation(Asked):
    """Why a key is ended."""


class KeyShown(BaseModel):
    """What is known of a key."""

    id: str
    kind: HolderKind
    holder: str
    person: str = ""
    scopes: list[str]
    label: str = ""
    made_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = Field(default=None, description="About; written once a minute at the most")
    revoked_at: datetime | None = None
    lineage: str = Field(default="", description="The first of the keys whose place it took, one after the other")


class KeyMade(KeyShown):
    """A key that was made."""

    key: str = Field(description="The key itself: shown now or never")


class KeyList(BaseModel):
    """Keys, the oldest first."""

    keys: list[KeyShown]


Wanted = TypeVar("Wanted", bound=Asked)


class KeyRoutes:
    """`GET` and `POST /v1/keys`, `POST /v1/keys/{key_id}/rotate`, `DELETE /v1/keys/{key_id}`."""

    def __init__(
        self,
        management: KeyManagement,
        authentication: Authentication,
        pool: Callable[[], Awaitable[Pool]],
        *,
        wanted: type[WantedKey] = WantedKey,
    ) -> None:
        self._management = management
        self._authentication = authentication
        self._pool = pool
        self._wanted = wanted

    def routes(self) -> list[Route]:
        """Where each is."""
        return [
            Route(PATH, self.listed, methods=["GET"]),
            Route(PATH, self.make, methods=["POST"]),
            Route(PATH + "/{key_id}/rotate", self.rotate, methods=["POST"]),
            Route(PATH + "/{key_id}", self.revoke, methods=["DELETE"]),
        ]

    async def listed(self, request: Request) -> Response:
        """The keys, or those of `holder`; with `ended=true` those that work no longer, too."""
        check_query(request, ("holder", "ended"))
        await self._authentication.holder(request, OPERATE)
        ended = request.query_params.get("ended", "false")
        if ended not in ("true", "false"):
            raise Problem(400, "bad-parameter", "ended: true or false", field="ended")
        holder = request.query_params.get("holder", "")
        found = [] if "\x00" in holder else await store.listed(
            await self._pool(), self._management.table, holder=holder, ended=ended == "true"
        )  # fmt: skip
        return _json({"keys": [key.shown() for key in found]})

    async def make(self, request: Request) -> Response:
        """Make a key."""
        author, wanted = await self._asked(request, self._wanted)
        table = self._management.table
        if wanted.kind is not None and wanted.kind not in table.kinds:
            raise Problem(422, "not-valid", f"/kind: {', '.join(table.kinds)}", field="/kind")
        if wanted.expires_at is not None and wanted.expires_at <= datetime.now(UTC):
            raise Problem(422, "not-valid", "/expires_at: is over", field="/expires_at")
        new = NewKey(
            wanted.kind or table.kinds[0], wanted.holder, frozenset(wanted.scopes), wanted.person, wanted.label,
            wanted.expires_at, wanted.more(),
        )  # fmt: skip
        pool = await self._pool()
        try:
            async with pool.acquire() as connection, connection.transaction():
                made, token = await self._management.make(connection, new, author)
        except UnknownScope as error:
            raise Problem(422, "not-valid", f"/scopes: {error}", field="/scopes") from None
        except NoSuchHolder as error:
            raise Problem(422, "not-valid", f"/holder: {error}", field="/holder") from None
        return _json(_made(made, token), 201)

    async def rotate(self, request: Request) -> Response:
        """Make a key in the place of another, which works for a while yet."""
        author, wanted = await self._asked(request, Rotation)
        pool = await self._pool()
        async with pool.acquire() as connection, connection.transaction():
            rotated = await self._management.rotate(
                connection, _key_id(request), author, timedelta(seconds=wanted.overlap_s)
            )
        if rotated is None:
            raise _no_key()
        return _json(_made(rotated[1], rotated[2]), 201)

    async def revoke(self, request: Request) -> Response:
        """End a key now."""
        author, _ = await self._asked(request, Revocation)
        pool = await self._pool()
        async with pool.acquire() as connection, connection.transaction():
            revoked = await self._management.revoke(connection, _key_id(request), author)
        if revoked is None:
            raise _no_key()
        return Response(None, 204, NO_STORE)

    async def _asked(self, request: Request, model: type[Wanted]) -> tuple[Author, Wanted]:
        check_query(request)
        author = await self._authentication.author(request, OPERATE)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise Problem(413, "too-large", f"the body is at most {MAX_BODY_BYTES} bytes")
        if b"\\u0000" in body:
            raise Problem(422, "not-valid", "NUL is allowed in no field", field="")
        try:
            wanted = model.model_validate_json(bytes(body) or b"{}")
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            pointer = "".join(f"/{part}" for part in first["loc"])
            status = 400 if first["type"] == "json_invalid" else 422
            raise Problem(status, "not-valid", f"{pointer or 'the body'}: {first['msg']}", field=pointer) from None
        return replace(author, reason=wanted.reason), wanted


def _no_key() -> Problem:
    return Problem(404, "no-such-key", "there is no live key of this id")


def _key_id(request: Request) -> str:
    key_id: str = request.path_params["key_id"]
    if "\x00" in key_id:
        raise _no_key()
    return key_id


def _made(key: Key, token: str) -> dict[str, object]:
    return {**key.shown(), "key": token}


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, NO_STORE, "application/json")

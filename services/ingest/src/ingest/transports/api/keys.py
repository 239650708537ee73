"""Keys of sources and operators, with an operator's key."""

from starlette.requests import Request
from starlette.responses import Response

from ingest.sources.keys import SourceKeys
from ingest.transports.api.authentication import Api
from shared.access.routes import KeyRoutes
from shared.postgres.pool import Pool


def _routes(api: Api) -> KeyRoutes:
    async def postgres() -> Pool:
        return api.intake.postgres()

    return KeyRoutes(SourceKeys(), api.keys, postgres)


async def keys(api: Api, request: Request) -> Response:
    """`GET /v1/keys`: the live keys, of all or of `holder`; with `ended=true` those that work no longer, too. For operators."""
    return await _routes(api).listed(request)


async def make_key(api: Api, request: Request) -> Response:
    """`POST /v1/keys`: a key is made, and shown only now. For operators."""
    return await _routes(api).make(request)


async def rotate_key(api: Api, request: Request) -> Response:
    """`POST /v1/keys/{key_id}/rotate`: a key in the place of another, which works for a while yet. For operators."""
    return await _routes(api).rotate(request)


async def revoke_key(api: Api, request: Request) -> Response:
    """`DELETE /v1/keys/{key_id}`: a key ends now. For operators."""
    return await _routes(api).revoke(request)

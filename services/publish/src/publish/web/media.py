"""Pictures out of the object store. Their addresses name their content, so everybody may keep them for ever."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, from_url
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from shared.problem import Problem

log = structlog.get_logger(__name__)

PATH = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,120}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,120}){0,5}$")
TYPES = {
    "avif": "image/avif",
    "webp": "image/webp",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
}
"""Nothing that a browser would run is served, whatever is in the store."""


def open_store(address: str) -> Any:
    """The object store of `MEDIA_STORE`; nothing is connected yet."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return LocalStore(unquote(parts.path), mkdir=True)
    # The library's own patience is three minutes; a reader's is not.
    return from_url(
        address,
        client_options={"timeout": "10s", "connect_timeout": "2s"},
        retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=5)},
    )


class MediaRoute:
    """`GET /media/{path}`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._store: Any = None

    async def __call__(self, request: Request) -> Response:
        """One rendition, immutable."""
        path = request.path_params["path"]
        content_type = TYPES.get(path.rpartition(".")[2].lower())
        if not PATH.match(path) or ".." in path or content_type is None:
            raise Problem(404, "not-found", "there is no such picture")
        tag = f'"{path.rpartition("/")[2]}"'
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "ETag": tag,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Access-Control-Allow-Origin": "*",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        try:
            if self._store is None:
                self._store = open_store(self._address)
            result = await self._store.get_async(path)
        except (FileNotFoundError, NotFoundError) as error:
            raise Problem(404, "not-found", "there is no such picture") from error
        except (BaseError, OSError) as error:
            log.warning("object store away", error=str(error), fold="object store")
            raise Problem(
                503, "media-away", "the pictures cannot be reached now", headers={"Retry-After": "5"}
            ) from error
        if tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        headers["Content-Length"] = str(result.meta["size"])
        if request.method == "HEAD":
            return Response(None, 200, headers, content_type)
        return StreamingResponse(_chunks(result), 200, headers, content_type)


async def _chunks(result: Any) -> Any:
    async for chunk in result.stream(min_chunk_size=256 * 1024):
        yield bytes(chunk)

"""Pictures out of the object store, while an update that shows them is visible.

Their addresses name their content, so a browser may keep them for ever. Shared caches ask again, and are purged by the
surrogate keys of the updates that show the picture.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import structlog
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from publish.representation.pictures import is_portrait, picture_of
from publish.web.archive_client import ArchiveClient
from publish.web.feed_store import FeedStore
from shared.http.problem import Problem

if TYPE_CHECKING:
    from obstore import GetResult

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
SHARED_FRESH_S = 300
"""Seconds for which a shared cache that nobody purges may serve a picture after its update is gone."""
MOST_KEYS = 20
"""Surrogate keys on one answer. Any of the updates will do: a purge of one makes the cache ask which others are left."""
LATE_S = 0.5
"""A replica may get a revision a moment after the one that served the page."""


def open_store(address: str) -> ObjectStore:
    """The object store of `MEDIA_STORE`; nothing is connected yet."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return LocalStore(unquote(parts.path), mkdir=True)
    # The library's default timeout is three minutes, too long for a reader.
    return from_url(
        address,
        client_options={"timeout": "10s", "connect_timeout": "2s"},
        retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=5)},
    )


async def showing(feed_store: FeedStore, archive: ArchiveClient, picture: str) -> list[str]:
    """The visible updates that show a picture. What memory says comes first, since the archive is behind it."""
    if in_memory := feed_store.showing(picture):
        return sorted(in_memory)
    return [
        update_id
        for update_id in await archive.showing(picture)
        if feed_store.removed(update_id) is None and feed_store.get(update_id) is None
    ]


class MediaRoute:
    """`GET /media/{path}`."""

    def __init__(self, address: str, feed_store: FeedStore, archive: ArchiveClient) -> None:
        self._address = address
        self._feed_store = feed_store
        self._archive = archive
        self._store: ObjectStore | None = None

    async def __call__(self, request: Request) -> Response:
        """One rendition; 404 where no visible update shows it."""
        path = request.path_params["path"]
        content_type = TYPES.get(path.rpartition(".")[2].lower())
        if not PATH.match(path) or ".." in path or content_type is None:
            raise Problem(404, "not-found", "there is no such picture")
        result = await self._fetch(path)
        shown_by = [] if is_portrait(path) else await self._shown_by(picture_of(path))
        tag = f'"{path.rpartition("/")[2]}"'
        headers = {
            "Cache-Control": f"public, max-age=31536000, s-maxage={SHARED_FRESH_S}, immutable",
            "ETag": tag,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Access-Control-Allow-Origin": "*",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        if shown_by:
            headers["Surrogate-Key"] = " ".join(f"update:{update_id}" for update_id in shown_by[:MOST_KEYS])
        if tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        headers["Content-Length"] = str(result.meta["size"])
        if request.method == "HEAD":
            return Response(None, 200, headers, content_type)
        return StreamingResponse(_chunks(result), 200, headers, content_type)

    async def _fetch(self, path: str) -> "GetResult":
        try:
            if self._store is None:
                self._store = open_store(self._address)
            return await self._store.get_async(path)
        except (FileNotFoundError, NotFoundError) as error:
            raise Problem(404, "not-found", "there is no such picture") from error
        except (BaseError, OSError) as error:
            log.warning("object store away", error=str(error), fold="object store")
            raise Problem(
                503, "media-away", "the pictures cannot be reached now", headers={"Retry-After": "5"}
            ) from error

    async def _shown_by(self, picture: str) -> list[str]:
        shown_by = await showing(self._feed_store, self._archive, picture)
        if not shown_by:
            await asyncio.sleep(LATE_S)
            shown_by = await showing(self._feed_store, self._archive, picture)
        if not shown_by:
            raise Problem(404, "not-found", "there is no such picture", headers={"Cache-Control": "no-store"})
        return shown_by


async def _chunks(result: "GetResult") -> AsyncIterator[bytes]:
    async for chunk in result.stream(min_chunk_size=256 * 1024):
        yield bytes(chunk)

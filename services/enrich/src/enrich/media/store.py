"""The object store of renditions: content-addressed, written once, served by publish from the same place.

Layout: `{first two characters}/{sha256 of the original}/{width}.{avif|webp|jpg}`; an avatar's name is `avatar-{side}`.
A rendition's URL is `/media/` and its key.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, from_url

from enrich.media.render.rendered import Encoded
from shared.failures import Transient
from shared.messages import Rendition
from shared.settings import Connections

URL_PREFIX = "/media/"


def open_store(settings: Connections) -> Any:
    """The store of `MEDIA_STORE`. Credentials and endpoints of S3 and the like come from the environment, under the names
    that their own tools use (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...)."""
    url = settings.media_store
    scheme = url.partition(":")[0].lower()
    if scheme == "file":
        return from_url(url, mkdir=True)
    return from_url(url, retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)})


def key_of(sha256: str, name: str) -> str:
    """Where a rendition is kept."""
    return f"{sha256[:2]}/{sha256}/{name}"


async def store_renditions(store: Any, sha256: str, encoded: Sequence[Encoded], *, prefix: str = "") -> list[Rendition]:
    """Write every rendition; the same ones again change nothing. Raises Transient where the store is away."""

    async def write(each: Encoded) -> Rendition:
        key = key_of(sha256, f"{prefix}{each.width}.{each.extension}")
        await obstore.put_async(store, key, each.data, attributes=_attributes(store, each.mime_type))
        return Rendition(
            url=URL_PREFIX + key,
            mime_type=each.mime_type,
            width=each.width,
            height=each.height,
            size_bytes=len(each.data),
        )

    try:
        return list(await asyncio.gather(*(write(each) for each in encoded)))
    except (BaseError, OSError) as error:
        raise Transient(f"object store: {type(error).__name__}: {error}"[:300]) from None


async def remove_renditions(store: Any, renditions: Sequence[Rendition]) -> int:
    """Delete renditions; what is gone already is no error. How many there were."""
    removed = 0
    for each in renditions:
        try:
            await obstore.delete_async(store, each.url.removeprefix(URL_PREFIX))
        except (NotFoundError, FileNotFoundError):
            continue
        removed += 1
    return removed


def _attributes(store: Any, mime_type: str) -> Any:
    """A folder keeps no attributes; an object store that is read directly answers with these."""
    if isinstance(store, LocalStore | MemoryStore):
        return None
    return cast("Any", {"Content-Type": mime_type, "Cache-Control": "public, max-age=31536000, immutable"})

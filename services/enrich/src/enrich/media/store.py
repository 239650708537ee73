"""The object store of renditions: content-addressed, written once, and served by publish.

Layout: `{first two characters}/{sha256 of the original}/{width}.{avif|webp|jpg}`; an avatar's name is `avatar-{side}`.
A rendition's URL is `/media/` and its key.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from enrich.media.render.rendered import Encoded
from shared.failures import Transient
from shared.messages import Rendition
from shared.settings import Connections

if TYPE_CHECKING:
    from obstore import Attributes  # exists in its stubs only

URL_PREFIX = "/media/"


def open_store(settings: Connections) -> ObjectStore:
    """The store of `MEDIA_STORE`. Credentials and endpoints come from the environment, under the names that the stores' own
    tools use (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...)."""
    url = settings.media_store
    scheme = url.partition(":")[0].lower()
    if scheme == "file":
        return from_url(url, mkdir=True)
    return from_url(url, retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)})


def key_of(sha256: str, name: str) -> str:
    """The key of a rendition."""
    return f"{sha256[:2]}/{sha256}/{name}"


async def store_renditions(
    store: ObjectStore, sha256: str, encoded: Sequence[Encoded], *, prefix: str = ""
) -> list[Rendition]:
    """Write every rendition; writing one again changes nothing. Raises Transient while the store is unavailable."""

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


async def remove_renditions(store: ObjectStore, renditions: Sequence[Rendition]) -> int:
    """Delete renditions; returns how many there were."""
    removed = 0
    for each in renditions:
        try:
            await obstore.delete_async(store, each.url.removeprefix(URL_PREFIX))
        except (NotFoundError, FileNotFoundError):
            continue
        removed += 1
    return removed


def _attributes(store: ObjectStore, mime_type: str) -> "Attributes | None":
    """Headers of a store that is read directly. Local stores keep none."""
    if isinstance(store, LocalStore | MemoryStore):
        return None
    return {"Content-Type": mime_type, "Cache-Control": "public, max-age=31536000, immutable"}

"""Portraits of authors, for the directory."""

import hashlib
from dataclasses import dataclass

from enrich.media.process import render_limits
from enrich.media.render.pool import RendererPool
from enrich.media.store import open_store, store_renditions
from enrich.settings import Settings
from shared.messages import Rendition


@dataclass(frozen=True, slots=True)
class Avatar:
    """A stored portrait. `url` is the largest JPEG, which every browser shows."""

    url: str
    renditions: tuple[Rendition, ...]


async def store_avatar(settings: Settings, portrait: bytes) -> Avatar:
    """Crop a portrait to squares of 160 and 320 pixels around its focal point, and store them.

    The same bytes give the same URL. Raises PictureRefused, or Transient while the store is unavailable.
    """
    async with RendererPool(1, render_limits(settings)) as renderers:
        rendered = await renderers.render(portrait, "avatar")
    sha256 = hashlib.sha256(portrait).hexdigest()
    renditions = await store_renditions(open_store(settings), sha256, rendered.renditions, prefix="avatar-")
    jpegs = [each for each in renditions if each.mime_type == "image/jpeg"]
    return Avatar(max(jpegs, key=lambda each: each.width).url, tuple(renditions))

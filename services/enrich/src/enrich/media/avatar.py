"""An author's portrait for the directory: the same renderer, a square, the same store."""

import hashlib
from dataclasses import dataclass

from enrich.media.process import render_limits
from enrich.media.render.pool import Renderers
from enrich.media.store import open_store, store_renditions
from enrich.settings import Settings
from shared.messages import Rendition


@dataclass(frozen=True, slots=True)
class Avatar:
    """A stored portrait. `url` is what every browser shows: JPEG, the largest side."""

    url: str
    renditions: tuple[Rendition, ...]


async def store_avatar(settings: Settings, portrait: bytes) -> Avatar:
    """Crop a portrait to a square of 160 and 320 pixels around what draws the eye, and store it. The same bytes give the
    same URL. Raises Refused with a reason for people, Transient where the store is away."""
    async with Renderers(1, render_limits(settings)) as renderers:
        rendered = await renderers.render(portrait, "avatar")
    sha256 = hashlib.sha256(portrait).hexdigest()
    renditions = await store_renditions(open_store(settings), sha256, rendered.renditions, prefix="avatar-")
    jpegs = [each for each in renditions if each.mime_type == "image/jpeg"]
    return Avatar(max(jpegs, key=lambda each: each.width).url, tuple(renditions))

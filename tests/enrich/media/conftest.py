"""Pictures made on the spot, and a host that serves them in every way that hosts do."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
import pyvips

from enrich.media.render.pool import RendererPool, RenderLimits
from enrich.settings import Settings
from shared.settings import Connections
from support.http_host import Answer, HttpHost, http_host


@pytest_asyncio.fixture
async def picture_host() -> AsyncIterator[HttpHost]:
    """A host of pictures."""
    async with http_host() as host:
        yield host


@pytest.fixture
def answer() -> type[Answer]:
    """The class of what a path answers."""
    return Answer


@pytest.fixture(scope="session")
def photo() -> Callable[..., Any]:
    """Makes a picture with features of its own for each seed, as a libvips image."""

    def make(width: int = 800, height: int = 600, seed: int = 1) -> Any:
        bands = []
        for band in range(3):
            image = pyvips.Image.perlin(width, height, cell_size=max(16, width // 4), seed=seed * 10 + band).linear(
                60, 120
            )
            image += pyvips.Image.perlin(
                width, height, cell_size=max(8, width // 20), seed=seed * 10 + 5 + band
            ).linear(30, 0)
            bands.append(image)
        return bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb").copy_memory()

    return make


@pytest.fixture(scope="session")
def jpeg(photo: Callable[..., Any]) -> Callable[..., bytes]:
    """Makes a JPEG; XMP, IPTC and EXIF blocks may be given as bytes."""

    def make(
        width: int = 800, height: int = 600, seed: int = 1, *, quality: int = 88, xmp: bytes = b"", iptc: bytes = b"",
        exif: dict[str, str] | None = None, orientation: int = 0,
    ) -> bytes:  # fmt: skip
        image = photo(width, height, seed).copy()
        if xmp:
            image.set_type(pyvips.GValue.blob_type, "xmp-data", xmp)
        if iptc:
            image.set_type(pyvips.GValue.blob_type, "iptc-data", iptc)
        for name, value in (exif or {}).items():
            image.set_type(pyvips.GValue.gstr_type, name, value)
        if orientation:
            image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
        return bytes(image.jpegsave_buffer(Q=quality))

    return make


@pytest.fixture(scope="session")
def xmp() -> Callable[..., bytes]:
    """Makes an XMP packet of plain fields."""

    def make(**fields: str) -> bytes:
        prefixes = {
            "headline": "photoshop:Headline",
            "credit": "photoshop:Credit",
            "source": "photoshop:Source",
            "instructions": "photoshop:Instructions",
        }
        alternatives = {
            "caption": "dc:description",
            "copyright": "dc:rights",
            "usage_terms": "xmpRights:UsageTerms",
            "alt_text": "Iptc4xmpCore:AltTextAccessibility",
        }
        parts = [f"<{tag}>{fields[name]}</{tag}>" for name, tag in prefixes.items() if name in fields]
        parts += [
            f'<{tag}><rdf:Alt><rdf:li xml:lang="x-default">{fields[name]}</rdf:li></rdf:Alt></{tag}>'
            for name, tag in alternatives.items()
            if name in fields
        ]
        if "creator" in fields:
            parts.append(f"<dc:creator><rdf:Seq><rdf:li>{fields['creator']}</rdf:li></rdf:Seq></dc:creator>")
        return (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
            ' xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"'
            ' xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/">'
            + "".join(parts)
            + "</rdf:Description></rdf:RDF></x:xmpmeta>"
        ).encode()

    return make


@pytest_asyncio.fixture
async def renderers() -> AsyncIterator[RendererPool]:
    """One renderer with the limits of the product, but for a shorter time."""
    async with RendererPool(1, RenderLimits(seconds=20)) as pool:
        yield pool


@pytest.fixture
def media_settings(newsroom: Connections) -> Callable[..., Settings]:
    """The settings of a newsroom that may fetch from 127.0.0.1, with fields of the test's choice."""

    def make(**fields: Any) -> Settings:
        quick = {
            "enrich_media_allow_private": True,
            "enrich_media_renderers": 1,
            "enrich_media_retry_s": 0.2,
            "enrich_media_lease_s": 3.0,
            "enrich_media_fetch_s": 5.0,
        }
        return Settings(**{**newsroom.model_dump(), **quick, **fields})

    return make

"""Renders a picture: renditions, focal point, placeholder, hashes and metadata. Runs in confined processes only."""

import base64
from collections.abc import Callable
from dataclasses import fields, replace

import pyvips

from enrich.media.errors import PictureRefused
from enrich.media.render.credentials import read_credentials
from enrich.media.render.file_type import MEDIA_TYPES, file_type_of
from enrich.media.render.image_hash import SIDE, hash_picture
from enrich.media.render.metadata import read_metadata
from enrich.media.render.rendered import Encoded, Rendered
from enrich.media.render.xmp import packet
from enrich.picture_index.embedded import NOTHING, Embedded
from shared.messages.digital_source import ai_share_of

WIDTHS = (320, 640, 960, 1280, 1600)
"""Widths of the renditions, in pixels."""
AVATAR_SIDES = (160, 320)
MAX_PIXELS_OF_AVIF = 50_000_000
"""The AVIF decoder holds the whole picture at 15 bytes a pixel; more would not fit a renderer's memory."""
MIN_SIDE = 16
"""A picture with a shorter side is a tracking pixel or an ornament."""
MAX_ASPECT = 20
"""Panoramas are up to 10 times as wide as high, charts for telephones 15 times as high as wide."""
MAX_SIDE = 16_383
"""The longest side that WebP can have."""
JPEG_QUALITY = 78
WEBP_QUALITY = 76
WEBP_EFFORT = 4
AVIF_QUALITY = 55
AVIF_EFFORT = 3
"""At these qualities the three look the same (SSIM 0.97 on photographs at 1280 pixels: 35, 48 and 67 kB). An effort of 4
makes AVIF 5 % smaller in five times the time."""
PLACEHOLDER_WIDTH = 24
_END_OF_JPEG = b"\xff\xd9"
_NO_HEIGHT_LIMIT = 10_000_000
# `fail_on` of a thumbnail does not reach its loader (libvips 8.18): the option string does.
_WHOLE = "[fail_on=error]"
_LOADERS = ("Jpeg", "Png", "Webp", "Nsgif", "Heif")


def restrict_loaders() -> None:
    """Block all loaders of libvips but those of accepted formats, and disable its cache."""
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for name in _LOADERS:
        pyvips.operation_block_set(f"VipsForeignLoad{name}", False)
    pyvips.cache_set_max(0)


def sample_pictures() -> list[bytes]:
    """A small picture in each accepted format, for a worker to warm up on."""
    image = pyvips.Image.xyz(64, 48).linear([4, 5], 0).cast("uchar")
    image = image.bandjoin(image[0]).copy(interpretation="srgb")
    image.set_type(pyvips.GValue.blob_type, "xmp-data", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    return [
        image.jpegsave_buffer(),
        image.pngsave_buffer(),
        image.webpsave_buffer(),
        image.gifsave_buffer(),
        image.heifsave_buffer(compression="av1", effort=0),
    ]


def render_picture(data: bytes, *, max_pixels: int, wire: Embedded = NOTHING, trusted: str = "") -> Rendered:
    """All renditions and facts of a picture. Raises PictureRefused.

    `wire`: what the source says beside the picture, which goes before what is in it, in the words that renditions carry.
    `trusted`: certificates of issuers of content credentials, as PEM.
    """
    credentials, source_type = read_credentials(data, file_type_of(data), trusted)
    wire = replace(wire, digital_source=_source(wire.digital_source, source_type))
    rendered = _complete(data, lambda whole, kind: _render(whole, kind, max_pixels, wire))
    if credentials is None:
        return rendered
    embedded = replace(rendered.embedded, digital_source=_source(rendered.embedded.digital_source, source_type))
    return replace(rendered, embedded=embedded, credentials=credentials)


def render_avatar(data: bytes, *, max_pixels: int) -> Rendered:
    """Squares around the focal point, with the sides of `AVATAR_SIDES`; a smaller original is not scaled up."""
    return _complete(data, lambda whole, kind: _avatar(whole, kind, max_pixels))


def _complete(data: bytes, make: Callable[[bytes, str], Rendered]) -> Rendered:
    """What is made of a picture; a JPEG that lacks nothing but its end marker is given one."""
    kind = file_type_of(data)
    try:
        return make(data, kind)
    except pyvips.Error as error:
        whole = _with_end(data) if kind == "jpeg" else None
        if whole is None:
            raise PictureRefused(f"damaged {kind}: {_first_line(error)}") from None
    try:
        return make(whole, kind)
    except pyvips.Error as error:
        raise PictureRefused(f"damaged {kind}: {_first_line(error)}") from None


def _with_end(data: bytes) -> bytes | None:
    """A JPEG with its end marker, None where more than that is missing: then its data ends too early, which is a warning."""
    whole = data.removesuffix(b"\xff") + _END_OF_JPEG
    try:
        pyvips.Image.new_from_buffer(whole, "", access="sequential", fail_on="warning").avg()
    except pyvips.Error:
        return None
    return whole


def _avatar(data: bytes, kind: str, max_pixels: int) -> Rendered:
    source = _open(data, kind, max_pixels)
    side = min(source.width, source.height, max(AVATAR_SIDES))
    cropped = _plain(
        pyvips.Image.thumbnail_buffer(
            data, side, height=side, crop="attention", export_profile="srgb", option_string=_WHOLE
        )
    )
    sides = [each for each in AVATAR_SIDES if each < side] + [side]
    squares = [cropped if each == side else _shrunk(cropped, each) for each in sides]
    renditions = tuple(encoded for square in squares for encoded in _encodings(square))
    return Rendered(
        MEDIA_TYPES[kind], source.width, source.height, (0.5, 0.5), _placeholder(cropped), None,
        Embedded(), renditions,
    )  # fmt: skip


def widths_for(width: int, height: int) -> list[int]:
    """The widths of a picture's renditions: none wider than itself; its own width where that adds at least a tenth."""
    chosen = [each for each in WIDTHS if each <= width]
    if width < WIDTHS[-1] and (not chosen or width >= 1.1 * chosen[-1]):
        chosen.append(width)
    return [each for each in chosen if round(height * each / width) <= MAX_SIDE]


def _open(data: bytes, kind: str, max_pixels: int) -> pyvips.Image:
    """The header of the picture, checked before any pixel is decoded."""
    if kind == "avif":
        max_pixels = min(max_pixels, MAX_PIXELS_OF_AVIF)
    source = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error")
    if source.width * source.height > max_pixels:
        raise PictureRefused(f"too many pixels: {source.width} x {source.height}, the limit is {max_pixels:,}")
    if min(source.width, source.height) < MIN_SIDE:
        raise PictureRefused(f"too small to be seen: {source.width} x {source.height} pixels")
    if max(source.width, source.height) > MAX_ASPECT * min(source.width, source.height):
        raise PictureRefused(f"a strip, not a picture: {source.width} x {source.height} pixels")
    return source


def _render(data: bytes, kind: str, max_pixels: int, wire: Embedded) -> Rendered:
    source = _open(data, kind, max_pixels)
    turned = source.get("orientation") in (5, 6, 7, 8) if source.get_typeof("orientation") else False
    width, height = (source.height, source.width) if turned else (source.width, source.height)
    widths = widths_for(width, height)
    if not widths:
        raise PictureRefused(f"too long for its width: {width} x {height} pixels")
    embedded = read_metadata(lambda name: source.get(name) if source.get_typeof(name) else None)
    largest = _plain(
        pyvips.Image.thumbnail_buffer(
            data, widths[-1], height=_NO_HEIGHT_LIMIT, size="down", export_profile="srgb", option_string=_WHOLE
        )
    )
    # The original is decoded once. Smaller sizes are made from the largest, without a visible difference.
    sizes = [*(_shrunk(largest, each) for each in widths[:-1]), largest]
    smallest = sizes[0]
    said = packet(_said(wire, embedded))
    return Rendered(
        mime_type=MEDIA_TYPES[kind],
        width=width,
        height=height,
        focal_point=_focal_point(smallest),
        placeholder=_placeholder(smallest),
        image_hash=hash_picture(_grey_square(smallest)),
        embedded=embedded,
        renditions=tuple(encoded for size in sizes for encoded in _encodings(size, said)),
    )


def _plain(image: pyvips.Image) -> pyvips.Image:
    """Decode to 8-bit sRGB; an alpha channel is kept only where something is transparent."""
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    if image.format != "uchar":
        image = image.cast("uchar")
    image = image.copy_memory()
    if image.hasalpha() and image[image.bands - 1].min() == 255:
        image = image.extract_band(0, n=image.bands - 1).copy_memory()
    return image


def _shrunk(image: pyvips.Image, width: int) -> pyvips.Image:
    return image.thumbnail_image(width, height=_NO_HEIGHT_LIMIT, size="down").cast("uchar").copy_memory()


def _encodings(image: pyvips.Image, said: bytes = b"") -> list[Encoded]:
    """AVIF, WebP and JPEG with our own XMP alone: EXIF, IPTC, the colour profile and the original's XMP stay behind."""
    keep = "xmp" if said else "none"
    if said:
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "xmp-data", said)
    opaque = image.flatten(background=[255, 255, 255]) if image.hasalpha() else image
    encoded = (
        ("avif", image.heifsave_buffer(compression="av1", Q=AVIF_QUALITY, effort=AVIF_EFFORT, keep=keep)),
        ("webp", image.webpsave_buffer(Q=WEBP_QUALITY, effort=WEBP_EFFORT, keep=keep)),
        ("jpg", _jpeg(opaque, keep)),
    )
    return [
        Encoded(image.width, image.height, extension, MEDIA_TYPES["jpeg" if extension == "jpg" else extension], data)
        for extension, data in encoded
    ]


def _jpeg(image: pyvips.Image, keep: str) -> bytes:
    """With mozjpeg's optimisations: a fifth smaller, for a few hundredths of a second."""
    data: bytes = image.jpegsave_buffer(
        Q=JPEG_QUALITY, optimize_coding=True, interlace=True, trellis_quant=True, overshoot_deringing=True,
        optimize_scans=True, quant_table=3, keep=keep,
    )  # fmt: skip
    return data


def _said(wire: Embedded, embedded: Embedded) -> Embedded:
    """What renditions carry: the wire's words, else the picture's own."""
    first = {field.name: getattr(wire, field.name) or getattr(embedded, field.name) for field in fields(Embedded)}
    return Embedded(**{**first, "digital_source": _source(wire.digital_source, embedded.digital_source)})


def _source(*source_types: str) -> str:
    """One type of several that are named: one of AI, else the first. What a model made stays so, whoever else says otherwise."""
    named = [each for each in source_types if each]
    return next((each for each in named if ai_share_of(each)), named[0] if named else "")


def _focal_point(image: pyvips.Image) -> tuple[float, float] | None:
    """The focal point, as fractions from the top left, found by libvips's attention strategy."""
    side = min(image.width, image.height)
    _, found = image.smartcrop(side, side, interesting="attention", attention_x=True, attention_y=True)
    point = (found["attention_x"] / image.width, found["attention_y"] / image.height)
    return (round(min(max(point[0], 0.0), 1.0), 4), round(min(max(point[1], 0.0), 1.0), 4))


def _placeholder(image: pyvips.Image) -> str:
    """A blurred preview as a data URI of a few hundred bytes."""
    longest = max(image.width, image.height)
    tiny = image.resize(min(1.0, PLACEHOLDER_WIDTH / longest))
    data = tiny.cast("uchar").webpsave_buffer(Q=30, effort=4, keep="none")
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"


def _grey_square(image: pyvips.Image) -> bytes:
    opaque = image.flatten(background=[255, 255, 255]) if image.hasalpha() else image
    square = opaque.thumbnail_image(SIDE, height=SIDE, size="force").colourspace("b-w").cast("uchar")
    return bytes(square.extract_band(0).write_to_memory())


def _first_line(error: Exception) -> str:
    detail = getattr(error, "detail", "") or str(error)
    lines = [line.strip() for line in str(detail).splitlines() if line.strip() and not line.startswith("unable to")]
    return (lines[0] if lines else "it cannot be decoded")[:200]

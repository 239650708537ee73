"""One picture's bytes to all that readers need of it. Runs in a worker process, since it decodes what anybody sent."""

import base64
from typing import Any

import pyvips

from enrich.media.refusals import Refused
from enrich.media.render.image_hash import SIDE, likeness_of
from enrich.media.render.metadata import words_in
from enrich.media.render.rendered import Encoded, Rendered
from enrich.media.render.sniff import TAKEN, sniff
from enrich.picture_index.embedded import Embedded

WIDTHS = (320, 640, 960, 1280, 1600)
"""Widths of the renditions, in pixels."""
AVATAR_SIDES = (160, 320)
MOST_PIXELS_OF_AVIF = 50_000_000
"""Its decoder holds the whole picture, 15 bytes for each pixel: more would not fit a renderer's memory."""
LEAST_SIDE = 16
"""A picture with a shorter side is a tracking pixel or an ornament."""
MOST_ASPECT = 20
"""Panoramas are 10 times as wide as high, charts for telephones 15 times as high as wide."""
MOST_SIDE = 16_383
"""WebP's longest side; no screen shows it."""
JPEG_QUALITY = 78
WEBP_QUALITY = 76
WEBP_EFFORT = 4
AVIF_QUALITY = 55
AVIF_EFFORT = 3
"""Qualities are where the three look alike (SSIM 0.97 on photographs at 1280 pixels: 35, 48 and 67 kB). An effort of 4
makes AVIF a twentieth smaller in five times the time."""
PLACEHOLDER_WIDTH = 24
_NO_HEIGHT_LIMIT = 10_000_000
# `fail_on` of a thumbnail does not reach its loader (libvips 8.18): the option string does.
_WHOLE = "[fail_on=error]"
_LOADERS = ("Jpeg", "Png", "Webp", "Nsgif", "Heif")


def prepare() -> None:
    """Close every loader of libvips but those of the formats that are taken, and keep nothing between pictures."""
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for name in _LOADERS:
        pyvips.operation_block_set(f"VipsForeignLoad{name}", False)
    pyvips.cache_set_max(0)


def specimens() -> list[bytes]:
    """A small picture in each format that is taken, for a worker to warm up on."""
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


def render_picture(data: bytes, *, max_pixels: int) -> Rendered:
    """All renditions and facts of a picture; refuses with a reason what is hostile, damaged or not taken."""
    kind = sniff(data)
    try:
        return _render(data, kind, max_pixels)
    except pyvips.Error as error:
        raise Refused(f"damaged {kind}: {_first_line(error)}") from None


def render_avatar(data: bytes, *, max_pixels: int) -> Rendered:
    """A square around what draws the eye, in the sides of `AVATAR_SIDES`; a smaller original is not scaled up."""
    kind = sniff(data)
    try:
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
            TAKEN[kind], source.width, source.height, (0.5, 0.5), _placeholder(cropped), None,
            Embedded(), renditions,
        )  # fmt: skip
    except pyvips.Error as error:
        raise Refused(f"damaged {kind}: {_first_line(error)}") from None


def widths_for(width: int, height: int) -> list[int]:
    """The widths of the renditions of a picture: never wider than it is, its own width where that adds something."""
    chosen = [each for each in WIDTHS if each <= width]
    if width < WIDTHS[-1] and (not chosen or width >= 1.1 * chosen[-1]):
        chosen.append(width)
    return [each for each in chosen if round(height * each / width) <= MOST_SIDE]


def _open(data: bytes, kind: str, max_pixels: int) -> Any:
    """The header of the picture, judged before a pixel is decoded."""
    if kind == "avif":
        max_pixels = min(max_pixels, MOST_PIXELS_OF_AVIF)
    source = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error")
    if source.width * source.height > max_pixels:
        raise Refused(f"too many pixels: {source.width} x {source.height}, the limit is {max_pixels:,}")
    if min(source.width, source.height) < LEAST_SIDE:
        raise Refused(f"too small to be seen: {source.width} x {source.height} pixels")
    if max(source.width, source.height) > MOST_ASPECT * min(source.width, source.height):
        raise Refused(f"a strip, not a picture: {source.width} x {source.height} pixels")
    return source


def _render(data: bytes, kind: str, max_pixels: int) -> Rendered:
    source = _open(data, kind, max_pixels)
    turned = source.get("orientation") in (5, 6, 7, 8) if source.get_typeof("orientation") else False
    width, height = (source.height, source.width) if turned else (source.width, source.height)
    widths = widths_for(width, height)
    if not widths:
        raise Refused(f"too long for its width: {width} x {height} pixels")
    embedded = words_in(lambda name: source.get(name) if source.get_typeof(name) else None)
    largest = _plain(
        pyvips.Image.thumbnail_buffer(
            data, widths[-1], height=_NO_HEIGHT_LIMIT, size="down", export_profile="srgb", option_string=_WHOLE
        )
    )
    # The original is decoded once; each smaller size comes of the largest, which shows no difference and costs little.
    sizes = [*(_shrunk(largest, each) for each in widths[:-1]), largest]
    smallest = sizes[0]
    return Rendered(
        mime_type=TAKEN[kind],
        width=width,
        height=height,
        focal_point=_focal_point(smallest),
        placeholder=_placeholder(smallest),
        likeness=likeness_of(_grey_square(smallest)),
        embedded=embedded,
        renditions=tuple(encoded for size in sizes for encoded in _encodings(size)),
    )


def _plain(image: Any) -> Any:
    """Decoded now, 8 bits of sRGB, with a transparency only where something shows through."""
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    if image.format != "uchar":
        image = image.cast("uchar")
    image = image.copy_memory()
    if image.hasalpha() and image[image.bands - 1].min() == 255:
        image = image.extract_band(0, n=image.bands - 1).copy_memory()
    return image


def _shrunk(image: Any, width: int) -> Any:
    return image.thumbnail_image(width, height=_NO_HEIGHT_LIMIT, size="down").cast("uchar").copy_memory()


def _encodings(image: Any) -> list[Encoded]:
    """AVIF, WebP and JPEG without any metadata: `keep` at none leaves out EXIF, XMP, IPTC and the colour profile."""
    opaque = image.flatten(background=[255, 255, 255]) if image.hasalpha() else image
    encoded = (
        ("avif", image.heifsave_buffer(compression="av1", Q=AVIF_QUALITY, effort=AVIF_EFFORT, keep="none")),
        ("webp", image.webpsave_buffer(Q=WEBP_QUALITY, effort=WEBP_EFFORT, keep="none")),
        ("jpg", _jpeg(opaque)),
    )
    return [
        Encoded(image.width, image.height, extension, TAKEN["jpeg" if extension == "jpg" else extension], data)
        for extension, data in encoded
    ]


def _jpeg(image: Any) -> bytes:
    """With mozjpeg's search for smaller scans: a fifth of the bytes for a few hundredths of a second."""
    data: bytes = image.jpegsave_buffer(
        Q=JPEG_QUALITY, optimize_coding=True, interlace=True, trellis_quant=True, overshoot_deringing=True,
        optimize_scans=True, quant_table=3, keep="none",
    )  # fmt: skip
    return data


def _focal_point(image: Any) -> tuple[float, float] | None:
    """What draws the eye, as fractions from the top left: libvips's attention, as its smart crop uses it."""
    side = min(image.width, image.height)
    _, found = image.smartcrop(side, side, interesting="attention", attention_x=True, attention_y=True)
    point = (found["attention_x"] / image.width, found["attention_y"] / image.height)
    return (round(min(max(point[0], 0.0), 1.0), 4), round(min(max(point[1], 0.0), 1.0), 4))


def _placeholder(image: Any) -> str:
    """A blurred impression as a data URI of a few hundred bytes, for the place where the picture will be."""
    longest = max(image.width, image.height)
    tiny = image.resize(min(1.0, PLACEHOLDER_WIDTH / longest))
    data = tiny.cast("uchar").webpsave_buffer(Q=30, effort=4, keep="none")
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"


def _grey_square(image: Any) -> bytes:
    opaque = image.flatten(background=[255, 255, 255]) if image.hasalpha() else image
    square = opaque.thumbnail_image(SIDE, height=SIDE, size="force").colourspace("b-w").cast("uchar")
    return bytes(square.extract_band(0).write_to_memory())


def _first_line(error: Exception) -> str:
    detail = getattr(error, "detail", "") or str(error)
    lines = [line.strip() for line in str(detail).splitlines() if line.strip() and not line.startswith("unable to")]
    return (lines[0] if lines else "it cannot be decoded")[:200]

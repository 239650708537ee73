"""What comes out of the renderer: right sizes, right colours, nothing private. In worker processes, as in production."""

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from enrich.media.errors import PictureRefused
from enrich.media.render.file_type import file_type_of
from enrich.media.render.metadata import read_xmp
from enrich.media.render.pool import RendererPool
from enrich.media.render.render import MAX_SIDE, WIDTHS, render_picture, sample_pictures, widths_for
from enrich.picture_index.embedded import Embedded


def opened(data: bytes) -> Any:
    """The picture in the bytes."""
    return pyvips.Image.new_from_buffer(data, "")


async def test_every_width_in_every_format(renderers: RendererPool, jpeg: Callable[..., bytes]) -> None:
    """A large picture comes in five widths and three formats, each what it says it is."""
    rendered = await renderers.render(jpeg(2400, 1600))
    assert {(each.width, each.extension) for each in rendered.renditions} == {
        (width, extension) for width in WIDTHS for extension in ("avif", "webp", "jpg")
    }
    for each in rendered.renditions:
        image = opened(each.data)
        assert (image.width, image.height) == (each.width, each.height)
        assert abs(each.width / each.height - 1.5) < 0.01
        assert file_type_of(each.data) == {"jpg": "jpeg"}.get(each.extension, each.extension)


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_never_scaled_up(width: int, height: int) -> None:
    """No rendition is wider than its original or longer than an encoder takes, and each width comes once."""
    widths = widths_for(width, height)
    assert all(each <= width for each in widths)
    assert widths == sorted(set(widths))
    assert all(round(height * each / width) <= MAX_SIDE for each in widths)
    assert widths or height > 10 * width


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (200, [200]),
        (320, [320]),
        (500, [320, 500]),
        (650, [320, 640]),
        (1590, [320, 640, 960, 1280, 1590]),
        (4000, list(WIDTHS)),
    ],
)
async def test_small_original_keeps_its_own_width(
    renderers: RendererPool, jpeg: Callable[..., bytes], width: int, expected: list[int]
) -> None:
    """What lies between two widths is kept at its own, so that no detail is lost."""
    rendered = await renderers.render(jpeg(width, max(20, width // 2)))
    assert sorted({each.width for each in rendered.renditions}) == expected


PRIVATE = (
    b"SECRET-SERIAL",
    b"GPSLatitude",
    b"Exif",
    b"Photoshop 3.0",
    b"8BIM",
    b"ICC_PROFILE",
    b"EXIF",
    b"ICCP",
)


async def test_private_metadata_is_gone(
    renderers: RendererPool, jpeg: Callable[..., bytes], xmp: Callable[..., bytes]
) -> None:
    """No place, serial number or profile is left in the bytes of any rendition: they carry whose picture it is, and no more."""
    original = jpeg(
        xmp=xmp(caption="A caption, SECRET-SERIAL", creator="A. Maker"),
        iptc=b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x12\x1c\x02s\x00\x0dSECRET-SERIAL",
        exif={
            "exif-ifd3-GPSLatitude": "48/1 12/1 30/1 (48, 12, 30, Rational, 3 components, 24 bytes)",
            "exif-ifd2-BodySerialNumber": "SECRET-SERIAL (SECRET-SERIAL, ASCII, 14 components, 14 bytes)",
        },
    )
    assert b"SECRET-SERIAL" in original
    assert "exif-ifd3-GPSLatitude" in opened(original).get_fields()
    rendered = await renderers.render(original)
    assert rendered.embedded.caption == "A caption, SECRET-SERIAL"
    blobs = [each.data for each in rendered.renditions] + [base64.b64decode(rendered.placeholder.partition(",")[2])]
    for data in blobs:
        assert not [trace for trace in PRIVATE if trace in data]
        fields = opened(data).get_fields()
        assert not [name for name in fields if name.startswith(("exif", "iptc", "icc"))]


async def test_renditions_say_whose_they_are(
    renderers: RendererPool, jpeg: Callable[..., bytes], xmp: Callable[..., bytes]
) -> None:
    """The wire's words, and the picture's own where it has none; what either calls made with AI stays so."""
    original = jpeg(400, 300, xmp=xmp(credit="Own", creator="A. Maker", copyright="(c) Own"))
    wire = Embedded(
        credit="Wire & <Co>", terms_url="https://w.example/?a=1&b=2", digital_source="trainedAlgorithmicMedia"
    )
    rendered = await renderers.render(original, wire=wire)
    for each in rendered.renditions:
        said = read_xmp(bytes(opened(each.data).get("xmp-data")))
        assert said == {
            "credit": "Wire & <Co>", "creator": "A. Maker", "copyright": "(c) Own", "terms_url": "https://w.example/?a=1&b=2",
            "digital_source": "trainedAlgorithmicMedia",
        }  # fmt: skip
    assert rendered.embedded.credit == "Own"


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_orientation_is_applied(renderers: RendererPool, orientation: int) -> None:
    """The picture is upright in every rendition, for all eight ways in which a camera can be held."""
    upright = pyvips.Image.black(300, 200, bands=3).copy(interpretation="srgb")
    upright = upright.draw_rect([255, 0, 0], 0, 0, 80, 80, fill=True)  # red at the top left
    undo = {
        1: lambda i: i, 2: lambda i: i.fliphor(), 3: lambda i: i.rot180(), 4: lambda i: i.flipver(),
        5: lambda i: i.rot90().fliphor(), 6: lambda i: i.rot270(), 7: lambda i: i.rot270().fliphor(), 8: lambda i: i.rot90(),
    }  # fmt: skip
    stored = undo[orientation](upright).copy()
    stored.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    rendered = await renderers.render(stored.jpegsave_buffer(Q=95))
    assert (rendered.width, rendered.height) == (300, 200)
    for each in rendered.renditions:
        image = opened(each.data)
        assert (image.width, image.height) == (300, 200)
        assert image(30, 30)[0] > 180
        assert image(270, 170)[0] < 60


async def test_colours_become_srgb(renderers: RendererPool) -> None:
    """Print colours, deep colours and grey come out as eight bits of sRGB that look the same."""
    red = pyvips.Image.black(400, 300, bands=3).linear([1, 1, 1], [200, 30, 30])
    red = red.cast("uchar").copy(interpretation="srgb")
    cmyk = red.icc_transform("cmyk", input_profile="srgb")
    originals = {
        "cmyk": cmyk.jpegsave_buffer(Q=95),
        "p3": red.icc_transform("p3", input_profile="srgb").jpegsave_buffer(Q=95),
        "deep": red.colourspace("rgb16").pngsave_buffer(),
    }
    for name, data in originals.items():
        for each in (await renderers.render(data)).renditions:
            image = opened(each.data)
            assert image.bands == 3, name
            assert image.format == "uchar", name
            assert [abs(a - b) < 16 for a, b in zip(image(200, 150), (200, 30, 30), strict=True)] == [True] * 3, name
    grey = (await renderers.render(red.colourspace("b-w").jpegsave_buffer())).renditions
    assert {opened(each.data).interpretation for each in grey} <= {"srgb", "b-w"}


async def test_transparency_stays_where_it_can(renderers: RendererPool) -> None:
    """AVIF and WebP keep it, JPEG lies on white; a picture that is opaque throughout carries no fourth channel."""
    shape = pyvips.Image.black(400, 300, bands=4).copy(interpretation="srgb")
    shape = shape.draw_rect([10, 20, 200, 255], 100, 100, 150, 100, fill=True)
    for each in (await renderers.render(shape.pngsave_buffer())).renditions:
        image = opened(each.data)
        assert image.hasalpha() == (each.extension != "jpg")
        if each.extension == "jpg":
            assert min(image(10, 10)) > 245
    opaque = (pyvips.Image.black(400, 300, bands=3) + 90).cast("uchar").copy(interpretation="srgb").bandjoin(255)
    assert not any(
        opened(each.data).hasalpha() for each in (await renderers.render(opaque.pngsave_buffer())).renditions
    )


async def test_animation_gives_its_first_frame(renderers: RendererPool) -> None:
    """A moving picture is shown as its first frame, in proportion."""
    frames = [
        (pyvips.Image.black(300, 200, bands=3) + value).cast("uchar").copy(interpretation="srgb") for value in (40, 220)
    ]
    film = pyvips.Image.arrayjoin(frames, across=1).copy()
    film.set_type(pyvips.GValue.gint_type, "page-height", 200)
    for data in (film.gifsave_buffer(), film.webpsave_buffer()):
        rendered = await renderers.render(data)
        assert (rendered.width, rendered.height) == (300, 200)
        assert max(opened(rendered.renditions[-1].data)(100, 100)) < 60


async def test_focal_point_and_placeholder(renderers: RendererPool, photo: Callable[..., Any]) -> None:
    """The focal point is where something stands out; the placeholder is a data URI of a few hundred bytes."""
    calm = (
        pyvips.Image.black(1200, 800, bands=3)
        .linear([1, 1, 1], [120, 130, 140])
        .cast("uchar")
        .copy(interpretation="srgb")
    )
    face = photo(160, 160, 3).linear([1.4, 1.0, 0.8], [40, 0, 0]).cast("uchar")
    rendered = await renderers.render(calm.insert(face, 900, 120).jpegsave_buffer(Q=90))
    assert rendered.focal_point is not None
    assert abs(rendered.focal_point[0] - 0.82) < 0.12
    assert abs(rendered.focal_point[1] - 0.25) < 0.15
    assert len(rendered.placeholder) < 600
    head, _, body = rendered.placeholder.partition(",")
    assert head == "data:image/webp;base64"
    assert max(opened(base64.b64decode(body)).width, 0) <= 24


async def test_avatar_is_a_square_of_two_sizes(renderers: RendererPool, jpeg: Callable[..., bytes]) -> None:
    """A portrait of any shape becomes 160 and 320 square; a small one is not scaled up."""
    rendered = await renderers.render(jpeg(900, 1400), "avatar")
    assert {(each.width, each.height) for each in rendered.renditions} == {(160, 160), (320, 320)}
    small = await renderers.render(jpeg(200, 260), "avatar")
    assert {(each.width, each.height) for each in small.renditions} == {(160, 160), (200, 200)}


async def test_same_picture_gives_the_same_bytes(renderers: RendererPool, jpeg: Callable[..., bytes]) -> None:
    """A rendition's address names its content, so a repeat must write the same."""
    data = jpeg(700, 500)
    one, other = await renderers.render(data), await renderers.render(data)
    assert one == other


@pytest.mark.parametrize("each", range(5))
async def test_every_format_that_is_taken(renderers: RendererPool, each: int) -> None:
    """JPEG, PNG, WebP, GIF and AVIF are rendered."""
    assert (await renderers.render(sample_pictures()[each])).width == 64


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\xff\xd8\xff", "damaged jpeg"),
        (b"GIF89a", "damaged gif"),
        (b"RIFF\x00\x00\x00\x00WEBP", "damaged webp"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1avif", "damaged avif"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "damaged png"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"  \n<svg onload='alert(1)'>", "SVG"),
        (b"<!DOCTYPE html><html>", "markup"),
        (b"%PDF-1.7", "PDF"),
        (b"%!PS-Adobe", "PostScript"),
        (b"II*\x00\x08\x00\x00\x00", "TIFF"),
        (b"8BPS", "Photoshop"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00", "video"),
        (b"push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 'ephemeral:/etc/passwd'", "not a picture"),
        (b"#!/bin/sh\n", "not a picture"),
        (b"\x00" * 5000, "not a picture"),
    ],
)
async def test_what_is_no_picture_is_refused_with_what_it_is(renderers: RendererPool, data: bytes, reason: str) -> None:
    """Told from the bytes alone, so that a lying type or name changes nothing."""
    with pytest.raises(PictureRefused, match=reason):
        await renderers.render(data)


async def test_picture_cut_short_is_refused(renderers: RendererPool, photo: Callable[..., Any]) -> None:
    """Half a picture is never shown, in any format and either way of storing it."""
    image = photo(500, 400)
    whole = {
        "jpeg": image.jpegsave_buffer(),
        "progressive": image.jpegsave_buffer(interlace=True),
        "png": image.pngsave_buffer(),
        "interlaced": image.pngsave_buffer(interlace=True),
        "webp": image.webpsave_buffer(),
        "avif": image.heifsave_buffer(compression="av1", effort=0),
        "gif": image.gifsave_buffer(),
    }
    for data in whole.values():
        for share in (0.2, 0.6, 0.9):
            with pytest.raises(PictureRefused, match="damaged"):
                await renderers.render(data[: int(len(data) * share)])


async def test_bytes_after_the_end_do_not_come_along(renderers: RendererPool, jpeg: Callable[..., bytes]) -> None:
    """A picture that is also an archive or a script leaves that behind."""
    payload = b"PK\x03\x04<script>alert(1)</script>" * 50
    rendered = await renderers.render(jpeg(400, 300) + payload)
    assert not any(b"script" in each.data for each in rendered.renditions)


def test_likeness_is_in_the_facts(jpeg: Callable[..., bytes]) -> None:
    """What `render` prints holds all but the bytes."""
    from enrich.media.render.render import render_picture  # noqa: PLC0415 -- only here outside a worker

    facts = render_picture(jpeg(400, 300), max_pixels=10**6).facts()
    assert facts["image_hash"]["phash"]
    assert all("data" not in each and each["size_bytes"] > 100 for each in facts["renditions"])
    assert io.BytesIO(str(facts).encode()).getbuffer().nbytes < 20_000


def test_a_jpeg_that_lacks_only_its_end_marker_is_a_picture_and_one_that_lacks_more_is_none() -> None:
    """Cameras and servers lose the last two bytes, or one of them; what ends within its data is damaged."""
    image = pyvips.Image.xyz(640, 480).linear([0.3, 0.4], 0).cast("uchar")
    image = image.bandjoin(image[0]).copy(interpretation="srgb")
    for interlace in (False, True):
        whole: bytes = image.jpegsave_buffer(interlace=interlace)
        for lost in (1, 2):
            assert render_picture(whole[:-lost], max_pixels=10**8).width == 640
        for lost in (20, len(whole) // 2):
            with pytest.raises(PictureRefused, match="premature end"):
                render_picture(whole[:-lost], max_pixels=10**8)

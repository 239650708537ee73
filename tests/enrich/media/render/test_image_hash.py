"""When two pictures are one."""

from collections.abc import Callable
from typing import Any

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from enrich.media.render import render
from enrich.media.render.image_hash import (
    ImageHash,
    bands,
    hamming_distance,
    hash_picture,
    is_near_duplicate,
    near_bands,
    signed,
    unsigned,
)
from enrich.media.render.render import render_picture

HASHES = st.integers(0, 2**64 - 1)


@pytest.fixture(autouse=True)
def without_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash is taken of what is decoded and made small; encoding fifteen renditions beside it takes nine tenths of the time."""
    monkeypatch.setattr(render, "_encodings", lambda *_: ())


def image_hash(image: Any) -> ImageHash:
    """Through the renderer, as the media worker does."""
    found = render_picture(image.jpegsave_buffer(Q=90), max_pixels=10**8).image_hash
    assert found is not None
    return found


@pytest.mark.parametrize(
    "treat",
    [
        lambda image: image.thumbnail_image(400),
        lambda image: pyvips.Image.new_from_buffer(image.jpegsave_buffer(Q=35), ""),
        lambda image: image.linear(1.08, 6).cast("uchar"),
        lambda image: image.gaussblur(1.5),
        lambda image: image.colourspace("b-w"),
        lambda image: image.sharpen(),
        lambda image: pyvips.Image.new_from_buffer(image.webpsave_buffer(Q=40), ""),
    ],
    ids=["smaller", "compressed", "brighter", "softer", "grey", "sharper", "webp"],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_copies_are_one(photo: Callable[..., Any], treat: Callable[[Any], Any], seed: int) -> None:
    """What agencies do to one picture leaves it the same picture."""
    original = photo(1200, 800, seed)
    assert is_near_duplicate(image_hash(original), 1.5, image_hash(treat(original)), 1.5)


def test_different_pictures_are_not_one(photo: Callable[..., Any]) -> None:
    """Thirty pictures are thirty."""
    found = [image_hash(photo(600, 400, seed)) for seed in range(50, 80)]
    assert not [(a, b) for a in range(30) for b in range(a) if is_near_duplicate(found[a], 1.5, found[b], 1.5)]


def test_charts_of_one_layout_are_not_one() -> None:
    """Two charts share frame and axes, and are not the same picture: their bars differ."""

    def chart(heights: list[int]) -> Any:
        image = pyvips.Image.black(600, 400).linear(1, 245).cast("uchar")
        for at, height in enumerate(heights):
            image = image.draw_rect([40], 40 + at * 70, 380 - height, 50, height, fill=True)
        return image

    one, other = (
        image_hash(chart([300, 50, 200, 120, 320, 80, 10])),
        image_hash(chart([60, 310, 90, 280, 100, 250, 330])),
    )
    assert not is_near_duplicate(one, 1.5, other, 1.5)


def test_other_shape_is_another_picture(photo: Callable[..., Any]) -> None:
    """A crop to another shape is not the same picture, whatever the hashes say."""
    found = image_hash(photo(600, 400, 1))
    assert not is_near_duplicate(found, 1.5, found, 1.0)


def test_flat_picture_has_no_likeness() -> None:
    """All empty pictures look is_near_duplicate, so none is compared."""
    assert hash_picture(bytes([127]) * 1024) is None
    assert hash_picture(bytes([0]) * 1024) is None


@given(HASHES, st.sets(st.integers(0, 63), max_size=7))
def test_index_finds_every_hash_within_seven_bits(value: int, flips: set[int]) -> None:
    """Whatever up to seven bits differ, the bands that are kept and the bands that are looked for meet."""
    other = value
    for bit in flips:
        other ^= 1 << bit
    assert hamming_distance(value, other) == len(flips)
    assert set(bands(other)) & set(near_bands(value))


@given(HASHES)
def test_hash_survives_postgres(value: int) -> None:
    """64 bits fit a signed column and come back."""
    assert -(2**63) <= signed(value) < 2**63
    assert unsigned(signed(value)) == value

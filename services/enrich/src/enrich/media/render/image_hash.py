"""Perceptual hashes: pictures whose two hashes are both close are near duplicates.

Copies of a picture differ between agencies in size, compression and a touch of colour. The hash of the lowest frequencies
(pHash) is stable under those. The hash of gradients (dHash) tells pictures of one layout apart, such as two charts, which
can share their lowest frequencies.

The `imagehash` library would bring Pillow, numpy, scipy and PyWavelets into the confined process, a second decoder among
them; libvips has no perceptual hash. The hashes are in the index, so their bits must not change.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

SIDE = 32
"""Edge of the grey square that is hashed, in pixels."""
PHASH_DISTANCE = 6
"""Of 64 bits. Recompression, scaling and colour changed at most 4 in the pictures measured; bands find up to 7."""
DHASH_DISTANCE = 10
ASPECT_TOLERANCE = 0.02
FLAT = 6.0
"""Standard deviation of grey levels below which a picture is too uniform to hash."""

_KEPT = 8
_COSINES = [
    [math.cos(math.pi * (2 * x + 1) * u / (2 * SIDE)) * (math.sqrt(0.5) if u == 0 else 1.0) for x in range(SIDE)]
    for u in range(_KEPT)
]


@dataclass(frozen=True, slots=True)
class ImageHash:
    """The two hashes of a picture, each 64 bits, unsigned."""

    phash: int
    dhash: int


def hash_picture(grey: bytes) -> ImageHash | None:
    """The hashes of a grey square of `SIDE` times `SIDE` bytes; None where it is too uniform."""
    pixels = [grey[row * SIDE : (row + 1) * SIDE] for row in range(SIDE)]
    mean = sum(grey) / len(grey)
    if math.sqrt(sum((value - mean) ** 2 for value in grey) / len(grey)) < FLAT:
        return None
    return ImageHash(_phash(pixels), _dhash(pixels))


def hamming_distance(one: int, other: int) -> int:
    """How many bits differ."""
    return ((one ^ other) & 0xFFFFFFFFFFFFFFFF).bit_count()


def is_near_duplicate(one: ImageHash, one_aspect: float, other: ImageHash, other_aspect: float) -> bool:
    """Whether two pictures are copies of each other. An aspect is width by height."""
    return (
        abs(one_aspect / other_aspect - 1) <= ASPECT_TOLERANCE
        and hamming_distance(one.phash, other.phash) <= PHASH_DISTANCE
        and hamming_distance(one.dhash, other.dhash) <= DHASH_DISTANCE
    )


def bands(phash: int) -> list[int]:
    """The four 16-bit bands that the index keeps, each with its number in the bits above."""
    return [(band << 16) | ((phash >> (16 * band)) & 0xFFFF) for band in range(4)]


def near_bands(phash: int) -> list[int]:
    """All bands with at most one bit changed. A hash within 7 bits shares one of them: seven changed bits in four bands
    leave one band with at most one."""
    return [key ^ flip for key in bands(phash) for flip in (0, *(1 << bit for bit in range(16)))]


def signed(value: int) -> int:
    """Of 64 bits, as Postgres stores them."""
    return value - (1 << 64) if value >= 1 << 63 else value


def unsigned(value: int) -> int:
    """Of 64 bits, as read from Postgres."""
    return value & 0xFFFFFFFFFFFFFFFF


def _phash(pixels: Sequence[bytes]) -> int:
    rows = [[sum(c * p for c, p in zip(cosines, row, strict=True)) for cosines in _COSINES] for row in pixels]
    frequencies = [sum(_COSINES[v][y] * rows[y][u] for y in range(SIDE)) for v in range(_KEPT) for u in range(_KEPT)]
    # The first is the mean brightness, which says nothing about the shape.
    ordered = sorted(frequencies[1:])
    median = ordered[len(ordered) // 2]
    return sum(1 << at for at, value in enumerate(frequencies) if at and value > median)


def _dhash(pixels: Sequence[bytes]) -> int:
    step = SIDE // 8
    value = 0
    for row in range(8):
        lines = pixels[row * step : (row + 1) * step]
        edges = [round(cell * SIDE / 9) for cell in range(10)]
        means = [
            sum(sum(line[start:end]) for line in lines) / (end - start) for start, end in itertools.pairwise(edges)
        ]
        for at, (left, right) in enumerate(itertools.pairwise(means)):
            if right > left:
                value |= 1 << (row * 8 + at)
    return value

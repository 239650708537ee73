"""Whether two pictures are the same to the eye: two perceptual hashes that must both agree.

One agency's copy of a picture differs from another's in size, compression and a touch of colour. The hash of the lowest
frequencies (pHash) is steady under those; the hash of gradients (dHash) is there because pictures of one layout, such
as two charts, can share their lowest frequencies.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

SIDE = 32
"""Edge of the grey square that is hashed, in pixels."""
PHASH_DISTANCE = 6
"""Bits of 64. Recompression, scaling and colour moved none of the measured pictures by more than 4; bands find up to 7."""
DHASH_DISTANCE = 10
ASPECT_TOLERANCE = 0.02
FLAT = 6.0
"""Standard deviation of the grey levels below which a picture has no features that a hash could tell."""

_KEPT = 8
_COSINES = [
    [math.cos(math.pi * (2 * x + 1) * u / (2 * SIDE)) * (math.sqrt(0.5) if u == 0 else 1.0) for x in range(SIDE)]
    for u in range(_KEPT)
]


@dataclass(frozen=True, slots=True)
class Likeness:
    """The two hashes of one picture, each 64 bits, unsigned."""

    phash: int
    dhash: int


def likeness_of(grey: bytes) -> Likeness | None:
    """The hashes of a grey square of `SIDE` times `SIDE` bytes; None where it is too flat to tell."""
    pixels = [grey[row * SIDE : (row + 1) * SIDE] for row in range(SIDE)]
    mean = sum(grey) / len(grey)
    if math.sqrt(sum((value - mean) ** 2 for value in grey) / len(grey)) < FLAT:
        return None
    return Likeness(_phash(pixels), _dhash(pixels))


def distance(one: int, other: int) -> int:
    """How many bits differ."""
    return ((one ^ other) & 0xFFFFFFFFFFFFFFFF).bit_count()


def alike(one: Likeness, one_aspect: float, other: Likeness, other_aspect: float) -> bool:
    """Whether two pictures are copies of one. An aspect is width by height."""
    return (
        abs(one_aspect / other_aspect - 1) <= ASPECT_TOLERANCE
        and distance(one.phash, other.phash) <= PHASH_DISTANCE
        and distance(one.dhash, other.dhash) <= DHASH_DISTANCE
    )


def bands(phash: int) -> list[int]:
    """The four 16-bit bands, each with its number above it: what the index keeps."""
    return [(band << 16) | ((phash >> (16 * band)) & 0xFFFF) for band in range(4)]


def near_bands(phash: int) -> list[int]:
    """Every band that a hash within 7 bits shares at least one of: seven changed bits leave one of four bands with at
    most one."""
    return [key ^ flip for key in bands(phash) for flip in (0, *(1 << bit for bit in range(16)))]


def signed(value: int) -> int:
    """64 bits as Postgres keeps them."""
    return value - (1 << 64) if value >= 1 << 63 else value


def unsigned(value: int) -> int:
    """64 bits back from Postgres."""
    return value & 0xFFFFFFFFFFFFFFFF


def _phash(pixels: Sequence[bytes]) -> int:
    rows = [[sum(c * p for c, p in zip(cosines, row, strict=True)) for cosines in _COSINES] for row in pixels]
    frequencies = [sum(_COSINES[v][y] * rows[y][u] for y in range(SIDE)) for v in range(_KEPT) for u in range(_KEPT)]
    # The first is the mean brightness: it says nothing of the shape, and takes no part in the median.
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

"""Near-duplicate texts: the same words but for a few, found by MinHash."""

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from rensa import RMinHash

from enrich.reference.dictionary import folded
from enrich.short_text import UNSPACED

PERMUTATIONS = 64
ROWS = 4
"""Of a band: with 16 bands of 4 rows, two texts with half of their word pairs in common meet with a chance of 64 %, with 0.7 of 99 %."""
PACKED = struct.Struct(f"<{PERMUTATIONS}I")
BAND_BYTES = PACKED.size * ROWS // PERMUTATIONS
LEAST_WORDS = 8
"""A shorter text says too little to be like another one."""
MOST_WORDS = 200
"""Of a text: its beginning is what agencies share."""


@dataclass(frozen=True, slots=True)
class TextSketch:
    """The MinHash of a text's word pairs, and the bands by which texts with much in common are found."""

    minhash: RMinHash
    bands: tuple[bytes, ...]

    def similarity(self, other: "TextSketch") -> float:
        """The estimated share of common word pairs, from 0 to 1."""
        return float(self.minhash.jaccard(other.minhash))


def sketch_of(words: Sequence[str]) -> TextSketch | None:
    """The sketch of a text; None where it is too short."""
    if len(words) < LEAST_WORDS:
        return None
    minhash = RMinHash(num_perm=PERMUTATIONS, seed=1)
    minhash.update(list(map(" ".join, itertools.pairwise(words))))
    packed = PACKED.pack(*minhash.digest())
    return TextSketch(minhash, tuple([packed[row : row + BAND_BYTES] for row in range(0, PACKED.size, BAND_BYTES)]))


def words_of(text: str) -> list[str]:
    """The first words of a text, in small letters."""
    small = folded(text[: MOST_WORDS * 12])
    if not small.isascii() and UNSPACED.search(small):
        # In scripts without spaces a pair of characters is what a word is elsewhere.
        small = UNSPACED.sub(lambda found: f" {found[0]} ", small)
    return small.split(None, MOST_WORDS)[:MOST_WORDS]

"""Given names of some seventy languages."""

import functools
from importlib import resources

from anyascii import anyascii

from shared.remembered import remembered


@functools.cache
def given_names() -> frozenset[str]:
    """Small and in plain letters. They tell which part of a name is which, never that something is no name."""
    return frozenset(resources.files("enrich").joinpath("data/given_names.txt").read_text("utf-8").split())


@remembered(65_536, 60)
def is_given(word: str) -> bool:
    """Whether a word is known as a given name; of a double one the first part."""
    small = word.split("-", 1)[0].casefold()
    return (small if small.isascii() else anyascii(small).casefold()) in given_names()

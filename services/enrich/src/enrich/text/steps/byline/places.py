"""Places as bylines name them: which words behind a name, or on a line of their own, are one."""

import re

from enrich.reference.directory import name_key
from enrich.reference.names.given_names import is_given
from enrich.reference.places import CITIES, COUNTRIES
from enrich.text.steps.byline.no_names import PAPER_SURNAMES, PAPER_WORDS

POSTS = frozenset(("correspondent", "correspondents", "editor", "reporter", "bureau", "chief", "staff", "writer"))
STARTS = frozenset(
    ("new", "san", "santa", "sao", "port", "fort", "mount", "cape", "los", "las", "st", "saint", "bad", "north", "south", "east", "west")
)  # fmt: skip
ENDS = frozenset(
    ("city", "dc", "d c", "beach", "springs", "island", "islands", "county", "province", "valley", "bay", "strait")
)
CAPITAL_WORD = re.compile(r"[A-ZÀ-ÝĀ-ŽА-Я\u0600-\u06ff][\w’'.-]*")


def is_known_place(words: str) -> bool:
    """Whether words are a large city, a country or a state, or built as names of places are."""
    key = name_key(words)
    return key in COUNTRIES or key in CITIES or (_is_built_as_place(key.split()) and _is_no_paper(words))


def _is_no_paper(words: str) -> bool:
    """`West Africa correspondent` and `Las Cruces Bulletin` are built as places are, but for the last word."""
    last = words.rsplit(maxsplit=1)[-1]
    return last[:1].isupper() and last.casefold() not in PAPER_WORDS | PAPER_SURNAMES | POSTS


def is_country(words: str) -> bool:
    """Whether words are a country or a state."""
    return name_key(words) in COUNTRIES or re.fullmatch(r"(?:[A-Z]\.){2,3}|[A-Z][a-z]{2,4}\.", words) is not None


def _is_built_as_place(words: list[str]) -> bool:
    """`New Haven`, `Port Marrow`, `Long Beach`."""
    return 2 <= len(words) <= 3 and (words[0] in STARTS or words[-1] in ENDS)


def is_place_line(line: str) -> bool:
    """Whether a line of its own behind the names says where they are: `Kyiv, Ukraine`, `New York`; not another name."""
    parts = [part.strip() for part in line.split(",")]
    if len(parts) > 2 or not all(1 <= len(part.split()) <= 3 for part in parts):
        return False
    if not all(
        CAPITAL_WORD.fullmatch(word) or word in ("de", "del", "du", "la") for part in parts for word in part.split()
    ):
        return False
    if len(parts) == 2:
        return (
            is_country(parts[1])
            or is_known_place(parts[1])
            or (len(parts[0].split()) == len(parts[1].split()) == 1 and not is_given(parts[1]))
        )
    return is_known_place(line)


def behind_name(items: list[str]) -> tuple[int, str] | None:
    """How many items at the end of a list are a place, and which: `Kyiv, Ukraine`, `New York`; None for none."""
    if len(items) > 2 and is_country(items[-1]) and _may_be_city(items[-2]):
        return 2, f"{items[-2]}, {items[-1]}"
    if len(items) > 1 and " " in items[-1] and is_known_place(items[-1]):
        return 1, items[-1]
    return None


def _may_be_city(item: str) -> bool:
    words = item.split()
    return is_known_place(item) or (len(words) == 1 and CAPITAL_WORD.fullmatch(item) is not None)

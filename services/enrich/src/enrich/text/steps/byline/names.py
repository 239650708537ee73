"""One item of a byline: a person's name without titles and posts, an agency, a desk, a place, or nothing of these."""

import re
from typing import Literal

from enrich.reference.agencies import AGENCIES
from enrich.reference.directory import BylineName, Directory, name_key
from enrich.reference.names.given_names import is_given
from enrich.text.steps.byline.no_names import AFTER_NAME, OUTLETS, begins_with_agency, no_name, without_paper
from enrich.text.steps.byline.patterns import (
    BARE_PLACE,
    FOR,
    HAN_ROLE,
    HONORIFIC,
    INITIALS,
    NAME_PARTS,
    NOT_A_NAME,
    OFFICES,
    PEER,
    PLACE,
    POSSESSOR,
    POST_PLACE,
    POSTED,
    STAFF,
    STRONG_PLACE,
    SUFFIXES,
    TITLE_AFTER,
    TITLE_BEFORE,
    TITLE_ITEM,
)
from enrich.text.steps.byline.places import is_known_place, is_place_line


def is_dateline(part: str, directory: Directory) -> bool:
    """`Ben Marsh – Kyiv`: a place behind a dash."""
    if directory.knows(part) or kind_of(part) != "person" or TITLE_ITEM.fullmatch(part):
        return False
    return (BARE_PLACE.fullmatch(part) is not None and no_name(part) is None) or is_place_line(part)


def strip_item(item: str) -> str:
    """An item of a list without the punctuation around it; abbreviations keep their full stops."""
    item = item.strip()
    if item.endswith(("Jr.", "Sr.", "JR.", "SR.")) or re.fullmatch(r"(?:[A-Z]\.){2,}", item):
        return item
    return item.strip(" .:–—-*“”„«»\"'()")


def is_bare_place(item: str, before: BylineName, part: str, directory: Directory, *, last: bool) -> bool:
    """`Peter Müller, Berlin`: one capitalised word behind the comma after a whole name, at the end of the list."""
    if last and before.kind != "person":
        # An agency or a desk, and where it writes from: `Agencias / Madrid`.
        return "/" in part and is_dateline(item, directory)
    if not last or len(before.name.split()) < 2 or directory.knows(item):
        return False
    if re.fullmatch(r"(?:de|da|do|di)\s+[A-ZÀ-Ý]\w*[a-zà-ÿ]\w*", item):
        return True
    if TITLE_ITEM.fullmatch(item):
        return False
    comma = re.search(r"(?:,\s*|\s[/]\s)" + re.escape(item) + r"\W*$", part) is not None
    if comma and is_known_place(item):
        return True
    return (
        comma
        and BARE_PLACE.fullmatch(item) is not None
        and no_name(item) is None
        and kind_of(item) == "person"
        and name_key(item) not in SUFFIXES
    )


def without_full_stop(place: str) -> str:
    """A place without the full stop of its sentence; initials keep theirs."""
    return place if re.search(r"(?:^|\s)(?:(?:[A-Z]\.)+|[JS][rR]\.)$", place) else place.rstrip(".")


def is_region(word: str) -> bool:
    """Whether a word behind a place is its state or country."""
    return bool(re.fullmatch(r"(?:[A-Z]\.){2,3}|[A-Z]{2}|[A-Z][a-z]+(?: [A-Z][a-z]+)?", word))


def split_place(item: str, directory: Directory) -> tuple[str, str | None]:
    """A name and the place behind it, None where there is none."""
    if directory.knows(item) or TITLE_ITEM.fullmatch(item) or item.casefold().startswith("professor of "):
        return item, None
    found = PLACE.match(item)
    if found is None:
        return item, None
    name, place = found["name"].strip(" ,"), without_full_stop(FOR.sub("", found["place"]).strip(" ,"))
    # "a", "en", "w", "i" are words of names as well: they part a place from a name only behind a whole one.
    if (
        not STRONG_PLACE.search(f" {item[found.start('name') + len(found['name']) : found.start('place')]} ")
        and len(name.split()) < 2
        and not (not name and not is_given(place) and (" " not in place or is_known_place(place)))
    ):
        return item, None
    return name, place


def kind_of(name: str) -> Literal["person", "agency", "staff"]:
    """Whether an item names a person, an agency, or a desk or staff."""
    key = re.sub(r"[^\w]+", " ", name.casefold()).strip()
    key = key.removeprefix("the ").removeprefix("l ")
    plain = name_key(name)
    if key in AGENCIES or plain in AGENCIES or f"the {key}" in AGENCIES:
        return "agency"
    if (
        key in STAFF
        or plain in STAFF
        or re.fullmatch(
            r"(?:our |unser\w* |notre |nos |nuestr[oa]s? )?(?:[\w]+ )?(?:staff|desk|newsroom|correspondents?|reporters?|agencies|redaktion|rédaction|redacción|redazione|korrespondent\w*|correspondants?)(?: (?:in|à|en|aus) .*)?",
            key,
        )
    ):
        return "staff"
    words = plain.split()
    if len(words) > 2 and " ".join(words[:2]) in AGENCIES and not is_given(words[0]):
        return "agency"
    if len(words) > 1 and all(word in AGENCIES for word in words):
        return "agency"
    kind = no_name(name)
    return "agency" if kind == "paper" else "staff" if kind == "team" else "person"


def read_name(item: str, directory: Directory) -> BylineName | None:
    """One item of a list as a name: without titles; None where it is no name."""
    if directory.knows(item):
        return BylineName(item)
    item = without_paper(_without_what_follows(item))
    item = _without_post_first(_without_leading_agency(_without_possessor(item)))
    if is_known_place(item) and not is_given(item.split()[0]):
        return None
    kind = kind_of(item)
    if kind != "person":
        return BylineName(item, kind=kind)
    if posted := POSTED.fullmatch(item) or PEER.fullmatch(item):
        return BylineName(posted["name"])
    item = _untitled(item)
    if directory.knows(item):
        return BylineName(item)
    if posted := POSTED.fullmatch(item):
        item = posted["name"]
    item = _without_suffixes(item)
    return BylineName(item) if _is_name(item) else None


def _without_possessor(item: str) -> str:
    """`CNN's Nell Orme`: the name behind an outlet's; `O'Neil` has none."""
    found = POSSESSOR.match(item)
    if found is None:
        return item
    outlet = found["outlet"].removeprefix("The ").removeprefix("the ")
    is_outlet = (
        (len(outlet) > 1 and outlet.isupper()) or outlet.casefold() in OUTLETS or kind_of(found["outlet"]) != "person"
    )
    return found["name"] if is_outlet else item


def _without_post_first(item: str) -> str:
    """`Staff Writer Tom Condon`: the name behind a post, where the post alone would be a team."""
    name = TITLE_AFTER.sub("", TITLE_BEFORE.sub("", item)).strip(" ,")
    is_somebody = name != item and len(name.split()) > 1 and is_given(name.split()[0]) and no_name(name) is None
    return name if is_somebody else item


def _without_what_follows(item: str) -> str:
    """`Nell Orme is a staff writer`, `Lev Zorin for The Quay`: the name alone."""
    for pattern in (FOR, AFTER_NAME):
        name = pattern.sub("", item)
        if name != item and len(words := name.split()) > 1 and (pattern is FOR or is_given(words[0])):
            item = name
    return item


def _without_leading_agency(item: str) -> str:
    """`РБК Анна Смирнова`: the name behind an agency's."""
    words = item.split()
    while len(words) > 2 and begins_with_agency(words[0]):
        words.pop(0)
    return " ".join(words) if len(words) < len(item.split()) else item


def _without_suffixes(item: str) -> str:
    """`Ada Quill MP`: without what says an office or an order, and no name."""
    words = item.split()
    while len(words) > 2 and words[-1].strip(".,") in OFFICES:
        words.pop()
    if len(words) > 2 and words[-1].isupper() and not words[0].isupper() and is_known_place(words[-1]):
        # Humeyra Pamuk WASHINGTON: a dateline that follows without a comma.
        words.pop()
    return " ".join(words).rstrip(",")


def _untitled(item: str) -> str:
    """Without titles, posts and agencies; empty where nothing of a name is left."""
    if item.casefold().startswith(("professor of ", "in ")):
        return ""
    item = HONORIFIC.sub("", HAN_ROLE.sub("", item))
    untitled = TITLE_AFTER.sub("", item).strip(" ,")
    if untitled != item and (kind_of(untitled) != "person" or len(untitled.split()) < 2):
        return ""
    untitled = FOR.sub("", TITLE_BEFORE.sub("", untitled))
    if POST_PLACE.match(untitled):
        return ""
    return _without_agency(untitled)


def _is_name(item: str) -> bool:
    words = item.split()
    if not 2 <= len(item) <= 60 or len(words) > 6 or item.startswith("in ") or name_key(item) in SUFFIXES:
        return False
    if any(pattern.fullmatch(item) for pattern in (INITIALS, TITLE_ITEM)) or NOT_A_NAME.search(item):
        return False
    if not any(character.isalpha() for character in item) or no_name(item) is not None:
        return False
    # Nobody's name is written small by an agency: what is, and is longer than a name, is a stray clause.
    small = item.isascii() and all(word.islower() for word in words if word not in NAME_PARTS)
    return not small or len(words) <= 3


def _without_agency(item: str) -> str:
    words = item.split()
    for count in (3, 2, 1):
        if len(words) - count >= 2 and name_key(" ".join(words[-count:])) in AGENCIES and words[-count][0].isupper():
            return " ".join(words[:-count]).rstrip(" ,-–")
    return item

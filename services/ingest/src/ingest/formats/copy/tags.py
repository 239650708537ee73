"""Which subjects are for readers: topics, people, places by name; not addresses, ids, codes of a provider's systems. Pure."""

import re
from collections.abc import Sequence

from ingest.formats.copy import repeats
from ingest.formats.copy.markup import escapes
from shared.remembered import remembered

_ESCAPED_AT_MOST = 3
"""Times: who escapes a name more often means to be shown so."""
_STREET = re.compile(
    r"(?:^|,)\s?(?:[a-z]{1,2}-)?\d{4,6}\s+[a-zäöüà-þ][\w.-]+"
    r"|(?:stra(?:ß|ss)e|str\.|weg|allee|platz|gasse|ring|damm|ufer|chaussee|steig|gatan|v[äa]gen|vej|veien|gate|gade|straat|laan|plein|katu|tie)\s+\d{1,4}\s?[a-z]?\b"
    r"|\b\d{1,5}\s+(?:[A-Z][\w.'’-]+\s){1,4}(?:street|st\.?|road|rd\.?|avenue|ave\.?|lane|drive|boulevard|blvd\.?|square|court|way|place)\b"
    r"|\b\d{1,4}(?:\s?(?:bis|ter))?,?\s+(?:rue|avenue|av\.|boulevard|bd|place|quai|chemin|impasse|calle|avenida|plaza|paseo|via|viale|piazza|corso|rua|praça)\s"
    r"|\b(?:rue|calle|avenida|via|viale|piazza|rua|corso|plaza)\s[\w\s.'’-]{2,40},?\s(?:n[.ºo°]\s?)?\d{1,4}\b"
    r"|,\s?[^,\d]{0,40}\b(?:[a-z]{1,2}\d[a-z\d]?\s\d[a-z]{2}|[a-z]\d[a-z]\s?\d[a-z]\d)\b",
    re.IGNORECASE,
)
_SYSTEM = re.compile(
    r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$|\bids?\b|\bguid\b|\bqcode\b|\bnrol\b|^(?:related|linked) (?:topic|item|event)|^event id\b|^topic id\b|^\W*\d[\d\W]*$|^[a-z]+(?:[_:][\w-]+)+$|^https?://|^(?:tatort|einsatzort|veranstaltungsort|treffpunkt|adresse|address|adress)\s?[,:]",
    re.IGNORECASE,
)
_DEFAULTS = re.compile(
    r"^(?:ages?|magnitude|contributors?|authors?|uncategori[sz]ed|allgemein|unkategorisiert|nicht kategorisiert|non class[ée]|sin categor[íi]a|sem categoria|senza categoria|geen categorie|niet gecategoriseerd|okategoriserade?|ukategori[sz]ert|ikke kategoriseret|luokittelematon|bez kategorii|nezařazené|без категории|без рубрики|未分類|未分类|미분류|غير مصنف|posts?|paid|paywall|subscribers?(?: only)?|premium|default|main|featured|homepage|home|front ?page|all|rss|feed)$",
    re.IGNORECASE,
)
"""What content systems call a category that nobody chose, and services their own fields."""
_OF_SYSTEM = re.compile(
    r"(?:content-?type|section-?path|dc\.(?:identifier|source|creator)|/identifier)$", re.IGNORECASE
)
"""Vocabularies in which a feed says how its system files an entry."""
_LONGEST_NAME = 300
_LONG_NAME = 25
"""Characters of a name that may be the headline once more, which is no topic."""
_NAMED = ("person", "organisation", "place")
_COORDINATES = re.compile(r"^-?\d{1,3}\.\d+[ ,;]+-?\d{1,3}\.\d+$")


@remembered(16_384, _LONGEST_NAME)
def is_for_readers(kind: str, name: str) -> bool:
    """Whether a subject's name says something to a reader; one that is longer than any vocabulary's is a text, and cut by the limits."""
    if len(name) > _LONGEST_NAME:
        return True
    if _SYSTEM.search(name) or _COORDINATES.match(name):
        return False
    if len(name) < 2 or (kind not in _NAMED and _DEFAULTS.match(name)):
        return False
    if name.isascii() and name.replace(" ", "").isalpha():
        return True
    return not (
        any(letter.isdigit() for letter in name)
        and kind in ("place", "other", "subject", "event")
        and _STREET.search(name)
    )


def tidy(fields: dict[str, object], wanted: Sequence[str]) -> int:
    """Leave the subjects that are for readers, the others in `extra`; how many those are.

    `wanted` are the profile's: kinds and aliases of vocabularies; empty for all. A code without a name, or with a name that is
    itself a code (`sp`), stays a code: what it means is looked up, and what nobody knows is not shown.
    """
    subjects = fields.get("subjects")
    if not isinstance(subjects, list) or not subjects:
        return 0
    headline = fields.get("headline")
    rules = _Rules(headline if isinstance(headline, str) else "", wanted, _slugs(subjects), _authors(fields))
    kept: list[object] = []
    machine: list[object] = []
    for one in subjects:
        shown = rules.shown(one) if isinstance(one, dict) else one
        (machine if shown is None else kept).append(one if shown is None else shown)
    if machine or len(kept) != len(subjects) or any(a is not b for a, b in zip(kept, subjects, strict=False)):
        fields["subjects"] = kept
    if machine:
        extra = fields.get("extra")
        fields["extra"] = {**(extra if isinstance(extra, dict) else {}), "machine_tags": machine[:200]}
    return len(machine)


def _spoken(name: str) -> str:
    """The name without the escapes that systems put around those of others."""
    for _ in range(_ESCAPED_AT_MOST):
        if "&" not in name or (spoken := escapes.read_once_more(name)) == name:
            break
        name = spoken
    return name


class _Rules:
    """What of an update's subjects is for readers."""

    def __init__(
        self, headline: str, wanted: Sequence[str], slugs: frozenset[str], authors: frozenset[str] = frozenset()
    ) -> None:
        self._headline = headline
        self._authors = authors
        self._wanted = wanted
        self._slugs = slugs
        self._said: set[tuple[str, str]] = set()

    def shown(self, one: dict[str, object]) -> dict[str, object] | None:
        """The subject as readers may see it; None for one that is not for them."""
        kind, code, name = one.get("kind"), one.get("code") or "", one.get("name") or ""
        if not isinstance(kind, str) or not isinstance(code, str) or not isinstance(name, str):
            return one
        if "&" in name and (spoken := _spoken(name)) != name:
            one, name = {**one, "name": spoken}, spoken
        is_headline = len(name) > _LONG_NAME and self._headline and repeats.same(name, self._headline)
        # Content systems list the writer among the topics.
        if is_headline or (kind == "subject" and name.casefold() in self._authors):
            return None
        if "\\" in name and (last := name.rpartition("\\")[2].strip()):
            # Of a path in a tree of topics the last step.
            return {**one, "name": last}
        if kind == "place" and (bare := _place(name)) != name:
            # A code alone is looked up, and shown to nobody where it is not known.
            return {**one, "name": bare or None, "code": code or (None if bare else name)}
        return self._named(one, kind, code, name)

    def _named(self, one: dict[str, object], kind: str, code: str, name: str) -> dict[str, object] | None:
        if not name:
            return one if self._is_wanted(one, kind, code) else None
        said = (kind, name.casefold())
        if name in self._slugs or said in self._said or (kind == "genre" and said[1] in _VERSIONS):
            return None
        if not self._is_wanted(one, kind, code) or _OF_SYSTEM.search(str(one.get("scheme") or "")):
            return None
        if len(name) < 5 and kind not in _NAMED and _is_mnemonic(name, code):
            return {**one, "name": None} if code else None
        if not is_for_readers(kind, name):
            return None
        self._said.add(said)
        return one

    def _is_wanted(self, one: dict[str, object], kind: str, code: str) -> bool:
        wanted = self._wanted
        return not wanted or kind in wanted or code.partition(":")[0] in wanted or one.get("scheme") in wanted


def _authors(fields: dict[str, object]) -> frozenset[str]:
    """Names of the creators in small letters."""
    creators = fields.get("creators")
    several = creators if isinstance(creators, list | tuple) else ()
    return frozenset(str(one.get("name") or "").casefold() for one in several if isinstance(one, dict)) - {""}


def _slugs(subjects: list[object]) -> frozenset[str]:
    """Names that are another's in small letters, with hyphens, as content systems send both: `Muslim women`, `muslim-women`."""
    names = {str(one.get("name") or "") for one in subjects if isinstance(one, dict)}
    low = [one for one in names if "-" in one and one.islower() and " " not in one]
    if not low or len(low) == len(names):
        return frozenset()
    spoken = {_NOT_IN_SLUG.sub("-", one.casefold()).strip("-") for one in names if one not in low}
    return frozenset(one for one in low if one in spoken)


_NOT_IN_SLUG = re.compile(r"[\W_]+")
_VERSIONS = frozenset(
    ["article", "text", "story", "update", "updates", "prev", "current", "program", "textprogram", "lead", "urgent", "alert", "flash", "bulletin", "advisory", "factual", "raw"]
)  # fmt: skip
"""Genres that tell what kind of version it is, and nothing about the text."""
_COUNTRY_CODE = re.compile(r"[A-Z]{3}$")
_LONE_CODE = re.compile(r"[A-Z]{2,3}$")
_SAID_AS_THEY_ARE = ("USA", "UAE", "US", "UK", "EU", "UN")


@remembered(4096, _LONGEST_NAME)
def _place(name: str) -> str:
    """A place's name without the three-letter code of its country (ISO 3166-1), nothing of a code alone, and without parts that were left blank."""
    parts = [part for part in name.split(", ") if part.strip(" -–")]
    alone = len(parts) == 1
    if (
        parts
        and (_LONE_CODE if alone else _COUNTRY_CODE).match(parts[-1])
        and not (alone and parts[-1] in _SAID_AS_THEY_ARE)
    ):
        parts.pop()
    return ", ".join(parts)


_CATEGORIES = re.compile(r"cat|ressort|desk|section|service|dept", re.IGNORECASE)


def _is_mnemonic(name: str, code: str) -> bool:
    """Whether a name is only a category's code once more: `sp`, `POL`, `a`."""
    if len(name) > 4 or " " in name:
        return False
    alias, _, bare = code.rpartition(":")
    if len(name) < 3:
        return name.islower() or len(name) < 2 or name.casefold() == bare.casefold()
    return name.casefold() == bare.casefold() and (
        _CATEGORIES.search(alias) is not None or (len(name) == 3 and name.isupper())
    )

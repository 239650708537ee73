"""Who reports an event in words of their own: one agency's text in ten papers is one witness, and so is what was told to it."""

import re
from collections.abc import Collection, Iterable

from enrich.reference.agencies import AGENCIES, FAMILIES
from shared.remembered import remembered

SAYS = re.compile(
    r"\b(?:told|tells|according to|reported by|reported|reports|cited by|quoted by|citing|via|said it|news agency|laut|gegenüber|sagte der|sagte|Nachrichtenagentur|berichtete?t?|meldete?t?"
    r"|selon|à|cité par|rapporte|según|dijo a|informó|informa|al|secondo|riferisce|segundo)\b|\("
)
"""Beside which somebody who is a source may be named: behind it, or, of verbs, before it."""
NAME_BEHIND = re.compile(
    r"\s*(?:the |news agency |Nachrichtenagentur |die |der |l['’]|la |le |agencia |agenzia |agence ){0,3}(?P<name>(?:[A-ZÀ-Ý]|dpa)[\w-]*(?: [A-ZÀ-Ý][\w-]+){0,2})"
)
NAME_BEFORE = re.compile(r"(?P<name>(?:[A-ZÀ-Ý][\w-]+ ){0,2}(?:[A-ZÀ-Ý]|dpa)[\w-]*) $")
BEFORE = 60
LOOKED_AT = 2000
"""Characters of a text in which an attribution is looked for."""
MOST_ATTRIBUTIONS = 50
# One wire or agency has a name of its own: `Harbour Wire` says whose words they are.
SHARED_CREDIT = re.compile(
    r"\b(?:staff|agencies|wires|wire (?:services|reports)|agenturen|agences|agencias|agências|agenzie|redaktion|rédaction|redacción)\b",
    re.IGNORECASE,
)
PARTS = re.compile(r"\s*(?:[/,;|+&]|\b(?:and|und|et|y|e|with|mit|avec|con|via|for)\b)\s*", re.IGNORECASE)
LEAST_SENTENCE = 6
"""Words of a sentence by which a copy is known."""
MOST_SENTENCES = 40
COPIED = 0.5
"""Share of the shorter text's sentences that stand in the longer one word for word."""


@remembered(16_384, 200)
def key_of(name: str) -> str:
    """A publisher's name as families are called."""
    plain = re.sub(r"[^\w]+", " ", name.casefold()).strip().removeprefix("the ")
    return FAMILIES.get(plain, plain)


def credited(credit: str) -> tuple[str, ...]:
    """The families that a credit names: `Reuters/AP` two of them."""
    return tuple(
        dict.fromkeys(key for part in PARTS.split(credit[:200]) if (key := key_of(part)) and is_agency_key(key))
    )


def is_agency_key(key: str) -> bool:
    """Whether a key is that of a known agency."""
    return key in AGENCIES


def attributed(text: str) -> frozenset[str]:
    """Whom a text names as its source: `told Reuters`, `(AFP)`, `meldete dpa`; by key, also such as are no publishers."""
    found: set[str] = set()
    for number, said in enumerate(SAYS.finditer(text, 0, LOOKED_AT)):
        if number >= MOST_ATTRIBUTIONS:
            break
        start, end = said.span()
        for match in (NAME_BEHIND.match(text, end), NAME_BEFORE.search(text[max(0, start - BEFORE) : start])):
            words = match["name"].split() if match is not None else []
            found.update(key_of(" ".join(words[:count])) for count in range(1, len(words) + 1))
            found.update(key_of(" ".join(words[-count:])) for count in range(1, len(words)))
    return frozenset(found)


def sentences_of(text: str) -> frozenset[int]:
    """The longer sentences of a text, each as a number."""
    found = []
    for sentence in re.split(r"[.!?。！？]\s+|\n", text[:LOOKED_AT])[:MOST_SENTENCES]:
        words = re.findall(r"\w+", sentence.casefold())
        if len(words) >= LEAST_SENTENCE:
            found.append(hash(tuple(words)))
    return frozenset(found)


def is_copied(one: Collection[int], other: Collection[int]) -> bool:
    """Whether half of the shorter text's sentences stand in the other one."""
    if not one or not other:
        return False
    common = sum(1 for sentence in one if sentence in other)
    return common >= 2 and common >= COPIED * min(len(one), len(other))


def is_shared_credit(credit: str) -> bool:
    """`Staff and agencies`: whose words they are is not said."""
    return bool(credit) and SHARED_CREDIT.search(credit) is not None and not credited(credit)


def witness_of(family: str, credit: Iterable[str], named: Collection[str], families: Collection[str]) -> str:
    """The family whose account a text is: that of its credit or of its own, or the one that it names as its source.

    `families` are those that report the event too; an agency that is named is a source wherever it is.
    """
    sources = [*credit, *sorted(key for key in named if key != family and (key in families or key in LOUD))]
    return next((key for key in sources if key != family), family) if family not in credit else family


LOUD = frozenset(
    key_of(name)
    for name in (
        "reuters", "ap", "associated press", "afp", "dpa", "efe", "ansa", "tass", "xinhua", "interfax", "kyodo", "yonhap", "anadolu", "bloomberg", "press association", "pa media", "ritzau", "ntb",
        "belga", "anp", "lusa", "europa press", "upi", "aap", "canadian press", "kna", "epd", "keystone sda", "ukrinform", "ria novosti", "press trust of india", "rtr",
    )
)  # fmt: skip
"""Agencies whose names mean nothing else, so that whoever is told something by them is told by an agency."""

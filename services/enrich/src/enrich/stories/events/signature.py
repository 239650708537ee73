"""The event that an update reports, as words with weights: agencies report one event in words of their own, and share its
names, its numbers and its rare words."""

import functools
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from sys import intern

from enrich.reference.dictionary import folded
from enrich.reference.inflections import NAME
from enrich.short_text import UNSPACED
from enrich.stories.events.northern_and_eastern import COUNTRIES, NORTHERN_AND_EASTERN
from enrich.stories.events.stems import LEAST_STEM, LONGEST_STEM, latin, parts_of, stem_of
from enrich.stories.events.translations import NATIONS, TRANSLATIONS
from enrich.stories.events.words import EXONYMS, KINDS, NUMBERS, numbers_of
from shared.messages.limits import LONGEST

LEAD = 300
"""Characters of the text that are looked at: agencies put the event there, and background behind it."""
IN_BOTH, IN_HEADLINE, NAMED, IN_SLUGLINE = 1.5, 1.2, 1.5, 1.2
"""The weight of a word in the headline and the lead, in the headline alone, as a name, in the slugline; in the lead it is 1."""
IMAGINED = 300
"""Updates that are imagined beside those of the window, so that a word that came once is not rare when the window is new."""
USED = 30
"""How many of the imagined ones have a word of `COMMON`; any other is in one."""
SMALL_WORDS = frozenset(
    """
    a an and are as at be been but by for from had has have he her his in into is it its more new no not of off on or out over said says she
    than that the their they this to under up was were who will with after amid before during against about
    der die das und in im zu den dem des ein eine einer einem einen nach für mit von vom auf bei aus am an als auch sich ist sind war wird wurde wurden haben hat
    le la les de du des un une et en au aux pour sur dans par est ont sont été que qui son ses ce cette plus avec
    el los las del y un una por para con se al lo su sus que es han fue son
    o a os as da do dos das e em no na um uma por com que foi ao
    il lo gli i di che per con del della dei nel nella un una è sono ha
    het een van en in op te met voor dat zijn is naar bij
    """.split()  # noqa: SIM905 -- easier to read than hundreds of quotes
)
COMMON = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december
    police people year years day days week weeks month months hour hours time times man men woman women child children one two three four five six seven eight nine ten
    hundred thousand million billion euros dollars pounds percent first second third last early late next since until while when where there some many most much other others such only also
    would could may might can should just like back then them these those which what whose how told official officials court government minister president prime state country city town region
    night morning evening afternoon killed kill dead died die death hurt injured wounded arrested made make part called call work home near between around still spokesman spokeswoman statement
    announced according reported report reports expected number due set take taken took left right high higher low lower long large big small great north south east west northern southern eastern western
    world news update live latest talks meeting vote party plan plans deal company group market shares fell rose
    montag dienstag mittwoch donnerstag freitag samstag sonntag polizei menschen jahr jahre jahren tag uhr mann frau kinder millionen milliarden euro prozent regierung minister präsident stadt land mehr zwei drei vier fünf teilte angaben
    lundi mardi mercredi jeudi vendredi samedi dimanche police personnes ans année jour heures homme femme enfants millions milliards gouvernement ministre président ville pays deux trois quatre cinq selon annoncé indiqué
    lunes martes miércoles jueves viernes sábado domingo policía personas años año día horas hombre mujer niños millones gobierno ministro presidente ciudad país dos tres cuatro cinco según informó
    """.split()  # noqa: SIM905 -- easier to read than hundreds of quotes
)
WORD = re.compile(r"[^\W_]+")
PROPER = re.compile(rf" (?<=[^.!?:;…»”\"\n] )({NAME.pattern}\d*)(?![^\W_])")
"""A capital within a sentence: a name, or in German a noun; with the number behind it, as in COP28."""
WHOLE_NAME = re.compile(rf"(?<![^\W_]){NAME.pattern}(?:[ -]{NAME.pattern})+(?![^\W_])")
PLACE = re.compile(
    rf"\b(?:in|at|near|off|outside|bei|nahe|vor|aus|à|en|au|près de|près d['’]|cerca de|vicino a|nel|nella|ad?) ({NAME.pattern}(?:[ -]{NAME.pattern})*)"
)
"""What stands where places are told."""
AFTER = re.compile(
    r"\b(?:after|following|since|nach|seit|après|depuis|suite|tras|después|desde|dopo"
    r"|investigat\w+|inquiry|probe|ermittl\w+|enquête|investiga\w*|fiscalía|indag\w+|inchiesta"
    r"|tributes?|hommages?|homenajes?|omaggi\w*|würdig\w+|mourn\w*|trauer\w*|funeral\w*|obsèques|anniversar\w+|jahrestag"
    r"|aftershocks?|nachbeben|répliques?|réplicas?|replica|repair\w*|reparatur|found|gefunden|retrouvée?s?|hallad[oa]s?|trovat\w)\b",
    re.IGNORECASE,
)
"""Words of headlines that tell of what came of something."""


@dataclass(frozen=True, slots=True)
class EventSignature:
    """The terms of an update, each once."""

    terms: tuple[str, ...]
    strengths: tuple[float, ...]
    headline: frozenset[str]
    named: frozenset[str]
    """Terms that are written as names, and codes of names."""
    sought: tuple[str, ...]
    """Terms by which others are looked for: of the headline and the slugline what is not common, codes of names."""
    keys: tuple[str, ...]
    """Terms by which it is found: those, the names of the lead, and numbers that say something."""
    numbers: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    """What happens in it: see `events.words`."""
    whole: Mapping[str, str] = field(default_factory=dict)
    """Of the words of names of several words, one that stands for all: `Port Marrow` is one name."""
    places: frozenset[str] = frozenset()
    """Terms of `named` that are names of places, as far as that is seen."""
    is_after: bool = False
    """Whether its headline tells of what came after something else."""


def event_signature(headline: str, text: str, names: Sequence[str] = (), slugline: str = "") -> EventSignature:
    """What `headline` and the lead of `text` say. `names` are codes of what the dictionary found in them."""
    headline, lead, slugline = headline[: LONGEST["headline"]], text[:LEAD], slugline[: LONGEST["slugline"]]
    head, body, slug = set(terms_of(headline)), set(terms_of(lead)), set(terms_of(slugline))
    proper = set(terms_of(" ".join(PROPER.findall(lead))))
    strengths = dict.fromkeys(body, 1.0)
    for term in head:
        strengths[term] = IN_BOTH if term in body else IN_HEADLINE
    for term in proper & body:
        strengths[term] *= NAMED
    for term in slug:
        strengths[term] = max(strengths.get(term, 0.0), IN_SLUGLINE)
    strengths |= dict.fromkeys(map(intern, names), 1.0)
    numbers = numbers_of(f"{headline}\n{lead}")
    telling = {f"#{number}" for number in numbers if len(number) > 1}
    sought = ((head | slug) - COMMON_TERMS).union(names, telling)
    named = (proper.union(terms_of(" ".join(PROPER.findall(headline)))) - COMMON_TERMS).union(names)
    return EventSignature(
        tuple(strengths),
        tuple(strengths.values()),
        frozenset(head),
        frozenset(named),
        tuple(sought),
        tuple(sought | (proper - COMMON_TERMS)),
        numbers,
        frozenset(kind for term in (*head, *body) for kind in _KINDS.get(term, ())),
        _whole_names(f"{headline}\n{lead}", names),
        frozenset(named.intersection(_places(f"{headline}\n{lead}", names))),
        AFTER.search(headline) is not None,
    )


def _whole_names(text: str, codes: Sequence[str]) -> dict[str, str]:
    whole: dict[str, str] = {}
    for match in WHOLE_NAME.finditer(text):
        first, *others = terms_of(match[0]) or [""]
        for term in others:
            whole.setdefault(term, whole.get(first, first))
    for code in codes:
        # What the dictionary has found is the name that the text writes.
        for term in terms_of(code.partition(":")[2].replace("-", " ")):
            whole.setdefault(code, whole.get(term, term))
    return whole


def _places(text: str, codes: Sequence[str]) -> set[str]:
    found = set(terms_of(" ".join(PLACE.findall(text))))
    for code in codes:
        if code.startswith("place:"):
            found.update((code, *terms_of(code.removeprefix("place:").replace("-", " "))))
    return found | _PLACES


LONGEST_WORD = 80
"""Of one that is longer its beginning says as much; all that was read is remembered."""


def terms_of(text: str) -> list[str]:
    """The words of a text by their stems, without small ones; pairs of characters where a script has no spaces."""
    small = folded(text)
    if not small.isascii() and UNSPACED.search(small):
        small = re.sub(rf"(?:{UNSPACED.pattern})+", _pairs, small)
    words = small.split()
    if max(map(len, words), default=0) > LONGEST_WORD:
        words = [word[:LONGEST_WORD] for word in words]
    return list(chain.from_iterable(map(_terms, words)))


@functools.lru_cache(maxsize=65_536)
def _terms(word: str) -> tuple[str, ...]:
    """What a word says: itself, or the parts of a compound; one object for all updates that have it."""
    if len(word) < 2 or word in SMALL_WORDS or NUMBERS.get(word, 10) < 10:
        # A number of one digit is none of the words, however it is written: `numbers` has it.
        return ()
    if (known := _CANONICAL.get(word)) is not None:
        return (known,)
    plain = latin(word)
    if not plain.isascii():
        return (intern(plain[:LONGEST_STEM]),)
    stem, parts = stem_of(plain), parts_of(word, _CANONICAL)
    # A beginning that another word has too says less than two words that are known.
    if (parts is None or not _CANONICAL.keys() >= set(parts)) and (known := _CANONICAL_STEMS.get(stem)) is not None:
        return (known,)
    if parts is not None:
        return tuple(dict.fromkeys(term for part in parts for term in _terms(part)))
    return (intern(stem),)


def spelled(terms: Sequence[str], text: str) -> list[str]:
    """Terms as `text` writes them, in their order; those that it does not write are left out."""
    written: dict[str, str] = {}
    for word in WORD.findall(text):
        for term in terms_of(word):
            written.setdefault(term, word)
    return list(dict.fromkeys(written[term] for term in terms if term in written))


def _pairs(found: re.Match[str]) -> str:
    run = found[0]
    return f" {' '.join(run[at : at + 2] for at in range(max(len(run) - 1, 1)))} "


def _first_of_each(table: str) -> dict[str, str]:
    """By word, the first of its line."""
    lines = [names.split() for line in table.strip().splitlines() for names in line.split("|")]
    return {name: names[0] for names in reversed(lines) for name in names}


_CANONICAL = {
    word: intern(stem_of(latin(first)))
    for word, first in (_first_of_each(TRANSLATIONS) | _first_of_each(NATIONS) | _first_of_each(EXONYMS)).items()
}
_CANONICAL |= {
    word: _CANONICAL.get(first, intern(stem_of(latin(first))))
    for word, first in (_first_of_each(NORTHERN_AND_EASTERN) | _first_of_each(COUNTRIES)).items()
    if word not in _CANONICAL
}
_CANONICAL_STEMS = {
    stem: first for word, first in reversed(_CANONICAL.items()) if len(stem := stem_of(latin(word))) >= LEAST_STEM
}
_PLACES = frozenset(term for word in f"{EXONYMS} {NATIONS}".replace("|", " ").split() for term in terms_of(word))
COMMON_TERMS = frozenset(term for word in COMMON for term in terms_of(word))


_KINDS: dict[str, set[str]] = {}
for _kind, _words in KINDS.items():
    for _word in terms_of(_words):
        _KINDS.setdefault(_word, set()).add(_kind)


def kinds_of(term: str) -> Collection[str]:
    """The kinds of events that a term tells of."""
    return _KINDS.get(term, ())


def weighted(signature: EventSignature, counts: Mapping[str, int], total: int) -> dict[str, float]:
    """The weight of each term by how rare it is among `total` updates, of which `counts` have it; their squares come to 1."""
    every = math.log(IMAGINED + total)
    weights = [
        strength * (every - math.log((USED if term in COMMON_TERMS else 1) + counts.get(term, 0)))
        for term, strength in zip(signature.terms, signature.strengths, strict=True)
    ]
    length = math.hypot(*weights) or 1.0
    return {term: weight / length for term, weight in zip(signature.terms, weights, strict=True)}

"""How a name is spelled: names in capitals with small letters, `Surname, Given` the right way round, joints inside a name kept."""

import re
from collections.abc import Callable

from enrich.reference.directory import name_key
from enrich.reference.names.given_names import is_given
from enrich.text.steps.byline.no_names import no_name
from enrich.text.steps.byline.patterns import OFFICES, SUFFIXES, TITLE_ITEM
from enrich.text.steps.byline.places import is_known_place

SMALL_IN_CAPITALS = frozenset(
    "von van der den de del della di da dos das do du des la le zu zum vom ter ten y e i bin ibn bint al el af av und op het d'".split()  # noqa: SIM905
)
"""Parts of names that are written small, also where all else was in capitals."""
ROMAN = re.compile(r"(?:I{2,3}|IV|VI{1,3})[.,]?")
INITIALS = re.compile(r"(?:[A-ZÀ-ÝА-Я]\.){1,3}|[A-ZÀ-ÝА-Я]{1,2}")
MAC = re.compile(r"Ma?c(?=[A-Z]{2})")
"""`McBRIDE`: a beginning that keeps its small letter among capitals."""
VOWEL = re.compile(r"[AEIOUYÀ-ÖØ-Ý]")
PART = re.compile(r"[^\W\d_]+")
BOUND = "\ue000"
"""In place of a space that parts nothing; of the private use area, so that no byline has it."""
NOBLE = re.compile(r"\b(von|vom) und (zu|zum)\b", re.IGNORECASE)
ONE_JOINT = re.compile(
    r"(?P<before>[^\W\d_][\w'’.-]* [^\W\d_][\w'’.-]*(?: [^\W\d_][\w'’.-]*){0,3}) (?P<joint>[eyi]) (?P<after>[A-ZÀ-Ý][\w'’-]+)(?=$|\s*[,;|)\n]| (?:e|y|i|and|et|und|&|en|in|em|a) )"
)
"""`Ramón y Cajal`: a whole name, a joint, and one more word, which alone is no name."""


def respelled(name: str) -> str:
    """A name as it is shown: what stands in capitals gets small letters; all else stays as it was sent."""
    words = name.split(" ")
    if not any(_is_capitals(word) for word in words):
        return name
    all_capitals = not any(word[:1].isupper() and not word.isupper() for word in words)
    last = len(words) - 1
    spelled = [_respelled(word, all_capitals, number in (0, last)) for number, word in enumerate(words)]
    # MOREL Lucie: the surname comes first, and its capitals say that it is one.
    if (
        not all_capitals
        and _is_capitals(words[0])
        and all(not _is_capitals(word) for word in words[1:])
        and is_given(words[1])
    ):
        spelled = [*spelled[1:], spelled[0]]
    return " ".join(spelled)


def _is_capitals(word: str) -> bool:
    word = MAC.sub("", word)
    letters = [character for character in word if character.isalpha()]
    return (
        len(letters) > 1
        and word[0].isalpha()
        and word == word.upper()
        and word != word.lower()
        and "." not in word.removeprefix("JR.").removeprefix("SR.")
    )


def _respelled(word: str, all_capitals: bool, is_outer: bool) -> str:
    if not _is_capitals(word) or ROMAN.fullmatch(word) or word.strip(",") in OFFICES | {"MD"}:
        return word
    if word.casefold() in SMALL_IN_CAPITALS and not is_outer:
        return word.lower()
    if len(word) == 2 and all_capitals and (not VOWEL.search(word) or word.endswith("J")) and word not in ("JR", "SR"):
        # JP, AJ: two initials.
        return word
    return _with_small_letters(word)


def _with_small_letters(word: str) -> str:
    if (mac := MAC.match(word)) is not None:
        return mac[0] + _with_small_letters(word[mac.end() :])
    if word.rstrip(".,") in ("JR", "SR"):
        return word.capitalize()
    if word[0] == "İ":
        # Its small letter is two characters, which no capital comes back from.
        return word[0] + word[1:].replace("İ", "i").replace("I", "ı").lower()
    spelled = PART.sub(lambda found: found[0].capitalize(), word.lower())
    spelled = re.sub(r"^Mc([^\W\d_]{2,})", lambda found: f"Mc{found[1].capitalize()}", spelled)
    # Apostrophes of a genitive or of a cut article: D'Arcy and O'Hare, but no 'S.
    spelled = re.sub(r"(['’])S$", r"\1s", spelled)
    return re.sub(r"^(Al|El|Ben|Bin)-", lambda found: found[0].lower(), spelled)


def with_joints_kept(text: str) -> str:
    """The joints inside a name bound by spaces that part nothing: `y Cajal`, `e Silva`, `i Soler`, `von und zu`."""
    if " " not in text:
        return text
    text = NOBLE.sub(lambda found: found[0].replace(" ", BOUND), text)
    return ONE_JOINT.sub(_joined, text)


def _joined(found: re.Match[str]) -> str:
    before, after = found["before"], found["after"]
    if no_name(after) is not None or name_key(after) in STAFF_KEYS or is_known_place(after):
        return found[0]
    if re.search(r" (?:in|en|em|a|à|w) ", before) or not before.split()[0][0].isupper() or TITLE_ITEM.fullmatch(before):
        return found[0]
    return f"{before}{BOUND}{found['joint']}{BOUND}{after}"


STAFF_KEYS = frozenset(
    ("agencias", "agencies", "redaccion", "efe", "ap", "afp", "reuters", "dpa", "ansa", "lusa", "pap")
)


def right_way_round(part: str, knows: Callable[[str], bool]) -> str:
    """`Smith, Jane and Doe, Joe` as `Jane Smith and Joe Doe`; a list that is not written so is given back as it is."""
    if "," not in part:
        return part
    chunks = re.split(r"(\s+(?:and|und|et|y|e|&|i|och|og)\s+)", part)
    read: list[str] = []
    for chunk in chunks[::2]:
        turned = _turned(chunk, knows)
        if turned is None:
            return part
        read.append(turned)
    return "".join(each for pair in zip(read, [*chunks[1::2], ""], strict=True) for each in pair)


def _turned(chunk: str, knows: Callable[[str], bool]) -> str | None:
    items = [item.strip() for item in chunk.split(",")]
    if len(items) < 2 or len(items) % 2 or not all(items):
        return None
    pairs = list(zip(items[::2], items[1::2], strict=True))
    if not all(_is_turned(surname, given, knows, alone=len(pairs) == 1) for surname, given in pairs):
        return None
    return ", ".join(f"{given} {surname}" for surname, given in pairs)


def _is_turned(surname: str, given: str, knows: Callable[[str], bool], *, alone: bool) -> bool:  # noqa: PLR0911 -- a table of cases
    if knows(f"{given} {surname}"):
        return True
    surnames, givens = surname.split(), given.split()
    if not 1 <= len(surnames) <= 3 or not 1 <= len(givens) <= 2 or knows(surname):
        return False
    if len(surnames) > 1 and len(surnames[-1].rstrip(".")) == 1:
        return False
    if name_key(given) in SUFFIXES or TITLE_ITEM.fullmatch(given) or TITLE_ITEM.fullmatch(surname):
        return False
    if not givens[0][0].isupper() or (no_name(surname) is not None and not surnames[0].islower()):
        return False
    if no_name(given) is not None and not INITIALS.fullmatch(given):
        return False
    is_initials = all(INITIALS.fullmatch(word) and (len(word) < 3 or "." in word) for word in givens)
    if surnames[0][0].islower():
        # van der Meer, Ludwig
        return len(surnames) > 1 and len(givens) == 1
    if is_initials:
        return len(surnames) == 1
    rest = all(is_given(word) or INITIALS.fullmatch(word) for word in givens[1:])
    if is_given(givens[0]) and rest:
        return len(surnames) == 1 or (
            (len(givens) == 1 or INITIALS.fullmatch(givens[1]) is not None) and not is_known_place(given)
        )
    return (
        alone and len(surnames) == len(givens) == 1 and not is_given(surname) and not is_known_place(given)
        and not is_known_place(surname)
    )  # fmt: skip

"""What stands in a caption and is no caption: restrictions to desks, and the credit.

A caption tells of the world, where embargoes are on oil and the internet is forbidden by courts. A restriction is told apart by its
dress (capitals, +++, a word to editors before it) and by being made of the words of terms and little else.
"""

import re
from collections.abc import Iterator

from enrich.picture_index.terms.clauses import Sentence, sentences
from enrich.picture_index.terms.reading import Ban, first_ban

MAX_CREDIT = 120
_SHARE_KNOWN = 0.7
"""Of the words of a restriction, so many are in the vocabulary."""
_BETWEEN_PLUSES = re.compile(r"\+{2,}\s*([^+\n]{2,300}?)\s*\+{2,}")
_COLON = re.compile(r":(?=\s|$)")
_TO_EDITORS = re.compile(
    r"(?:attention(?: editors)?|editors?(?:['\u2019]?s)? note|note to editors|restrictions?|usage|rights|achtung(?: redaktionen)?|hinweis"
    r"(?: an die redaktionen?)?|nutzung(?:shinweis)?|atenci[oó]n(?: editores)?|à l'attention des rédactions|attenzione)",
    re.IGNORECASE,
)
_EMBARGO = re.compile(
    r"(?:sperrfrist|sperrvermerk|sperrefrist|gesperrt bis|ембарго|эмбарго)|embargo(?:ed|ué|ado)?[:\s]+(?:until|till|til|bis|jusqu|hasta|fino|até|tot|до|do|for|\d)",
    re.IGNORECASE,
)


def ban_in_caption(text: str, country: str = "") -> Ban | None:
    """The first ban that stands in a caption or headline; None where it only tells what is to be seen."""
    return first_ban(_restrictions(text), country)


def _restrictions(text: str) -> Iterator[Sentence]:
    """The sentences of a caption that speak to desks."""
    is_all_capitals = text.isupper() and len(text) > 60
    dressed = {one.strip() for one in _BETWEEN_PLUSES.findall(text)}
    before = ""
    for whole in sentences(text):
        for part in _COLON.split(whole.text):
            for sentence in sentences(part):
                is_to_editors = bool(_TO_EDITORS.fullmatch(before.strip())) or whole.text in dressed
                if _EMBARGO.match(sentence.text) or _is_restriction(sentence, is_to_editors, is_all_capitals):
                    yield sentence
                before = sentence.text


def _is_restriction(sentence: Sentence, is_to_editors: bool, is_all_capitals: bool) -> bool:
    known = [role for clause in sentence.clauses for role in clause.roles]
    telling = [role for role in known if role not in ("filler", "joint", None)]
    if not telling or (len(known) < 2 and telling[0] not in ("embargo", "lifted")):
        return False
    if not (is_to_editors or sentence.text.isupper()):
        return False
    share = sum(role is not None for role in known) / len(known)
    return share >= (1.0 if is_all_capitals else _SHARE_KNOWN)


_NAME = r"[^\W\d_][^\n()|;:]{1,100}?"
_SAID = (
    # "Foto: Name/dpa", "Photo by Name", "Bild: ...", "Фото: ..."; to the end of the caption.
    r"(?:(?:foto(?:graf(?:i[ae])?)?|photo(?:graph)?(?:ie)?|bild(?:nachweis)?|picture|image|credit|crédit(?: photo)?|photo credit|fotos|bilder|"
    r"zdj\.|fot\.|zdjęcie|фото|світлина|kuva|billede|bilde|imagen|fotografía|immagine)\s*(?:[:\-–]|by|von|par|di|de|av|af|door|©)"  # noqa: RUF001
    r"\s*(?P<label>" + _NAME + r"))\s*[.)\]]?\s*$",
    # "(AP Photo/Name)", "(Foto: Name/dpa)", "(Name/Reuters)" at the end.
    r"[(\[]\s*(?:(?:photo by|foto:?|photo:?|bild:?|credit:?|фото:?|zdj\.:?|fot\.)\s*)?(?P<bracket>[^()\[\]\n]{2,100}?)\s*[)\]]\s*\.?\s*$",
    # "© Name / Reuters" at the end.
    r"(?:©|\(c\)|copyright)\s*(?:\d{4}\s*)?(?P<sign>" + _NAME + r")\s*\.?\s*$",
    # "... / AFP / NAME" and "... REUTERS/Name" at the end.
    r"(?:^|[\s.])(?P<agency>(?:/\s*)?(?:REUTERS|AFP|AP|EPA|dpa|APA|ANSA|EFE|PA|TT|NTB|Ritzau|Keystone|Belga|ANP|PAP|TASS|Getty Images|Ukrinform)\s*/\s*"
    r"[^\W\d_][^\n/.;:()]{1,60})\s*\.?\s*$",
)
_CREDITS = tuple(re.compile(pattern, re.IGNORECASE if at in (0, 2) else 0) for at, pattern in enumerate(_SAID))
_HAS_SOURCE = re.compile(
    r"/|\b(?:photo|foto|getty|reuters|afp|ap|epa|dpa|apa|ansa|efe|pa wire|alamy|imago|shutterstock|handout|images|agency|agentur|press|via)\b",
    re.IGNORECASE,
)


def credit_in(caption: str) -> tuple[str, str]:
    """The credit that stands at the end of a caption, and the caption without it; an empty credit where there is none."""
    last = caption.rstrip()
    start = max(len(last) - MAX_CREDIT - 60, 0)
    tail = last[start:]
    for pattern in _CREDITS:
        found = _last(pattern, tail)
        if found is None:
            continue
        name = next(value for value in found.groups() if value).strip(" ./,-")
        is_bracket = "bracket" in pattern.groupindex
        if is_bracket and not _is_credit(name, found.group()):
            continue
        if _is_name(name):
            return name, last[: start + found.start()].rstrip(" ,;/|-\u2013\u2014")
    return "", caption


def _last(pattern: "re.Pattern[str]", tail: str) -> "re.Match[str] | None":
    """The match that ends the text and begins last."""
    found = None
    at = 0
    while (one := pattern.search(tail, at)) is not None:
        found = one
        at = one.start() + 1
    return found


def _is_credit(name: str, said: str) -> bool:
    return bool(_HAS_SOURCE.search(name)) or bool(re.match(r"[(\[]\s*(?:photo by|foto|photo|bild|credit|фото|zdj|fot)", said, re.IGNORECASE))


def _is_name(name: str) -> bool:
    """Whether it may be who made a picture: some words, no sentence, no restriction."""
    words = name.split()
    if not 0 < len(words) <= 12 or len(name) > MAX_CREDIT or name.endswith(("?", "!")):
        return False
    return not any(clause.has("embargo", "out", "negation", "denial") for one in sentences(name) for clause in one.clauses)

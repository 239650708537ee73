"""What stands in a caption and is no caption: restrictions to desks, and the credit.

A caption tells of the world, where embargoes are on oil and the internet is forbidden by courts. A restriction is told apart by its
dress (capitals, +++, a word to editors before it) and by being made of the words of terms and little else.
"""

import re
from collections.abc import Iterator

from enrich.picture_index.terms.clauses import Sentence, pieces, sentences
from enrich.picture_index.terms.embargo import words_from
from enrich.picture_index.terms.reading import Ban, bans_of
from shared.remembered import remembered

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


@remembered(4096, 1000)
def bans_in_caption(text: str, country: str = "") -> tuple[Ban, ...]:
    """The bans that stand in a caption or headline, which else tells what is to be seen."""
    return bans_of(_restrictions(text), country)


@remembered(4096, 1000)
def shown_caption(text: str) -> str:
    """The caption without what it says to desks alone: "(GERMANY OUT)", "+++ NO SALES +++", at its beginning or end."""
    notes = [_whole(text, sentence.text) for sentence in _restrictions(text)]
    for note in notes:
        text = re.sub(
            rf"[\s(\[+*|\u2013\u2014-]*(?:{_TO_EDITORS.pattern})?[\s:\u2013\u2014-]*"
            + re.escape(note)
            + r"[\s)\]+*|.!\u2013\u2014:-]*",
            "\n",
            text,
            count=1,
            flags=re.IGNORECASE,
        )
    return " ".join(text.split()) if notes else text


def _whole(text: str, note: str) -> str:
    """A note with all that belongs to it: what stands between the same plusses, and the time of an embargo."""
    for found in _BETWEEN_PLUSES.finditer(text):
        if note in found[1]:
            return found[1]
    return words_from(text, note).strip() if _EMBARGO.match(note) else note


def _restrictions(text: str) -> Iterator[Sentence]:
    """The sentences of a caption that speak to desks."""
    if text == text.lower() and "embargo" not in text and "+" not in text:
        return
    is_all_capitals = text.isupper() and len(text) > 60
    dressed = {one.strip() for one in _BETWEEN_PLUSES.findall(text)}
    before = ""
    for whole in pieces(text):
        for part in _COLON.split(whole):
            is_to_editors = whole in dressed or bool(_TO_EDITORS.fullmatch(before))
            before = part.strip()
            if not (is_to_editors or before.isupper() or _EMBARGO.match(before)):
                continue
            for sentence in sentences(before):
                if _EMBARGO.match(sentence.text) or _is_restriction(sentence, is_all_capitals):
                    yield sentence


def _is_restriction(sentence: Sentence, is_all_capitals: bool) -> bool:
    roles = [role for clause in sentence.clauses for role in clause.roles]
    telling = [role for role in roles if role not in ("filler", "joint", None)]
    if not telling or (len(roles) < 2 and telling[0] not in ("embargo", "lifted")):
        return False
    share = sum(role is not None for role in roles) / len(roles)
    return share >= (1.0 if is_all_capitals else _SHARE_KNOWN)


_LABEL = (
    r"(?:foto(?:s|graf(?:i[ae])?)?|photo(?:s|graph|graphie)?|bild(?:er|nachweis)?|picture|image|credit|cr\u00e9dit(?: photo)?|photo credit|"
    r"zdj\.|fot\.|zdj\u0119cie|\u0444\u043e\u0442\u043e|\u0441\u0432\u0456\u0442\u043b\u0438\u043d\u0430|kuva|billede|bilde|imagen|fotograf\u00eda|immagine)"
)
_BEGINS = r"(?=[^\W\d_a-z\u00df-\u00f6\u00f8-\u00ff\u0430-\u044f\u0451-\u045f\u0491]|\u00a9|dpa\b|privat\b|picture alliance|handout\b|archiv\b|imago\b)"
_AGENCIES = "REUTERS|Reuters|AFP|AP|EPA|dpa|APA|ANSA|EFE|PA|TT|NTB|Ritzau|Keystone|Belga|ANP|PAP|TASS|Getty Images|Ukrinform|Lehtikuva|CTK"
_CREDITS = (
    # "(AP Photo/Name)", "(Foto: Name/dpa)", "[Name/Reuters]".
    re.compile(r"[(\[]\s*(?P<label>" + _LABEL + r"\s*(?:[:\-]|by\b|von\b|par\b|di\b|de\b|av\b|af\b)?\s*)?(?P<bracket>[^()\[\]\n]{2,110})[)\]]\s*\.?\s*$", re.IGNORECASE),
    # "Foto: Name/dpa", ". Photo by Name", "zdj. Name".
    re.compile(r"(?:(?:^|[\s(,;|\-])(?i:" + _LABEL + r")(?:\s*:\s*|(?<=\.)\s*)|(?:^|[(,.;|\-]\s{0,3})(?i:" + _LABEL + r")\s+(?:by|von|par|di|av|af|door)\s+)(?P<name>" + _BEGINS + r"[^\n()|;:]{2,100}?)\s*\.?\s*$"),
    # "© Name / Reuters".
    re.compile(r"(?:\u00a9|\([cC]\)|[Cc]opyright)\s*(?:\d{4}\s*)?(?P<name>" + _BEGINS + r"[^\n()|;:]{2,100}?)\s*\.?\s*$"),
    # ". / AFP / NAME", "REUTERS/Name", "Name / REUTERS".
    re.compile(rf"(?:^|[\s.])(?P<name>(?:{_AGENCIES})(?: Photo| via AP)?\s*/\s*[^\W\d_][^\n/.;:()]{{1,60}})\s*\.?\s*$"),
)  # fmt: skip
_MAY_HOLD_CREDIT = re.compile(r"[)\]/\u00a9]|(?i:" + _LABEL + r")|[Cc]opyright")
_HAS_SOURCE = re.compile(
    rf"(?:{_AGENCIES})\b|\b(?i:photo|foto|getty|alamy|imago|shutterstock|handout|images|picture alliance|pool|wire)\b"
)


@remembered(4096, 1000)
def credit_in(caption: str) -> tuple[str, str]:
    """The credit that stands at the end of a caption, and the caption without it; an empty credit where there is none."""
    last = caption.rstrip()
    start = max(len(last) - MAX_CREDIT - 60, 0)
    tail = last[start:]
    if not _MAY_HOLD_CREDIT.search(tail):
        return "", caption
    for pattern in _CREDITS:
        found = _last(pattern, tail)
        if found is None:
            continue
        said = found.groupdict()
        if (bracket := said.get("bracket")) and not said.get("label") and not _HAS_SOURCE.search(bracket):
            continue
        name = (bracket or said["name"]).strip(" ./,-")
        if _is_name(name):
            return name, last[: start + found.start()].rstrip(" ,;/|(-\u2013\u2014")
    return "", caption


def _last(pattern: "re.Pattern[str]", tail: str) -> "re.Match[str] | None":
    """The match that ends the text and begins last."""
    found = None
    at = 0
    while (one := pattern.search(tail, at)) is not None:
        found = one
        at = one.start() + 1
    return found


def _is_name(name: str) -> bool:
    """Whether it may be who made a picture: some words, no sentence, no restriction."""
    if not 0 < len(name.split()) <= 12 or len(name) > MAX_CREDIT or name.endswith(("?", "!")):
        return False
    return not any(
        clause.has("embargo", "out", "negation", "denial") for one in sentences(name) for clause in one.clauses
    )

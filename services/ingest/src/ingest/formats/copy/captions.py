"""Captions of pictures without what stands behind them, and the credits that stand only there. Pure."""

import re

from ingest.formats.copy import repeats
from ingest.formats.text import plain as text

_CREDIT_IN_CAPTION = re.compile(
    r"(?:photo(?:graph|grapher|graphie)?|foto(?:graf(?:ie|in)?|grafía)?|picture|image|bild|imagen|imagem|kuva|cr[ée]dito?(?: photo)?|credit|quelle|source|bildquelle|fotocredit)s?(?: (?:by|von|par|de|di))?\s?[:©]\s?([^\n]{2,80})$"
    r"|[(\[](?:(?:ap|reuters|afp|dpa|epa|getty)[\w ]{0,12}|photo|foto|bild|picture)(?: ?photo)?\s?[:/–—]\s?([^()\[\]]{2,80})[)\]]\.?$"
    r"|©\s?([^\n©]{2,60})$",
    re.IGNORECASE,
)


_BEHIND = re.compile(
    r"(?:\s*/\s?|(?<=[.!?\"”»'’])\s+)((?i:AFP|AP|EPA|ANP|Belga|EFE|TT|NTB|Ritzau|Getty Images[\w /]{0,20}))(?i: photos?)?\s?/\s?([^\W\d_][^/\n]{1,60}?)\s*(?:(?:/\s*|(?=RESTRICTED|NO USE|EDITORIAL|MANDATORY|STRICTLY|NOT FOR))([^/\W][^\n]*))?$"
)
"""AFP's: `The bridge on Monday. / AFP / ANN OTHER / RESTRICTED TO EDITORIAL USE`."""


def parted(caption: str) -> tuple[str, str, str]:
    """A caption without the credit and terms that stand behind it, the credit, and the terms."""
    found = _BEHIND.search(caption, max(0, len(caption) - _TAIL))
    if found is None or not caption[: found.start()].strip():
        return caption, "", ""
    return (
        caption[: found.start()].rstrip(),
        f"{found.group(2).strip()}/{found.group(1).strip()}",
        (found.group(3) or "").strip(),
    )


_EUROPA_PRESS = re.compile(r"^\d{1,2}/\d{1,2}/\d{4}\s+|(?<=[a-záéíóúñü.)»\"\d])\s+(?:[A-ZÁÉÍÓÚÑÜ]{2,}\b[ ,]*){3,}$")
"""The day of a picture before its caption, and keywords behind it."""
_TAIL = 1000
_CREDIT_SIGNS = frozenset(":©([")
"""Of which every caption with a credit has one."""


def _without_repeats(fields: dict[str, object], several: list[object]) -> None:
    """No caption that is the text once more, as the description of a video is."""
    html = fields.get("body_html")
    if not isinstance(html, str):
        return
    least = max(_LEAST_REPEATED, len(html) // _MARKUP)
    told = [one for one in several if isinstance(one, dict) and len(str(one.get("caption") or "")) > least]
    if not told:
        return
    words = text.of_html(html)
    for one in told:
        if repeats.same(str(one["caption"]), words):
            one["caption"] = ""


_LEAST_REPEATED = 60
_MARKUP = 6
"""Characters of HTML for each of its words, at most, where it is a caption once more: of longer bodies no plain text is made."""


def tidy(fields: dict[str, object]) -> None:
    """Credits of pictures that stand in their captions, taken out of them: `The bridge on Monday. Photograph: Ann Other/AP`."""
    several = fields.get("media")
    if isinstance(several, list) and several:
        _without_repeats(fields, several)
    for one in several if isinstance(several, list) else ():
        if not isinstance(one, dict) or not isinstance(caption := one.get("caption"), str):
            continue
        if len(caption) < _LEAST_CAPTION and not any(map(str.isalnum, caption)):
            one["caption"] = ""
            continue
        if "/" in caption:
            one["caption"], credit, terms = parted(caption)
            if terms:
                known = one.get("instructions")
                one["instructions"] = f"{known}\n{terms}" if known else terms
            one["credit"] = one.get("credit") or credit
        if "uropa" in str(one.get("credit")):
            one["caption"] = _EUROPA_PRESS.sub("", str(one["caption"])).strip()
        _take_credit(one, str(one["caption"]))


_LEAST_CAPTION = 4
_TOLD = 4
"""Letters of a credit by which a caption that tells it is looked for."""


def _take_credit(one: dict[str, object], caption: str) -> None:
    """Take the credit behind a caption out of it, the longer one where the picture has one that says the same."""
    tail = caption[-200:]
    known = one.get("credit")
    if isinstance(known, str) and known and known[:_TOLD].casefold() not in tail.casefold():
        return
    if _CREDIT_SIGNS.isdisjoint(tail) or (found := _CREDIT_IN_CAPTION.search(tail)) is None:
        return
    said = next(filter(None, found.groups())).strip(" .()[]")
    if known and isinstance(known, str):
        short, long = sorted((repeats.folded(said), repeats.folded(known)), key=len)
        if not short or short not in long:
            return
        one["credit"] = max(said, known, key=len)
    else:
        one["credit"] = said
    if before := caption[: len(caption) - len(tail) + found.start()].rstrip(" (["):
        one["caption"] = before

"""TTNITF, the text that TT of Sweden sends inside NewsML-G2: upper-case elements with Swedish names, several texts an item.

The first text is the item's, each further one a box beside it, shown below under its own headline.
"""

from typing import Any

from ingest.formats import media
from ingest.formats.xml import markup
from ingest.formats.xml.document import child, children, words

_NAMES = {
    **markup.XHTML,
    "rubrik": "h3",
    "mellis": "h3",
    "citat": "p",
    "faktarubrik": "h3",
    "tabell": "pre",
    "fet": "strong",
    "kursiv": "em",
}
_DROPPED = frozenset({"vinjett", "dat", "byline", "bild", "title"})


def body_of(body: Any) -> dict[str, Any]:
    """The fields that a BODY tells: headline, place, byline, text, pictures with caption and credit."""
    fields: dict[str, Any] = {}
    parts: list[str] = []
    pictures: list[dict[str, Any]] = []
    for index, one in enumerate(children(body, "TEXT")):
        dropped = _DROPPED if index else _DROPPED | {"rubrik"}
        parts.append(markup.to_html(one, _NAMES, dropped))
        pictures += [found for each in one.iter("{*}BILD") if (found := _picture(each))]
        if index == 0:
            fields["headline"] = words(child(one, "RUBRIK"))
            fields["located"] = words(child(one, "DAT", "ORT"))
            fields["byline"] = "; ".join(filter(None, (words(each) for each in children(one, "BYLINE"))))
    fields["body_html"] = "".join(parts)
    if pictures:
        fields["media"] = media.with_roles(pictures)
    return fields


def _picture(element: Any) -> dict[str, Any] | None:
    url = media.absolute(words(child(element, "BILDFIL")))
    if url is None:
        return None
    about = {"caption": words(child(element, "BILDTEXT")), "credit": words(child(element, "BILDSKAPARE"))}
    return media.reference([media.Offer(url)], "picture", about)

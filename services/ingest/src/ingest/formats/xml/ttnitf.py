"""TTNITF, the text that TT of Sweden sends inside NewsML-G2: upper-case elements with Swedish names, several texts an item.

The first text is the item's, each further one a box beside it, shown below under its own headline.
"""

from ingest.formats import media
from ingest.formats.fields import AboutMedia, MediaFields, UpdateFields
from ingest.formats.html import from_xml
from ingest.formats.xml.document import Element, child, children, words

_NAMES = {
    **from_xml.XHTML,
    "rubrik": "h3",
    "mellis": "h3",
    "citat": "p",
    "faktarubrik": "h3",
    "tabell": "pre",
    "fet": "strong",
    "kursiv": "em",
}
_DROPPED = frozenset({"vinjett", "dat", "byline", "bild", "title"})


def body_of(body: Element) -> UpdateFields:
    """The fields of a BODY: headline, place, byline, text, pictures with caption and credit."""
    fields: UpdateFields = {}
    parts: list[str] = []
    pictures: list[MediaFields] = []
    for index, one in enumerate(children(body, "TEXT")):
        dropped = _DROPPED if index else _DROPPED | {"rubrik"}
        parts.append(from_xml.to_html(one, _NAMES, dropped))
        pictures += [found for each in one.iter("{*}BILD") if (found := _picture(each))]
        if index == 0:
            fields["headline"] = words(child(one, "RUBRIK"))
            fields["located"] = words(child(one, "DAT", "ORT"))
            fields["byline"] = "; ".join(filter(None, (words(each) for each in children(one, "BYLINE"))))
    fields["body_html"] = "".join(parts)
    if pictures:
        fields["media"] = media.with_roles(pictures)
    return fields


def _picture(element: Element) -> MediaFields | None:
    url = media.absolute(words(child(element, "BILDFIL")))
    if url is None:
        return None
    about: AboutMedia = {"caption": words(child(element, "BILDTEXT")), "credit": words(child(element, "BILDSKAPARE"))}
    return media.reference([media.Offer(url)], "picture", about)

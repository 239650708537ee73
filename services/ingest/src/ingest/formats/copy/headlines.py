"""Headlines without what systems put around them: marks, an agency's name, placeholders. Pure."""

import re

from ingest.formats.copy.names.people import is_agency

_MARKS = re.compile(r"^(?:[*>]+\s*|(?:={2,}|\+{2,})\s+)(?=[\w\"“«„'‘(])|(?<=\w)\s+(?:\*+|={2,}|\+{2,})$")
"""What wires set a flash apart with: `*River rises`, `+++ River rises +++`."""
_STARRED = re.compile(r"(?<![*\s])\s*+\*{2,}+\s*+([^*]{2,40}?)\s*\*{2,}+$")
"""`... gained confidence*** TRANSLATED ***`."""
_VERSION = re.compile(r"(?:(?:UPDATE|WRAPUP|RPT|REFILE|REPEAT)(?: \d{1,2})?-)+(?=\S)")
"""`UPDATE 1-Statue to reopen`: which version it is says nothing to readers; `CORRECTED-` does."""
_CYCLE = re.compile(r"(?:(?:AM|PM|BC)-)?[A-Z]{2,4}--(?=\w)")
"""AP's cycle and desk in front of a table's title: `BC-BBN--Top Ten`."""
_LEAD = re.compile(
    r"(?:\((?:LEAD|LD|\d(?:st|nd|rd|th) (?:LD|LEAD)|URGENT|AMPL\.?|AMPLIACI[ÓO]N)\)\s*|(?:\d(?:ST|ND|RD|TH|st|nd|rd|th) (?:LD|LEAD)(?:-Writethru)?|LD|WDH(?: ?\d)?)\s?[-:/]\s?)+(?=\w|[\"“'‘])"
)
_LEAD_BEHIND = re.compile(
    r"(?<!\s)\s+(?:\((?:\d(?:er|ère|e|è|ª|º)?\s)?(?:LEAD(?: ALL)?|Lead|AMPL\.?|[Aa]mpliaci[óo]n|AMPLIACI[ÓO]N|ampl\.?)\)|=)$"
)
"""Which version it is, as Yonhap, Kyodo, Xinhua, dpa-AFX, AFP and EFE mark it: `(2nd LD) Port reopens`, `El puerto reabre (Ampliación)`."""
_AGENCY = re.compile(r"([A-Z]{2,8})/(?=\S)")
_NONE = re.compile(
    r"[\W_]*(?:(?:ap|afp|reuters|upi)[ -]?news ?alert|news ?flash|alerte?|flash|bulletin|eilmeldung|no (?:headline|title)|untitled|sans titre|ohne titel|kein titel|sin t[íi]tulo|senza titolo|geen titel|\(?no ?title\)?)[\W_]*",
    re.IGNORECASE,
)

_NUMBER = re.compile(r"\W*[0-9]{7,18}\W*|[\w-]{1,60}\.(?:jpe?g|png|tiff?|gif|webp|mp4|mov)", re.IGNORECASE)
"""A number or file of a picture archive."""
_LINK = re.compile(r"(?<!\s)\s+https?://\S{1,500}$")
_ROUTED = re.compile(r"(?:(?:\([\w. ]{2,20}\)\s?)?[A-ZÁÉÍÓÚÑÜÇ][^:!?–—-]{1,30}?\.[-–—]\s?){1,3}(?=[\w¿¡\"“«'‘(])")
"""Europa Press's desks in front of a headline: `ANDALUCÍA.-Córdoba.- The festival opens`."""


def bare(headline: str) -> tuple[str, str]:
    """The headline as readers should see it, and what was said beside it; empty where it only says that there is none."""
    if _NUMBER.fullmatch(headline):
        return "", ""
    if _NONE.fullmatch(headline):
        return "", headline
    said = ""
    if (starred := _STARRED.search(headline)) is not None:
        headline, said = headline[: starred.start()], starred.group(1)
    if "://" in headline and (link := _LINK.search(headline)) is not None and link.start() > 6:
        headline = headline[: link.start()]
    headline = _MARKS.sub("", headline)
    for found in (_LEAD.match(headline), _LEAD_BEHIND.search(headline, max(0, len(headline) - 30))):
        if found is not None and found.group(0).strip(" ="):
            said = " ".join(filter(None, (found.group(0).strip(" -:/"), said)))
    headline = (
        _LEAD.sub("", _LEAD_BEHIND.sub("", headline), 1) if _LEAD.match(headline) else _LEAD_BEHIND.sub("", headline)
    )
    if (version := _VERSION.match(headline)) is not None:
        headline, said = headline[version.end() :], " ".join(filter(None, (version.group(0).rstrip("-"), said)))
    if (routed := _ROUTED.match(headline)) is not None and len(headline) - routed.end() > 10:
        headline, said = headline[routed.end() :], " ".join(filter(None, (routed.group(0).strip(" .-–—"), said)))
    if "--" in headline[:12] and (cycle := _CYCLE.match(headline)) is not None:
        headline, said = headline[cycle.end() :], " ".join(filter(None, (cycle.group(0).rstrip("-"), said)))
    agency = _AGENCY.match(headline)
    if agency is not None and is_agency(agency.group(1)):
        headline = headline[agency.end() :]
    return headline.strip(), said


def without_source(headline: str, credit: str) -> str:
    """The headline without the source that gatherers of news write behind it: `Port reopens - BBC News`."""
    if len(credit) < _SHORTEST_SOURCE or not headline.endswith(credit):
        return headline
    left = headline[: -len(credit)].rstrip()
    return left[:-1].rstrip() if left[-1:] in "-–—|" and len(left) > len(credit) // 2 + _SHORTEST_SOURCE else headline


_SHORTEST_SOURCE = 3

"""IPTC 7901, the text message of European agencies: https://www.iptc.org/std/IPTC7901/1.0/specification/7901V5.pdf

`SOH service+number priority category words optional, keyword lines, STX text ETX date-time group`. The format has no id
that lasts: a message is known by its service, number and date, so a later lead is an update of its own.
"""

import re

from ingest.formats import times, vocabularies
from ingest.formats.model import Document, Draft, Format, Parsed, RefusedItem
from ingest.formats.text import plain as text
from ingest.formats.text import teleprinter

_HEADER = re.compile(
    r"^\s*([A-Za-z]{2,5}?)(\d{3,5})\s+([0-9])\s+([A-Za-z]{1,4})\s+(\d{1,6})(?:[ \t]+([^\n]*))?(?:\n|$)"
)
_HEAD = re.compile(rb"^[\x00\x16\s]*\x01\s*[A-Za-z]{2,5}\d{3,5}\s+[0-9]\s+[A-Za-z]{1,4}\s+\d")
_UNFRAMED = re.compile(r"^\s*[a-z]{3}\d{4} [1-9] [a-z]{1,3} \d{1,5}\b")
_PRIVATE = re.compile(
    r"^[*# \t]{0,20}(?:The following information is not (?:intended )?for publication|Die folgenden Informationen sind nicht zur Ver.{1,2}ffentlichung(?: bestimmt)?)[.:]?[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_NOTES = re.compile(r"^#[ \t]*(?:Notebook|Notizblock)[ \t]*$", re.MULTILINE)
_SIGNALS = (
    (re.compile(r"\b(?:correct(?:ion|ed)|berichtig(?:t|ung)|korrektur)\b", re.IGNORECASE), "correction"),
    (re.compile(r"\b(?:mandatory kill|kill|withdrawal|zur.{1,2}ckgezogen)\b", re.IGNORECASE), "kill"),
    (re.compile(r"\b(?:\d(?:st|nd|rd|th) lead|update|refile|new lead|aktualisiert)\b", re.IGNORECASE), "update"),
)

_LEAD_LINE = re.compile(
    r"^(?:\d(?:ST|ND|RD|TH) (?:LEAD|UPDATE)|(?:NEW )?LEAD|REFILE|REPEAT|UPDATE \d*|CORRECTION|KILL|ADVISORY|EXTRA|ROUNDUP|WRAP|URGENT|(?:\d\.\s)?(?:ZUSAMMENFASSUNG|WIEDERHOLUNG|BERICHTIGUNG|KORREKTUR|NEU))(?:\s?[:.]?\s?\d*)?$"
)
"""A line above the headline about the version: `1ST LEAD`, `REFILE`."""


def recognise(document: Document) -> int:
    """Sure of a header after SOH; less so of one whose control characters got lost on the way."""
    if _HEAD.match(document.body[:80]):
        return 90
    return 60 if _UNFRAMED.match(document.head) else 0


def read(document: Document) -> Parsed:
    """One draft for each message."""
    items: list[Draft | RefusedItem] = []
    for index, message in enumerate(teleprinter.messages(document)):
        place = f"message {index + 1}"
        found = _HEADER.match(message.lstrip("\x16"))
        if found is None:
            items.append(
                RefusedItem(
                    code="malformed-header",
                    place=place,
                    reason="no service, number, priority, category and word count",
                )
            )
        elif teleprinter.SOH in message or (teleprinter.STX in message and teleprinter.ETX not in message):
            items.append(RefusedItem(code="truncated", place=place, reason="the text has no end (ETX)"))
        else:
            items.append(_draft(place, found, message, document))
    return Parsed("iptc7901", items)


def _draft(place: str, found: re.Match[str], message: str, document: Document) -> Draft:
    service, number, priority, category, count, optional = found.groups()
    header, content, end = teleprinter.split(message)
    if teleprinter.STX not in message:
        header = header.partition("\n")[0]
        content = message[found.end() :].strip("\n")
    draft = Draft(place=place)
    fields = draft.fields
    lines = [line.strip() for line in header.split("\n")[1:] if line.strip()]
    fields["urgency"] = document.profile.urgencies.get(priority) or (int(priority) if priority != "0" else None)
    subject = vocabularies.subject("subject", code=category)
    fields["subjects"] = [subject] if subject else []
    content, private = _parted(content)
    head, body = _head(content)
    if not lines and head and "/" in head[0] and len(head) > 1:
        lines = [head.pop(0)]
    if lines and not _LEAD_LINE.match(lines[0]):
        fields["slugline"] = lines[0].rstrip("/ ")
        fields["keywords"] = [one.strip() for one in lines[0].split("/") if one.strip()]
    fields["byline"] = next((line for line in head if teleprinter.is_byline(line)), "")
    plain = [line for line in head if not teleprinter.is_byline(line)]
    while len(plain) > 1 and _LEAD_LINE.match(plain[0]):
        lines.append(plain.pop(0))
    # dpa writes "(Zusammenfassung 1545)" above the headline, which is about the version.
    fields["headline"] = next((line for line in plain if not line.startswith("(")), plain[0] if plain else "")
    body, notes = _noted(body)
    fields["body_html"] = text.paragraphs(body)
    if text.says_private(notes):
        notes, private = "", "\n".join(filter(None, (notes, private)))
    fields["editors_note"], fields["private_note"] = notes, private
    fields["located"], fields["credit"] = teleprinter.dateline(body)
    zone = times.zone(document.profile.time_zone)
    moment = teleprinter.time_group(end, zone) or teleprinter.time_group(content[-200:] + private[-200:], zone)
    fields["version_created"] = fields["first_created"] = moment
    for pattern, signal in _SIGNALS:
        if any(pattern.search(line) for line in lines[1:5]) or any(
            line.isupper() and pattern.search(line) for line in lines[:1]
        ):
            fields["signal"] = signal
            break
    if moment is not None:
        fields["guid"] = f"iptc7901:{service.lower()}{number}:{moment:%Y%m%d%H%M}"
    else:
        fields["guid"] = text.identity(service, number, fields["headline"], body)
        draft.repaired("identity-from-text")
    extra: dict[str, object] = {"service": service, "number": number, "words": int(count)}
    if optional and optional.strip():
        extra["optional"] = optional.strip()
    if len(lines) > 1:
        extra["header"] = lines[1:]
    fields["extra"] = extra
    draft.hints = {"line": lines[0] if lines else "", **{f"head:{place}": line for place, line in enumerate(head)}}
    return draft


def _parted(content: str) -> tuple[str, str]:
    """What is for publication and what is not."""
    found = _PRIVATE.search(content)
    if found is None:
        return content, ""
    public = content[: found.start()].rstrip("\n *")
    return public, content[found.end() :].strip()


def _noted(body: str) -> tuple[str, str]:
    """The text and its notebook, which is for editors and may be published."""
    found = _NOTES.search(body)
    return (body[: found.start()].rstrip(), body[found.end() :].strip()) if found else (body, "")


def _head(content: str) -> tuple[list[str], str]:
    """The lines above the text (headline, byline), and the text."""
    block, blank, rest = content.partition("\n\n")
    lines = [line.strip().rstrip("=").strip() for line in block.split("\n") if line.strip()]
    if blank and len(lines) <= 6 and rest.strip():
        return lines, rest
    first, _, rest = content.partition("\n")
    return [first.strip().rstrip("=").strip()], rest


FORMAT = Format(
    names=("iptc7901",),
    media_types=("text/vnd.iptc.7901",),
    recognise=recognise,
    read=read,
    family="text",
)

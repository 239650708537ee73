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
_HEAD = re.compile(rb"^[\x00\x16\x7f\s]*\x01\s*[A-Za-z]{2,5}\d{3,5}\s+[0-9]\s+[A-Za-z]{1,4}\s+\d")
_UNFRAMED = re.compile(r"^[\s\x00\x16\x7f]*[A-Za-z]{2,5}\d{3,5} +[1-9] +[A-Za-z]{1,4} +\d{1,6}(?:[ \t]+[^\n]{0,80})?\n")
_PRIVATE = re.compile(
    r"^[*# \t]{0,20}(?:The following information is not (?:intended )?for publication|Die folgenden Informationen sind nicht zur Ver.{1,2}ffentlichung(?: bestimmt)?)[.:]?[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_NOTES = re.compile(
    r"^[#*= \t]{0,10}(?:[a-z]{2,8}[ -])?(?:Notebook|Notizblock|Notepad|Redaktionelle Hinweise|Notes? to editors|Note aux r.{1,2}dactions)[ \t:*]*$",
    re.MULTILINE | re.IGNORECASE,
)
_SIGNALS = (
    (re.compile(r"\b(?:correct(?:ion|ed)|berichtig(?:t|ung)|korrektur)\b", re.IGNORECASE), "correction"),
    (re.compile(r"\b(?:mandatory kill|kill|withdrawal|zur.{1,2}ckgezogen)\b", re.IGNORECASE), "kill"),
    (re.compile(r"\b(?:\d(?:st|nd|rd|th) lead|update|refile|new lead|aktualisiert)\b", re.IGNORECASE), "update"),
)

_LEAD_LINE = re.compile(
    r"(?:\d(?:ST|ND|RD|TH) (?:LEAD|UPDATE)|(?:NEW |FIRST |SECOND |THIRD )?(?:NIGHT)?LEAD|REFILE|REPEAT|UPDATE \d*|CORRECTION|CORRECTED|KILL|ADVISORY|EXTRA|ROUNDUP|WRAP(?:UP)?|URGENT|FLASH|ALERT|BULLETIN|NEWS ?ANALYSIS|FEATURE|FACTBOX|PREVIEW|INTERVIEW|PROFILE|TIMELINE|BACKGROUND|"
    r"(?:\d\.\s)?(?:ZUSAMMENFASSUNG|WIEDERHOLUNG|BERICHTIGUNG|KORREKTUR|NEU|EIL(?:MELDUNG)?|BLITZ|VORRANG|AKTUALISIERUNG|AKTUALISIERT|HINTERGRUND|(?:TAGES)?[ÜU]BERBLICK|KORR-?BERICHT|PORTR[ÄA]T|ANALYSE|VORSCHAU|CHRONIK|STICHWORT|DOKUMENTATION|ACHTUNG)|"
    r"SITUATION|R[ÉE]SUM[ÉE]|D[ÉE]VELOPPEMENT|SYNTH[ÈE]SE|PAPIER G[ÉE]N[ÉE]RAL|LEAD G[ÉE]N[ÉE]RAL|AVANT-PAPIER|ENCADR[ÉE]|ÉCLAIRAGE|REPORTAGE|PORTRAIT|CORRECTIF|RECTIFICATIF|AVIS|BREF|COMMENTAIRE|"
    r"AVANCE|RESUMEN|AMPLIACI[ÓO]N|CORRECCI[ÓO]N|SINTESI|RIEPILOGO|SAMMANFATTNING|SAMMENDRAG|RETTELSE|R[ÄA]TTELSE)(?:\s?[:.]?\s?\d*)?$",
    re.IGNORECASE,
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
    if not lines and len(head) > 1 and _SLUG_LINE.match(head[0]):
        lines = [head.pop(0)]
    if lines and not _LEAD_LINE.match(lines[0]):
        fields["slugline"] = lines[0].strip("/ ")
        fields["keywords"] = [one.strip() for one in lines[0].split("/") if one.strip()]
    fields["byline"] = next((line for line in head if teleprinter.is_byline(line)), "")
    plain, about = _without_notes([line for line in head if not teleprinter.is_byline(line)])
    while len(plain) > 1 and _LEAD_LINE.match(plain[0]):
        lines.append(plain.pop(0))
    # dpa writes "(Zusammenfassung 1545)" above the headline, which is about the version.
    fields["headline"] = next((line for line in plain if not line.startswith("(")), plain[0] if plain else "")
    if (subhead := _SUBHEAD.match(body)) is not None:
        fields["summary"] = subhead.group(1)
        body = body[subhead.end() :]
    body, notes = _noted(body)
    fields["body_html"] = teleprinter.body_html(body)
    if not document.profile.public_notes or text.says_private(notes):
        notes, private = "", "\n".join(filter(None, (notes, private)))
    fields["editors_note"], fields["private_note"] = notes, "\n".join(filter(None, (private, about)))
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


def _without_notes(lines: list[str]) -> tuple[list[str], str]:
    """Lines above a text without notes in parentheses that go over several: `(Berichtigung: In der ersten Fassung ... war.)`."""
    kept: list[str] = []
    note: list[str] = []
    is_open = False
    for at, line in enumerate(lines):
        if not is_open and line.startswith("(") and ")" not in line and any(")" in one for one in lines[at + 1 :]):
            is_open = True
        if not is_open:
            kept.append(line)
            continue
        note.append(line)
        is_open = not line.endswith((")", ")."))
    return kept, " ".join(note)


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


_SLUG_LINE = re.compile(r"/?[\w&.'’ -]{2,40}(?:/[\w&.'’ -]{0,40}){1,6}/?$")
"""`/politics/Britain/`, `Yemen/conflict/`: what desks sort by."""
_SUBHEAD = re.compile(r"\s*(?:Utl|Zus)\.:[ \t]*([^\n]{2,300}?)[ \t]*=?[ \t]*\n\s*", re.IGNORECASE)
"""APA's second headline: `Utl.: Ships return =`."""
_MOST_HEAD_LINES = 8
_LONGEST_HEAD_LINE = 160


def _head(content: str) -> tuple[list[str], str]:
    """The lines above the text (headline, byline), and the text.

    They end at `=` or at the first blank line. A text without either begins with its headline in the first line.
    """
    lines = content.lstrip("\n").split("\n")
    found: list[str] = []
    for number, line in enumerate(lines[: 2 * _MOST_HEAD_LINES]):
        bare = line.strip()
        if not bare:
            # A blank line behind a slug or a genre parts what belongs together.
            if found and not (len(found) < 3 and all(_SLUG_LINE.match(one) or _LEAD_LINE.match(one) for one in found)):
                return _closed(found, lines[number:])
            continue
        if (
            len(found) == _MOST_HEAD_LINES
            or len(bare) > _LONGEST_HEAD_LINE
            or (found and teleprinter.dateline(bare)[0])
        ):
            break
        found.append(bare.rstrip("=+").strip())
        if bare.endswith("="):
            return _closed(found, lines[number + 1 :])
    if not found:
        return [], content
    return _closed(found[:1], lines[next(at for at, one in enumerate(lines) if one.strip()) + 1 :])


def _closed(found: list[str], rest: list[str]) -> tuple[list[str], str]:
    """Head and text; where nothing would be left as text, only the first line is the head."""
    body = "\n".join(rest).strip("\n")
    if not body.strip() and len(found) > 1:
        return found[:1], "\n".join(found[1:])
    return found, body


FORMAT = Format(
    names=("iptc7901",),
    media_types=("text/vnd.iptc.7901",),
    recognise=recognise,
    read=read,
    family="text",
)

"""CAP 1.2 (and 1.1), the Common Alerting Protocol: https://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2.html

An Update is a new version of the alert that it refers to, a Cancel kills each alert that it refers to. Only alerts of
status Actual, for the public, are published; exercises, tests and drafts are refused. Since later messages may refer to
an Update instead of the first alert, an Update's own identifier becomes an alias of the alert that it is a version of.

An alert in several languages is one update, in the source's language where it speaks that, else in its first; the
others are noted beside it. An Update and a Cancel name alerts, not languages: one update an alert is what they can
reach for certain. Who wants two languages sets up two sources, each with its own. Several infos in one language (other
events, other areas) are shown one below the other.
"""

import re
from datetime import datetime, tzinfo

from ingest.formats import media, times, vocabularies
from ingest.formats.fields import MediaFields, SubjectFields
from ingest.formats.html import from_xml
from ingest.formats.model import Document, Draft, Format, Parsed, RefusedItem, Unreadable
from ingest.formats.text import plain as text
from ingest.formats.xml import document as xml_document
from ingest.formats.xml.document import Element, child, children, language_of, local, words
from shared.messages.limits import LONGEST

_HEAD = (
    "identifier", "sender", "sent", "status", "msgType", "scope", "references", "note", "source", "incidents",
    "restriction", "code",
)  # fmt: skip
_SEVERITIES = {"Extreme": 1, "Severe": 2, "Moderate": 4, "Minor": 5, "Unknown": 5}


MAX_PARTS = 2_000
"""Alerts of a document, infos and references of an alert; real ones have dozens."""


def recognise(document: Document) -> int:
    """Sure of an `alert` in CAP's namespace."""
    name, tag = xml_document.root_name(document)
    if name == "alert" and ("emergency:cap" in tag or "<identifier" in document.head or ":identifier" in document.head):
        return 95
    return (
        75
        if name and "emergency:cap" in document.head and "alert" in document.head and name not in ("feed", "rss")
        else 0
    )


def read(document: Document) -> Parsed:
    """One draft for an alert, one for each alert that a Cancel names."""
    root = xml_document.parse(document)
    alerts = list(xml_document.outermost(root, "alert"))
    counts = {
        "/alert": len(alerts),
        "/alert/info": sum(1 for _ in root.iter("{*}info")),
        "/alert/references": max((len(words(one).split()) for one in root.iter("{*}references")), default=0),
    }
    for place, count in counts.items():
        if count > MAX_PARTS:
            raise Unreadable("too-many-items", place, f"{count}, {MAX_PARTS} are permitted")
    if not alerts:
        raise Unreadable("not-cap", "/", f"there is no alert in {local(root)[:60]!r}")
    items: list[Draft | RefusedItem] = []
    for index, alert in enumerate(alerts):
        items += _read_one(alert, f"/alert[{index + 1}]" if index else "/alert", document)
    return Parsed("cap", items)


def _read_one(alert: Element, place: str, document: Document) -> list[Draft | RefusedItem]:
    head = {name: words(child(alert, name)) for name in _HEAD}
    if refusal := _refusal(head, place):
        return [refusal]
    draft = Draft(place=place)
    references = _references(head["references"], draft)
    if head["msgType"] == "Update" and not references:
        draft.repaired("missing-references", "/references", "an Update that refers to nothing is taken as an Alert")
    zone = times.zone(document.profile.time_zone)
    sent = draft.time(head["sent"], zone, "/sent")
    if head["msgType"] == "Cancel":
        return [_kill(place, one, head, sent, draft) for one in references]
    _describe(draft, alert, head, sent, document)
    own = head["identifier"]
    draft.fields["guid"] = references[0] if references else own
    if references:
        draft.aliases = (own, *references[1:])
        draft.fields["signal"] = "update"
        draft.fields["replaces"] = references[1:]
    return [draft]


def _refusal(head: dict[str, str], place: str) -> RefusedItem | None:
    """Why an alert is not for readers, if it is not."""
    code = "not-for-publication"
    if not head["identifier"]:
        code, name, reason = "no-identity", "identifier", "the alert has no identifier"
    elif len(head["identifier"]) > LONGEST["guid"]:
        code, name, reason = "too-long", "identifier", f"more than {LONGEST['guid']} characters"
    elif head["status"] != "Actual":
        name, reason = "status", f"status is {head['status'][:40] or 'missing'!r}, only Actual is published"
    elif head["scope"] != "Public":
        name, reason = "scope", f"scope is {head['scope'][:40] or 'missing'!r}, only Public is published"
    elif head["msgType"] not in ("Alert", "Update", "Cancel"):
        code, name = "not-news", "msgType"
        reason = f"a message of type {head['msgType'][:40]!r} carries no alert"
    elif head["msgType"] == "Cancel" and not head["references"]:
        code, name, reason = "missing-field", "references", "a Cancel names the alerts that it cancels"
    else:
        return None
    return RefusedItem(code=code, place=f"{place}/{name}", reason=reason)


def _references(value: str, draft: Draft) -> list[str]:
    """Identifiers of `sender,identifier,sent` triples, the earliest first: it is the alert that began it."""
    found: list[tuple[datetime | None, str]] = []
    for triple in value.split():
        parts = triple.split(",")
        if len(parts) == 3:
            moment, _ = times.parse(parts[2])
            found.append((moment, parts[1]))
        else:
            draft.repaired("malformed-reference", "/references", triple)
            found.append((None, parts[1] if len(parts) > 1 else parts[0]))
    if all(moment is not None for moment, _ in found):
        found.sort(key=lambda one: one[0].timestamp() if one[0] else 0.0)
    return list(dict.fromkeys(identifier for _, identifier in found if identifier))


def _kill(place: str, guid: str, head: dict[str, str], sent: datetime | None, draft: Draft) -> Draft:
    kill = Draft(place=place, repairs=list(draft.repairs))
    kill.fields = {
        "guid": guid,
        "status": "canceled",
        "signal": "kill",
        "version_created": sent,
        "version": head["sent"],
    }
    if head["note"]:
        kill.fields["correction_reason"] = head["note"][: LONGEST["correction_reason"] + 1]
    kill.fields["extra"] = {"identifier": head["identifier"], "sender": head["sender"][:1000]}
    return kill


def _describe(draft: Draft, alert: Element, head: dict[str, str], sent: datetime | None, document: Document) -> None:
    fields = draft.fields
    fields["version"] = head["sent"] or None
    fields["version_created"] = sent
    fields["private_note"] = head["note"]
    extra: dict[str, object] = {
        name: value for name, value in head.items() if value and name not in ("note", "references")
    }
    infos = list(children(alert, "info"))
    if not infos:
        fields["headline"] = head["note"]
        fields["extra"] = extra
        return
    language = _chosen([_language(one) for one in infos], document.profile.language)
    ours = _distinct([one for one in infos if _language(one) == language])
    lead = next((one for one in ours if not _is_over(one)), ours[0])
    lead_texts = {name: words(child(lead, name)) for name in _INFO}
    fields["language"] = language
    fields["headline"] = lead_texts["headline"] or lead_texts["event"]
    fields["body_html"] = "".join(_text(one, alone=len(ours) == 1) for one in ours)
    fields["credit"] = lead_texts["senderName"]
    if url := media.absolute(lead_texts["web"]):
        fields["link"] = url
    urgencies = [_urgency(one, document) for one in ours if not _is_over(one)] or [_urgency(lead, document)]
    fields["urgency"] = min((one for one in urgencies if one), default=None)
    _info_times(draft, ours, times.zone(document.profile.time_zone))
    subjects = (one for info in ours for one in _subjects(info) if one)
    fields["subjects"] = list({(one["kind"], one["code"], one["name"]): one for one in subjects}.values())
    areas = (name for info in ours for area in children(info, "area") if (name := words(child(area, "areaDesc"))))
    fields["located"] = _located(list(dict.fromkeys(areas)))
    references = [one for info in ours for each in children(info, "resource") if (one := _resource(each))]
    if references:
        fields["media"] = media.with_roles(references)
    extra |= {name: value for name, value in lead_texts.items() if value and name in _KEPT}
    if several := [_pair(one) for info in ours for one in children(info, "parameter")]:
        unique = {(one["name"], one["value"]): one for one in several}
        extra["parameters"] = list(unique.values())[:MAX_PARAMETERS]
    if translations := _translations(infos, language):
        extra["translations"] = translations
    fields["extra"] = extra


MAX_PARAMETERS = 200
LONGEST_PLACE = 160
"""Characters of the areas that are named above a text; all of them are among its places."""


def _located(areas: list[str]) -> str:
    """As many of the areas as a dateline can hold; none where the first is a description instead of a name."""
    kept: list[str] = []
    for one in areas:
        if sum(len(name) + 2 for name in kept) + len(one) > LONGEST_PLACE:
            break
        kept.append(one)
    return "; ".join(kept)


_INFO = (
    "event", "urgency", "severity", "certainty", "headline", "senderName", "web", "contact", "audience",
    "responseType", "onset",
)  # fmt: skip
_KEPT = frozenset({"event", "urgency", "severity", "certainty", "contact", "audience", "responseType", "onset"})


def _language(info: Element) -> str:
    """The info's language; CAP's default is en-US."""
    return words(child(info, "language")) or language_of(info) or "en-US"


def _chosen(spoken: list[str], wanted: str | None) -> str:
    """The source's language where the alert speaks it, else the alert's first."""
    if wanted:
        for exact in (wanted.lower(), wanted.lower()[:2]):
            for one in spoken:
                if one.lower() == exact or (len(exact) == 2 and one.lower()[:2] == exact):
                    return one
    return spoken[0]


def _distinct(infos: list[Element]) -> list[Element]:
    """The infos that say something of their own: some senders repeat one for each of its categories or areas."""
    kept: dict[tuple[str, ...], Element] = {}
    for one in infos:
        texts = tuple(words(child(one, name)) for name in ("event", "headline", "description", "instruction"))
        if texts not in kept:
            kept[texts] = one
        else:
            for area in list(children(one, "area")):
                kept[texts].append(area)
    return list(kept.values())


def _is_over(info: Element) -> bool:
    return words(child(info, "responseType")) == "AllClear" or words(child(info, "urgency")) == "Past"


def _text(info: Element, *, alone: bool) -> str:
    """An info's text; where an alert has several, each stands under its own headline and areas."""
    parts = [
        _paragraphs("".join(map(str, one.itertext())))
        for name in ("description", "instruction")
        for one in children(info, name)
    ]
    if alone:
        return "".join(parts)
    own = words(child(info, "headline")) or words(child(info, "event"))
    places = "; ".join(dict.fromkeys(words(child(area, "areaDesc")) for area in children(info, "area")))
    heading = f"<h3>{text.escaped(own)}</h3>" if own else ""
    return "".join((heading, f"<p>{text.escaped(places)}</p>" if places else "", *parts))


def _paragraphs(value: str) -> str:
    """CAP's texts are plain; some senders write HTML in them all the same, and `None` where there is nothing to say."""
    if value.strip(" .\r\n\t").casefold() in _NOTHING:
        return ""
    if "&&" in value or "$$" in value:
        value = _TELEPRINTED.sub(" ", value)
    if "<" in value and text.is_markup(value):
        return value.strip() if from_xml.has_blocks(value.lower()) else text.paragraphs_of_inline(value)
    return text.paragraphs(_unindented(value))


_NOTHING = frozenset(
    {
        "none",
        "n/a",
        "na",
        "nil",
        "null",
        "not applicable",
        "-",
        "--",
        "keine",
        "aucune",
        "aucun",
        "ninguna",
        "ninguno",
        "nessuna",
    }
)
_TELEPRINTED = re.compile(r"(?<!\S)(?:&&|\$\$)(?!\S)")
"""Marks of the US weather service's teleprinter: the end of a section, and of a text."""
_INDENT = re.compile(r"(?m)^[ \t]+(?=\S)")


def _unindented(value: str) -> str:
    """A text without the indentation that its XML was laid out with: lines behind the first that all begin alike."""
    lines = [line for line in value.strip("\r\n").split("\n")[1:] if line.strip()]
    margins = {len(line) - len(line.lstrip()) for line in lines}
    return _INDENT.sub("", value) if len(margins) == 1 or (margins and min(margins) >= 4) else value


def _urgency(info: Element, document: Document) -> int | None:
    urgency, severity = words(child(info, "urgency")), words(child(info, "severity"))
    if known := document.profile.urgencies.get(severity):
        return known
    return 1 if urgency == "Immediate" and severity in ("Extreme", "Severe") else _SEVERITIES.get(severity)


def _translations(infos: list[Element], language: str) -> dict[str, dict[str, str]]:
    """What the alert says in its other languages, by language."""
    found: dict[str, dict[str, str]] = {}
    for one in infos:
        if (spoken := _language(one)) != language:
            texts = found.setdefault(spoken, {})
            for name in ("headline", "event", "description", "instruction"):
                if value := words(child(one, name)):
                    texts[name] = "\n".join(dict.fromkeys(filter(None, (texts.get(name), value))))[:4000]
    return found


def _info_times(draft: Draft, infos: list[Element], zone: tzinfo) -> None:
    """In force from the first until the last of the infos ends; one that names no end lasts."""
    begins = [_time(draft, info, "effective", zone) for info in infos]
    if known := [moment for moment in begins if moment is not None]:
        draft.fields["first_created"] = min(known)
    ends = [_time(draft, info, "expires", zone) or (None if _is_over(info) else times.LATEST) for info in infos]
    if (known := [moment for moment in ends if moment is not None]) and (last := max(known)) != times.LATEST:
        draft.fields["expires_at"] = last


def _time(draft: Draft, info: Element, name: str, zone: tzinfo) -> datetime | None:
    written = words(child(info, name))
    return draft.time(written, zone, f"/info/{name}") if written else None


def _subjects(info: Element) -> list[SubjectFields | None]:
    found = [
        vocabularies.subject("subject", code=f"capcat:{category}", name=category)
        for one in children(info, "category")
        if (category := words(one))
    ]
    found += [vocabularies.subject("event", name=words(one)) for one in children(info, "event")]
    for one in children(info, "eventCode"):
        name, value = _pair(one).values()
        found.append(vocabularies.subject("event", code=value, scheme=name))
    for area in children(info, "area"):
        codes = [_pair(one) for one in children(area, "geocode")]
        found.append(
            vocabularies.subject(
                "place",
                name=words(child(area, "areaDesc")),
                code=f"{codes[0]['name']}:{codes[0]['value']}" if codes else None,
            )
        )
    return found


def _pair(element: Element) -> dict[str, str]:
    return {"name": words(child(element, "valueName")), "value": words(child(element, "value"))}


def _resource(resource: Element) -> MediaFields | None:
    url = media.absolute(words(child(resource, "uri")))
    if url is None:
        return None
    mime = words(child(resource, "mimeType")) or None
    if mime and mime.startswith("text/"):
        return None
    offer = media.Offer(url, mime, size_bytes=media.number(words(child(resource, "size"))))
    return media.reference(
        [offer],
        media.kind_of(mime, media.by_extension(url), default="document"),
        {"caption": words(child(resource, "resourceDesc"))},
    )


FORMAT = Format(
    names=("cap",),
    media_types=("application/cap+xml", "application/common-alerting-protocol+xml"),
    recognise=recognise,
    read=read,
    family="xml",
)

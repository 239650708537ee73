"""CAP 1.2 (and 1.1), the Common Alerting Protocol: https://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2.html

An Update is a new version of the alert that it refers to, a Cancel kills each alert that it refers to. Only alerts of
status Actual, for the public, are published; exercises, tests and drafts are refused. Since later messages may refer to
an Update instead of the first alert, an Update's own name is told as an alias of the alert it became a version of.
"""

from datetime import datetime
from typing import Any

from ingest.formats import media, text, times, vocabularies, xml_document
from ingest.formats.reading import Document, Draft, Format, Parsed, Refused, Unreadable
from ingest.formats.xml_document import child, children, language_of, local, words

_SEVERITIES = {"Extreme": 1, "Severe": 2, "Moderate": 4, "Minor": 5, "Unknown": 5}


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
    alerts = [root] if local(root) == "alert" else list(root.iter("{*}alert"))
    if not alerts:
        raise Unreadable("not-cap", "/", f"there is no alert in {local(root)[:60]!r}")
    items: list[Draft | Refused] = []
    for index, alert in enumerate(alerts):
        items += _read_one(alert, f"/alert[{index + 1}]" if index else "/alert", document)
    return Parsed("cap", items)


def _read_one(alert: Any, place: str, document: Document) -> list[Draft | Refused]:
    said = {
        name: words(child(alert, name))
        for name in (
            "identifier",
            "sender",
            "sent",
            "status",
            "msgType",
            "scope",
            "references",
            "note",
            "source",
            "incidents",
            "restriction",
            "code",
        )
    }
    if refusal := _refusal(said, place):
        return [refusal]
    draft = Draft(place=place)
    references = _references(said["references"], draft)
    if said["msgType"] == "Update" and not references:
        draft.repaired("missing-references", "/references", "an Update that refers to nothing is taken as an Alert")
    zone = times.zone(document.profile.time_zone)
    sent, code = times.parse(said["sent"], zone)
    if code:
        draft.repaired(code, "/sent", said["sent"])
    if said["msgType"] == "Cancel":
        return [_kill(place, one, said, sent, draft) for one in references]
    _describe(draft, alert, said, sent, document)
    own = said["identifier"]
    draft.fields["guid"] = references[0] if references else own
    if references:
        draft.aliases = (own, *references[1:])
        draft.fields["signal"] = "update"
        draft.fields["replaces"] = tuple(references[1:])
    return [draft]


def _refusal(said: dict[str, str], place: str) -> Refused | None:
    """Why an alert is not for readers, if it is not."""
    code = "not-for-publication"
    if not said["identifier"]:
        code, name, reason = "no-identity", "identifier", "the alert has no identifier"
    elif said["status"] != "Actual":
        name, reason = "status", f"status is {said['status'][:40] or 'missing'!r}, only Actual is published"
    elif said["scope"] and said["scope"] != "Public":
        name, reason = "scope", f"scope is {said['scope'][:40]!r}, only Public is published"
    elif said["msgType"] not in ("Alert", "Update", "Cancel"):
        code, name = "not-news", "msgType"
        reason = f"a message of type {said['msgType'][:40]!r} carries no alert"
    elif said["msgType"] == "Cancel" and not said["references"]:
        code, name, reason = "missing-field", "references", "a Cancel names the alerts that it cancels"
    else:
        return None
    return Refused(index=0, code=code, place=f"{place}/{name}", reason=reason)


def _references(said: str, draft: Draft) -> list[str]:
    """Identifiers of `sender,identifier,sent` triples, the earliest first: it is the alert that began it."""
    found: list[tuple[datetime | None, str]] = []
    for triple in said.split():
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


def _kill(place: str, guid: str, said: dict[str, str], sent: datetime | None, draft: Draft) -> Draft:
    kill = Draft(place=place, repairs=list(draft.repairs))
    kill.fields = {
        "guid": guid,
        "status": "canceled",
        "signal": "kill",
        "version_created": sent,
        "version": said["sent"],
    }
    if said["note"]:
        kill.fields["correction_reason"] = said["note"]
    kill.fields["extra"] = {"identifier": said["identifier"], "sender": said["sender"]}
    return kill


def _describe(draft: Draft, alert: Any, said: dict[str, str], sent: datetime | None, document: Document) -> None:
    fields = draft.fields
    fields["version"] = said["sent"] or None
    fields["version_created"] = sent
    if said["note"]:
        fields["editors_note"] = said["note"]
    infos = list(children(alert, "info"))
    info = _chosen(infos, document.profile.language)
    extra: dict[str, Any] = {
        name: value for name, value in said.items() if value and name not in ("note", "references")
    }
    if info is None:
        fields["headline"] = said["note"]
        fields["extra"] = extra
        return
    told = {
        name: words(child(info, name))
        for name in (
            "event",
            "urgency",
            "severity",
            "certainty",
            "headline",
            "senderName",
            "web",
            "contact",
            "audience",
            "language",
        )
    }
    fields["headline"] = told["headline"] or told["event"]
    parts = [
        text.paragraphs("".join(one.itertext()))
        for name in ("description", "instruction")
        for one in children(info, name)
    ]
    fields["body_html"] = "".join(parts)
    fields["credit"] = told["senderName"]
    fields["language"] = told["language"] or language_of(info)
    if url := media.absolute(told["web"]):
        fields["link"] = url
    fields["urgency"] = document.profile.urgencies.get(told["severity"]) or (
        1
        if told["urgency"] == "Immediate" and told["severity"] in ("Extreme", "Severe")
        else _SEVERITIES.get(told["severity"])
    )
    _info_times(draft, info, times.zone(document.profile.time_zone))
    fields["subjects"] = [one for one in _subjects(info) if one]
    fields["located"] = "; ".join(
        dict.fromkeys(name for area in children(info, "area") if (name := words(child(area, "areaDesc"))))
    )
    references = [one for resource in children(info, "resource") if (one := _resource(resource))]
    if references:
        fields["media"] = media.with_roles(references)
    extra |= {
        name: value
        for name, value in told.items()
        if value and name in ("event", "urgency", "severity", "certainty", "contact", "audience")
    }
    if several := [_pair(one) for one in children(info, "parameter")]:
        extra["parameters"] = several
    if len(infos) > 1:
        extra["languages"] = {
            words(child(one, "language")) or "en-US": words(child(one, "headline")) or words(child(one, "event"))
            for one in infos
        }
    fields["extra"] = extra


def _chosen(infos: list[Any], language: str | None) -> Any:
    """The info in the source's language, else the first; CAP's default language is en-US."""
    if language:
        for one in infos:
            if (words(child(one, "language")) or "en-US").lower().startswith(language.lower()[:2]):
                return one
    return infos[0] if infos else None


def _info_times(draft: Draft, info: Any, zone: Any) -> None:
    for name, ours in (("expires", "expires_at"), ("effective", "first_created")):
        if written := words(child(info, name)):
            moment, code = times.parse(written, zone)
            if code:
                draft.repaired(code, f"/info/{name}", written)
            if moment is not None:
                draft.fields[ours] = moment


def _subjects(info: Any) -> list[dict[str, Any] | None]:
    found = [
        vocabularies.subject("subject", code=f"capcat:{said}", name=said)
        for one in children(info, "category")
        if (said := words(one))
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


def _pair(element: Any) -> dict[str, str]:
    return {"name": words(child(element, "valueName")), "value": words(child(element, "value"))}


def _resource(resource: Any) -> dict[str, Any] | None:
    url = media.absolute(words(child(resource, "uri")))
    if url is None:
        return None
    mime = words(child(resource, "mimeType")) or None
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

"""Which documents are NITF, and what `head` says: identity, status, times, rights, subjects.

A DTD that a document names is never fetched. Notes that NITF defines as not for publication (`ed-msg`, `note` of type
`npa`) become the private note.
"""

from datetime import datetime, tzinfo

from ingest.formats import media, times, vocabularies
from ingest.formats.fields import SubjectFields, UpdateFields, strings
from ingest.formats.model import Document, Draft, Format, Parsed, Unreadable, refuse_many
from ingest.formats.text import plain as text
from ingest.formats.xml import document as xml_document
from ingest.formats.xml.document import XML_LANG, Element, child, children, local, words
from ingest.formats.xml.nitf.body import body_of

_CONTENT_KINDS = {
    "person": "person", "org": "organisation", "location": "place", "event": "event", "object.title": "other",
    "function": "other", "virtloc": "other", "money": "other", "classifier": "subject",
}  # fmt: skip


def recognise(document: Document) -> int:
    """Sure of a `nitf` root element."""
    name, _ = xml_document.root_name(document)
    return 95 if name.lower() == "nitf" else 60 if name and "<nitf" in document.head else 0


def read(document: Document) -> Parsed:
    """One draft for each `nitf` element: the root, or those in some wrapping of the sender's."""
    root = xml_document.parse(document)
    found = list(xml_document.outermost(root, "nitf", "NITF"))
    refuse_many(len(found), "/")
    if not found:
        raise Unreadable("not-nitf", "/", f"there is no nitf element in {local(root)[:60]!r}")
    return Parsed("nitf", [_draft(one, index, document) for index, one in enumerate(found)])


def _draft(element: Element, index: int, document: Document) -> Draft:
    draft = Draft(place=f"/nitf[{index + 1}]" if index else "/nitf")
    fields = draft.fields
    head = child(element, "head")
    hints: dict[str, str] = {}
    docdata = child(head, "docdata")
    if head is not None:
        for one in children(head, "meta"):
            hints[f"meta:{one.get('name', '')}"] = one.get("content", "")
        hints["title"] = words(child(head, "title"))
        _revision(draft, head)
    _identity(draft, docdata, hints)
    _management(draft, element, docdata, document)
    subjects = _subjects(head, docdata)
    fields.update(body_of(element, document.profile.media_base_url, draft))
    fields["subjects"] = [*subjects, *fields.get("subjects", ())]
    fields["headline"] = fields.get("headline") or hints.get("title", "")
    _language(fields, element)
    _pubdata(fields, head)
    draft.hints = {**hints, **strings(fields)}
    extra = {name: value for name, value in hints.items() if name.startswith("meta:") and value}
    if extra or fields.get("extra"):
        fields["extra"] = {**fields.get("extra", {}), **extra}
    if not fields.get("guid"):
        _identity_from_text(draft)
    return draft


def _revision(draft: Draft, head: Element) -> None:
    """The comments of the revision history, which are for editors."""
    value = [note for one in head.iter("{*}revision-history") if (note := (one.get("comment") or "").strip())]
    if value:
        draft.fields["private_note"] = "\n".join(value)


def _identity(draft: Draft, docdata: Element | None, hints: dict[str, str]) -> None:
    fields = draft.fields
    if docdata is None:
        return
    key = child(docdata, "du-key")
    if key is not None:
        hints["du-key"] = key.get("key", "")
        if version := key.get("version"):
            fields["version"] = version
    identity = child(docdata, "doc-id")
    if identity is not None:
        hints["doc-id"] = identity.get("id-string", "")
        if source := identity.get("regsrc"):
            hints["regsrc"] = source
    document, story = hints.get("doc-id") or "", hints.get("du-key") or ""
    # A document id that only adds to the story's key is the id of one version: `d9cde75b_47` of `d9cde75b`.
    guid = story if story and document.startswith(story) else document or story
    if guid:
        fields["guid"] = guid.strip()


def _identity_from_text(draft: Draft) -> None:
    fields = draft.fields
    value = (
        fields.get("headline"),
        fields.get("slugline"),
        fields.get("first_created") or fields.get("version_created"),
        fields.get("body_html") if not fields.get("headline") else "",
    )
    if any(value):
        fields["guid"] = text.identity(*(str(one or "") for one in value))
        draft.repaired("identity-from-text")


def _management(draft: Draft, element: Element, docdata: Element | None, document: Document) -> None:
    if docdata is None:
        return
    fields = draft.fields
    value = (docdata.get("management-status") or element.get("management-status") or "").strip()
    status = (
        document.profile.statuses.get(value)
        or vocabularies.EARLIER_STATUSES.get(value.lower())
        or ("withheld" if value else "usable")
    )
    if value and value.lower() not in vocabularies.EARLIER_STATUSES and value not in document.profile.statuses:
        draft.repaired("unknown-status", "/head/docdata/@management-status", value)
    fields["status"] = status
    _dates(draft, docdata, value.lower() == "embargoed", times.zone(document.profile.time_zone))
    if refers := docdata.get("management-doc-idref"):
        if status == "canceled":
            fields["guid"] = refers
        elif refers != fields.get("guid"):
            fields["replaces"] = [refers]
    _urgency(draft, docdata, document)
    correction = child(docdata, "correction")
    if correction is not None:
        fields["signal"] = "correction"
        fields["correction_reason"] = correction.get("info") or words(correction)
        corrected = correction.get("id-string")
        if corrected and corrected != fields.get("guid"):
            fields["replaces"] = [*fields.get("replaces", ()), corrected]
    private = [value for one in children(docdata, "ed-msg") if (value := one.get("info") or words(one))]
    if private:
        fields["private_note"] = "\n".join(filter(None, (fields.get("private_note"), *private)))
    _rights(fields, docdata)


def _dates(draft: Draft, docdata: Element, embargoed: bool, zone: tzinfo) -> None:
    """When it was issued, may be released, and expires; an embargo that nobody can read keeps the item from readers."""
    fields = draft.fields
    issue = _time(draft, child(docdata, "date.issue"), zone)
    release = _time(draft, child(docdata, "date.release"), zone, latest=True)
    expire = _time(draft, child(docdata, "date.expire"), zone)
    if issue is not None:
        fields["version_created"] = issue
    if expire is not None:
        fields["expires_at"] = expire
    if release is not None and (embargoed or issue is None or release > issue):
        fields["embargo_until"] = release
    elif embargoed:
        fields["status"] = "withheld"
        draft.repaired("embargo-unreadable", "/head/docdata/date.release", "withheld, since nobody can say until when")


def _urgency(draft: Draft, docdata: Element, document: Document) -> None:
    one = child(docdata, "urgency")
    if one is None and (holder := docdata.getparent()) is not None:
        one = child(holder, "urgency")
    value = one.get("ed-urg") if one is not None else None
    if value:
        if number := document.profile.urgency(value):
            draft.fields["urgency"] = number
        else:
            draft.repaired("urgency-out-of-range", "/head/docdata/urgency/@ed-urg", value)


def _rights(fields: UpdateFields, docdata: Element) -> None:
    one = child(docdata, "doc.copyright")
    if one is not None:
        fields["copyright"] = " ".join(
            filter(None, ("©" if one.get("holder") else "", one.get("year"), one.get("holder")))
        )
    one = child(docdata, "doc.rights")
    if one is not None:
        fields["usage_terms"] = words(one) or " ".join(filter(None, (one.get("type"), one.get("limitations"))))
    one = child(docdata, "series")
    if one is not None and (name := one.get("series.name")):
        fields["story"] = name
    one = child(docdata, "fixture")
    extra: dict[str, object] = {}
    if one is not None and (fixture := one.get("fix-id")):
        extra["fixture"] = fixture
    scope = [value for each in children(docdata, "doc-scope") if (value := each.get("scope"))]
    if scope:
        extra["scope"] = scope
    if extra:
        fields["extra"] = extra


def _time(draft: Draft, element: Element | None, zone: tzinfo, *, latest: bool = False) -> datetime | None:
    if element is None:
        return None
    written = element.get("norm") or words(element)
    if not written:
        return None
    return draft.time(written, zone, f"/head/docdata/{local(element)}", latest=latest)


def _subjects(head: Element | None, docdata: Element | None) -> list[SubjectFields]:
    found: list[SubjectFields | None] = []
    if head is not None:
        for topic in children(head, "tobject"):
            for one in children(topic, "tobject.subject"):
                number = one.get("tobject.subject.refnum") or ""
                names = [one.get(f"tobject.subject.{name}") for name in ("detail", "matter", "type")]
                code = f"subj:{number}" if number.isdigit() else number or one.get("tobject.subject.code")
                found.append(vocabularies.subject("subject", code=code, name=next(filter(None, names), None)))
            for one in children(topic, "tobject.property"):
                found.append(vocabularies.subject("genre", name=one.get("tobject.property.type")))  # noqa: PERF401
    if docdata is not None:
        for content in children(docdata, "identified-content"):
            found += [_identified(one) for one in content]
        for place in children(docdata, "evloc"):
            names = [place.get("city"), place.get("state-prov"), place.get("iso-cc")]
            found.append(vocabularies.subject("place", name=words(place) or ", ".join(filter(None, names)) or None))
    return [one for one in found if one]


def _identified(one: Element) -> SubjectFields | None:
    name = local(one)
    kind = _CONTENT_KINDS.get(name)
    if kind is None:
        return None
    if name == "classifier":
        kind = {"person": "person", "organization": "organisation", "location": "place"}.get(
            (one.get("type") or "").lower(), kind
        )
    return vocabularies.subject(
        kind,
        code=one.get("idsrc") and one.get("value") and f"{one.get('idsrc')}:{one.get('value')}",
        name=words(one) or one.get("value") or None,
    )


def _language(fields: UpdateFields, element: Element) -> None:
    body = child(element, "body")
    for one in (body, element):
        if one is not None and (value := one.get(XML_LANG) or one.get("lang") or one.get("baselang")):
            fields["language"] = value
            return


def _parts(keyword: str) -> list[str]:
    """The keywords of one that is a list: `Ausstellungen/Kunst/London/`."""
    listed = keyword.endswith("/") or keyword.count("/") > 2
    return [one.strip() for one in keyword.split("/") if one.strip()] if listed and "://" not in keyword else [keyword]


def _pubdata(fields: UpdateFields, head: Element | None) -> None:
    if head is None:
        return
    docdata = child(head, "docdata")
    if docdata is not None:
        keys = [
            value
            for keyed in children(docdata, "key-list")
            for one in children(keyed, "keyword")
            if (value := one.get("key") or words(one))
        ]
        if keys:
            fields["keywords"] = [part for one in keys for part in _parts(one)]
        key = child(docdata, "du-key")
        if key is not None and (slugline := key.get("key")):
            fields["slugline"] = slugline
    publication = child(head, "pubdata")
    if publication is None and docdata is not None:
        publication = child(docdata, "pubdata")
    if publication is None:
        return
    if written := publication.get("date.publication"):
        moment, _ = times.parse(written)
        if moment is not None:
            fields.setdefault("first_created", moment)
            fields.setdefault("version_created", moment)
    if url := media.absolute(publication.get("ex-ref")):
        fields["link"] = url


FORMAT = Format(
    names=("nitf",),
    media_types=("application/nitf+xml", "text/vnd.iptc.nitf"),
    recognise=recognise,
    read=read,
    family="xml",
)

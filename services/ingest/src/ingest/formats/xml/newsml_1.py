"""NewsML 1.0 to 1.2, which agencies still send: https://iptc.org/standards/newsml-1/

An item is known by provider, date and item id; the revision is its version. Components are nested at will: a text is the
one whose role is main or body, a picture is a component with its renditions as content items or as components below it,
its caption a component beside them.
"""

from typing import Any

from ingest.formats import media, times, vocabularies
from ingest.formats.limits import add_text
from ingest.formats.reading import MAX_ITEMS, Document, Draft, Format, Parsed, RefusedItem, Unreadable
from ingest.formats.text import plain as text
from ingest.formats.xml import document as xml_document
from ingest.formats.xml import markup, nitf
from ingest.formats.xml.document import child, children, local, words

_STATUSES = {
    "usable": "usable",
    "embargoed": "usable",
    "withheld": "withheld",
    "canceled": "canceled",
    "cancelled": "canceled",
    "killed": "canceled",
}
_SIGNALS = {
    "correction": "correction",
    "corrected": "correction",
    "update": "update",
    "rectify": "correction",
    "kill": "kill",
    "delete": "kill",
    "advisory": "advisory",
}
_RENDITIONS = (
    "thumb",
    "preview",
    "quicklook",
    "highres",
    "highdef",
    "lowres",
    "web",
    "squared",
    "view",
    "high",
    "medium",
    "low",
    "original",
    "hires",
)
_TEXT_ROLES = {"main": 0, "body": 0, "": 1, "text": 1, "story": 0}
_NOT_TEXT = ("caption", "contact", "sidebar", "related", "title", "headline", "stylesheet", "tweettext", "logo")
_SUMMARY_ROLES = ("abstract", "summary", "teaser", "lead")
_NOTES = ("advisoryline", "advisory", "editorialinfo", "ednote")
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def recognise(document: Document) -> int:
    """Sure of a NewsML root element in no namespace of G2's."""
    name, _ = xml_document.root_name(document)
    return 95 if name == "NewsML" else 0


def read(document: Document) -> Parsed:
    """One draft for each NewsItem that has a component."""
    if (count := xml_document.prepared(document).count("<NewsItem>")) > MAX_ITEMS:
        raise Unreadable("too-many-items", "/NewsML", f"{count} items, {MAX_ITEMS} are permitted")
    root = xml_document.parse(document)
    found = list(xml_document.outermost(root, "NewsItem"))
    if len(found) > MAX_ITEMS:
        raise Unreadable("too-many-items", "/NewsML", f"{len(found)} items, {MAX_ITEMS} are permitted")
    items: list[Draft | RefusedItem] = []
    for index, one in enumerate(found):
        items.append(_draft(one, f"/NewsML/NewsItem[{index + 1}]", document))
    if not items:
        items.append(
            RefusedItem(index=0, code="not-news", place="/NewsML", reason="there is no NewsItem in the document")
        )
    return Parsed("newsml-1", items)


def _formal(element: Any) -> str:
    """What a formal name says; empty for None."""
    return (element.get("FormalName") or "").strip() if element is not None else ""


def _draft(item: Any, place: str, document: Document) -> Draft:
    draft = Draft(place=place)
    fields = draft.fields
    translations = _chosen_language(item, document.profile.language)
    _identity(draft, item)
    _management(draft, item, document)
    lines: dict[str, str] = {}
    keywords: list[str] = []
    for one in item.iter("{*}NewsLines"):
        for line in one:
            if said := words(line):
                lines.setdefault(_LINE_NAMES.get(local(line), local(line)), said)
                if local(line) == "KeywordLine":
                    keywords.append(said)
        _typed_lines(fields, lines, one)
    _words(fields, lines)
    _keywords(fields, item, keywords)
    fields["subjects"] = _subjects(item)
    _described_place(fields, item)
    language = next((said for one in item.iter("{*}Language") if (said := _formal(one))), "")
    if language := language or next((said for one in item.iter() if (said := one.get(_XML_LANG))), ""):
        fields["language"] = language.lower()
    parties = {name: _party(item, name) for name in ("Provider", "Source", "Creator")}
    if parties["Creator"]:
        fields["creators"] = [{"name": parties["Creator"]}]
    fields["credit"] = fields.get("credit") or parties["Provider"] or parties["Source"]
    _content(draft, item, document)
    if not fields.get("guid"):
        _identity_from_words(draft, item)
    if translations:
        fields["extra"] = {**fields.get("extra", {}), "translations": translations}
    draft.hints = {**lines, **{name: value for name, value in fields.items() if isinstance(value, str)}}
    return draft


def _chosen_language(item: Any, wanted: str | None) -> dict[str, str]:
    """Leaves one language in an item that says the same in several, and gives the headlines of the others.

    They are one item with one identity, so that a kill reaches all of it: the source's language is taken, else the first.
    """
    for holder in item.iter("{*}NewsComponent"):
        parts = [(one.get(_XML_LANG) or "", one) for one in children(holder, "NewsComponent")]
        spoken = list(dict.fromkeys(said for said, _ in parts if said))
        if len(spoken) < 2:
            continue
        ours = next((said for said in spoken if wanted and said.lower()[:2] == wanted.lower()[:2]), spoken[0])
        told: dict[str, str] = {}
        for said, one in parts:
            if said and said != ours:
                told.setdefault(said, words(next(one.iter("{*}HeadLine"), None)))
                holder.remove(one)
        return told
    return {}


_LINE_NAMES = {"Headline": "HeadLine"}


def _typed_lines(fields: dict[str, Any], lines: dict[str, str], holder: Any) -> None:
    """Lines of the provider's own types: a summary is one, advice to editors is for nobody else."""
    for one in children(holder, "NewsLine"):
        name, said = _formal(child(one, "NewsLineType")), words(child(one, "NewsLineText"))
        if not said:
            continue
        if name.lower() in _NOTES:
            add_text(fields, "private_note", said, "\n")
        elif name.lower() in _SUMMARY_ROLES:
            lines.setdefault("SubHeadLine", said)
        else:
            fields.setdefault("extra", {}).setdefault("lines", []).append({"type": name, "text": said})


def _keywords(fields: dict[str, Any], item: Any, lines: list[str]) -> None:
    """The keyword lines, else the keywords among the properties; the provider's notes to editors stand there too."""
    for one in item.iter("{*}Property"):
        name, said = one.get("FormalName") or "", one.get("Value") or ""
        if name == "Keyword" and said:
            lines.append(said)
        elif name == "Version" and (signal := _SIGNALS.get(said.lower())):
            fields.setdefault("signal", signal)
        elif name.lower() in _NOTES and said.strip():
            add_text(fields, "private_note", said.strip(), "\n")
    if lines:
        several = (one.strip() for line in lines for one in line.replace(";", ",").split(","))
        fields["keywords"] = list(dict.fromkeys(one for one in several if one))


def _party(item: Any, name: str) -> str:
    """The first party of a role."""
    return next(
        (said for holder in item.iter(f"{{*}}{name}") for one in children(holder, "Party") if (said := _formal(one))),
        "",
    )


def _subjects(item: Any) -> list[dict[str, Any]]:
    names = {words(child(topic, "FormalName")): words(_described(topic)) for topic in item.iter("{*}Topic")}
    subjects: dict[str, dict[str, Any] | None] = {}
    for one in item.iter("{*}SubjectCode"):
        for coded in one:
            if code := _formal(coded):
                subjects[code] = _subject(code, coded.get("Scheme"), names)
    for one in item.iter("{*}Genre"):
        if said := _formal(one):
            subjects[f"genre {said}"] = vocabularies.subject("genre", name=said)
    return [one for one in subjects.values() if one]


def _described(topic: Any) -> Any:
    """The English description of a topic's name, else the first."""
    found = [one for one in children(topic, "Description") if (one.get("Variant") or "Name") == "Name"]
    return next(
        (one for one in found if (one.get("{http://www.w3.org/XML/1998/namespace}lang") or "").startswith("en")),
        found[0] if found else None,
    )


def _subject(code: str, scheme: str | None, names: dict[str, str]) -> dict[str, Any] | None:
    coded = f"subj:{code}" if code.isdigit() and len(code) == 8 else code
    return vocabularies.subject(
        "subject", code=coded, scheme=None if coded != code else scheme, name=names.get(code) or None
    )


def _identity(draft: Draft, item: Any) -> None:
    identifier = child(item, "Identification", "NewsIdentifier")
    if identifier is None:
        return
    provider, date, number = (words(child(identifier, name)) for name in ("ProviderId", "DateId", "NewsItemId"))
    public = words(child(identifier, "PublicIdentifier"))
    numbered = child(identifier, "RevisionId")
    revision = words(numbered)
    flagged = f":{revision}{(numbered.get('Update') or '') if numbered is not None else ''}"
    if public.count(":") >= 5 and public.endswith((f":{revision}", flagged)):
        # The standard's urn:newsml:provider:date:item:revision+update; some put the revision into the item's id as well.
        draft.fields["guid"] = public.rpartition(":")[0]
    elif provider and number:
        draft.fields["guid"] = ":".join(filter(None, ("urn:newsml", provider, date, number)))
    elif public:
        draft.fields["guid"] = public.removesuffix(f":{revision}") if revision else public
    if revision:
        draft.fields["version"] = revision
    if label := words(child(item, "Identification", "NameLabel")):
        draft.fields["slugline"] = label


def _identity_from_words(draft: Draft, item: Any) -> None:
    """An item without an identifier is known by an id inside it, else by its words and the time of its making."""
    fields = draft.fields
    inner = next((said for one in item.iter("{*}guid") if (said := words(one))), "")
    told = [str(fields.get(name) or "") for name in ("headline", "first_created", "slugline")]
    if inner:
        fields["guid"] = inner
        draft.repaired("identity-from-content", "//guid", inner)
    elif told[0] or fields.get("body_html"):
        fields["guid"] = text.identity(*told, "" if told[0] else fields["body_html"])
        draft.repaired("identity-from-text")


def _management(draft: Draft, item: Any, document: Document) -> None:
    management = child(item, "NewsManagement")
    if management is None:
        return
    fields, zone = draft.fields, times.zone(document.profile.time_zone)
    for name, ours in (("FirstCreated", "first_created"), ("ThisRevisionCreated", "version_created")):
        if written := words(child(management, name)):
            moment, code = times.parse(written, zone)
            if code:
                draft.repaired(code, f"/NewsManagement/{name}", written)
            if moment is not None:
                fields[ours] = moment
    _status(draft, management, document)
    urgency = _formal(child(management, "Urgency")) or words(child(management, "Urgency"))
    number = document.profile.urgencies.get(urgency) or media.number(urgency or None)
    if number and 1 <= number <= 9:
        fields["urgency"] = number
    for one in children(management, "Instruction"):
        if signal := document.profile.signals.get(_formal(one)) or _SIGNALS.get(_formal(one).lower()):
            fields["signal"] = signal
    for one in children(management, "DerivedFrom"):
        if target := one.get("NewsItem"):
            fields["evolved_from"] = target


def _status(draft: Draft, management: Any, document: Document) -> None:
    fields = draft.fields
    said = _formal(child(management, "Status"))
    status = document.profile.statuses.get(said) or _STATUSES.get(said.lower(), "withheld" if said else "usable")
    if said and said.lower() not in _STATUSES and said not in document.profile.statuses:
        draft.repaired("unknown-status", "/NewsManagement/Status", said)
    fields["status"] = status
    change = words(child(management, "StatusWillChange", "DateAndTime"))
    until, _ = times.parse(change, times.zone(document.profile.time_zone)) if change else (None, "")
    if said.lower() == "embargoed":
        if until is not None:
            fields["embargo_until"] = until
        else:
            fields["status"] = "withheld"
            draft.repaired(
                "embargo-unreadable", "/NewsManagement/StatusWillChange", "withheld, since nobody can say until when"
            )


def _words(fields: dict[str, Any], lines: dict[str, str]) -> None:
    for name, ours in (
        ("HeadLine", "headline"),
        ("SubHeadLine", "summary"),
        ("ByLine", "byline"),
        ("CreditLine", "credit"),
        ("CopyrightLine", "copyright"),
        ("RightsLine", "usage_terms"),
        ("SlugLine", "slugline"),
    ):
        if said := lines.get(name):
            fields[ours] = said
    if said := lines.get("DateLine"):
        fields["located"] = text.place_of_dateline(said)


def _described_place(fields: dict[str, Any], item: Any) -> None:
    """City and country, as properties of a location or of the metadata itself."""
    told: dict[str, str] = {}
    for one in item.iter("{*}Property"):
        if one.get("FormalName") in ("City", "CountryArea", "Country") and one.get("Value"):
            told.setdefault(one.get("FormalName"), one.get("Value"))
    names = [told[name] for name in ("City", "CountryArea", "Country") if name in told]
    if names and (place := vocabularies.subject("place", name=", ".join(names))):
        fields["subjects"].append(place)
    if not fields.get("located") and "City" in told:
        fields["located"] = told["City"]


def _content(draft: Draft, item: Any, document: Document) -> None:
    fields, base = draft.fields, document.profile.media_base_url
    best = 9
    captions: dict[int, str] = {}
    pictures: dict[int, tuple[Any, list[media.Offer], list[str]]] = {}
    for content in xml_document.outermost(item, "ContentItem"):
        component = content.getparent()
        role = _formal(child(component, "Role")).lower()
        kind = (
            _formal(child(content, "MediaType"))
            or _formal(child(content, "MimeType"))
            or _formal(child(content, "Format"))
        )
        data = child(content, "DataContent")
        if content.get("Href"):
            holder = component
            if any(role.startswith(name) for name in _RENDITIONS) and local(component.getparent()) == "NewsComponent":
                holder = component.getparent()
            _, offers, sources = pictures.setdefault(id(holder), (holder, [], []))
            url = media.absolute(content.get("Href"), base)
            offers += [_offer(content, url, role)] if url else []
            sources += [] if url else [content.get("Href")]
        elif (
            data is not None
            and "css" not in kind.lower()
            and media.kind_of(kind, default="text") in ("text", "document")
        ):
            told = _text_of(data, base, draft)
            if role in _SUMMARY_ROLES:
                if said := text.of_html(told.get("body_html", "")):
                    fields["summary"] = said
                continue
            if role == "caption":
                parent = component.getparent()
                captions[id(parent)] = text.of_html(told.get("body_html", ""))
                continue
            rank = _TEXT_ROLES.get(role, 5 if role in _NOT_TEXT else 2)
            if told.get("body_html") and rank < best and rank < 5:
                best = rank
                fields.update(
                    {name: value for name, value in told.items() if name == "body_html" or not fields.get(name)}
                )
    _pictures(draft, pictures, captions)


def _pictures(
    draft: Draft, pictures: dict[int, tuple[Any, list[media.Offer], list[str]]], captions: dict[int, str]
) -> None:
    found: list[dict[str, Any]] = list(draft.fields.get("media") or ())
    unresolved: list[dict[str, str]] = []
    for key, (holder, offers, sources) in pictures.items():
        told = child(holder, "NewsLines")
        lines = {local(one): words(one) for one in told} if told is not None else {}
        role = _formal(child(holder, "Role"))
        own = {
            (one.get("FormalName") or "").lower(): one.get("Value") or one.get("value") or ""
            for item in children(holder, "ContentItem")
            if item.get("Href")
            for one in item.iter("{*}Property")
        }
        about = {
            "caption": captions.get(key) or own.get("caption") or lines.get("SubHeadLine") or lines.get("HeadLine"),
            "headline": lines.get("HeadLine"),
            "credit": own.get("credit") or lines.get("CreditLine") or lines.get("ByLine") or lines.get("CopyrightLine"),
            "copyright": lines.get("CopyrightLine"),
            "guid": holder.get("Duid"),
        }
        kind = media.kind_of(role.lower(), *(offer.mime_type for offer in offers))
        if made := media.reference(offers, kind, about):
            found.append(made)
        elif sources:
            unresolved.append(media.unresolved(sources[0], about))
    if found:
        draft.fields["media"] = media.with_roles(found)
    if unresolved:
        draft.fields["extra"] = {**draft.fields.get("extra", {}), "media_unresolved": unresolved}


def _offer(content: Any, url: str, role: str) -> media.Offer:
    told = {
        (one.get("FormalName") or "").lower().removeprefix("pixel"): one.get("Value")
        for one in content.iter("{*}Property")
    }
    size = words(child(content, "Characteristics", "SizeInBytes"))
    return media.Offer(
        url,
        _formal(child(content, "MimeType")) or None,
        media.number(told.get("width")),
        media.number(told.get("height")),
        media.number(size or None),
        role,
    )


def _text_of(data: Any, base: str | None, draft: Draft) -> dict[str, Any]:
    """The text of a data content: NITF, XHTML, bare paragraphs, escaped HTML or plain words."""
    inner = next((one for one in data if local(one)), None)
    if inner is None:
        said = data.text or ""
        if text.is_markup(said) and "</" in said:
            said = text.body_of_page(said).strip()
            return {"body_html": said if markup.has_blocks(said.lower()) else text.paragraphs_of_inline(said)}
        return {"body_html": text.paragraphs(said)}
    name = local(inner).lower()
    if name == "nitf":
        return nitf.body_of(inner, base, draft)
    if name == "body":
        return nitf.body_of(data, base, draft)
    if name == "html":
        body = child(inner, "body")
        return {"body_html": markup.page(inner if body is None else body)}
    return {
        "body_html": markup.in_paragraph(markup.to_html(data, {**markup.XHTML, **markup.NITF}, markup.NITF_DROPPED))
    }


FORMAT = Format(
    names=("newsml-1",),
    media_types=("application/newsml+xml", "text/vnd.iptc.newsml"),
    recognise=recognise,
    read=read,
    family="xml",
)

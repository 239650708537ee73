"""Items of NewsML 1: identity, status, lines, subjects.

An item is known by provider, date and item id; the revision is its version. Components are nested at will: a text is the
one whose role is main or body, a picture is a component with its renditions as content items or as components below it,
its caption a component beside them.
"""

from collections.abc import Iterator

from ingest.formats import times, vocabularies
from ingest.formats.fields import SubjectFields, TextField, TimeField, UpdateFields, append, strings
from ingest.formats.limits import add_text
from ingest.formats.model import Document, Draft, Format, Parsed, RefusedItem, refuse_many
from ingest.formats.text import plain as text
from ingest.formats.xml import document as xml_document
from ingest.formats.xml.document import XML_LANG, Element, child, children, formal_name, local, words
from ingest.formats.xml.newsml_1.content import SUMMARY_ROLES, read_content

_SIGNALS = {
    "correction": "correction", "corrected": "correction", "update": "update", "rectify": "correction",
    "kill": "kill", "delete": "kill", "advisory": "advisory",
}  # fmt: skip
_TIMES: dict[str, TimeField] = {"FirstCreated": "first_created", "ThisRevisionCreated": "version_created"}
_LINES: dict[str, TextField] = {
    "HeadLine": "headline", "SubHeadLine": "summary", "ByLine": "byline", "CreditLine": "credit",
    "CopyrightLine": "copyright", "RightsLine": "usage_terms", "SlugLine": "slugline",
}  # fmt: skip
_NOTES = ("advisoryline", "advisory", "editorialinfo", "ednote")


def recognise(document: Document) -> int:
    """Sure of a NewsML root element in no namespace of G2's."""
    name, _ = xml_document.root_name(document)
    return 95 if name == "NewsML" else 0


def read(document: Document) -> Parsed:
    """One draft for each NewsItem that has a component."""
    refuse_many(xml_document.prepared(document).count("<NewsItem>"), "/NewsML")
    root = xml_document.parse(document)
    found = list(xml_document.outermost(root, "NewsItem"))
    refuse_many(len(found), "/NewsML")
    items: list[Draft | RefusedItem] = []
    for index, one in enumerate(found):
        items.append(_draft(one, f"/NewsML/NewsItem[{index + 1}]", document))
    if not items:
        items.append(RefusedItem(code="not-news", place="/NewsML", reason="there is no NewsItem in the document"))
    return Parsed("newsml-1", items)


def _draft(item: Element, place: str, document: Document) -> Draft:
    draft = Draft(place=place)
    fields = draft.fields
    translations = _chosen_language(item, document.profile.language)
    _identity(draft, item)
    _management(draft, item, document)
    lines: dict[str, str] = {}
    keywords: list[str] = []
    _part_pictures(item)
    for one in of_text(item, "NewsLines"):
        for line in one:
            if value := words(line):
                lines.setdefault(_LINE_NAMES.get(local(line), local(line)), value)
                if local(line) == "KeywordLine":
                    keywords.append(value)
        _typed_lines(fields, lines, one)
    _words(fields, lines)
    _keywords(fields, item, keywords)
    fields["subjects"] = _subjects(item)
    _described_place(fields, item)
    named = next((name for one in of_text(item, "Language") if (name := formal_name(one))), None)
    if language := named or next((tag for one in item.iter() if (tag := one.get(XML_LANG))), None):
        fields["language"] = language.lower()
    parties = {name: _party(item, name) for name in ("Provider", "Source", "Creator")}
    if parties["Creator"]:
        fields["creators"] = [{"name": parties["Creator"]}]
    fields["credit"] = fields.get("credit") or parties["Provider"] or parties["Source"]
    read_content(draft, item, document.profile.media_base_url)
    if not fields.get("guid"):
        _identity_from_words(draft, item)
    if translations:
        fields["extra"] = {**fields.get("extra", {}), "translations": translations}
    draft.hints = {**lines, **strings(fields)}
    return draft


_OF_PICTURE = "of-a-picture"
"""Set on a component that is a picture's, beside a text."""


def _part_pictures(item: Element) -> None:
    """Mark the components that are pictures of an item of text: what they say is not about the text.

    An item that is nothing but pictures has none, since all that it says is about them.
    """
    texts: set[Element] = set()
    pictured: set[Element] = set()
    for content in item.iter("{*}ContentItem"):
        component = content.getparent()
        role = formal_name(child(component, "Role")).lower()
        holder = component
        is_text = child(content, "DataContent") is not None and role not in _OF_A_PICTURE
        while holder is not None and holder is not item:
            (texts if is_text else pictured).add(holder)
            holder = holder.getparent()
    if texts:
        for one in pictured - texts:
            if local(one) == "NewsComponent":
                one.set(_OF_PICTURE, "1")


_OF_A_PICTURE = ("caption", "quicklook", "thumbnail", "preview", "highdef", "legend", "bildtext")


def of_text(item: Element, name: str) -> Iterator[Element]:
    """The elements of a local name that are not in a picture's component."""
    for one in item.iter(f"{{*}}{name}"):
        if not any(holder.get(_OF_PICTURE) for holder in one.iterancestors("{*}NewsComponent")):
            yield one


def _chosen_language(item: Element, wanted: str | None) -> dict[str, str]:
    """Remove all languages but one from an item that says the same in several, and return the headlines of the others.

    They are one item with one identity, so that a kill reaches all of it: the source's language is taken, else the first.
    """
    for holder in item.iter("{*}NewsComponent"):
        parts = [(one.get(XML_LANG) or "", one) for one in children(holder, "NewsComponent")]
        spoken = list(dict.fromkeys(tag for tag, _ in parts if tag))
        if len(spoken) < 2:
            continue
        ours = next((tag for tag in spoken if wanted and tag.lower()[:2] == wanted.lower()[:2]), spoken[0])
        headlines: dict[str, str] = {}
        for tag, one in parts:
            if tag and tag != ours:
                headlines.setdefault(tag, words(next(one.iter("{*}HeadLine"), None)))
                holder.remove(one)
        return headlines
    return {}


_LINE_NAMES = {"Headline": "HeadLine"}


def _typed_lines(fields: UpdateFields, lines: dict[str, str], holder: Element) -> None:
    """Lines of the provider's own types: a summary is one, advice to editors is for nobody else."""
    for one in children(holder, "NewsLine"):
        name, value = formal_name(child(one, "NewsLineType")), words(child(one, "NewsLineText"))
        if not value:
            continue
        if name.lower() in _NOTES:
            add_text(fields, "private_note", value, "\n")
        elif name.lower() in SUMMARY_ROLES:
            lines.setdefault("SubHeadLine", value)
        else:
            append(fields.setdefault("extra", {}), "lines", {"type": name, "text": value})


def _keywords(fields: UpdateFields, item: Element, lines: list[str]) -> None:
    """The keyword lines, else the keywords among the properties; the provider's notes to editors stand there too."""
    for one in of_text(item, "Property"):
        name, value = one.get("FormalName") or "", one.get("Value") or ""
        if name == "Keyword" and value:
            lines.append(value)
        elif name == "Version" and (signal := _SIGNALS.get(value.lower())):
            fields.setdefault("signal", signal)
        elif name.lower() in _NOTES and value.strip():
            add_text(fields, "private_note", value.strip(), "\n")
    if lines:
        several = (one.strip() for line in lines for one in line.replace(";", ",").split(","))
        fields["keywords"] = list(dict.fromkeys(one for one in several if one))


def _party(item: Element, name: str) -> str:
    """The first party of a role."""
    return next(
        (value for holder in of_text(item, name) for one in children(holder, "Party") if (value := formal_name(one))),
        "",
    )


def _subjects(item: Element) -> list[SubjectFields]:
    names = {words(child(topic, "FormalName")): words(_described(topic)) for topic in item.iter("{*}Topic")}
    subjects: dict[str, SubjectFields | None] = {}
    for one in of_text(item, "SubjectCode"):
        for coded in one:
            if code := formal_name(coded):
                subjects[code] = _subject(code, coded.get("Scheme"), names)
    for one in item.iter("{*}Genre"):
        if value := formal_name(one):
            subjects[f"genre {value}"] = vocabularies.subject("genre", name=value)
    return [one for one in subjects.values() if one]


def _described(topic: Element) -> Element | None:
    """The English description of a topic's name, else the first."""
    found = [one for one in children(topic, "Description") if (one.get("Variant") or "Name") == "Name"]
    return next(
        (one for one in found if (one.get(XML_LANG) or "").startswith("en")),
        found[0] if found else None,
    )


def _subject(code: str, scheme: str | None, names: dict[str, str]) -> SubjectFields | None:
    coded = f"subj:{code}" if code.isdigit() and len(code) == 8 else code
    return vocabularies.subject(
        "subject", code=coded, scheme=None if coded != code else scheme, name=names.get(code) or None
    )


def _identity(draft: Draft, item: Element) -> None:
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


def _identity_from_words(draft: Draft, item: Element) -> None:
    """An item without an identifier is known by an id inside it, else by its words and the time of its making."""
    fields = draft.fields
    inner = next((value for one in item.iter("{*}guid") if (value := words(one))), "")
    texts = [str(fields.get(name) or "") for name in ("headline", "first_created", "slugline")]
    if inner:
        fields["guid"] = inner
        draft.repaired("identity-from-content", "//guid", inner)
    elif texts[0] or fields.get("body_html"):
        fields["guid"] = text.identity(*texts, "" if texts[0] else fields["body_html"])
        draft.repaired("identity-from-text")


def _management(draft: Draft, item: Element, document: Document) -> None:
    management = child(item, "NewsManagement")
    if management is None:
        return
    fields, zone = draft.fields, times.zone(document.profile.time_zone)
    for name, ours in _TIMES.items():
        written = words(child(management, name))
        if written and (moment := draft.time(written, zone, f"/NewsManagement/{name}")):
            fields[ours] = moment
    _status(draft, management, document)
    urgency = formal_name(child(management, "Urgency")) or words(child(management, "Urgency"))
    if number := document.profile.urgency(urgency or None):
        fields["urgency"] = number
    for one in children(management, "Instruction"):
        if signal := document.profile.signals.get(formal_name(one)) or _SIGNALS.get(formal_name(one).lower()):
            fields["signal"] = signal
    for one in children(management, "DerivedFrom"):
        if target := one.get("NewsItem"):
            fields["evolved_from"] = target


def _status(draft: Draft, management: Element, document: Document) -> None:
    fields = draft.fields
    value = formal_name(child(management, "Status"))
    status = document.profile.statuses.get(value) or vocabularies.EARLIER_STATUSES.get(
        value.lower(), "withheld" if value else "usable"
    )
    if value and value.lower() not in vocabularies.EARLIER_STATUSES and value not in document.profile.statuses:
        draft.repaired("unknown-status", "/NewsManagement/Status", value)
    fields["status"] = status
    change = words(child(management, "StatusWillChange", "DateAndTime"))
    zone = times.zone(document.profile.time_zone)
    until = draft.time(change, zone, "/NewsManagement/StatusWillChange", latest=True) if change else None
    if value.lower() == "embargoed":
        if until is not None:
            fields["embargo_until"] = until
        else:
            fields["status"] = "withheld"
            draft.repaired(
                "embargo-unreadable", "/NewsManagement/StatusWillChange", "withheld, since nobody can say until when"
            )


def _words(fields: UpdateFields, lines: dict[str, str]) -> None:
    for name, ours in _LINES.items():
        if line := lines.get(name):
            fields[ours] = line
    if dateline := lines.get("DateLine"):
        fields["located"] = text.place_of_dateline(dateline)


def _described_place(fields: UpdateFields, item: Element) -> None:
    """City and country, as properties of a location or of the metadata itself."""
    parts: dict[str, str] = {}
    for one in of_text(item, "Property"):
        name, value = one.get("FormalName"), one.get("Value")
        if name in ("City", "CountryArea", "Country") and value:
            parts.setdefault(name, value)
    names = [parts[name] for name in ("City", "CountryArea", "Country") if name in parts]
    if names and (place := vocabularies.subject("place", name=", ".join(names))):
        fields["subjects"].append(place)
    if not fields.get("located") and "City" in parts:
        fields["located"] = parts["City"]


FORMAT = Format(
    names=("newsml-1",),
    media_types=("application/newsml+xml", "text/vnd.iptc.newsml"),
    recognise=recognise,
    read=read,
    family="xml",
)

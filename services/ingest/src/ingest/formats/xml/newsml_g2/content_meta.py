"""`contentMeta` and `rightsInfo` of NewsML-G2: headline, byline, place, subjects, creators, descriptions, copyright."""

from ingest.formats import media
from ingest.formats.fields import append
from ingest.formats.limits import add_text
from ingest.formats.xml.document import Element, local, words
from ingest.formats.xml.newsml_g2.item import Handlers, NewsItem, bare, code_of

_KINDS = {
    "person": "person", "organisation": "organisation", "organization": "organisation", "geoarea": "place",
    "poi": "place", "place": "place", "event": "event", "abstract": "subject", "object": "other", "genre": "genre",
}  # fmt: skip
"""Kinds of subjects by the nature of their concept."""


def _icon(item: NewsItem, element: Element) -> None:
    """A small picture of the item, for items without another."""
    if url := media.absolute(element.get("href"), item.profile.media_base_url):
        item.icon = media.Offer(
            url, element.get("contenttype"), media.number(element.get("width")), media.number(element.get("height"))
        )


def _urgency(item: NewsItem, element: Element) -> None:
    """1 to 9."""
    value = words(element)
    if number := item.profile.urgency(value):
        item.fields["urgency"] = number
    elif value:
        item.draft.repaired("urgency-out-of-range", "/contentMeta/urgency", value)


def _located(item: NewsItem, element: Element) -> None:
    """Where the content was made."""
    if name := item.concept_name(element):
        add_text(item.fields, "located", name, "; ")
    append(item.extra, "located", code_of(element) or name)


def _creator(item: NewsItem, element: Element) -> None:
    """A creator or contributor with name, role and id."""
    name = item.concept_name(element)
    role = bare(element.get("role") or element.get("roleuri") or "")
    if not role and local(element) == "contributor":
        role = "contributor"
    if not name:
        append(item.extra, local(element), code_of(element))
        return
    mail = element.find(".//{*}email")
    organisation = element.find(".//{*}affiliation")
    item.creators.append(
        {
            "name": name,
            "uri": element.get("uri") or element.get("qcode"),
            "role": role or None,
            "email": words(mail) or None,
            "organisation": item.name_of(organisation) or None if organisation is not None else None,
        }
    )


def _language(item: NewsItem, element: Element) -> None:
    """The content's language, which goes before the metadata's."""
    if tag := element.get("tag"):
        item.fields.setdefault("language", tag)


def _subject(item: NewsItem, element: Element) -> None:
    """What the content is about; its type distinguishes persons, places and others."""
    kind = _KINDS.get(bare(element.get("type") or element.get("typeuri") or ""), "subject")
    item.add_subject(element, kind)


def _genre(item: NewsItem, element: Element) -> None:
    """Nature of the content."""
    item.add_subject(element, "genre")


def _keyword(item: NewsItem, element: Element) -> None:
    """A free keyword."""
    if value := words(element):
        item.keywords.append(value)


def _slugline(item: NewsItem, element: Element) -> None:
    """The slugline; several are joined."""
    if value := words(element):
        add_text(item.fields, "slugline", value, "-")


def _headline(item: NewsItem, element: Element) -> None:
    """The main headline in the item's language, else the first; the others are kept."""
    value = words(element)
    role = bare(element.get("role") or "")
    if not value:
        return
    fit = item.language_fit(element)
    if role in ("", "main", "hl1", "headline") and fit > item.fits.get("headline", -1):
        if item.fields.get("headline"):
            append(item.extra, "headlines", item.fields["headline"])
        item.fields["headline"], item.fits["headline"] = value, fit
    elif not item.fields.get("headline"):
        item.fields["headline"] = value
    else:
        append(item.extra, "headlines", value)
    item.hints[f"headline:{role}"] = value


def _dateline(item: NewsItem, element: Element) -> None:
    """The dateline as text, taken for the place where none is named."""
    if value := words(element):
        item.hints["dateline"] = value
        item.extra["dateline"] = value


def _by(item: NewsItem, element: Element) -> None:
    """The byline as text."""
    if value := words(element):
        add_text(item.fields, "byline", value, "; ")


def _credit(item: NewsItem, element: Element) -> None:
    """The credit line goes before the provider."""
    if value := words(element).rstrip(" -\u2013\u2014"):
        item.fields["credit"] = value


def _description(item: NewsItem, element: Element) -> None:
    """Summary, caption and the like, by role."""
    value, role, fit = words(element), bare(element.get("role") or ""), item.language_fit(element)
    if value and fit > item.fits.get(f"description:{role}", -1):
        item.fits[f"description:{role}"] = fit
        item.captions[role] = item.hints[f"description:{role}"] = value


def _copyright_holder(item: NewsItem, element: Element) -> None:
    """The holder, where there is no notice."""
    if name := item.concept_name(element):
        item.fields.setdefault("copyright", name)


def _copyright_notice(item: NewsItem, element: Element) -> None:
    """The notice goes before the holder."""
    item.put_best("copyright", element)


def _usage_terms(item: NewsItem, element: Element) -> None:
    """How the content may be used."""
    item.put_best("usage_terms", element)


def _digital_source_type(item: NewsItem, element: Element) -> None:
    """How the content came to be."""
    item.fields["digital_source_type"] = element.get("uri") or code_of(element) or words(element)


CONTENT_META: Handlers = {
    "icon": _icon, "urgency": _urgency, "contentCreated": NewsItem.set_time, "expires": NewsItem.set_time,
    "located": _located, "creator": _creator, "contributor": _creator, "language": _language, "genre": _genre,
    "keyword": _keyword, "subject": _subject, "slugline": _slugline, "headline": _headline, "dateline": _dateline,
    "by": _by, "digitalSourceType": _digital_source_type, "creditline": _credit, "description": _description,
}  # fmt: skip
RIGHTS_INFO: Handlers = {
    "copyrightHolder": _copyright_holder,
    "copyrightNotice": _copyright_notice,
    "usageTerms": _usage_terms,
}

"""Renditions and associations of ninjs: pictures, videos and sounds."""

from pydantic import JsonValue

from ingest.formats import media, vocabularies
from ingest.formats.fields import AboutMedia, MediaFields
from ingest.formats.json.document import text_of
from ingest.formats.json.ninjs.properties import NinjsItem, first_text, folded, name_of
from ingest.formats.json.ninjs.texts import Texts, best_of, of_role

_LEADS = ("featuremedia", "main", "mainpic", "lead", "hero", "header", "feature", "featureimage")


def named_members(several: JsonValue) -> list[tuple[str, NinjsItem]]:
    """Named members: an object's, or those of a list whose members have a `name`."""
    if isinstance(several, dict):
        return [(name, one) for name, one in several.items() if isinstance(one, dict)]
    if isinstance(several, list):
        return [(text_of(one.get("name")), one) for one in several if isinstance(one, dict)]
    return []


def media_of(item: NinjsItem, texts: Texts, base: str | None) -> tuple[list[MediaFields], list[dict[str, str]]]:
    """References to the item's own renditions and to its associations', and hrefs that nobody could fetch."""
    references: list[MediaFields] = []
    unresolved: list[dict[str, str]] = []
    own = text_of(item.get("type")).lower()
    if item.get("renditions") and (found := _reference(item, texts, base, unresolved, bare=own not in media.KINDS)):
        references.append(found)
    for name, one in named_members(item.get("associations")):
        association, texts_of_it, _ = folded(one)
        if vocabularies.STATUSES.get(text_of(association.get("pubstatus")).lower(), "usable") != "usable":
            continue
        if text_of(association.get("type")).lower() in ("text", "composite", "event", "planning"):
            continue
        found = _reference(association, texts_of_it, base, unresolved, bare=False)
        if found:
            if name.lower().partition("--")[0] in _LEADS and own not in media.KINDS:
                found["role"] = "lead"
            references.append(found)
    return media.with_roles(references), unresolved


_WORDS_ONLY = ("text/", "application/octet", "application/xml", "application/json")


def _reference(
    item: NinjsItem, texts: Texts, base: str | None, unresolved: list[dict[str, str]], *, bare: bool
) -> MediaFields | None:
    """What an item or association offers as a picture, video or sound; `bare` where its words are those of a text."""
    offers: list[media.Offer] = []
    sources: list[str] = []
    for name, one in named_members(item.get("renditions")) or ([("", item)] if item.get("href") else []):
        get = one.get
        href = get("href")
        if not isinstance(href, str):
            href = text_of(href)
        mime = get("mimetype") or get("contentType") or get("contenttype") or get("mimeType")
        if not isinstance(mime, str):
            mime = text_of(mime)
        if mime.startswith(_WORDS_ONLY):
            continue
        if url := media.absolute(href, base):
            size = get("sizeInBytes") or get("sizeinbytes") or get("size")
            offers.append(
                media.Offer(
                    url,
                    mime or None,
                    media.number(get("width")),
                    media.number(get("height")),
                    media.number(size) if size is not None else None,
                    name,
                )
            )
        elif href:
            sources.append(href)
    kind = media.kind_of(text_of(item.get("type")), *(offer.mime_type for offer in offers))
    about: AboutMedia = {
        "credit": of_role(texts["description"], "creditline")
        or first_text(item, "creditline", "byline", "by", "source"),
        "copyright": first_text(item, "copyrightnotice", "copyrightholder"),
        "usage_terms": first_text(item, "usageterms"),
        "digital_source_type": first_text(item, "digitalsourcetype", "digital_source_type"),
    }
    if not bare:
        about["guid"] = name_of(item)
        about["creator"] = first_text(item, "byline", "by")
        about["instructions"] = media.terms(
            first_text(item, "instructions", "special_instructions"), first_text(item, "ednote")
        )
        about["headline"] = best_of(texts["headline"], ("main",))
        about["caption"] = best_of(texts["description"], ("caption", "text", "html", "xhtml"))
        about["alt_text"] = first_text(item, "alt_text", "alttext") or of_role(texts["description"], "alt")
    if not offers and sources:
        unresolved.append(media.unresolved(sources[0], about))
    return media.reference(offers, kind, about)

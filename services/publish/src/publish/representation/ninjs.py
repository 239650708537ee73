"""An update as ninjs 3.1, for the tools that agencies and their clients have (IPTC)."""

from publish.representation.fragment import fitting
from publish.representation.origin import source_type_uri
from publish.representation.pictures import Layout, Picture, figure_elsewhere, pictures_of, with_pictures
from publish.representation.reader_json import dump
from publish.representation.reader_update import ReaderUpdate
from publish.representation.site import Site
from publish.representation.words import language_of, modified_at, printable, title_of
from shared.messages.blocks import BLOCK_TYPE

SUBJECT_KINDS = {"person": "people", "place": "places", "organisation": "organisations"}


def ninjs(site: Site, update: ReaderUpdate) -> dict[str, object]:
    """The item. Its version is our revision; what ninjs has no field for is left out."""
    item: dict[str, object] = {
        "uri": f"urn:slugline:update:{update.update_id}",
        "standard": {"name": "ninjs", "version": "3.1"},
        "type": "text",
        "representationType": "full",
        "version": str(update.revision),
        "firstCreated": site.iso(update.first_published_at),
        "versionCreated": site.iso(modified_at(update)),
        "pubStatus": "usable",
        "headlines": [{"role": "main", "value": title_of(update)}],
        "bodies": [
            {"role": "main", "contentType": "text/html", "value": _body(site, update), "wordCount": update.word_count},
            {"role": "text", "contentType": "text/plain", "value": printable(update.text)},
            *(
                {"role": block.kind, "contentType": BLOCK_TYPE, "value": printable(dump(block).decode())}
                for block in update.blocks
            ),
        ],
        "altIds": [{"role": "page", "value": site.url + update.path}],
    }  # fmt: skip
    optional = {
        "language": language_of(update),
        "by": printable(update.byline),
        "located": printable(update.located),
        "copyrightNotice": printable(update.copyright),
        "edNote": printable(update.editors_note),
        "urgency": update.urgency,
        "digitalSourceType": source_type_uri(update.digital_source_type),
    }
    item |= {name: value for name, value in optional.items() if value}
    if update.summary:
        item["descriptions"] = [{"role": "summary", "contentType": "text/plain", "value": printable(update.summary)}]
    if update.credit:
        item["infoSources"] = [{"name": printable(update.credit), "role": "credit"}]
    return item | _about(update) | _pictures(site, update)


def _body(site: Site, update: ReaderUpdate) -> str:
    """The body, with our own renditions of the pictures that stand in it."""
    standing = {anchor: each for each in pictures_of(update) for anchor in each.media.anchors}
    body = printable(update.body_html)
    if "data-picture" in body:
        body = fitting(body, 2)
    return with_pictures(body, Layout(None, standing, ()), lambda picture: figure_elsewhere(site.url, picture))


def _about(update: ReaderUpdate) -> dict[str, list[dict[str, str]]]:
    item: dict[str, list[dict[str, str]]] = {}
    subjects = [tag for tag in update.tags if tag.kind not in SUBJECT_KINDS]
    if subjects:
        item["subjects"] = [
            {
                "name": printable(tag.label),
                **({"uri": printable(tag.uri)} if tag.uri else {}),
                "literal": printable(tag.code),
            }
            for tag in subjects
        ]
    for kind, member in SUBJECT_KINDS.items():
        named = [tag for tag in update.tags if tag.kind == kind]
        if named:
            item[member] = [
                {
                    "name": printable(tag.label),
                    "literal": printable(tag.code),
                    **({"uri": printable(tag.uri)} if tag.uri else {}),
                }
                for tag in named
            ]
    if update.authors:
        item["people"] = [
            *({"name": printable(author.name), "rel": "author"} for author in update.authors),
            *item.get("people", []),
        ]
    return item


def _rights(picture: Picture) -> dict[str, object]:
    """Whose a picture is, and how it came to be."""
    media = picture.media
    named = {
        "by": printable(media.creator) or picture.credit,
        "copyrightNotice": printable(media.copyright),
        "usageTerms": printable(media.usage_terms),
        "digitalSourceType": source_type_uri(media.digital_source_type),
    }
    rights: dict[str, object] = {name: value for name, value in named.items() if value}
    if picture.credit:
        rights["infoSources"] = [{"name": picture.credit, "role": "credit"}]
    return rights


def _pictures(site: Site, update: ReaderUpdate) -> dict[str, object]:
    pictures = pictures_of(update)
    if not pictures:
        return {}
    return {
        "associations": [
            {
                "name": f"picture-{number}",
                "uri": site.url + picture.largest,
                "type": "picture",
                "headlines": [{"role": "main", "value": picture.caption or picture.alt or title_of(update)}],
                "renditions": [
                    {
                        "name": "main",
                        "href": site.url + picture.largest,
                        "width": picture.width,
                        "height": picture.height,
                    }
                ],
                **_rights(picture),
            }
            for number, picture in enumerate(pictures, 1)
        ]
    }

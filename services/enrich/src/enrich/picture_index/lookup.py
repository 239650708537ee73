"""Reads the media index: what is known of the pictures that updates refer to."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from enrich.picture_index.embedded import Embedded
from enrich.picture_index.rights import ANYWHERE, Newsroom, Rights, judge, words_of
from enrich.short_text import cut
from shared.messages import ContentCredentials, Media, MediaReference, Rendition
from shared.messages.enriched import ANCHOR_DIGITS
from shared.messages.limits import LONGEST
from shared.postgres.pool import Pool
from shared.postgres.rows import typed

PICTURES = ("picture", "graphic")
"""The kinds that are rendered."""


@dataclass(frozen=True, slots=True)
class MediaLookup:
    """What the index knows of one update's references, in their order.

    A picture whose URL has changed is in `media` as it was, under the words it had, and in `pending` too: readers keep
    the old one until the new one is there.
    """

    media: tuple[Media, ...] = ()
    pending: tuple[MediaReference, ...] = ()
    """To be sent to `media.wanted`; asking again for what is being fetched does no harm."""
    withheld: tuple[str, ...] = ()
    """For people: which references readers do not see, and why."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the index has of a reference; empty of a picture as long as none was fetched."""

    update_id: str
    reference: str
    url: str
    state: str
    reason: str
    sha256: str | None
    fetched_url: str | None
    fetched_as: Mapping[str, JsonValue] | None
    """The reference for which the picture was fetched."""
    picture: str
    width: int | None
    height: int | None
    focal_x: float | None
    focal_y: float | None
    placeholder: str | None
    renditions: Sequence[Mapping[str, JsonValue]]
    embedded: Mapping[str, JsonValue]
    credentials: Mapping[str, JsonValue] | None
    refused: str
    removed_at: datetime | None
    forbidden: Sequence[str]
    allowed: Sequence[str]
    default_credit: str
    came_at: datetime
    allowed_by: str
    now: datetime


def reference_key(reference: MediaReference) -> str:
    """What identifies a reference within its update: the source's id of the picture, since URLs often carry a passing
    signature; the URL where there is none."""
    identity = f"guid\x00{reference.guid}" if reference.guid else f"url\x00{reference.url}"
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def anchor_of(reference: MediaReference) -> str:
    """By what the body names a picture that stands in it: of the pictures of one update no two are alike."""
    return reference_key(reference)[:ANCHOR_DIGITS]


def anchors_of(references: Sequence[MediaReference]) -> dict[str, str]:
    """The anchors of pictures that stand in a text, by each of the addresses that the text may have them under."""
    found: dict[str, str] = {}
    for reference in references:
        if reference.role == "inline" and reference.kind in PICTURES:
            for url in (reference.url, *reference.renditions):
                found.setdefault(url, anchor_of(reference))
    return found


async def media_for(
    pool: Pool, wanted: Mapping[str, Sequence[MediaReference]], newsroom: Newsroom = ANYWHERE
) -> dict[str, MediaLookup]:
    """What is known of the references of each update, in one query. Every update of `wanted` is in the answer."""
    asked = [
        (update_id, reference_key(reference))
        for update_id, references in wanted.items()
        for reference in references
        if reference.kind in PICTURES
    ]
    records = await pool.fetch(_LOOKUP, [pair[0] for pair in asked], [pair[1] for pair in asked]) if asked else []
    found = {(row.update_id, row.reference): row for row in typed(IndexRow, records)}
    return {
        update_id: lookup(references, [found.get((update_id, reference_key(each))) for each in references], newsroom)
        for update_id, references in wanted.items()
    }


def lookup(
    references: Sequence[MediaReference], rows: Sequence[IndexRow | None], newsroom: Newsroom = ANYWHERE
) -> MediaLookup:
    """The answer for one update, from the index's row for each of its references."""
    media: dict[str, Media] = {}
    pending: list[MediaReference] = []
    withheld: list[str] = []
    for reference, row in zip(references, rows, strict=True):
        if reference.kind not in PICTURES:
            withheld.append(f"{_shown(reference.url)}: {reference.kind} is not rendered")
            continue
        is_done = row is not None and row.state != "pending" and row.url == reference.url
        if not is_done:
            pending.append(reference)
        if row is None or row.sha256 is None:
            if is_done and row is not None:
                withheld.append(f"{_shown(reference.url)}: {row.reason}")
            continue
        described = reference
        if row.fetched_url != reference.url:
            # The old picture keeps the old words: the new ones may speak of what the new one shows.
            described = MediaReference.model_validate(row.fetched_as)
        picture, reason = picture_of(described, row, newsroom)
        if picture is not None and reference.role == "inline":
            picture = picture.model_copy(update={"anchors": (anchor_of(reference),)})
        if picture is None:
            withheld.append(f"{_shown(described.url)}: {reason}")
        elif picture.id in media:
            media[picture.id] = _one_of(media[picture.id], picture)
        else:
            media[picture.id] = picture
        if is_done and (row.state == "ready") != (picture is not None):
            # The wire's words have changed what may be shown: enrich media is asked again, so that its report is true.
            pending.append(reference)
    return MediaLookup(tuple(media.values()), tuple(pending), tuple(withheld))


def picture_of(reference: MediaReference, row: IndexRow, newsroom: Newsroom = ANYWHERE) -> tuple[Media | None, str]:
    """The picture of a row of the index under the reference's words, or the reason why readers do not see it."""
    if row.refused:
        return None, row.refused
    if row.removed_at is not None:
        return None, "removed by the newsroom"
    embedded = Embedded.from_json(row.embedded)
    rights = Rights(tuple(row.forbidden), tuple(row.allowed), row.default_credit, newsroom, row.allowed_by)
    if reason := judge(reference, embedded, rights, came_at=row.came_at, now=row.now).reason:
        return None, reason
    words = words_of(reference, embedded, rights)
    picture = Media(
        id=row.picture,
        kind=reference.kind,
        role=reference.role,
        caption=cut(words.caption, LONGEST["caption"]),
        credit=cut(words.credit, LONGEST["credit"]),
        copyright=cut(words.copyright, LONGEST["copyright"]),
        usage_terms=cut(words.usage_terms, LONGEST["usage_terms"]),
        creator=cut(words.creator, LONGEST["creator"]),
        terms_url=words.terms_url[: LONGEST["terms_url"]],
        licensor_url=words.licensor_url[: LONGEST["licensor_url"]],
        digital_source_type=words.digital_source_type[: LONGEST["digital_source_type"]],
        content_credentials=ContentCredentials.model_validate(row.credentials) if row.credentials else None,
        alt_text=cut(words.alt_text, LONGEST["alt_text"]),
        width=row.width,
        height=row.height,
        focal_point=(row.focal_x, row.focal_y) if row.focal_x is not None and row.focal_y is not None else None,
        placeholder=row.placeholder,
        renditions=tuple(Rendition.model_validate(each) for each in row.renditions),
    )
    return picture, ""


def _shown(url: str) -> str:
    """An address for people: without the query, which is where agencies put signatures and keys."""
    return url.partition("?")[0][:300]


def _one_of(first: Media, second: Media) -> Media:
    """Two copies of one picture in one update: the place of the first, the pixels of the larger."""
    anchors = (*first.anchors, *second.anchors)
    if (second.width or 0) <= (first.width or 0):
        return first.model_copy(update={"anchors": anchors})
    return second.model_copy(update={"role": first.role, "anchors": anchors})


_LOOKUP = """
SELECT r.update_id, r.reference, r.url, r.state, r.reason, r.sha256, r.fetched_url, r.fetched_as,
       m.picture, m.width, m.height, m.focal_x, m.focal_y, m.placeholder, m.renditions, m.embedded, m.credentials,
       coalesce(m.refused, '') AS refused, m.removed_at,
       coalesce(g.forbidden, '{}') AS forbidden, coalesce(g.allowed, '{}') AS allowed, coalesce(g.credit, '') AS default_credit,
       coalesce(r.came_at, r.requested_at) AS came_at, r.allowed_by, now() AS now
FROM unnest($1::text[], $2::text[]) AS asked (update_id, reference)
JOIN enrich.media_references r USING (update_id, reference)
LEFT JOIN enrich.media m USING (sha256)
LEFT JOIN enrich.media_rights g ON g.source = r.source
"""

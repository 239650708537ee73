"""The media index as the text lane reads it: what is known of the pictures that updates refer to."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrich.picture_index.embedded import Embedded
from enrich.picture_index.rights import Rights, why_withheld, words_of
from enrich.short_text import cut
from shared.messages import Media, MediaReference, Rendition
from shared.messages.limits import LONGEST
from shared.postgres.pool import Pool

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


def reference_key(reference: MediaReference) -> str:
    """What identifies a reference within its update: the source's id of the picture, since URLs often carry a passing
    signature; the URL where there is none."""
    identity = f"guid\x00{reference.guid}" if reference.guid else f"url\x00{reference.url}"
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]


async def media_for(pool: Pool, wanted: Mapping[str, Sequence[MediaReference]]) -> dict[str, MediaLookup]:
    """What is known of the references of each update, in one query. Every update of `wanted` is in the answer."""
    asked = [
        (update_id, reference_key(reference))
        for update_id, references in wanted.items()
        for reference in references
        if reference.kind in PICTURES
    ]
    rows = await pool.fetch(_LOOKUP, [pair[0] for pair in asked], [pair[1] for pair in asked]) if asked else []
    found = {(row["update_id"], row["reference"]): row for row in rows}
    return {
        update_id: lookup(references, [found.get((update_id, reference_key(each))) for each in references])
        for update_id, references in wanted.items()
    }


def lookup(references: Sequence[MediaReference], rows: Sequence[Mapping[str, Any] | None]) -> MediaLookup:
    """The answer for one update, from the index's row for each of its references."""
    media: dict[str, Media] = {}
    pending: list[MediaReference] = []
    withheld: list[str] = []
    for reference, row in zip(references, rows, strict=True):
        if reference.kind not in PICTURES:
            withheld.append(f"{reference.url}: {reference.kind} is not rendered")
            continue
        settled = row is not None and row["state"] != "pending" and row["url"] == reference.url
        if not settled:
            pending.append(reference)
        if row is None or row["sha256"] is None:
            if settled and row is not None:
                withheld.append(f"{reference.url}: {row['reason']}")
            continue
        said = reference
        if row["fetched_url"] != reference.url:
            # The old picture keeps the old words: the new ones may speak of what is to be seen on the new one.
            said = MediaReference.model_validate(row["fetched_as"])
        picture, reason = picture_of(said, row)
        if picture is None:
            withheld.append(f"{said.url}: {reason}")
        elif picture.id in media:
            media[picture.id] = _one_of(media[picture.id], picture)
        else:
            media[picture.id] = picture
        if settled and (row["state"] == "ready") != (picture is not None):
            # The wire's words have changed the judgement since: the lane is told, so that its report is true.
            pending.append(reference)
    return MediaLookup(tuple(media.values()), tuple(pending), tuple(withheld))


def picture_of(reference: MediaReference, row: Mapping[str, Any]) -> tuple[Media | None, str]:
    """The picture of a row of the index under the reference's words, or the reason why readers do not see it."""
    if row["refused"]:
        return None, row["refused"]
    if row["removed_at"] is not None:
        return None, "removed by the newsroom"
    embedded = Embedded.from_json(row["embedded"])
    rights = Rights(tuple(row["forbidden"] or ()), tuple(row["allowed"] or ()), row["default_credit"] or "")
    if reason := why_withheld(reference, embedded, rights):
        return None, reason
    words = words_of(reference, embedded, rights)
    focal_point = (row["focal_x"], row["focal_y"]) if row["focal_x"] is not None else None
    picture = Media(
        id=row["picture"],
        kind=reference.kind,
        role=reference.role,
        caption=cut(words.caption, LONGEST["caption"]),
        credit=cut(words.credit, LONGEST["credit"]),
        copyright=cut(words.copyright, LONGEST["copyright"]),
        alt_text=cut(words.alt_text, LONGEST["alt_text"]),
        width=row["width"],
        height=row["height"],
        focal_point=focal_point,
        placeholder=row["placeholder"],
        renditions=tuple(Rendition.model_validate(each) for each in row["renditions"]),
    )
    return picture, ""


def _one_of(first: Media, second: Media) -> Media:
    """Two copies of one picture in one update: the place of the first, the pixels of the larger."""
    if (second.width or 0) <= (first.width or 0):
        return first
    return second.model_copy(update={"role": first.role})


_LOOKUP = """
SELECT r.update_id, r.reference, r.url, r.state, r.reason, r.sha256, r.fetched_url, r.fetched_as,
       m.picture, m.width, m.height, m.focal_x, m.focal_y, m.placeholder, m.renditions, m.embedded,
       coalesce(m.refused, '') AS refused, m.removed_at,
       g.forbidden, g.allowed, g.credit AS default_credit
FROM unnest($1::text[], $2::text[]) AS asked (update_id, reference)
JOIN enrich.media_references r USING (update_id, reference)
LEFT JOIN enrich.media m USING (sha256)
LEFT JOIN enrich.media_rights g ON g.source = r.source
"""

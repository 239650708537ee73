"""The pictures that are known, by the hash of their bytes: rendered, refused or removed; and the rights of their sources."""

from collections.abc import Sequence
from dataclasses import dataclass

from enrich.media.render.image_hash import (
    ImageHash,
    bands,
    hamming_distance,
    is_near_duplicate,
    near_bands,
    signed,
    unsigned,
)
from enrich.media.render.rendered import Rendered
from enrich.picture_index.embedded import Embedded
from enrich.picture_index.rights import Newsroom, Rights
from shared.messages import Rendition
from shared.postgres.pool import Connection, Pool, Row

_SIMILARITY_LOCK = 0x736C75676C696E65


@dataclass(frozen=True, slots=True)
class Picture:
    """A known picture, as far as the decision on a reference needs it."""

    sha256: str
    embedded: Embedded
    refused: str
    removed: bool


async def find(pool: Pool, sha256: str) -> Picture | None:
    """The picture with this content."""
    row = await pool.fetchrow(_PICTURE, sha256)
    return _picture(row) if row is not None else None


async def fetched_recently(pool: Pool, source: str, url: str, within_s: float) -> Picture | None:
    """The picture that this source's URL led to less than `within_s` ago, for any update."""
    row = await pool.fetchrow(_FETCHED_RECENTLY, source, url, within_s)
    return _picture(row) if row is not None else None


async def rights_of(pool: Pool, source: str, newsroom: Newsroom) -> Rights:
    """The rights that the newsroom has agreed with a source."""
    row = await pool.fetchrow("SELECT forbidden, allowed, credit FROM enrich.media_rights WHERE source = $1", source)
    if row is None:
        return Rights(newsroom=newsroom)
    return Rights(tuple(row["forbidden"]), tuple(row["allowed"]), row["credit"], newsroom)


async def add_refused(pool: Pool, sha256: str, size_bytes: int, reason: str) -> None:
    """Remember bytes that cannot be rendered, so that they are not tried again."""
    await pool.execute(
        "INSERT INTO enrich.media (sha256, picture, size_bytes, refused) VALUES ($1, $1, $2, $3) ON CONFLICT DO NOTHING",
        sha256, size_bytes, reason,
    )  # fmt: skip


async def add(
    pool: Pool, sha256: str, size_bytes: int, rendered: Rendered, renditions: Sequence[Rendition], *, compare: bool
) -> Picture:
    """Add a picture to the index. One that looks like another shares its identity, and its removal."""
    image_hash = rendered.image_hash if compare else None
    embedded = {name: getattr(rendered.embedded, name) for name in Embedded.__slots__}
    async with pool.acquire() as connection, connection.transaction():
        same = None
        if image_hash is not None:
            # Of two copies that arrive at once, one must be the first.
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _SIMILARITY_LOCK)
            same = await _same_picture(connection, image_hash, rendered.width / rendered.height)
        removed = same is not None and same["removed_at"] is not None
        [row] = await connection.fetch(
            _ADD,
            sha256,
            same["picture"] if same is not None else sha256,
            rendered.mime_type,
            rendered.width,
            rendered.height,
            size_bytes,
            *(rendered.focal_point or (None, None)),
            rendered.placeholder,
            signed(image_hash.phash) if image_hash else None,
            signed(image_hash.dhash) if image_hash else None,
            bands(image_hash.phash) if image_hash else [],
            [each.model_dump(mode="json") for each in renditions],
            {name: text for name, text in embedded.items() if text},
            f"looks like {same['sha256']}, which was removed" if same is not None and removed else "",
            rendered.credentials.model_dump(mode="json") if rendered.credentials else None,
        )
        return _picture(row)


async def _same_picture(connection: Connection, image_hash: ImageHash, aspect: float) -> Row | None:
    rows = await connection.fetch(_NEAR, near_bands(image_hash.phash))
    near = [
        row
        for row in rows
        if row["height"]
        and is_near_duplicate(
            image_hash, aspect, ImageHash(unsigned(row["phash"]), unsigned(row["dhash"])), row["width"] / row["height"]
        )
    ]
    return min(near, key=lambda row: hamming_distance(image_hash.phash, unsigned(row["phash"])), default=None)


def _picture(row: Row) -> Picture:
    return Picture(
        row["sha256"], Embedded.from_json(row["embedded"]), row["refused"], removed=row["removed_at"] is not None
    )


_PICTURE = "SELECT sha256, embedded, refused, removed_at FROM enrich.media WHERE sha256 = $1"

_FETCHED_RECENTLY = """
SELECT m.sha256, m.embedded, m.refused, m.removed_at
FROM enrich.media_references r JOIN enrich.media m USING (sha256)
WHERE r.source = $1 AND md5(r.fetched_url) = md5($2) AND r.fetched_url = $2
  AND r.settled_at > now() - make_interval(secs => $3)
ORDER BY r.settled_at DESC LIMIT 1
"""

_NEAR = """
SELECT sha256, picture, phash, dhash, width, height, removed_at FROM enrich.media
WHERE refused = '' AND phash_bands && $1::int[]
"""

_ADD = """
INSERT INTO enrich.media
    (sha256, picture, mime_type, width, height, size_bytes, focal_x, focal_y, placeholder, phash, dhash, phash_bands,
     renditions, embedded, removed_reason, credentials, removed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, CASE WHEN $15 <> '' THEN now() END)
ON CONFLICT (sha256) DO UPDATE SET sha256 = excluded.sha256
RETURNING sha256, embedded, refused, removed_at
"""

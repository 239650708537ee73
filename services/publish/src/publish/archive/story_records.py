"""Stories as a whole, in the archive: when each began, and what editors say of it."""

from collections.abc import Collection, Iterable

import orjson

from publish.representation.reader_update import ReaderStoryProfile
from publish.representation.story_record import StoryRecord
from shared.messages import EnrichedUpdate
from shared.postgres.pool import Connection, Queryable, Row


async def write_stories(connection: Connection, updates: Iterable[EnrichedUpdate]) -> None:
    """Take in what these revisions tell of their stories; a repeat changes nothing."""
    records: dict[str, StoryRecord] = {}
    for update in updates:
        record = _told_by(update)
        if record is not None:
            known = records.get(record.story)
            records[record.story] = known.with_record(record) if known is not None else record
    if not records:
        return
    rows = [
        (
            record.story,
            record.started_at,
            record.profile.edition if record.profile else 0,
            orjson.dumps(record.profile).decode() if record.profile else None,
        )
        for _, record in sorted(records.items())
    ]
    await connection.execute(
        "INSERT INTO publish.stories AS s (story, started_at, edition, profile) "
        "SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int[], $4::text[]::jsonb[]) "
        "ON CONFLICT (story) DO UPDATE SET started_at = least(s.started_at, excluded.started_at), "
        "profile = CASE WHEN excluded.edition > s.edition THEN excluded.profile ELSE s.profile END, "
        "edition = greatest(s.edition, excluded.edition) "
        "WHERE excluded.started_at < s.started_at OR excluded.edition > s.edition",
        *(list(column) for column in zip(*rows, strict=True)),
    )


async def story_records(source: Queryable, stories: Collection[str]) -> list[StoryRecord]:
    """What is known of these stories; those that are not known are left out."""
    rows = await source.fetch(
        "SELECT story, started_at, profile FROM publish.stories WHERE story = ANY($1::text[])",
        [story for story in stories if "\x00" not in story],
    )
    return [_record(row) for row in rows]


def _told_by(update: EnrichedUpdate) -> StoryRecord | None:
    if not update.story or update.is_removal or "\x00" in update.story:
        return None
    told = update.story_profile
    profile = ReaderStoryProfile(told.edition, told.name, told.standfirst, told.summary) if told else None
    return StoryRecord(update.story, update.first_published_at, profile)


def _record(row: Row) -> StoryRecord:
    said = row["profile"]
    profile = ReaderStoryProfile(**{**said, "summary": tuple(said["summary"])}) if said else None
    return StoryRecord(row["story"], row["started_at"], profile, is_whole=True)

"""Edits of what is said of a story as a whole: its name, standfirst and summary."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from enrich.documents import validated
from enrich.reference.changes import announce, ask_refresh
from enrich.reference.stories import story_id
from enrich.short_text import without_controls
from shared.failures import Invalid
from shared.messages.limits import LONGEST, MOST
from shared.postgres.pool import Connection, Queryable, Row

_COLUMNS = "story, label AS name, standfirst, summary, edition, merged_into"
_CARRIER = "SELECT update_id FROM enrich.updates WHERE story = $1 AND status = 'live' ORDER BY written_at DESC LIMIT 1"


class StoryEdit(BaseModel):
    """What an editor says of a story; what is left out stays as it is, and an empty text takes it away."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, max_length=LONGEST["story_name"])
    standfirst: str | None = Field(default=None, max_length=LONGEST["standfirst"])
    summary: list[str] | None = Field(default=None, max_length=MOST["story_points"])
    """What is known by now, a sentence or two each, the most important first."""


class StoryDescription(BaseModel):
    """A story as editors have described it."""

    story: str
    name: str
    standfirst: str
    summary: list[str]
    edition: int
    """Counts the edits; 0 until the first."""
    merged_into: str | None = None


def edit_of(document: object) -> StoryEdit:
    """The edit of a document; Invalid names the field that is at fault."""
    edit = validated(StoryEdit, document)
    points = edit.summary or []
    if any(len(point) > LONGEST["story_point"] for point in points):
        raise Invalid(f"a point of a summary has at most {LONGEST['story_point']} characters", field="/summary")
    if edit.name is not None and not _line(edit.name) and edit.name.strip():
        raise Invalid("a name has letters", field="/name")
    return StoryEdit(
        name=None if edit.name is None else _line(edit.name),
        standfirst=None if edit.standfirst is None else _line(edit.standfirst),
        summary=None if edit.summary is None else [line for point in points if (line := _line(point))],
    )


async def described(database: Queryable, story: str) -> StoryDescription | None:
    """What is said of a story; None where neither an editor nor an update knows it."""
    story = story_id(story)
    row = await database.fetchrow(f"SELECT {_COLUMNS} FROM enrich.stories WHERE story = $1", story)  # noqa: S608 -- constants
    if row is not None:
        return _description(row)
    known = await database.fetchval("SELECT EXISTS (SELECT FROM enrich.updates WHERE story = $1)", story)
    return StoryDescription(story=story, name="", standfirst="", summary=[], edition=0) if known else None


async def describe(connection: Connection, story: str, edit: StoryEdit) -> StoryDescription:
    """Keep an edit within a transaction, and have it told to readers.

    Invalid for a story that was merged into another one. One update of the story is made again and brings the edit to
    every follower of the log; a new name is on every update, so that all of them follow.
    """
    story = story_id(story)
    if not story:
        raise Invalid("a story has an id", field="/story")
    await connection.execute("INSERT INTO enrich.stories (story) VALUES ($1) ON CONFLICT DO NOTHING", story)
    before = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM enrich.stories WHERE story = $1 FOR UPDATE",  # noqa: S608 -- constants
        story,
    )
    assert before is not None  # noqa: S101 -- it was put there above
    if before["merged_into"]:
        raise Invalid(f"{story} is a part of {before['merged_into']}: describe that one", field="/story")
    name = before["name"] if edit.name is None else edit.name
    standfirst = before["standfirst"] if edit.standfirst is None else edit.standfirst
    summary = list(before["summary"]) if edit.summary is None else edit.summary
    if (name, standfirst, summary) == (before["name"], before["standfirst"], list(before["summary"])):
        return _description(before)
    row = await connection.fetchrow(
        f"""
        UPDATE enrich.stories SET label = $2, standfirst = $3, summary = $4, edition = edition + 1, changed_at = now()
        WHERE story = $1 RETURNING {_COLUMNS}
        """,  # noqa: S608 -- constants
        story, name, standfirst, summary,
    )  # fmt: skip
    assert row is not None  # noqa: S101 -- it is locked
    await _tell(connection, story, renamed=name != before["name"])
    return _description(row)


async def _tell(connection: Connection, story: str, *, renamed: bool) -> None:
    await announce(connection, "stories", [story] if renamed else [])
    if renamed:
        await ask_refresh(connection, "story", stories=[story])
        return
    carrier = await connection.fetchval(_CARRIER, story)
    await ask_refresh(connection, "story", update_ids=[carrier] if carrier else [])


def _description(row: Row) -> StoryDescription:
    return StoryDescription(**{**dict(row), "summary": list(row["summary"])})


def _line(text: str) -> str:
    return " ".join(without_controls(text).split())


def points_of(text: Sequence[str]) -> list[str] | None:
    """The points of a command line; one empty text takes the summary away, none leaves it."""
    return [point for point in text if point.strip()] if text else None

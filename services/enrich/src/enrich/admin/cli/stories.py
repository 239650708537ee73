"""`python -m enrich stories`: merge, split and look at stories."""

import getpass

import click

from enrich.admin import story_profiles
from enrich.admin.cli import on_postgres, update_id
from enrich.admin.story_profiles import StoryDescription, edit_of, points_of
from enrich.reference.changes import announce, ask_refresh
from enrich.reference.stories import merged_story, own_story, story_id
from enrich.stories.process import STAGE as GATHERING
from enrich.text.domain.state import State
from shared.audit.author import of_command
from shared.commands import to_json
from shared.poison.notes import MOST_TRIES
from shared.poison.suspects import SUSPECT
from shared.postgres.pool import Connection, Row


@click.group()
def stories() -> None:
    """Which updates make one story."""


@stories.command()
@click.argument("story")
@click.argument("into")
@click.option("--by", default=getpass.getuser, help="Who decides; the user when it is left out.")
def merge(story: str, into: str, by: str) -> None:
    """Let the updates of STORY belong to INTO, future ones too."""
    story, into = story_id(story), story_id(into)

    async def work(connection: Connection) -> int:
        if story == into:
            raise click.ClickException(f"{story} cannot become a part of itself")
        rows = await connection.fetch("SELECT story, merged_into FROM enrich.stories WHERE merged_into IS NOT NULL")
        if merged_story(into, {row["story"]: row["merged_into"] for row in rows}) == story:
            raise click.ClickException(f"{into} is a part of {story} already")
        await connection.execute(
            """
            INSERT INTO enrich.stories (story, merged_into, merged_by) VALUES ($1, $2, $3)
            ON CONFLICT (story) DO UPDATE SET merged_into = excluded.merged_into, merged_by = excluded.merged_by, changed_at = now()
            """,
            story, into, by,
        )  # fmt: skip
        await announce(connection, "stories", [story])
        return await _refresh(connection, [story])

    moved = on_postgres(work, of_command().entry("story-merged", story, None, {"into": into, "by": by}))
    click.echo(f"{story} is now part of {into}; {moved} updates move")


@stories.command()
@click.argument("story")
def unmerge(story: str) -> None:
    """Undo that STORY was merged into another one."""

    async def work(connection: Connection) -> int:
        into = await connection.fetchval(
            "SELECT merged_into FROM enrich.stories WHERE story = $1 AND merged_into IS NOT NULL FOR UPDATE",
            story_id(story),
        )
        if into is None:
            raise click.ClickException(f"{story_id(story)} was not merged into another story")
        await connection.execute("UPDATE enrich.stories SET merged_into = NULL WHERE story = $1", story_id(story))
        await announce(connection, "stories", [into])
        return await _refresh(connection, [into])

    looked_at = on_postgres(work, of_command().entry("story-unmerged", story_id(story)))
    click.echo(f"{story_id(story)} is a story of its own again; {looked_at} updates are looked at")


@stories.command()
@click.argument("update_id", callback=update_id)
@click.option("--to", "story", default="", help="The story it belongs to; one of its own when left out.")
@click.option("--by", default=getpass.getuser, help="Who decides; the user when it is left out.")
def split(update_id: str, story: str, by: str) -> None:
    """Take one update out of its story. It holds for all of its versions."""
    chosen = story_id(story) if story else own_story(update_id)

    async def work(connection: Connection) -> None:
        await connection.execute(
            """
            INSERT INTO enrich.overrides (update_id, story, story_because) VALUES ($1, $2, $3)
            ON CONFLICT (update_id) DO UPDATE SET
                story = excluded.story, story_because = excluded.story_because, changed_at = now()
            """,
            update_id, chosen, f"same story because {by} put it there" if story else f"a story of its own because {by} split it off",
        )  # fmt: skip
        await ask_refresh(connection, "override", update_ids=[update_id], repeat=False)

    on_postgres(work, of_command().entry("update-split-off", update_id, None, {"story": chosen, "by": by}))
    click.echo(f"{update_id} is in {chosen}")


@stories.command()
@click.argument("story")
@click.argument("label")
def label(story: str, label: str) -> None:
    """Name a story for readers: the same as `describe STORY --name LABEL`."""
    described = _described(story, {"name": label})
    click.echo(f"{described.story} is called {described.name!r}")


@stories.command()
@click.argument("story")
@click.option("--name", help="What readers call the story.")
@click.option("--standfirst", help="A sentence or two under the name.")
@click.option(
    "--point",
    "points",
    multiple=True,
    help="What is known by now, once for each point; one empty point takes the summary away.",
)
def describe(story: str, name: str | None, standfirst: str | None, points: tuple[str, ...]) -> None:
    """Say what STORY is about: on its page, in feeds, and to search engines. Without options, print what is said.

    What is left out stays as it is. Open pages follow within seconds.
    """
    edit: dict[str, object] = {"name": name, "standfirst": standfirst, "summary": points_of(points)}
    described = _described(story, {field: value for field, value in edit.items() if value is not None})
    click.echo(to_json(described.model_dump(), indented=True))


def _described(story: str, edit: dict[str, object]) -> StoryDescription:
    async def work(connection: Connection) -> StoryDescription:
        if edit:
            return await story_profiles.describe(connection, story, edit_of(edit))
        found = await story_profiles.described(connection, story)
        if found is None:
            raise click.ClickException(f"no story {story_id(story)!r}")
        return found

    return on_postgres(work, of_command().entry("story-described", story_id(story), None, edit) if edit else None)


@stories.command()
@click.argument("story")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def show(story: str, as_json: bool) -> None:
    """Print the updates of a story, and why each is in it."""

    rows = on_postgres(lambda connection: connection.fetch(_MEMBERS, story_id(story)))
    for row in rows:
        state = State.model_validate_json(row["state"])
        headline = state.last_published.headline if state.last_published else ""
        why = _why(row, state)
        if as_json:
            member = {"update_id": row["update_id"], "status": row["status"], "source": row["source"], "headline": headline,
                      "because": why, "families": row["families"] or []}  # fmt: skip
            click.echo(to_json(member))
        else:
            click.echo(f"{row['update_id']}  {row['status']:10} {row['source']:16} {headline[:60]:60}  {why}")
    if not rows:
        raise click.ClickException(f"no updates in {story_id(story)!r}")


@stories.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def suggested(as_json: bool) -> None:
    """Print the updates that may be of one story, the newest first, and why. Readers see nothing of it.

    `accept STORY` makes them one story, `split ID --to STORY` one of them a part of it, `split ID` keeps it apart.
    """
    for row in on_postgres(lambda connection: connection.fetch(SUGGESTED, MOST_SUGGESTED)):
        published = State.model_validate_json(row["state"]).last_published
        headline = published.headline if published else ""
        if as_json:
            names = ("update_id", "story", "label", "source", "because")
            click.echo(to_json({name: row[name] for name in names} | {"headline": headline}))
        else:
            click.echo(f"{row['story']:18} {row['update_id']}  {row['source']:16} {headline[:60]:60}  {row['because']}")


@stories.command()
@click.argument("story")
@click.option("--by", default=getpass.getuser, help="Who decides; the user when it is left out.")
def accept(story: str, by: str) -> None:
    """Make one story of the updates that are suggested for STORY."""
    chosen = story_id(story)

    async def work(connection: Connection) -> int:
        rows = await connection.fetch(ACCEPT, chosen, f"same story because {by} agreed that it is")
        if not rows:
            raise click.ClickException(f"nothing is suggested for {chosen!r}")
        await ask_refresh(connection, "override", update_ids=[row["update_id"] for row in rows], repeat=False)
        return len(rows)

    count = on_postgres(work, of_command().entry("story-accepted", chosen, None, {"by": by}))
    click.echo(f"{count} updates are in {chosen}")


@stories.command("not-gathered")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def not_gathered(as_json: bool) -> None:
    """Print the updates that could not be compared with others, and why."""
    for row in on_postgres(lambda connection: connection.fetch(NOT_GATHERED)):
        if as_json:
            click.echo(to_json(dict(row)))
        else:
            again = f"again at {row['retry_at']:%Y-%m-%d %H:%M:%S}" if row["retry_at"] else "not tried again"
            click.echo(f"{row['update_id']}  {row['tries']} times, {again}  {row['reason']}")


@stories.command()
@click.argument("update_id", callback=update_id)
def retry(update_id: str) -> None:
    """Let `enrich gather` compare an update again now that it could not compare."""

    async def work(connection: Connection) -> bool:
        done: str = await connection.execute(
            "UPDATE enrich.not_gathered SET retry_at = now() WHERE update_id = $1", update_id
        )
        return done != "UPDATE 0"

    if not on_postgres(work):
        raise click.ClickException(f"{update_id} is not set aside")
    click.echo(f"{update_id} is tried again")


NOT_GATHERED = f"""
SELECT update_id, reason, tries, failed_at, retry_at FROM enrich.not_gathered
UNION ALL
SELECT split_part(begun, '@', 1), 'processes ended with it in progress', cardinality(tried_by), begun_at, NULL
FROM enrich.crash_notes WHERE stage = '{GATHERING}' AND starts_with(place, '{SUSPECT}') AND cardinality(tried_by) >= {MOST_TRIES}
ORDER BY failed_at
"""  # noqa: S608 -- constants of ours
MOST_SUGGESTED = 200
_IS_SUGGESTED = """
enrich.gathered g JOIN enrich.updates u USING (update_id) LEFT JOIN enrich.overrides o USING (update_id)
WHERE NOT g.is_sure AND g.story IS NOT NULL AND u.status = 'live' AND o.story IS NULL AND u.story IS DISTINCT FROM g.story
"""
SUGGESTED = f"""
SELECT g.update_id, g.story, g.label, g.because, u.source, u.state FROM {_IS_SUGGESTED}
ORDER BY g.changed_at DESC, g.story, g.update_id LIMIT $1
"""  # noqa: S608 -- constants of ours
ACCEPT = f"""
INSERT INTO enrich.overrides (update_id, story, story_because)
SELECT g.update_id, g.story, $2 FROM {_IS_SUGGESTED} AND g.story = $1
ON CONFLICT (update_id) DO UPDATE SET story = excluded.story, story_because = excluded.story_because, changed_at = now()
RETURNING update_id
"""  # noqa: S608 -- constants of ours
_MEMBERS = """
SELECT u.update_id, u.status, u.source, u.state, o.story AS ordered, o.story_because, g.because, g.families
FROM enrich.updates u LEFT JOIN enrich.overrides o USING (update_id) LEFT JOIN enrich.gathered g USING (update_id)
WHERE u.story = $1 ORDER BY u.written_at
"""


def _why(row: Row, state: State) -> str:
    """Why an update is in its story."""
    if row["ordered"]:
        return str(row["story_because"])
    raw = state.current.raw if state.current else None
    if raw is not None and raw.story:
        return f"{raw.source} calls it {raw.story!r}"
    return row["because"] or "it grew out of an update of it"


async def _refresh(connection: Connection, stories: list[str]) -> int:
    await ask_refresh(connection, "story", stories=stories)
    count: int = await connection.fetchval(
        "SELECT count(*) FROM enrich.updates WHERE story = ANY($1::text[]) AND status = 'live'", stories
    )
    return count

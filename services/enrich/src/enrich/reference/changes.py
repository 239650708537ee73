"""Changes of reference data: replicas are notified, and the updates that show what changed are refreshed."""

from collections.abc import Sequence

from enrich.reference.loader import CHANNEL
from shared.messages import RefreshCause
from shared.postgres.pool import Connection, Queryable

KEPT_CHANGES_D = 7
"""Days after which nobody is still making an update with the edition before a change."""
REPEAT_AFTER_S = 30.0
"""When a refresh is asked for a second time, for updates that were being made with the old edition at the first."""
WRITING_S = 60.0
"""How long before the change an update may have begun to be written that was not seen at the first: a statement's longest time, twice."""


async def announce(connection: Connection, name: str, keys: Sequence[str] = ()) -> int:
    """Begin a new edition of a table, within the transaction that changed it; the replicas are notified when it commits.

    `keys`: what of it changed, where updates that show it must be refreshed: see `enrich.changes`.
    """
    edition: int = await connection.fetchval(
        "UPDATE enrich.editions SET edition = edition + 1 WHERE name = $1 RETURNING edition", name
    )
    if keys:
        await connection.execute(
            "DELETE FROM enrich.changes WHERE changed_at < now() - make_interval(days => $1)", KEPT_CHANGES_D
        )
        await connection.execute(
            "INSERT INTO enrich.changes (name, edition, keys) VALUES ($1, $2, $3)", name, edition, list(keys)
        )
    await connection.execute(f"NOTIFY {CHANNEL}")
    return edition


async def ask_refresh(
    database: Queryable,
    cause: RefreshCause,
    *,
    author_ids: Sequence[str] = (),
    unknown_names: Sequence[str] = (),
    update_ids: Sequence[str] = (),
    stories: Sequence[str] = (),
    repeat: bool = True,
) -> None:
    """Ask, in the transaction that changes something, for the updates that show it to be made again.

    `repeat`: ask a second time a little later, where replicas keep what changed in memory.
    """
    if not (author_ids or unknown_names or update_ids or stories):
        return
    for after_s in (0.0, REPEAT_AFTER_S) if repeat else (0.0,):
        # The second time only what was written since.
        await database.execute(
            """
            INSERT INTO enrich.refreshes (cause, author_ids, unknown_names, update_ids, stories, run_at, written_since)
            VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6),
                    CASE WHEN $6 > 0 THEN clock_timestamp() - make_interval(secs => $7) END)
            """,
            cause, list(author_ids), list(unknown_names), list(update_ids), list(stories), after_s, WRITING_S,
        )  # fmt: skip


def as_word(key: str) -> str:
    """The key of a name as one word, for an array that travels as one text."""
    return key.replace(" ", "-")

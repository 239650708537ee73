"""Finds what takes a process down whose work has no fixed order: rows of a window, what a page shows.

Each thing is noted while it is worked on, which costs nothing (`ProgressFile`). After a crash the next process on the same
machine stores what was in progress. What three processes have died of, each within an hour of the one before, is set aside for
as long as it is stored: what is rendered all day long is in progress at some end that has nothing to do with it.
"""

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import structlog

from shared.poison.notes import MOST_TRIES, TAKEN_DOWN, ProgressFile, in_progress_of, progress_path, temporary_folder
from shared.postgres.pool import Pool
from shared.postgres.rows import narrowed

log = structlog.get_logger(__name__)

KEPT_DAYS = 30
APART_HOURS = 1
"""Ends that are further apart are not counted together."""
SUSPECT = "suspect "
"""Prefix of the places of suspects; no process has a place of such a name."""


class Suspects:
    """The suspects of one stage, in the table `crash_notes` of its service's schema; its replicas share them.

    Only one process at a time has a `place`, which is a replica's own name where there are several.
    """

    def __init__(self, pool: Pool, schema: str, stage: str, place: str, folder: Path | None = None) -> None:
        self.owner = uuid.uuid4().hex
        self._pool = pool
        self._table = f'"{schema}".crash_notes'
        self._stage = stage
        self._place = place
        self._folder = folder or temporary_folder()
        self._progress = ProgressFile(self.owner, self._folder)
        self._what = ""

    async def open(self) -> set[str]:
        """Begin. Returns what is set aside."""
        before = await self._pool.fetchval(
            f"SELECT owner FROM {self._table} WHERE stage = $1 AND place = $2", self._stage, self._place
        )
        before = narrowed(str, before) if before not in (None, self.owner) else None
        if (
            before is not None
            and (found := in_progress_of(before, self._folder)) is not None
            and found[0] == self._place
        ):
            log.warning("the last process ended with this in progress", stage=self._stage, what=found[1])
            await self._pool.execute(
                f"INSERT INTO {self._table} AS n (stage, place, begun, tried_by, begun_at) "
                "VALUES ($1, $2, $3, ARRAY[$4], now()) ON CONFLICT (stage, place) DO UPDATE SET "
                f"tried_by = CASE WHEN n.begun_at < now() - make_interval(hours => {APART_HOURS}) AND cardinality(n.tried_by) < {MOST_TRIES} "
                "THEN ARRAY[$4] ELSE array_append(array_remove(n.tried_by, $4), $4) END, begun_at = now()",
                self._stage, SUSPECT + found[1], found[1], before,
            )  # fmt: skip
        await self._pool.execute(
            f"INSERT INTO {self._table} (stage, place, owner) VALUES ($1, $2, $3) "
            "ON CONFLICT (stage, place) DO UPDATE SET owner = excluded.owner, opened_at = now()",
            self._stage, self._place, self.owner,
        )  # fmt: skip
        if before is not None:
            with contextlib.suppress(OSError):
                progress_path(before, self._folder).unlink()
        await self._pool.execute(
            f"DELETE FROM {self._table} WHERE stage = $1 AND opened_at < now() - make_interval(days => {KEPT_DAYS})",
            self._stage,
        )
        rows = await self._pool.fetch(
            f"SELECT begun, tried_by, begun_at FROM {self._table} WHERE stage = $1 AND starts_with(place, $2)",
            self._stage,
            SUSPECT,
        )
        aside = {row["begun"] for row in rows if len(row["tried_by"]) >= MOST_TRIES}
        for row in rows:
            if row["begun"] in aside:
                TAKEN_DOWN.labels(self._stage).inc()
                log.error(
                    "set aside: processes ended with it in progress",
                    stage=self._stage, what=row["begun"], times=len(row["tried_by"]), last_at=row["begun_at"].isoformat(),
                )  # fmt: skip
        return aside

    @contextlib.contextmanager
    def in_progress(self, what: str) -> Iterator[None]:
        """This alone is worked on while the block runs, or is part of what was before."""
        before, self._what = self._what, what
        self._progress.take(self._place, what)
        try:
            yield
        finally:
            self._what = before
            if before:
                self._progress.take(self._place, before)
            else:
                self._progress.empty()

    async def close(self) -> None:
        """The process ends in order."""
        self._progress.close()
        await self._pool.execute(
            f"UPDATE {self._table} SET owner = NULL WHERE stage = $1 AND place = $2 AND owner = $3",
            self._stage, self._place, self.owner,
        )  # fmt: skip

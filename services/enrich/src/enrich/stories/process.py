"""`python -m enrich gather`: updates of several agencies that tell the same are gathered into stories, beside the text lane
and never before it.

One replica at a time does it, under a lock in Postgres; another takes over when it ends. What it finds is written to
`enrich.gathered` and asked for as refreshes in the same transaction. It needs no Kafka.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import structlog
from prometheus_client import Counter, Gauge

from enrich.reference.agencies import family_of
from enrich.reference.changes import as_word, ask_refresh
from enrich.reference.stories import is_parted, story_id
from enrich.settings import Settings
from enrich.stories.clustering import StoryCandidate, StoryClusters, StoryMembership, names_of
from shared.background import keep_running
from shared.failures.transient import TRANSIENT
from shared.messages import RefreshCause
from shared.observability.health import Health, health_server
from shared.poison.suspects import Suspects
from shared.postgres.migrations import open_pool
from shared.postgres.pool import Connection, Pool
from shared.postgres.session import LEADER_IDLE_S
from shared.process import run_until

log = structlog.get_logger(__name__)

LOCK = 0x51_06_11_9E
AT_ONCE = 500
MOST_LISTED = 20_000
BEGINNING = datetime.min.replace(tzinfo=UTC)
OVERLAP = timedelta(seconds=10)
"""Rows become visible when their transaction ends, not in the order of their clocks: the newest are looked at again."""
INTERVAL_S = 1.0
YIELD_EVERY = 25
"""Rows between two turns of the event loop, on which the probes are answered."""
STAGE = "enrich.gather"
CLOSE_S = 2.0
HEALTH_PORT = 8098
REFRESHED: Mapping[str, RefreshCause] = {"authors": "authors", "stories": "story"}
"""Tables whose changes reach every update that shows them, and the cause that its refresh names."""
NOTHING: tuple[str | None, tuple[str, ...], str] = (None, (), "")

_MERGED = "SELECT story, merged_into FROM enrich.stories WHERE merged_into IS NOT NULL"

GATHERED = Counter("slugline_enrich_gathered", "Updates whose story or corroboration was found by likeness")
PASSED_OVER = Counter("slugline_enrich_gathering_passed_over", "Updates that could not be looked at for likeness")
LEADING = Gauge("slugline_enrich_gathering", "1 while this replica gathers stories")


@dataclass
class Gatherer:
    """What is like what, kept up with `enrich.updates`."""

    clusters: StoryClusters
    families: Mapping[str, str]
    cursor: datetime = BEGINNING
    told: dict[str, tuple[str | None, tuple[str, ...], str]] = field(default_factory=dict)
    """What is written of each update: its story and the families that tell the same."""
    changes: Sequence[tuple[str, int, frozenset[str]]] = ()
    """What changed in the directory and the stories: table, edition, keys."""
    seen: dict[str, datetime] = field(default_factory=dict)
    """When each update was written that was looked at and may be listed again."""

    aside: Collection[str] = frozenset()
    """What is not looked at, since processes have died of it."""
    in_hand: Callable[[str], contextlib.AbstractContextManager[None]] = lambda _: contextlib.nullcontext()
    """Notes what is looked at while it is."""

    async def begin(self, pool: Pool, now: datetime) -> None:
        """Start from what was found before, at the beginning of the window."""
        rows = await pool.fetch("SELECT update_id, story, families, label FROM enrich.gathered")
        self.told = {row["update_id"]: (row["story"], tuple(row["families"]), row["label"]) for row in rows}
        self.cursor = now - self.clusters.window

    async def step(self, pool: Pool) -> int:
        """Look at what was written since; how many rows."""
        rows = await pool.fetch(
            "SELECT update_id, written_at FROM enrich.updates WHERE written_at > $1 ORDER BY written_at LIMIT $2",
            self.cursor, MOST_LISTED,
        )  # fmt: skip
        fresh = [row["update_id"] for row in rows if self.seen.get(row["update_id"]) != row["written_at"]]
        for begin in range(0, len(fresh), AT_ONCE):
            await self._look_at_all(pool, fresh[begin : begin + AT_ONCE])
        self.seen |= {row["update_id"]: row["written_at"] for row in rows}
        if rows:
            newest = rows[-1]["written_at"]
            self.cursor = newest if len(rows) == MOST_LISTED else max(self.cursor, newest - OVERLAP)
            self.seen = {update_id: at for update_id, at in self.seen.items() if at > self.cursor}
        return len(fresh)

    async def _look_at_all(self, pool: Pool, update_ids: Sequence[str]) -> None:
        rows = await pool.fetch(
            """
            SELECT u.update_id, u.status, u.state, u.written_at, o.story AS ordered
            FROM enrich.updates u LEFT JOIN enrich.overrides o USING (update_id)
            WHERE u.update_id = ANY($1::text[]) ORDER BY u.written_at
            """,
            update_ids,
        )
        # Asked after the rows were read: a change that comes later finds them by itself, see `ask_refresh`.
        self.changes = [
            (row["name"], row["edition"], frozenset(row["keys"]))
            for row in await pool.fetch("SELECT name, edition, keys FROM enrich.changes")
        ]
        into = {row["story"]: row["merged_into"] for row in await pool.fetch(_MERGED)}
        changed: dict[str, StoryMembership] = {}
        stale: dict[str, list[str]] = {}
        for number, row in enumerate(rows, 1):
            what = f"{row['update_id']}@{row['written_at'].timestamp():.6f}"
            if what in self.aside:
                continue
            try:
                with self.in_hand(what):
                    state = orjson.loads(row["state"]) if row["status"] == "live" else None
                    changed |= self._look_at(row["update_id"], state, row["ordered"], into)
                    if state is not None and (name := self._is_stale(state["shown"])):
                        stale.setdefault(name, []).append(row["update_id"])
            except Exception:
                PASSED_OVER.inc()
                log.exception("an update is passed over", update_id=row["update_id"])
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        if changed:
            await self._write(pool, changed)
        for name, ids in stale.items():
            await ask_refresh(pool, REFRESHED[name], update_ids=ids, repeat=False)
            log.info("made with an older edition", table=name, updates=len(ids))

    def _is_stale(self, shown: Mapping[str, Any]) -> str | None:
        """The table of which an update shows what has changed since it was made; its row came too late to be found then."""
        editions = shown.get("editions", {})
        for name, edition, keys in self.changes:
            if editions.get(name, edition) < edition:
                shows = (
                    (*shown.get("author_ids", ()), *map(as_word, shown.get("unknown_names", ())))
                    if name == "authors"
                    else (shown.get("story"),)
                )
                if not keys.isdisjoint(shows):
                    return name
        return None

    def _look_at(
        self, update_id: str, state: Mapping[str, Any] | None, ordered: str | None, into: Mapping[str, str]
    ) -> dict[str, StoryMembership]:
        if state is None:
            moved: tuple[str, ...] = (update_id, *self.clusters.remove(update_id))
        else:
            raw, shown = state["current"]["raw"], state["shown"]
            known = self.told.get(update_id)
            placed = self.clusters.place(
                StoryCandidate(
                    update_id=update_id,
                    family=family_of(raw["source"], raw.get("credit", ""), self.families),
                    headline=shown.get("headline", ""),
                    text=shown.get("text") or shown.get("summary", ""),
                    own_story=story_id(raw["story"]) if (raw.get("story") or "").strip() else None,
                    at=datetime.fromisoformat(shown["first_published_at"]),
                    names=names_of(shown.get("tag_codes", ())),
                    slugline=raw.get("slugline", ""),
                ),
                known[0] if known is not None else None,
            )
            moved = (update_id, *placed.moved)
            if is_parted(ordered, placed.story, into):
                # An editor put it elsewhere: then it confirms nothing of those that it is like.
                moved = (*moved, *self.clusters.remove(update_id))
        found = {each: self.clusters.membership(each) for each in moved}
        return {
            each: placed
            for each, placed in found.items()
            if self.told.get(each, NOTHING) != (placed.story, placed.families, placed.label)
        }

    async def _write(self, pool: Pool, changed: Mapping[str, StoryMembership]) -> None:
        ids = sorted(changed)
        async with pool.acquire() as connection, connection.transaction():
            await connection.executemany(
                """
                INSERT INTO enrich.gathered (update_id, story, because, families, label) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (update_id) DO UPDATE SET
                    story = excluded.story, because = excluded.because, families = excluded.families,
                    label = excluded.label, changed_at = now()
                """,
                [
                    (
                        each,
                        placed.story,
                        placed.because.replace("\x00", ""),
                        list(placed.families),
                        placed.label.replace("\x00", ""),
                    )
                    for each, placed in sorted(changed.items())
                ],
            )
            await ask_refresh(connection, "story", update_ids=ids, repeat=False)
        self.told |= {each: (placed.story, placed.families, placed.label) for each, placed in changed.items()}
        GATHERED.inc(len(ids))


async def keep_gathering(
    pool: Pool,
    families: Mapping[str, str],
    *,
    threshold: float,
    window_h: float,
    suspects: Suspects | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    leads: asyncio.Event | None = None,
) -> None:
    """Gather stories whenever this replica holds the lock, which sets `leads`; until cancelled."""
    leading = leads or asyncio.Event()

    async def step() -> None:
        async with pool.acquire() as connection:
            # A leader that freezes says nothing; its session ends, and with it the lock.
            await connection.execute(f"SET idle_session_timeout = {int(LEADER_IDLE_S * 1000)}")
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                try:
                    LEADING.set(1)
                    leading.set()
                    gatherer = Gatherer(StoryClusters(threshold, timedelta(hours=window_h)), families)
                    if suspects is not None:
                        gatherer.aside, gatherer.in_hand = await suspects.open(), suspects.in_hand
                    await _lead(pool, connection, gatherer, clock)
                finally:
                    LEADING.set(0)
                    leading.clear()
                    with contextlib.suppress(*TRANSIENT):
                        await _unlock(connection)

    await keep_running("stories", step, every_s=INTERVAL_S * 5)


async def _lead(pool: Pool, connection: Connection, gatherer: Gatherer, clock: Callable[[], datetime]) -> None:
    await gatherer.begin(pool, clock())
    log.info("gathering stories", known=len(gatherer.told))
    while True:
        # The lock is the connection's: once that is lost, another replica may lead, and this one must not go on.
        await connection.execute("SELECT 1")
        await gatherer.step(pool)
        await asyncio.sleep(INTERVAL_S)


async def _unlock(connection: Connection) -> None:
    if not connection.is_closed():
        await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
        await connection.execute("RESET idle_session_timeout")


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """The process, until `stop` is set."""
    health = Health(STAGE, ready={"postgres": lambda: "waiting for Postgres"})
    async with health_server(health, settings, HEALTH_PORT):
        pool = await open_pool(settings, schema="enrich", stop=stop, max_size=3)
        leads = asyncio.Event()
        health.roles["stories"] = lambda: "active" if leads.is_set() else "standing by: another gathers"
        del health.ready["postgres"]
        suspects = Suspects(pool, "enrich", STAGE, "updates")
        if not stop.is_set():
            await run_until(
                stop,
                keep_gathering(
                    pool, settings.enrich_families,
                    threshold=settings.enrich_story_likeness, window_h=settings.enrich_story_window_h,
                    suspects=suspects, leads=leads,
                ),
            )  # fmt: skip
        health.draining = True
        with contextlib.suppress(*TRANSIENT):
            await asyncio.wait_for(suspects.close(), CLOSE_S)
        await pool.close()


__all__: Sequence[str] = ("Gatherer", "keep_gathering", "serve")

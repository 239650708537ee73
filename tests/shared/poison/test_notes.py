"""What takes its process down is found and set aside; what was only beside it is not."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.child import Child
from shared.messages import DeadLetter
from shared.poison.notes import (
    CrashedBefore,
    CrashNotes,
    Note,
    ProgressFile,
    adopt,
    begin,
    in_progress_of,
    was_left_open,
)
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.settings import Connections
from shared.streams import RAW
from support.servers import Servers, taken_over_soon
from support.topics import committed, everything_in, raw_update, send_all
from support.waiting import eventually

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


def test_only_what_was_begun_alone_three_times_by_others_is_not_begun_again() -> None:
    """The fourth process that comes to it passes it by, and says when the last one ended."""
    first = begin(Note("a"), "7@1", "a", NOW)
    assert first == Note("a", "7@1", ("a",), NOW)
    assert isinstance(first, Note)
    second = begin(first, "7@1", "b", NOW)
    assert second == Note("b", "7@1", ("a", "b"), NOW)
    assert isinstance(second, Note)
    third = begin(second, "7@1", "c", NOW)
    assert third == Note("c", "7@1", ("a", "b", "c"), NOW)
    assert isinstance(third, Note)
    fourth = begin(third, "7@1", "d", NOW)
    assert fourth == CrashedBefore(3, NOW)
    assert isinstance(fourth, CrashedBefore)
    assert "2026-11-28 09:00:00 UTC" in fourth.reason


def test_tries_of_one_process_count_once() -> None:
    """A process that begins again what failed for now has not died of it."""
    note = Note("a", "7@1", ("a",), NOW)
    assert begin(note, "7@1", "a", NOW) == note


@pytest.mark.parametrize("other", ["8@1", "7@2"])
def test_another_message_begins_anew(other: str) -> None:
    """Another offset, or the same offset of a log that was made anew, inherits nothing."""
    assert begin(Note("b", "7@1", ("a", "b"), NOW), other, "c", NOW) == Note("c", other, ("c",), NOW)


def test_a_place_that_was_given_back_or_is_ones_own_was_not_left_open() -> None:
    """Only another owner's row tells of a death."""
    assert not was_left_open(None, "a")
    assert not was_left_open(Note(None), "a")
    assert not was_left_open(Note("a"), "a")
    assert was_left_open(Note("b"), "a")


def test_what_the_dead_had_in_progress_counts_as_its_try() -> None:
    """Once, whether Postgres knew of it already or not."""
    assert adopt(Note("a"), "7@1") == Note("a", "7@1", ("a",))
    assert adopt(Note("a", "7@1", ("a",)), "7@1") == Note("a", "7@1", ("a",))
    assert adopt(Note("b", "7@1", ("a",)), "7@1") == Note("b", "7@1", ("a", "b"))
    assert adopt(Note("a", "7@1", ("a",)), None) == Note("a", "7@1", ("a",))


def test_what_is_in_progress_can_be_read_by_others_until_it_is_put_down(tmp_path: Path) -> None:
    """The file of a process says what it had in progress, and is gone after an orderly end."""
    progress = ProgressFile("abc", tmp_path)
    assert in_progress_of("abc", tmp_path) is None
    progress.take("updates.raw/3", "7@1")
    assert in_progress_of("abc", tmp_path) == ("updates.raw/3", "7@1")
    progress.empty()
    assert in_progress_of("abc", tmp_path) is None
    progress.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_note(tmp_path: Path) -> None:
    """Without a place for it nothing is noted, and nothing fails."""
    progress = ProgressFile("abc", tmp_path / "missing")
    progress.take("updates.raw/3", "7@1")
    progress.empty()
    progress.close()


@asynccontextmanager
async def schema(newsroom: Connections) -> AsyncIterator[Any]:
    """A pool on a schema that has the notes."""
    pool = await connect(newsroom, schema="publish")
    try:
        await migrate(pool, "publish")
        yield pool
    finally:
        await pool.close()


@pytest.mark.integration
async def test_notes_outlive_their_process_and_end_with_an_orderly_one(newsroom: Connections, tmp_path: Path) -> None:
    """What Postgres keeps: who left a place open, what was begun there, and nothing once it was given back."""
    async with schema(newsroom) as pool:
        first, second, again, third = (CrashNotes(pool, "publish", "s", tmp_path / name) for name in "abcd")
        assert await first.open(["t/0", "t/1"]) == set()
        assert await first.begin("t/0", "7@1") is None
        assert await second.open(["t/0"]) == {"t/0"}
        assert await second.begin("t/0", "7@1") is None
        assert await again.open(["t/0"]) == {"t/0"}
        assert await again.begin("t/0", "7@1") is None
        assert await third.open(["t/0"]) == {"t/0"}
        assert await third.begin("t/0", "7@1") is not None
        assert await third.begin("t/0", "8@1") is None
        await third.end("t/0")
        await third.close(["t/0"])
        assert await CrashNotes(pool, "publish", "s", tmp_path).open(["t/0"]) == set()


@pytest.mark.integration
async def test_a_process_that_was_only_cut_off_takes_its_try_back(newsroom: Connections, tmp_path: Path) -> None:
    """One that was frozen while another took its place over has not died of what it had begun."""
    async with schema(newsroom) as pool:
        frozen, second, third, last = (CrashNotes(pool, "publish", "s", tmp_path / name) for name in "abcd")
        for each in (frozen, second, third):
            await each.open(["t/0"])
            await each.begin("t/0", "7@1")
        await frozen.end("t/0")
        await last.open(["t/0"])
        assert await last.begin("t/0", "7@1") is None


@pytest.mark.integration
async def test_who_ends_while_it_waits_for_another_has_not_tried(newsroom: Connections, tmp_path: Path) -> None:
    """However many end in such a wait; those that ended at work before are counted all the same, and so is who goes on."""
    place, what = "t/0", "7@1"
    async with schema(newsroom) as pool:
        for name in "abcde":
            waits = CrashNotes(pool, "publish", "s", tmp_path)
            await waits.open([place])
            assert await waits.begin(place, what) is None, name
            waits.progress.take(place, what)
            await waits.waiting().__aenter__()
        for _ in range(3):
            works = CrashNotes(pool, "publish", "s", tmp_path)
            await works.open([place])
            assert await works.begin(place, what) is None
            works.progress.take(place, what)
            async with works.waiting():
                pass
        last = CrashNotes(pool, "publish", "s", tmp_path)
        await last.open([place])
        assert await last.begin(place, what) is not None


Start = Callable[..., Awaitable[Child]]


class Replicas:
    """Starts the consumer of `crashing_consumer.py` again and again."""

    def __init__(self, settings: Connections, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self.effects = folder / "effects"
        self.started: list[Child] = []

    def start(self, *words: str) -> Child:
        """One more process."""
        env = {name.upper(): str(value) for name, value in self._settings.model_dump().items()}
        number = len(self.started)
        child = Child(
            f"consumer-{number}",
            [sys.executable, str(Path(__file__).with_name("crashing_consumer.py")), str(self.effects), *words],
            self._folder / f"consumer-{number}.log",
            env=env | {"WATCHDOG_S": "3", "TMPDIR": str(self._folder)},
        )
        child.start()
        self.started.append(child)
        return child

    async def until_it_dies(self, *words: str) -> Child:
        """One more process, which ends by itself."""
        child = self.start(*words)
        await eventually(lambda: not child.running, within_s=30, what="the end of the process")
        return child

    def done(self) -> list[str]:
        """The guids of the effects, in order."""
        return self.effects.read_text().split() if self.effects.exists() else []


@pytest.fixture
def consumers(newsroom: Connections, servers: Servers, tmp_path: Path) -> Iterator[Replicas]:
    """Processes of this test."""
    consumers = Replicas(taken_over_soon(newsroom, servers), tmp_path)
    yield consumers
    for child in consumers.started:
        child.kill()
        print(child.tail(15))


def in_one_partition(*names: str) -> list[Any]:
    """Updates whose order is defined."""
    first = raw_update("one partition")
    return [raw_update(name, update_id=first.update_id) for name in names]


async def dead_letters(settings: Connections) -> list[DeadLetter]:
    """The dead letters of updates.raw."""
    return [
        DeadLetter.model_validate_json(record.value or b"")
        for record in await everything_in(settings, RAW.dead_letters)
    ]


async def all_committed(settings: Connections) -> int:
    """How many messages are done with."""
    return sum((await committed(settings, "test.consumer", RAW)).values())


@pytest.mark.integration
@pytest.mark.parametrize(("kind", "words"), [("crash", ()), ("hang", ()), ("eat", ()), ("crash", ("begins",))])
async def test_a_message_that_takes_its_process_down_is_set_aside_by_the_fourth(
    newsroom: Connections, consumers: Replicas, kind: str, words: tuple[str, ...]
) -> None:
    """First in the queue after a start it cannot keep the stage down: those behind it are done, each once and in order."""
    async with schema(newsroom):
        await send_all(newsroom, RAW, in_one_partition(kind))
        await consumers.until_it_dies(*words)
        await send_all(newsroom, RAW, in_one_partition("b", "c"))
        await consumers.until_it_dies(*words)
        await consumers.until_it_dies(*words)
        assert consumers.done() == []
        fourth = consumers.start(*words)
        await eventually(consumers.done, lambda done: done == ["b", "c"], within_s=30, what="those behind it")
        (dead,) = await eventually(lambda: dead_letters(newsroom), what="the dead letter")
        assert (dead.stage, dead.failure, dead.offset) == ("test.consumer", "permanent", 0)
        assert "begun alone 3 times" in dead.reason
        await eventually(lambda: all_committed(newsroom), lambda count: count == 3, what="all committed")
        fourth.end()
        assert consumers.done() == ["b", "c"]


@pytest.mark.integration
async def test_in_a_batch_of_many_the_one_at_fault_is_found(newsroom: Connections, consumers: Replicas) -> None:
    """An end that many share names nobody; from then on they are done one by one, and those before it not again."""
    async with schema(newsroom):
        await send_all(newsroom, RAW, in_one_partition("a", "b", "crash", "d"))
        await consumers.until_it_dies()
        assert consumers.done() == ["a", "b"]
        for _ in range(3):
            await consumers.until_it_dies()
        consumers.start()
        await eventually(
            consumers.done, lambda done: done == ["a", "b", "a", "b", "d"], within_s=30, what="those behind it"
        )
        (dead,) = await eventually(lambda: dead_letters(newsroom), what="the dead letter")
        assert dead.offset == 2


@pytest.mark.integration
async def test_innocents_are_never_set_aside(newsroom: Connections, consumers: Replicas) -> None:
    """Processes that are killed with SIGKILL, at work or at rest, set nothing aside, though there are more than a message may take down."""
    names = [f"n{number}" for number in range(32)]
    async with schema(newsroom):
        for start in range(0, len(names), 8):
            await send_all(newsroom, RAW, in_one_partition(*names[start : start + 8]))
            child = consumers.start()
            await eventually(
                consumers.done, lambda done, last=names[start + 7]: last in done, within_s=30, what="some of it"
            )
            child.kill()
        await send_all(newsroom, RAW, in_one_partition("last"))
        consumers.start()
        await eventually(consumers.done, lambda done: "last" in done, within_s=30, what="the last")
        assert list(dict.fromkeys(consumers.done())) == [*names, "last"]
        assert await dead_letters(newsroom) == []


@pytest.mark.integration
async def test_an_orderly_end_makes_nobody_careful(newsroom: Connections, consumers: Replicas) -> None:
    """After SIGTERM the next process goes on at full speed, and no file is left behind."""
    async with schema(newsroom) as pool:
        await send_all(newsroom, RAW, in_one_partition("a"))
        child = consumers.start()
        await eventually(consumers.done, lambda done: done == ["a"], within_s=30, what="done")
        await asyncio.to_thread(child.end)
        rows = await pool.fetch("SELECT owner, begun FROM publish.crash_notes")
        assert [tuple(row) for row in rows] == [(None, None)]
        assert list(consumers.effects.parent.glob("*.progress")) == []


@pytest.mark.integration
async def test_what_waits_for_ever_while_its_process_is_ended_is_not_at_fault(
    newsroom: Connections, consumers: Replicas
) -> None:
    """Whoever ends a process that is still at work says nothing of what it was at."""
    async with schema(newsroom) as pool:
        await send_all(newsroom, RAW, in_one_partition("wait"))
        child = consumers.start()
        await eventually(
            lambda: pool.fetchval("SELECT count(*) FROM publish.crash_notes"),
            lambda n: n == 1,
            within_s=30,
            what="taken",
        )
        await asyncio.to_thread(child.end, 40)
        rows = await pool.fetch("SELECT owner, begun, tried_by FROM publish.crash_notes")
        assert [tuple(row) for row in rows] == [(None, None, [])]

"""Folders into which files are dropped."""

import asyncio
import json
import os
import threading
import time
from pathlib import Path

import pytest

from ingest.sources import store
from ingest.sources.source import Source
from ingest.transports.watch.claims import (
    CLAIMS,
    move_into,
    reclaim_from_dead_workers,
)
from ingest.transports.watch.folder import FileSnapshot, FolderState, is_partial, list_files
from ingest.transports.watch.watcher import Watcher
from shared.postgres.set_aside import listed
from support.ingest_api import Wire
from support.waiting import eventually

GOOD = b'{"guid": "a", "headline": "From a file"}'
MIXED = b'[{"guid": "b", "headline": "Good"}, {"headline": "No guid"}]'


def drop(folder: Path, name: str, body: bytes, age_s: float = 60) -> Path:
    """A file that came to rest a minute ago."""
    path = folder / name
    path.write_bytes(body)
    moment = time.time() - age_s
    os.utime(path, (moment, moment))
    return path


async def started(wire: Wire, folder: Path, owner: str = "one") -> tuple[Watcher, Source]:
    """A worker on a folder."""
    source = Source(name="dropped", kind="watch", folder=str(folder))
    await store.save(wire.pool, source)
    await wire.registry.load(wire.pool)
    watcher = Watcher(wire.settings, wire.registry, wire.intake, owner)
    watcher.prepare(folder)
    return watcher, source


@pytest.mark.integration
async def test_files_end_in_done_or_rejected_with_a_reason(wire: Wire, tmp_path: Path) -> None:
    """Good files end in done/, unreadable ones in rejected/ with the reason, mixed ones in done/ with what was refused."""
    watcher, source = await started(wire, tmp_path)
    drop(tmp_path, "good.json", GOOD)
    drop(tmp_path, "bad.json", b'{"guid": ')
    drop(tmp_path, "mixed.json", MIXED)
    assert await watcher.take_all(source, tmp_path, FolderState())
    assert sorted(item["guid"] for item in await wire.raw()) == ["a", "b"]
    assert list_files(tmp_path)[0] == {}
    assert {path.name for path in (tmp_path / "done").iterdir()} == {
        "good.json",
        "mixed.json",
        "mixed.json.reason.json",
    }
    reason = json.loads((tmp_path / "rejected" / "bad.json.reason.json").read_bytes())
    assert (tmp_path / "rejected" / "bad.json").read_bytes() == b'{"guid": '
    assert reason["code"] == "malformed-json"
    assert reason["original"]
    refused = json.loads((tmp_path / "done" / "mixed.json.reason.json").read_bytes())
    assert refused["items"][0]["index"] == 1


@pytest.mark.integration
async def test_several_workers_take_each_file_once(wire: Wire, tmp_path: Path) -> None:
    """Whatever two workers see at the same time, each file is taken by one of them."""
    (one, source), (two, _) = await started(wire, tmp_path), await started(wire, tmp_path, "two")
    for number in range(40):
        drop(tmp_path, f"{number}.json", b'{"guid": "g%d", "headline": "x"}' % number)
    await asyncio.gather(*(each.take_all(source, tmp_path, FolderState()) for each in (one, two)))
    assert len(list((tmp_path / "done").iterdir())) == 40
    assert await wire.pool.fetchval("SELECT count(*) FROM ingest.originals") == 40
    assert len(await wire.raw()) == 40


@pytest.mark.integration
async def test_a_file_is_put_back_while_kafka_is_away(wire: Wire, tmp_path: Path) -> None:
    """An outage loses no file: it lies where it lay, under its name, and is taken afterwards."""
    watcher, source = await started(wire, tmp_path)
    drop(tmp_path, "good.json", GOOD)
    producer, wire.intake.producer = wire.intake.producer, None
    assert not await watcher.take_all(source, tmp_path, FolderState())
    assert (tmp_path / "good.json").read_bytes() == GOOD
    wire.intake.producer = producer
    assert await watcher.take_all(source, tmp_path, FolderState())
    assert len(await wire.raw()) == 1


@pytest.mark.integration
async def test_the_running_worker_takes_what_is_dropped(wire: Wire, tmp_path: Path) -> None:
    """A file written under a temporary name and renamed is taken at once; one that may still grow is left alone."""
    wire.settings = wire.settings.model_copy(update={"ingest_watch_settle_s": 3600.0})
    watcher, _ = await started(wire, tmp_path)
    task = asyncio.create_task(watcher.run())
    try:
        (tmp_path / "a.json.part").write_bytes(GOOD)
        (tmp_path / "slow.json").write_bytes(b'{"guid": "slow", ')
        await eventually(lambda: watcher.folders["dropped"].partial, within_s=60)
        (tmp_path / "a.json.part").rename(tmp_path / "a.json")
        await eventually((tmp_path / "done" / "a.json").exists, within_s=60)
        assert (tmp_path / "slow.json").exists()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [item["guid"] for item in await wire.raw()] == ["a"]


@pytest.mark.integration
async def test_a_link_is_not_followed(wire: Wire, tmp_path: Path) -> None:
    """Who may drop files may not have other files of the machine read."""
    watcher, source = await started(wire, tmp_path)
    secret = tmp_path.parent / f"{tmp_path.name}-secret.json"
    secret.write_bytes(GOOD)
    (tmp_path / "link.json").symlink_to(secret)
    await watcher.take_all(source, tmp_path, FolderState())
    assert await wire.raw() == []
    assert secret.exists()


def test_a_file_that_still_changes_is_left_alone() -> None:
    """Size or time that moved starts the wait anew; at rest long enough, it is whole."""
    watched = FolderState()
    now_ns = 10**18

    def look(size: int, now: float) -> list[str]:
        return watched.whole({"f": FileSnapshot(size, now_ns, 1)}, set(), 1.0, now, now_ns / 1e9)

    assert look(10, 0.0) == []
    assert look(20, 0.9) == []
    assert look(20, 1.8) == []
    assert look(20, 2.0) == ["f"]


def test_an_empty_file_is_given_longer() -> None:
    """An uploader that creates first and fills later is waited for."""
    watched = FolderState()
    assert watched.whole({"f": FileSnapshot(0, 10**18, 1)}, set(), 1.0, 0.0, 1e9) == []
    assert watched.whole({"f": FileSnapshot(0, 10**18, 1)}, set(), 1.0, 5.0, 1e9) == []
    assert watched.whole({"f": FileSnapshot(0, 10**18, 1)}, set(), 1.0, 10.0, 1e9) == ["f"]


def test_a_rename_says_that_a_file_is_whole() -> None:
    """What was seen under a partial name and has its final one is taken without waiting."""
    watched = FolderState()
    assert watched.whole({}, {7}, 1.0, 0.0, 1e9) == []
    assert watched.whole({"f": FileSnapshot(5, 10**18, 7)}, set(), 1.0, 0.1, 1e9) == ["f"]


@pytest.mark.parametrize("name", [".hidden", "a.part", "a.XML.TMP", "a.filepart", "copy~"])
def test_names_of_partial_files(name: str) -> None:
    """Names under which uploaders write are known."""
    assert is_partial(name)


def test_claims_of_a_dead_worker_are_given_back(tmp_path: Path) -> None:
    """A worker that was killed with a file in hand loses it to the others after a minute, not before."""
    for owner, age_s in (("dead", 120), ("alive", 1)):
        claims = tmp_path / CLAIMS / owner
        claims.mkdir(parents=True)
        (claims / f"{owner}.json").write_bytes(GOOD)
        os.utime(claims, (time.time() - age_s,) * 2)
    reclaim_from_dead_workers(tmp_path, "me")
    assert set(list_files(tmp_path)[0]) == {"dead.json"}


def die_with(folder: Path, owner: str, name: str) -> None:
    """A worker claims a file and is never heard of again."""
    claims = folder / CLAIMS / owner
    claims.mkdir(parents=True)
    (folder / name).rename(claims / name)
    os.utime(claims, (time.time() - 120,) * 2)


def test_a_file_that_a_second_worker_died_with_is_rejected(tmp_path: Path) -> None:
    """It is moved aside with the reason beside it; another file of that name begins anew."""
    (tmp_path / "rejected").mkdir()
    (tmp_path / "bad.json").write_bytes(GOOD)
    die_with(tmp_path, "first", "bad.json")
    assert reclaim_from_dead_workers(tmp_path, "me") == []
    assert set(list_files(tmp_path)[0]) == {"bad.json"}
    die_with(tmp_path, "second", "bad.json")
    assert reclaim_from_dead_workers(tmp_path, "me") == ["bad.json"]
    assert set(list_files(tmp_path)[0]) == set()
    reason = json.loads((tmp_path / "rejected" / "bad.json.reason.json").read_bytes())
    assert reason["code"] == "took-its-worker-down"
    (tmp_path / "bad.json").write_bytes(GOOD + b" ")
    die_with(tmp_path, "third", "bad.json")
    assert reclaim_from_dead_workers(tmp_path, "me") == []


def test_a_file_of_the_same_name_is_not_overwritten(tmp_path: Path) -> None:
    """A second file of a name that has ended already keeps both."""
    for body in (b"1", b"2"):
        claimed = tmp_path / "x.json"
        claimed.write_bytes(body)
        (tmp_path / "done").mkdir(exist_ok=True)
        move_into(tmp_path / "done", claimed)
    assert {path.name: path.read_bytes() for path in (tmp_path / "done").iterdir()} == {
        "x.json": b"1",
        "x~2.json": b"2",
    }


@pytest.mark.integration
async def test_a_file_that_cannot_be_taken_holds_up_no_other(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays where it lies, is listed with its reason, and is taken once it can be: at once when the sender replaced it."""
    watcher, source = await started(wire, tmp_path)
    take, tried = wire.intake.take, []

    async def with_a_bug(source: Source, body: bytes, **options: object) -> object:
        if b"poison" in body:
            tried.append(body)
            raise TypeError("a bug")
        return await take(source, body, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(wire.intake, "take", with_a_bug)
    drop(tmp_path, "1.json", b'{"guid": "poison", "headline": "x"}', age_s=90)
    drop(tmp_path, "2.json", GOOD)
    for _ in range(3):
        assert await watcher.take_all(source, tmp_path, FolderState())
    assert len(tried) == 1, "it is not tried again before its pause is over"
    assert [item["guid"] for item in await wire.raw()] == ["a"]
    assert list(list_files(tmp_path)[0]) == ["1.json"]
    (entry,) = await listed(wire.pool, "ingest")
    assert (entry.loop, entry.key, entry.reason) == ("watched files", "dropped/1.json", "TypeError: a bug")
    drop(tmp_path, "1.json", b'{"guid": "mended", "headline": "x"}')
    assert await watcher.take_all(source, tmp_path, FolderState())
    assert sorted(item["guid"] for item in await wire.raw()) == ["a", "mended"]
    assert await listed(wire.pool, "ingest") == []


@pytest.mark.integration
@pytest.mark.parametrize("end", ["rejected", "done"])
async def test_a_file_that_was_written_on_afterwards_is_taken_once_more(wire: Wire, tmp_path: Path, end: str) -> None:
    """An uploader paused in the middle: half a file is rejected, or understood all the same. The whole one is taken."""
    watcher, source = await started(wire, tmp_path)
    half = b'{"guid": "a", "head' if end == "rejected" else b'{"guid": "a", "headline": "From"}'
    path = drop(tmp_path, "late.json", half)
    with path.open("ab") as uploader:
        assert await watcher.take_all(source, tmp_path, FolderState())
        moved = tmp_path / end / "late.json"
        assert moved.exists()
        uploader.truncate(0)
        uploader.write(GOOD)
    moment = time.time() - 60
    os.utime(moved, (moment, moment))
    watcher._heartbeats.clear()
    await watcher._beat(source, tmp_path)
    assert list(list_files(tmp_path)[0]) == ["late.json"]
    assert not moved.with_name("late.json.reason.json").exists()
    assert await watcher.take_all(source, tmp_path, FolderState())
    assert [item["headline"] for item in await wire.raw()][-1] == "From a file"


@pytest.mark.integration
async def test_a_drive_that_hangs_holds_up_no_other_folder(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its calls do not come back: the other folder's file is taken, and the process can end."""
    hanging, working = tmp_path / "hanging", tmp_path / "working"
    released, hung = threading.Event(), threading.Event()

    def listing(folder: Path) -> tuple[dict[str, FileSnapshot], set[int]]:
        if folder == hanging:
            hung.set()
            released.wait(60)
        return list_files(folder)

    monkeypatch.setattr("ingest.transports.watch.watcher.list_files", listing)
    for folder in (hanging, working):
        folder.mkdir()
        await store.save(wire.pool, Source(name=folder.name, kind="watch", folder=str(folder)))
    await wire.registry.load(wire.pool)
    watcher = Watcher(wire.settings, wire.registry, wire.intake, "one")
    running = asyncio.create_task(watcher.run())
    try:
        await eventually(hung.is_set, what="the drive hangs")
        drop(working, "good.json", GOOD)
        await eventually((working / "done" / "good.json").exists, what="the other folder's file is taken")
        running.cancel()
        await asyncio.wait([running], timeout=10)
        assert running.done()
    finally:
        released.set()

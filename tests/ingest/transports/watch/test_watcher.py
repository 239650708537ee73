"""Folders into which files are dropped."""

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from ingest.sources import store
from ingest.sources.source import Source
from ingest.transports.watch.claims import (
    CLAIMS,
    REJECTED,
    move_into,
    put_back_grown,
    reclaim_from_dead_workers,
    reject,
)
from ingest.transports.watch.folder import FileSnapshot, FolderState, is_partial, list_files
from ingest.transports.watch.watcher import Watcher
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


def test_a_rejected_file_that_goes_on_is_taken_again(tmp_path: Path) -> None:
    """An upload that stalled was rejected as half a file; its sender wrote on to where it had been moved."""
    for name in (REJECTED, CLAIMS):
        (tmp_path / name).mkdir()
    half = tmp_path / CLAIMS / "a.xml"
    half.write_text("<nitf><body>")
    reject(half, tmp_path, {"code": "malformed-xml"})
    moved = tmp_path / REJECTED / "a.xml"
    assert put_back_grown(tmp_path, 0.0) == []
    with moved.open("a") as file:
        file.write("</body></nitf>")
    later = time.time() + 5
    os.utime(moved, (later, later))
    assert put_back_grown(tmp_path, 60.0) == []
    assert put_back_grown(tmp_path, -60.0) == ["a.xml"]
    assert (tmp_path / "a.xml").read_text() == "<nitf><body></body></nitf>"
    assert list((tmp_path / REJECTED).iterdir()) == []


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

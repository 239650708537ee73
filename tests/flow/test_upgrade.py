"""An upgrade and the way back: every process is rolled from the last release to this one and back, under everybody's eyes.

`make upgrade` rolls one process after the other and prints what it took; the suite rolls them in three groups.
`UPGRADE_FROM` is a commit to come from, in the place of the last release's.
"""

import asyncio
import functools
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from oracle.differences import Differences
from oracle.eventlogs import compare_deliveries, compare_stream
from oracle.observers.seen import Log, place_of
from oracle.truth import Truth, read_truth
from shared.settings import Connections
from support.pipeline import register_sources
from support.processes import Processes
from support.releases import PRESENT, NotHere, Release, checked_out, last_commit
from support.rolling import Rolling, Watch
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]

GROUPS = (
    ("enrich-text", "publish-archive", "publish-push"),
    ("ingest-api", "enrich-gather", "publish-cache"),
    ("publish-web", "enrich-media"),
)
"""Enrich before ingest, as the changelog has it; the rest as it comes, so that every pair of neighbours meets old beside new."""
ONE_BY_ONE = os.environ.get("UPGRADE_ONE_BY_ONE") == "1"


@pytest.fixture
def last() -> Release:
    """The last release."""
    try:
        return checked_out(last_commit())
    except NotHere as reason:
        pytest.skip(str(reason))


async def test_nobody_notices_an_upgrade_nor_the_way_back(
    newsroom: Connections, processes: Processes, tmp_path: Path, last: Release
) -> None:
    """While a wire pushes and readers read: no request fails, no event is missing, comes twice or out of order, none after a kill."""
    rolling = Rolling(newsroom, processes)
    await rolling.open()
    rolling.env |= {
        "PUBLISH_STREAM_DRAIN_S": "1", "PUBLISH_STREAM_RETRY_MS": "100", "PUBLISH_PUSH_ALLOW_PRIVATE": "true",
        "PUBLISH_SITE_URL": rolling.url("publish-web"), "PUBLISH_PUSH_URL": rolling.url("publish-push"),
        "PUBLISH_PUSH_WEB_URLS": rolling.url("publish-web"), "ENRICH_MEDIA_RENDERERS": "1",
    }  # fmt: skip
    watch = Watch(rolling)
    try:
        await asyncio.gather(*(rolling.roll(name, last) for group in GROUPS for name in group))
        old = functools.partial(processes.run, newsroom, python=last.python, **last.env)
        await asyncio.to_thread(register_sources, processes, newsroom, tmp_path, python=last.python, **last.env)
        made = await asyncio.to_thread(old, "publish", "push", "keys", "add", "partner")
        async with watch.watching(json.loads(made)["key"]) as end_wire:
            for release in (PRESENT, last):
                await _carry_on(watch)
                for group in GROUPS:
                    await _roll(rolling, group, release)
            await _carry_on(watch)
            await end_wire()
            truth = await eventually(
                lambda: read_truth(newsroom), lambda truth: not _missing(watch, truth), within_s=30, what="lost"
            )
            await eventually(lambda: _behind(watch, truth), lambda behind: not behind, within_s=30, what="not told")
    finally:
        await rolling.close()
    _say(watch, rolling)
    assert watch.errors == []
    assert _doubled(watch, truth) == []
    differences = Differences()
    for log in (*watch.streams, watch.polled):
        compare_stream(truth, log, differences)
        assert log.resets == []
    compare_deliveries(truth, watch.told, differences)
    assert differences.as_json() == []
    for log in watch.streams:
        assert log.connections >= 3, "a reader was not sent from one release to the other and back"


async def _roll(rolling: Rolling, group: tuple[str, ...], release: Release) -> None:
    if ONE_BY_ONE:
        for name in group:
            await rolling.roll(name, release)
    else:
        await asyncio.gather(*(rolling.roll(name, release) for name in group))


async def _carry_on(watch: Watch) -> None:
    """Copy flows for a while."""
    before = len(watch.accepted)
    await eventually(lambda: len(watch.accepted) > before + 10, within_s=30, what="no copy is taken")


def _missing(watch: Watch, truth: Truth) -> list[str]:
    """What was acknowledged and is not in the log."""
    said = {
        update_id: {record.shown.headline for record in truth.of_update.get(update_id, ())}
        for update_id in watch.accepted
    }
    lost = [
        f"{each}: {set(headlines) - said[each]}"
        for each, headlines in watch.accepted.items()
        if set(headlines) - said[each]
    ]
    return lost + [each for each in watch.killed if (last := truth.last(each)) is None or not last.shown.removal]


def _doubled(watch: Watch, truth: Truth) -> list[str]:
    """What was said once, and was published as two revisions, but for those that enrich makes of what it finds out later."""
    twice = []
    for update_id in watch.accepted:
        own = Counter(
            record.shown.headline for record in truth.of_update[update_id] if record.kind in ("publish", "correct")
        )
        twice += [f"{update_id}: {headline} {times} times" for headline, times in own.items() if times > 1]
    return twice


def _behind(watch: Watch, truth: Truth) -> list[str]:
    """Who has not been told the last of it."""
    end = max(truth.by_offset)
    late = [log.name for log in (*watch.streams, watch.polled) if not log.seen or place_of(log.last_id)[1] < end]
    told = {(seen.update_id, seen.revision) for seen in watch.told.seen}
    lasts = [truth.last(update_id) for update_id in truth.of_update if truth.position(update_id) is not None]
    return late + [
        f"webhooks: {each.update_id}" for each in lasts if each and (each.update_id, each.revision) not in told
    ]


def _say(watch: Watch, rolling: Rolling) -> None:
    """The figures, for `make upgrade`."""
    logs: list[Log] = [*watch.streams, watch.polled, watch.told]
    slowest = ", ".join(f"{what} {seconds * 1000:.0f} ms" for what, seconds in sorted(watch.slowest_s.items()))
    print(f"\nupgrade from {last_commit()[:12]} and back: {sum(map(len, watch.accepted.values()))} versions of "
          f"{len(watch.accepted)} updates and {len(watch.killed)} kills were acknowledged; "
          f"{sum(len(log.seen) for log in logs)} events told; {sum(watch.asked.values())} requests, {len(watch.errors)} errors")  # fmt: skip
    print(f"upgrade: slowest answers: {slowest}")
    for what, seconds in rolling.took_s:
        print(f"upgrade: {what}: {seconds:.1f} s")

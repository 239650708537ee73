"""Whatever dies, freezes or goes away in enrich text: its rows say of each update what `updates.enriched` says first."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from enrich.text.domain.state import State
from shared.kafka.standalone import new_consumer
from shared.messages import EnrichedUpdate, update_id_for
from shared.settings import Connections
from shared.streams import ENRICHED
from support.pipeline import KEYS, Pipeline, started
from support.processes import Processes
from support.topics import everything_in
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

SERVICES = (("ingest", "api"), ("enrich", "text"), ("publish", "archive"), ("publish", "web"))
TRIES = 12
SESSIONS = 2
"""For how many sessions of Kafka a process is frozen: longer than a group waits for its member."""


@asynccontextmanager
async def end_of_log(newsroom: Connections) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that stands at the end of the log."""
    consumer = new_consumer(newsroom, "tests")
    await consumer.start()
    try:
        partition = TopicPartition(newsroom.topic_prefix + ENRICHED.name, 0)
        consumer.assign([partition])
        consumer.seek(partition, (await consumer.end_offsets([partition]))[partition])
        yield consumer
    finally:
        await consumer.stop()


async def fetched(newsroom: Connections, query: str, *values: object) -> list[asyncpg.Record]:
    """The rows of a query."""
    connection = await asyncpg.connect(newsroom.postgres_dsn)
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


async def published(newsroom: Connections) -> dict[str, list[EnrichedUpdate]]:
    """By update, what counts for readers: what is higher than all before it."""
    found: dict[str, list[EnrichedUpdate]] = {}
    for record in await everything_in(newsroom, ENRICHED):
        update = EnrichedUpdate.model_validate_json(record.value or b"")
        seen = found.setdefault(update.update_id, [])
        if not seen or update.revision > seen[-1].revision:
            seen.append(update)
    return found


async def differences(newsroom: Connections) -> list[str]:
    """Where rows and log differ; none, once all is settled."""
    rows = await fetched(newsroom, "SELECT update_id, state FROM enrich.updates")
    states = {row["update_id"]: State.model_validate_json(row["state"]) for row in rows}
    found = []
    for update_id, updates in (await published(newsroom)).items():
        last, state = updates[-1], states.get(update_id)
        shown = state.last_published if state is not None else None
        if state is None or shown is None:
            found.append(f"{update_id}: no row")
        elif (state.revision, shown.removal, shown.headline) != (last.revision, last.removal, last.headline):
            found.append(f"{update_id}: row {state.revision} {shown.removal}, log {last.revision} {last.removal}")
    return found


async def killed_before_its_row(pipeline: Pipeline, **update: Any) -> str:
    """Send an update, and kill enrich text as soon as its revision is in the log; the id of one whose row was not written."""
    text = pipeline.named["enrich-text"].child
    for number in range(TRIES):
        guid = f"{update['guid']}-{number}"
        update_id = update_id_for("desk", guid)
        async with end_of_log(pipeline.settings) as consumer:

            async def seen(consumer: AIOKafkaConsumer = consumer, update_id: str = update_id) -> None:
                while True:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        if any(record.key == update_id.encode() for record in records):
                            return

            hunting = asyncio.create_task(seen())
            # What comes right behind another is written with a pause.
            await pipeline.accepted(guid=f"warm-{number}", headline="Warm")
            await pipeline.accepted(**update | {"guid": guid})
            await asyncio.wait_for(hunting, 20)
            text.kill()
        rows = await fetched(pipeline.settings, "SELECT 1 FROM enrich.updates WHERE update_id = $1", update_id)
        if not rows:
            return update_id
        text.start()
        await pipeline.named["enrich-text"].ready()
    raise AssertionError("never killed between record and row")


async def order(pipeline: Pipeline, update_id: str, name: str) -> None:
    """A desk's order."""
    headers = {"Authorization": f"Bearer {KEYS['desk']}"}
    async with httpx.AsyncClient(headers=headers) as client:
        url = f"{pipeline.ingest}/v1/updates/{update_id}/orders"
        answer = await client.post(url, json={"order": name, "reason": "must go"})
        assert answer.status_code == 202, answer.text


async def test_a_death_between_record_and_row_changes_nothing_and_the_next_steps_follow(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """The directory is another one at the repeat: readers get that as the next revision, and every order after it."""
    async with started(newsroom, processes, tmp_path, SERVICES) as pipeline:
        update_id = await killed_before_its_row(
            pipeline, guid="by", headline="By a known author", version="1", byline="By Ada Quill"
        )
        (first,) = (await published(newsroom))[update_id]
        authors = tmp_path / "authors.json"
        authors.write_text(json.dumps([{"id": "ada-quill", "name": "Ada Quill", "role": "Editor"}]))
        await asyncio.to_thread(processes.run, newsroom, "enrich", "authors", "import", str(authors))
        pipeline.named["enrich-text"].child.start()
        await pipeline.named["enrich-text"].ready()

        async def log() -> list[EnrichedUpdate]:
            return (await published(newsroom))[update_id]

        seen = await eventually(log, lambda seen: len(seen) == 2, within_s=30, what="the author")
        assert seen[0] == first
        assert [author.id for author in seen[1].authors] == ["ada-quill"]
        for name, removal in (("withdraw", "withdrawn"), ("restore", None), ("kill", "killed")):
            await order(pipeline, update_id, name)
            seen = await eventually(log, lambda seen, removal=removal: seen[-1].removal == removal, within_s=20)  # type: ignore[misc]
        assert [each.revision for each in seen] == [1, 2, 3, 4, 5]
        await eventually(lambda: differences(newsroom), lambda found: not found, within_s=20)
        answer = await eventually(
            lambda: pipeline.get(f"/v1/updates/{update_id}"), lambda answer: answer.status_code == 410, within_s=20
        )
        assert "known author" not in answer.text


async def test_a_writer_that_froze_and_wakes_late_leaves_rows_and_log_alike(
    newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """Versions and orders come while one of two replicas is stopped for longer than its group waits, and when it goes on."""
    async with started(newsroom, processes, tmp_path, SERVICES) as pipeline:
        other = processes.start(newsroom, "enrich", "text")
        await other.ready()
        process = pipeline.named["enrich-text"].child.process
        assert process is not None
        stop = asyncio.Event()
        sent: list[str] = []

        async def send() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                guid = f"g{number % 40}"
                sent.append(await pipeline.accepted(guid=guid, headline=f"Headline {number}", version=str(number)))
                if number % 7 == 0:
                    await order(pipeline, sent[-1], ("withdraw", "restore", "pin")[number % 3])
                await asyncio.sleep(0.02)

        sending = asyncio.create_task(send())
        try:
            await eventually(lambda: len(sent) > 60, within_s=30)
            process.send_signal(signal.SIGSTOP)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(sending), SESSIONS * newsroom.kafka_session_timeout_s)
            process.send_signal(signal.SIGCONT)
            count = len(sent)
            await eventually(lambda: len(sent) > count + 60, within_s=30)
        finally:
            process.send_signal(signal.SIGCONT)
            stop.set()
            await sending
        await pipeline.named["enrich-text"].ready()

        # Each has its last version, whoever handled it.
        last = {update_id: number for number, update_id in enumerate(sent, 1)}

        async def unsettled() -> list[str]:
            newest = {}
            for each in await fetched(newsroom, "SELECT update_id, state FROM enrich.updates"):
                state = State.model_validate_json(each["state"])
                newest[each["update_id"]] = int(state.current_version.raw.version or 0)
            behind = [
                f"{each}: version {newest.get(each)} of {last[each]}" for each in last if newest.get(each) != last[each]
            ]
            return [*behind, *await differences(newsroom)]

        await eventually(unsettled, lambda found: not found, within_s=60, what="rows and log differ")

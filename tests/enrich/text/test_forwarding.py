"""What came under the key of its update's id goes to where its source is, as soon as the source is known."""

from typing import Any

import pytest

from enrich.text.domain.lifecycle import Input
from shared.messages import EnrichedUpdate, Refresh, Release, update_id_for
from shared.streams import ENRICHED, RAW
from support.enrich_doubles import MemoryKafka, MemoryPostgres, handler_on, incoming
from support.incoming import minute, order, version

UPDATE = update_id_for("pa", "g1")
BY_ID = UPDATE.encode()


@pytest.fixture
def postgres() -> MemoryPostgres:
    return MemoryPostgres()


@pytest.fixture
def kafka() -> MemoryKafka:
    return MemoryKafka()


LATER: dict[str, Input] = {
    "order": order("kill", 2, reason="wrong man"),
    "release": Release(update_id=UPDATE, due_at=minute(2)),
    "refresh": Refresh(update_id=UPDATE, cause="media", requested_at=minute(2)),
}


@pytest.mark.parametrize("name", LATER)
async def test_what_concerns_an_update_of_a_known_source_is_sent_on_and_not_handled(
    postgres: MemoryPostgres, kafka: MemoryKafka, name: str
) -> None:
    """Once, as it came, under the source's key: there it is handled."""
    text = handler_on(postgres, kafka)
    await text.handle(incoming(version(1), key=b"pa"))
    before = postgres.states[UPDATE]
    [message] = incoming(LATER[name], key=BY_ID)
    message.record.headers = (("ce_id", b"the same"),)  # type: ignore[attr-defined,misc]
    await text.handle([message])
    assert kafka.of(RAW) == [message.record.value]
    assert kafka.keys[-1] == (RAW.name, "pa") or (RAW.name, "pa") in kafka.keys
    assert len(kafka.of(ENRICHED)) == 1
    assert postgres.states[UPDATE] == before
    await text.handle(incoming(LATER[name], key=b"pa"))
    assert len(kafka.of(RAW)) == 1


async def test_an_order_for_an_update_that_nobody_knows_is_handled_and_waits(
    postgres: MemoryPostgres, kafka: MemoryKafka
) -> None:
    """A kill that comes before its update holds, wherever it was read."""
    text = handler_on(postgres, kafka)
    await text.handle(incoming(order("kill", 1, reason="wrong man"), key=BY_ID))
    assert kafka.of(RAW) == []
    assert postgres.state(UPDATE).final == "killed"
    await text.handle(incoming(version(2), key=b"pa"))
    assert [EnrichedUpdate.model_validate_json(each).kind for each in kafka.of(ENRICHED)] == ["kill"]


async def test_what_follows_in_one_batch_knows_the_source(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """The version before it in the batch told it."""
    text = handler_on(postgres, kafka)
    await text.handle([*incoming(version(1), key=b"pa"), *incoming(order("pin", 2), key=BY_ID)])
    assert len(kafka.of(RAW)) == 1
    assert len(kafka.of(ENRICHED)) == 1


async def test_versions_of_a_release_before_go_to_their_source_too(
    postgres: MemoryPostgres, kafka: MemoryKafka
) -> None:
    """It keyed them by update id: one update must not have two writers while they are in the topic."""
    text = handler_on(postgres, kafka)
    old: Any = incoming(version(1), key=BY_ID)
    await text.handle(old)
    assert (kafka.of(RAW), kafka.keys) == ([old[0].record.value], [(RAW.name, "pa"), *kafka.keys[1:]])
    assert kafka.of(ENRICHED) == []

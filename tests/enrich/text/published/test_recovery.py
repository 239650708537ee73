"""The handler when the log has more than the rows, without servers: a repeat changes nothing, and the next step follows on the log."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest

from enrich.text.domain.state import State
from shared.failures import Transient
from shared.messages import EnrichedUpdate, MediaWanted, Order, Refresh, update_id_for
from shared.streams import ENRICHED, MEDIA, RAW
from support.enrich_doubles import MemoryKafka, MemoryPostgres, MemoryReader, handler_on, incoming
from support.incoming import minute, order, version

UPDATE = update_id_for("pa", "g1")
PICTURE = {"url": "https://pictures.example/1.jpg", "credit": "PA"}


@pytest.fixture
def postgres() -> MemoryPostgres:
    """Without rows."""
    return MemoryPostgres()


@pytest.fixture
def kafka() -> MemoryKafka:
    """Without records."""
    return MemoryKafka()


def log_of(kafka: MemoryKafka) -> list[EnrichedUpdate]:
    """What readers get: the records whose number is higher than all before."""
    found: list[EnrichedUpdate] = []
    for value in kafka.of(ENRICHED):
        update = EnrichedUpdate.model_validate_json(value)
        if not found or update.revision > found[-1].revision:
            found.append(update)
    return found


def assert_row_is_the_log(postgres: MemoryPostgres, kafka: MemoryKafka) -> State:
    """Enrich's idea of what was last published is what was."""
    state, last = postgres.state(UPDATE), log_of(kafka)[-1]
    assert state.last_published is not None
    assert (state.revision, state.last_published.removal) == (last.revision, last.removal)
    assert (state.last_published.headline, state.last_published.text) == (last.headline, last.text)
    return state


async def test_a_repeat_after_a_death_between_send_and_row_changes_nothing(
    postgres: MemoryPostgres, kafka: MemoryKafka
) -> None:
    """Whatever would be computed now: the log's record is adopted, and nothing is sent again."""
    text = handler_on(postgres, kafka)
    kafka.holds = True
    await text.start_batch(incoming(version(1, headline="As sent"), version(2, headline="As sent, too"), first=5))
    kafka.holds = False
    assert not postgres.states
    again = handler_on(postgres, kafka)
    # Such as a later release, or newer tables, would make of the same messages.
    await again.handle(incoming(version(1, headline="Otherwise"), version(2, headline="Otherwise, too"), first=5))
    assert [each.headline for each in log_of(kafka)][:2] == ["As sent", "As sent, too"]
    # What is different now is the next revision, and not the same one again.
    assert [each.revision for each in map(EnrichedUpdate.model_validate_json, kafka.of(ENRICHED))] == [1, 2, 3]
    assert_row_is_the_log(postgres, kafka)


async def test_a_repeat_of_the_same_is_no_revision(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """Versions, a correction and a withdrawal: the log stays as it is, and the row says what it says."""
    messages = (version(1), order("pin", 2), version(3), order("withdraw", 4))
    text = handler_on(postgres, kafka)
    kafka.holds = True
    await text.start_batch(incoming(*messages, first=5))
    kafka.holds = False
    sent = kafka.of(ENRICHED)
    await handler_on(postgres, kafka).handle(incoming(*messages, first=5))
    assert kafka.of(ENRICHED) == sent
    assert assert_row_is_the_log(postgres, kafka).revision == 4


async def test_a_message_that_had_emitted_nothing_emits_nothing_now(
    postgres: MemoryPostgres, kafka: MemoryKafka
) -> None:
    """Its number is another's, which comes later: readers have that one."""
    text = handler_on(postgres, kafka)
    kafka.holds = True
    await text.start_batch(incoming(version(2), first=6))
    kafka.holds = False
    sent = kafka.of(ENRICHED)
    again = handler_on(postgres, kafka)
    await again.handle(incoming(version(1), version(2), first=5))
    assert kafka.of(ENRICHED) == sent
    assert_row_is_the_log(postgres, kafka)


async def test_what_goes_out_beside_a_revision_goes_out_again(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """Pictures that are wanted, and orders for what is replaced: they may be lost, and change nothing when they come twice."""
    text = handler_on(postgres, kafka)
    kafka.holds = True
    await text.start_batch(incoming(version(1, media=(PICTURE,), replaces=("old",)), first=5))
    kafka.holds = False
    kafka.sent.clear()
    await handler_on(postgres, kafka).handle(incoming(version(1, media=(PICTURE,), replaces=("old",)), first=5))
    assert not kafka.of(ENRICHED)
    assert [type(each) for each in (*kafka.of(MEDIA), *kafka.of(RAW))] == [MediaWanted, Order]


async def test_a_late_writer_looks_before_it_sends(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """It froze with a batch in hand; another process took over and has handled it: the late one sends nothing."""
    late, owner = handler_on(postgres, kafka), handler_on(postgres, kafka)
    await late.handle(incoming(version(1), first=5))
    await owner.handle(incoming(version(2), first=6))
    sent = kafka.of(ENRICHED)
    await late.handle(incoming(version(2), first=6))
    assert kafka.of(ENRICHED) == sent
    assert assert_row_is_the_log(postgres, kafka).revision == 2


async def test_a_late_writer_that_does_not_know_yet_writes_no_row(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """Its follower has not read the other's record when it sends: the batch is settled only once it has, and fails."""
    late, owner = handler_on(postgres, kafka), handler_on(postgres, kafka)
    await late.handle(incoming(version(1), first=5))
    behind = kafka.followers[0]
    kafka.followers.remove(behind)
    owners = await owner.start_batch(incoming(version(2, headline="The owner's"), first=6))
    started = await late.start_batch(incoming(version(2, headline="The late one's"), first=6))
    # Both were sent at once; what holds the late one back is the log alone.
    await owners.completed
    assert not started.completed.done()
    behind.take(kafka.log[1:])
    with pytest.raises(Transient, match="first with revision 2"):
        await started.completed
    assert_row_is_the_log(postgres, kafka)


async def test_what_a_late_writer_shows_after_a_withdrawal_is_taken_away(
    postgres: MemoryPostgres, kafka: MemoryKafka
) -> None:
    """Its line runs on: one number further than the withdrawal that it does not know. A refresh makes the owner look."""
    late, owner = handler_on(postgres, kafka), handler_on(postgres, kafka)
    owner.assigned(frozenset({0}))
    await late.handle(incoming(version(1), first=5))
    stale = dict(postgres.states)
    await owner.handle(incoming(order("withdraw", 2), first=6))
    assert log_of(kafka)[-1].removal == "withdrawn"
    # The late one's own line, as it goes to the log: revision 2 is not first, revision 3 is.
    elsewhere = MemoryKafka()
    line = handler_on(MemoryPostgres(states=stale), elsewhere)
    await line.handle(incoming(version(2), version(3), first=6))
    for each in elsewhere.log:
        await kafka.send_bytes(ENRICHED, each.value, key=each.key, headers=each.headers)
    assert (log_of(kafka)[-1].revision, log_of(kafka)[-1].removal) == (3, None)
    assert "another writer" in str(owner.why_not_ready())
    await owner.keep_recovered()
    assert owner.why_not_ready() is None
    await owner.handle(incoming(Refresh(update_id=UPDATE, cause="retry", requested_at=minute(9)), first=9))
    assert (log_of(kafka)[-1].revision, log_of(kafka)[-1].removal) == (4, "withdrawn")
    assert_row_is_the_log(postgres, kafka)


async def test_a_refresh_is_asked_for_what_no_message_comes_for(
    postgres: MemoryPostgres, kafka: MemoryKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the partition that answers for it; once."""
    monkeypatch.setattr("enrich.text.handler.ASK_AFTER_S", 0.0)
    dead = handler_on(MemoryPostgres(), kafka)
    await dead.handle(incoming(version(1), first=5))
    kafka.sent.clear()
    text = handler_on(postgres, kafka)
    text.assigned(frozenset({0}))
    await text.keep_recovered()
    await text.keep_recovered()
    (asked,) = [Refresh.model_validate_json(value) for value in kafka.of(RAW)]
    assert (asked.update_id, asked.cause) == (UPDATE, "retry")


async def test_the_settled_place_waits_for_what_no_row_has(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """And follows the log once it is adopted, also of partitions that have nothing to do."""
    dead = handler_on(MemoryPostgres(), kafka)
    await dead.handle(incoming(version(1, guid="g0"), version(1), first=4))
    text = handler_on(postgres, kafka)
    text.assigned(frozenset({0, 3}))
    await text.handle(incoming(version(1, guid="g0"), first=4))
    assert set(postgres.places) == {0, 3}
    assert postgres.places[3] <= 1
    await text.handle(incoming(version(1), first=5))
    await text.settle_now()
    assert postgres.places == {0: 2, 3: 2}


async def test_a_revision_that_cannot_be_read_is_followed_on(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """One of a later release, say: its number counts, and the next says all."""
    dead = handler_on(MemoryPostgres(), kafka)
    await dead.handle(incoming(version(1), first=5))
    kafka.log[0].value = b'{"update_id": 1}'
    await handler_on(postgres, kafka).handle(incoming(version(1), first=5))
    assert EnrichedUpdate.model_validate_json(kafka.log[-1].value).revision == 2
    assert postgres.state(UPDATE).revision == 2


async def test_each_revision_says_what_it_was_made_from_and_by_whom(
    postgres: MemoryPostgres, kafka: MemoryKafka
) -> None:
    """Partition and offset of its raw record; an id that is another one in each process."""
    for offset in (5, 6):
        await handler_on(postgres, kafka).handle(incoming(version(offset), first=offset))
    headers = [dict(record.headers) for record in kafka.log]
    assert [each["ce_cause"] for each in headers] == [b"0:5", b"0:6"]
    assert len({each["ce_writer"] for each in headers}) == 2


async def test_what_another_publishes_while_the_log_is_read_is_read_as_well(
    postgres: MemoryPostgres, kafka: MemoryKafka
) -> None:
    """The end is asked for before it; the follower sees it before recovery is done."""
    elsewhere = MemoryKafka()
    await handler_on(MemoryPostgres(), elsewhere).handle(incoming(version(1), first=5))
    (other,) = elsewhere.log

    class BusyKafka(MemoryKafka):
        @asynccontextmanager
        async def open(self, partitions: Collection[int]) -> AsyncIterator[MemoryReader]:
            """Another record comes while this is read."""
            async with super().open(partitions) as opened:
                yield opened
                if not self.log:
                    await self.send_bytes(ENRICHED, other.value, key=other.key, headers=other.headers)

    busy = BusyKafka()
    text = handler_on(postgres, busy)
    text.assigned(frozenset({0}))
    await text.keep_recovered()
    await text.handle(incoming(version(1), first=5))
    assert len(busy.log) == 1
    assert_row_is_the_log(postgres, busy)


async def test_what_rows_have_asks_for_nothing(
    postgres: MemoryPostgres, kafka: MemoryKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start after an orderly end: nothing is adopted or asked for, and the settled place is the end of the log."""
    monkeypatch.setattr("enrich.text.handler.ASK_AFTER_S", 0.0)
    await handler_on(postgres, kafka).handle(incoming(version(1), version(2), first=5))
    text = handler_on(postgres, kafka)
    text.assigned(frozenset({0}))
    await text.keep_recovered()
    await text.settle_now()
    assert not kafka.of(RAW)
    assert postgres.places == {0: 2}

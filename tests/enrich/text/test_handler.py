"""The handler of `updates.raw`, without servers."""

import pytest

from enrich.text import handler
from shared.failures import Transient
from shared.messages import EnrichedUpdate, MediaWanted, Order, Outcome, Refresh, RefreshCause, update_id_for
from shared.streams import ENRICHED, MEDIA, OUTCOMES, RAW
from support.enrich_doubles import MemoryKafka, MemoryPostgres, handler_on, incoming
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


def revisions(kafka: MemoryKafka) -> list[EnrichedUpdate]:
    """What was emitted."""
    return [EnrichedUpdate.model_validate_json(value) for value in kafka.of(ENRICHED)]


def outcomes(kafka: MemoryKafka) -> list[Outcome]:
    """What was reported."""
    return [outcome for message in kafka.of(OUTCOMES) for outcome in message.outcomes]


async def test_each_message_of_a_batch_builds_on_the_one_before(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """Versions, a correction and a kill of one update become revisions in order; its row is that after the last."""
    text = handler_on(postgres, kafka)
    rejected = await text.handle(
        incoming(version(1), version(2), version(1), order("correct", 3, headline="Right"), order("kill", 4))
    )
    assert not rejected
    assert [(each.revision, each.kind) for each in revisions(kafka)] == [
        (1, "publish"),
        (2, "update"),
        (3, "correct"),
        (4, "kill"),
    ]
    assert [each.stage for each in outcomes(kafka)] == ["enriched", "enriched", "superseded", "enriched", "enriched"]
    assert (postgres.state(UPDATE).revision, postgres.state(UPDATE).final) == (4, "killed")


async def test_a_batch_builds_on_states_that_are_not_written_yet(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """While Kafka has not acknowledged the first revision nothing is stored, and the next is the second all the same."""
    text = handler_on(postgres, kafka)
    kafka.holds = True
    first = await text.start_batch(incoming(version(1)))
    second = await text.start_batch(incoming(version(2)))
    assert [each.revision for each in revisions(kafka)] == [1, 2]
    assert not postgres.states
    assert not first.completed.done()
    kafka.acknowledge()
    await first.completed
    await second.completed
    assert postgres.state(UPDATE).revision == 2


async def test_batches_that_build_on_a_failed_one_fail_with_it(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """Kafka refuses the first of two: neither is stored, and both are to be read again."""
    text = handler_on(postgres, kafka)
    kafka.holds = True
    first = await text.start_batch(incoming(version(1)))
    second = await text.start_batch(incoming(version(2)))
    for future in kafka.unacknowledged:
        future.set_exception(Transient("Kafka is away"))
    for batch in (first, second):
        with pytest.raises(Transient):
            await batch.completed
    assert not postgres.states


async def test_a_message_that_can_never_be_handled_lets_its_neighbours_pass(
    postgres: MemoryPostgres, kafka: MemoryKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revision that Kafka could not take is rejected and reported; the others are emitted."""
    monkeypatch.setattr(handler, "MAX_MESSAGE_BYTES", handler.ENVELOPE_BYTES + 2000)
    large = version(1, guid="large", body_html=f"<p>{'word ' * 1000}</p>")
    rejected = await handler_on(postgres, kafka).handle(incoming(version(1), large, version(1, guid="g2")))
    assert [each.failure.reason.partition(";")[0][:16] for each in rejected] == ["the revision has"]
    assert [each.guid for each in revisions(kafka)] == ["g1", "g2"]
    assert [each.stage for each in outcomes(kafka)] == ["enriched", "dead", "enriched"]


async def test_postgres_being_away_is_for_the_consumer(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """Nothing is emitted on states that cannot be known."""
    postgres.failure = Transient("Postgres is away")
    with pytest.raises(Transient):
        await handler_on(postgres, kafka).handle(incoming(version(1)))
    assert not kafka.sent


async def test_pictures_are_asked_for_once(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """Of a version that refers to one; the refresh by which enrich media reports asks for nothing."""
    text = handler_on(postgres, kafka)
    await text.handle(incoming(version(1, media=(PICTURE,))))
    await text.handle(incoming(Refresh(update_id=UPDATE, cause="media", requested_at=minute(2))))
    (wanted,) = kafka.of(MEDIA)
    assert isinstance(wanted, MediaWanted)
    assert [each.url for each in wanted.media] == [PICTURE["url"]]
    assert [each.media_pending for each in revisions(kafka)] == [True]


@pytest.mark.parametrize("cause", ["authors", "media", "retry"])
async def test_pictures_that_nobody_could_ask_for_are_asked_for_with_the_next_revision(
    cause: RefreshCause, postgres: MemoryPostgres, kafka: MemoryKafka
) -> None:
    """Whatever it is made for: the first was made while the index of pictures was away."""
    text = handler_on(postgres, kafka)
    postgres.no_pictures = OSError("away")
    await text.handle(incoming(version(1, media=(PICTURE,))))
    postgres.no_pictures = None
    assert not kafka.of(MEDIA)
    await text.handle(incoming(Refresh(update_id=UPDATE, cause=cause, requested_at=minute(2))))
    assert [each.url for wanted in kafka.of(MEDIA) for each in wanted.media] == [PICTURE["url"]]
    await text.handle(incoming(Refresh(update_id=UPDATE, cause="media", requested_at=minute(3))))
    assert [each.media_pending for each in revisions(kafka)] == [False, True]
    assert len(kafka.of(MEDIA)) == 1


async def test_updates_that_a_version_replaces_are_ordered_away(postgres: MemoryPostgres, kafka: MemoryKafka) -> None:
    """By an order on `updates.raw`, which meets them in the partition of their source."""
    await handler_on(postgres, kafka).handle(incoming(version(1, replaces=("old",))))
    (sent,) = kafka.of(RAW)
    assert isinstance(sent, Order)
    assert (sent.update_id, sent.order) == (update_id_for("pa", "old"), "supersede")
    assert (RAW.name, "pa") in kafka.keys


async def test_a_conflict_with_a_correction_is_an_outcome_of_its_own(
    postgres: MemoryPostgres, kafka: MemoryKafka
) -> None:
    """Beside the usual one, of the version that brought it, with what either says."""
    text = handler_on(postgres, kafka)
    said = [version(number, body_html=f"<p>Up {amount} percent.</p>") for number, amount in ((1, 20), (3, 22), (4, 22))]
    right = order("correct", 2, body_html="<p>Up 12 percent.</p>", reason="A slip")
    await text.handle(incoming(said[0], right, *said[1:]))
    assert [each.stage for each in outcomes(kafka)] == ["enriched", "enriched", "enriched", "conflict", "enriched"]
    conflict = outcomes(kafka)[3]
    assert (conflict.fingerprint, conflict.revision) == (said[1].fingerprint(), 3)
    assert conflict.reason == "body: the desk's '12' stands; the source says '22'"
    assert [each.text for each in revisions(kafka)] == ["Up 20 percent.", *["Up 12 percent."] * 3]
    assert len(postgres.state(UPDATE).conflicts) == 1

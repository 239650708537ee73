"""Embargoes, expiries and refreshes on real Kafka and Postgres, with several replicas."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from enrich.text.domain.state import State
from shared.messages import EnrichedUpdate, Refresh, Release, update_id_for
from shared.streams import ENRICHED, MEDIA, RAW
from support.enrich_text import Desk, Replicas, running, settings_of
from support.incoming import order, version
from support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.mark.needs("a second member")
async def test_two_replicas_release_and_expire_updates_once_at_their_moments(desk: Desk, replicas: Replicas) -> None:
    """Nothing public before; one release and one revision at the moment, though both replicas look; the same for an expiry."""
    await replicas(2, enrich_release_interval_s=0.05)
    now = datetime.now(UTC)
    until = now + timedelta(seconds=6)
    guids = [f"g{number}" for number in range(8)]
    times = {"version_created": now, "received_at": now}
    await desk.send(
        *[version(1, guid=guid, embargo_until=until, **times) for guid in guids],
        version(1, guid="passing", expires_at=until, **times),
    )
    revisions = await desk.until(10)
    embargoed = [each for each in revisions if each.guid in guids]
    assert sorted(each.guid for each in embargoed) == guids
    assert {(each.revision, each.first_published_at) for each in embargoed} == {(1, until)}
    passing = [each for each in revisions if each.guid == "passing"]
    assert [(each.kind, each.removal) for each in passing] == [("publish", None), ("kill", "expired")]
    for record in await desk.records(ENRICHED):
        update = EnrichedUpdate.model_validate_json(record.value)
        if update.guid in guids or update.is_removal:
            assert record.timestamp >= until.timestamp() * 1000 - 1
    releases = [
        record for record in await desk.records(RAW) if dict(record.headers)["ce_type"] == Release.ce_type.encode()
    ]
    sent_for = {Release.model_validate_json(record.value).update_id for record in releases}
    assert len(releases) == len(sent_for) <= 9


async def test_an_embargo_survives_that_every_replica_was_away_at_its_moment(desk: Desk, replicas: Replicas) -> None:
    """What fell due while nothing ran is released when something runs again, under the time of its embargo."""
    now = datetime.now(UTC)
    until = now + timedelta(hours=1)
    async with running(settings_of(desk.settings)):
        await desk.send(version(1, version_created=now, received_at=now, embargo_until=until))
        (held,) = await desk.until_outcomes(1)
    assert held.stage == "held"
    assert await desk.revisions() == []
    connection = await asyncpg.connect(desk.settings.postgres_dsn)
    # An hour passes: the moment of the version and of its row lie behind.
    past = until - timedelta(hours=2)
    state = State.model_validate_json(await connection.fetchval("SELECT state FROM enrich.updates"))
    assert state.held is not None
    raw = state.held.raw.model_copy(
        update={"embargo_until": past, **dict.fromkeys(("received_at", "version_created"), past - timedelta(hours=1))}
    )
    moved = state.model_copy(update={"held": state.held.model_copy(update={"raw": raw}), "held_until": past})
    await connection.execute(
        "UPDATE enrich.updates SET state = $1, due_at = $2", moved.model_dump_json().encode(), past
    )
    await connection.close()
    await replicas()
    (update,) = await desk.until(1)
    assert update.first_published_at == past


async def test_what_was_killed_under_embargo_is_not_published_by_an_enrich_that_was_away(
    desk: Desk, replicas: Replicas
) -> None:
    """Versions and their kills stand on the topic before the embargo ends, and are read after it: removals come out, no text.
    What was not killed comes out under the time of its embargo."""
    now = datetime.now(UTC)
    until = now + timedelta(seconds=1)
    guids = [f"g{number}" for number in range(12)]
    times = {"version_created": now, "received_at": now}
    await desk.send(
        *[version(1, guid=guid, embargo_until=until, **times) for guid in (*guids, "kept")],
        *[order("kill", 0, guid=guid, ordered_at=until - timedelta(milliseconds=500)) for guid in guids],
    )
    await eventually(lambda: datetime.now(UTC) > until, what="the embargo has not ended")
    await replicas(enrich_release_interval_s=0.05)
    revisions = await desk.until(13)
    assert sorted(each.update_id for each in revisions if each.is_removal) == sorted(
        update_id_for("pa", guid) for guid in guids
    )
    assert [(each.guid, each.first_published_at) for each in revisions if not each.is_removal] == [("kept", until)]


async def test_the_media_index_being_away_costs_the_pictures_and_not_the_text(desk: Desk, replicas: Replicas) -> None:
    """The update goes out without its picture, says so, and is made again by itself once the index answers."""
    connection = await asyncpg.connect(desk.settings.postgres_dsn)
    try:
        await replicas(enrich_retry_after_s=0.5, enrich_release_interval_s=0.05)
        await connection.execute("ALTER TABLE enrich.media_references RENAME TO away")
        await desk.send(version(1, media=({"url": "https://pictures.example/1.jpg", "credit": "PA"},)))
        (update,) = await desk.until(1)
        assert (update.degraded, update.media, update.headline) == (("media",), (), version(1).headline)
        await connection.execute("ALTER TABLE enrich.away RENAME TO media_references")
        _, again = await desk.until(2)
        assert (again.kind, again.degraded, again.media_pending) == ("enrich", (), True)
    finally:
        await connection.close()
    assert len(await desk.records(MEDIA)) >= 1


async def test_a_refresh_for_an_update_that_nobody_knows_does_nothing(desk: Desk, replicas: Replicas) -> None:
    """Refreshes and releases may outlive what they speak of."""
    await replicas()
    stranger = update_id_for("pa", "stranger")
    now = datetime.now(UTC)
    await desk.send(
        Refresh(update_id=stranger, cause="media", requested_at=now), Release(update_id=stranger, due_at=now)
    )
    await desk.send(version(1))
    await desk.until(1)
    assert [each.guid for each in await desk.revisions()] == ["g1"]

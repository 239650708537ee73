"""Embargoes, expiries and refreshes on real Kafka and Postgres, with several replicas."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from shared.messages import Refresh, Release, update_id_for
from shared.topics import RAW
from support.waiting import eventually

from .conftest import Desk, Replicas
from .copy_of import version

pytestmark = pytest.mark.integration


async def test_two_replicas_release_an_embargoed_update_once_at_its_moment(desk: Desk, replicas: Replicas) -> None:
    """Nothing public before; one release and one revision at the moment, though both replicas look."""
    await replicas(2, enrich_release_interval_s=0.05)
    now = datetime.now(UTC)
    until = now + timedelta(seconds=3)
    guids = [f"g{number}" for number in range(8)]
    await desk.send(
        *[version(1, guid=guid, version_created=now, received_at=now, embargo_until=until) for guid in guids]
    )
    held = await desk.until_outcomes(8)
    assert {each.stage for each in held} == {"held"}
    assert datetime.now(UTC) < until, "the test was too slow to tell"
    assert await desk.revisions() == []
    revisions = await desk.until(8)
    assert datetime.now(UTC) >= until
    assert sorted(each.guid for each in revisions) == guids
    assert {each.first_published_at for each in revisions} == {until}
    assert {each.revision for each in revisions} == {1}
    raw = await desk.records(RAW)
    releases = [record for record in raw if dict(record.headers)["ce_type"] == Release.ce_type.encode()]
    assert len(releases) == 8


async def test_an_embargo_survives_that_every_replica_was_away_at_its_moment(desk: Desk, replicas: Replicas) -> None:
    """What fell due while nothing ran is released when something runs again, under the time of its embargo."""
    from .conftest import running, settings_of  # noqa: PLC0415

    now = datetime.now(UTC)
    until = now + timedelta(seconds=2)
    async with running(settings_of(desk.settings)):
        await desk.send(version(1, version_created=now, received_at=now, embargo_until=until))
        await desk.until_outcomes(1)
    await eventually(lambda: datetime.now(UTC) > until)
    assert await desk.revisions() == []
    await replicas()
    (update,) = await desk.until(1)
    assert update.first_published_at == until


async def test_an_update_expires_by_itself(desk: Desk, replicas: Replicas) -> None:
    """At its time a removal `expired` goes out."""
    await replicas(enrich_release_interval_s=0.05)
    now = datetime.now(UTC)
    await desk.send(version(1, received_at=now, version_created=now, expires_at=now + timedelta(seconds=2)))
    published, expired = await desk.until(2)
    assert (published.kind, published.expires_at) == ("publish", now + timedelta(seconds=2))
    assert (expired.kind, expired.removal) == ("kill", "expired")


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
    assert len(await desk.records("media.wanted")) >= 1


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

"""`enrich text` on real Kafka and Postgres."""

import asyncpg
import pytest

from shared.messages import DeadLetter, RawUpdate, update_id_for
from shared.streams import ENRICHED, RAW
from support.enrich_text import Desk, Replicas
from support.incoming import minute, order, version
from support.waiting import eventually

pytestmark = pytest.mark.integration


async def test_a_version_becomes_a_revision_and_every_further_message_the_next(desk: Desk, replicas: Replicas) -> None:
    """Versions, corrections and a kill of one update come out in order, each with the next number."""
    await replicas()
    await desk.send(
        version(1, byline="By Ann Other", subjects=({"code": "medtop:11000000"},)),
        version(2),
        version(1),
        order("correct", 3, headline="Ministers met twice", reason="The count was wrong."),
        order("kill", 4, reason="Not ours"),
        version(5),
    )
    revisions = await desk.until(4)
    outcomes = await desk.until_outcomes(6)
    assert [(each.revision, each.kind, each.removal) for each in revisions] == [
        (1, "publish", None),
        (2, "update", None),
        (3, "correct", None),
        (4, "kill", "killed"),
    ]
    first, _, corrected, killed = revisions
    assert [author.name for author in first.authors] == ["Ann Other"]
    assert [tag.code for tag in first.tags] == ["medtop:11000000"]
    assert first.first_published_at == minute(1)
    assert (corrected.headline, corrected.change.reason) == ("Ministers met twice", "The count was wrong.")
    assert (killed.headline, killed.body_html, killed.text, killed.authors) == ("", "", "", ())
    assert [each.stage for each in outcomes] == [
        "enriched",
        "enriched",
        "superseded",
        "enriched",
        "enriched",
        "suppressed",
    ]


async def test_the_event_id_is_the_update_and_its_revision(desk: Desk, replicas: Replicas) -> None:
    """Consumers deduplicate by the CloudEvents id, and the key keeps an update's revisions together."""
    await replicas()
    await desk.send(version(1), version(2))
    await desk.until(2)
    records = await desk.records(ENRICHED)
    update_id = update_id_for("pa", "g1")
    assert [dict(record.headers)["ce_id"].decode() for record in records] == [f"{update_id}:1", f"{update_id}:2"]
    assert {record.key.decode() for record in records} == {update_id}


async def test_a_redelivery_after_the_emission_gives_the_same_revision(desk: Desk, replicas: Replicas) -> None:
    """Killed between acknowledgement and state row, the process emits the same revision with the same content again."""
    await replicas()
    await desk.send(version(1, byline="By Ann Other in Kyiv", keywords=("budget",)))
    (first,) = await desk.until(1)
    await desk.until_outcomes(1)
    connection = await asyncpg.connect(desk.settings.postgres_dsn)
    # The row and the outcome are written side by side.
    await eventually(lambda: connection.execute("DELETE FROM enrich.updates"), lambda done: done == "DELETE 1")
    await connection.close()
    await desk.send(version(1, byline="By Ann Other in Kyiv", keywords=("budget",)))
    _, again = await desk.until(2)
    without_clock = {"passport": {"enriched_at", "published_at"}}
    assert again.model_dump(exclude=without_clock) == first.model_dump(exclude=without_clock)


@pytest.mark.needs("room")
async def test_one_poison_message_in_a_batch_is_set_aside_and_the_rest_is_published(
    desk: Desk, replicas: Replicas
) -> None:
    """Broken JSON, an update without its fields and one too large for Kafka reach the dead letters; their neighbours are published."""
    await desk.send(*[version(1, guid=f"g{number}") for number in range(20)])
    await desk.send_bytes(b"{not json", key="poison", kind=RawUpdate.ce_type)
    await desk.send_bytes(b'{"source": "pa"}', key="poison", kind=RawUpdate.ce_type)
    await desk.send(version(1, guid="large", body_html=f"<p>{'word ' * 500_000}</p>"))
    await desk.send_bytes(b"x" * 4_000_000, key="poison", kind=RawUpdate.ce_type)
    await desk.send(*[version(1, guid=f"g{number}") for number in range(20, 40)])
    await replicas()
    revisions = await desk.until(40)

    async def dead_letters() -> list[DeadLetter]:
        return [DeadLetter.model_validate_json(record.value) for record in await desk.records(RAW.dead_letters)]

    found = await eventually(dead_letters, lambda seen: len(seen) >= 4, within_s=60, what="four dead letters")
    assert {each.guid for each in revisions} == {f"g{number}" for number in range(40)}
    assert sorted(each.failure for each in found) == ["invalid", "invalid", "invalid", "permanent"]


async def test_a_nul_in_any_field_is_no_poison(desk: Desk, replicas: Replicas) -> None:
    """NUL and control characters, which Postgres refuses in text, cost nothing but themselves."""
    await replicas()
    nul = "a\x00b"
    await desk.send(
        version(1, headline=nul, byline=f"By {nul} Other", body_html=f"<p>{nul}</p>", story=nul, keywords=(nul,))
    )
    (update,) = await desk.until(1)
    assert (update.headline, update.text) == ("ab", "ab")
    assert [each.stage for each in await desk.until_outcomes(1)] == ["enriched"]

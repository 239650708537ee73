"""What is refused and sent again as it is leaves one original."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.intake.deadline import Unavailable
from ingest.intake.originals import Original, new_original_id
from ingest.intake.receipt import Receipt, Result
from ingest.intake.resends import REMEMBERED, REMEMBERED_S, Resends
from support.ingest_api import Wire

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _original(body: bytes = b"{}", **fields: Any) -> Original:
    given = {"source": "north", "transport": "api", "content_type": "application/json", **fields}
    return Original(id=new_original_id(), received_at=NOON, body=body, **given)


def _refuse(resends: Resends, original: Original) -> None:
    with pytest.raises(Unavailable), resends.watching(original, original.sha256):
        raise Unavailable("Kafka does not answer")


def _kept_as(resends: Resends, original: Original) -> uuid.UUID:
    return resends.as_before(original, original.sha256).id


def test_what_was_refused_keeps_its_original_for_ten_minutes() -> None:
    """Of the same source, way, type and bytes; nothing else shares it."""
    now = 0.0
    clock: Callable[[], float] = lambda: now  # noqa: E731 -- a clock that stands
    resends, first = Resends(clock), _original()
    _refuse(resends, first)
    assert _kept_as(resends, _original()) == first.id
    others = [_original(b"[]"), _original(source="south"), _original(transport="poll"), _original(content_type=None)]
    assert [_kept_as(resends, other) for other in others] == [other.id for other in others]
    now = REMEMBERED_S + 1
    late = _original()
    assert _kept_as(resends, late) == late.id


@pytest.mark.parametrize(
    ("statuses", "same"),
    [(["invalid"], True), (["invalid", "error"], True), (["invalid", "duplicate"], False), (["accepted"], False), ([], False)],
)  # fmt: skip
def test_a_receipt_refuses_where_nothing_was_taken(statuses: list[Any], same: bool) -> None:
    """What was taken at last is done with: the same bytes again are another document."""
    resends, first = Resends(), _original()
    _refuse(resends, first)
    with resends.watching(first, first.sha256) as told:
        told(Receipt(first.id, "native", [Result(number, status) for number, status in enumerate(statuses)]))
    assert (_kept_as(resends, _original()) == first.id) is same


def test_memory_is_bounded() -> None:
    """The first that were refused are forgotten first."""
    resends, first = Resends(), _original(b"first")
    _refuse(resends, first)
    for number in range(REMEMBERED):
        _refuse(resends, _original(str(number).encode()))
    assert _kept_as(resends, _original(b"first")) != first.id


@pytest.mark.integration
async def test_a_refused_resend_stores_no_second_original(wire: Wire) -> None:
    """Neither while Kafka is away, nor of what cannot be read; the one that there is says at last what was made of it."""
    document = {"guid": "a", "headline": "x"}
    producer, wire.intake.producer = wire.intake.producer, None
    for _ in range(3):
        assert (await wire.push(document)).status_code == 503
    wire.intake.producer = producer
    taken = await wire.push(document)
    assert taken.json()["results"][0]["status"] == "accepted"
    for broken in (b"{", b'{"headline": "no guid"}'):
        refused = [await wire.push(broken) for _ in range(3)]
        assert {answer.status_code for answer in refused} <= {400, 422}
    rows = await wire.pool.fetch("SELECT id, body, read_at IS NOT NULL AS read FROM ingest.originals ORDER BY id")
    assert [row["read"] for row in rows] == [True] * 3
    assert len({bytes(row["body"]) for row in rows}) == 3
    assert str(rows[0]["id"]) == taken.json()["original"]
    (update,) = await wire.raw()
    assert update["original"]["id"] == str(rows[0]["id"])

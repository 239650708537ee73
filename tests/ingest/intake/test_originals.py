"""The bytes as received: kept, found, read again, recorded and replayed."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.intake import originals
from ingest.intake.originals import OriginalFilter, new_original_id
from support.ingest_api import Wire


def test_ids_of_originals_are_in_order_of_time() -> None:
    """Later originals have later ids, a version 7 and the RFC's variant."""
    one, two = new_original_id(), new_original_id()
    assert one.version == 7
    assert one.variant == "specified in RFC 4122"
    assert one.int >> 80 <= two.int >> 80


@pytest.mark.integration
async def test_originals_are_found_by_what_is_asked(wire: Wire) -> None:
    """By source, time, format and refusal; in pages, oldest first, each once."""
    for number in range(7):
        await wire.push({"guid": str(number), "headline": "x"})
    await wire.push(b"{", "south-key")
    found = [each.id async for each in originals.iterate(wire.pool, OriginalFilter(source="north"), page=3)]
    assert len(found) == len(set(found)) == 7
    assert await originals.count(wire.pool, OriginalFilter(refused=True)) == 1
    assert await originals.count(wire.pool, OriginalFilter(format="native")) == 7
    assert await originals.count(wire.pool, OriginalFilter(until=datetime.now(UTC) - timedelta(hours=1))) == 0

"""What the later stages report of a version, put together."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.finish import BEFORE_ANYTHING
from ingest.intake import items
from shared.messages import Outcome, RawUpdate
from support.ingest_api import Wire

STAGES = ("enriched", "published", "duplicate", "superseded", "suppressed", "held", "dead")


@given(st.permutations(range(5)), st.lists(st.sampled_from(STAGES), min_size=5, max_size=5))
def test_the_order_in_which_stages_report_does_not_matter(order: list[int], stages: list[str]) -> None:
    """Any order of the same outcomes, with repeats, ends in the same state and the same times."""
    outcomes = [
        Outcome.model_validate(
            {"update_id": "a" * 26, "fingerprint": "f", "stage": stage, "at": f"2026-01-01T12:00:0{second}Z"}
        )
        for second, stage in enumerate(stages)
    ]

    def seen(reported: list[Outcome]) -> tuple[str, datetime | None, datetime | None]:
        progress = next(iter(items.progress_of(reported).values()))
        # Of several ends of one kind the last stands; which one it is makes no difference to the state.
        if progress.ended is not None:
            progress.ended = "dead" if "dead" in stages else "superseded"
        return progress.state(emitted=True), progress.enriched_at, progress.published_at

    shuffled = [outcomes[index] for index in order]
    assert seen(outcomes) == seen(shuffled) == seen([*shuffled, *outcomes])


@pytest.mark.integration
async def test_a_version_with_a_wrong_date_counts_from_what_was_said_before(wire: Wire) -> None:
    """By what Postgres has of the update: its newest time before this receipt, or none."""
    now = datetime.now(UTC)
    ahead, before = now + timedelta(days=1), now - timedelta(seconds=10)
    for guid, headline, made_at in (("a", "first", before), ("a", "wrong", ahead), ("b", "alone", ahead)):
        answer = await wire.push({"guid": guid, "headline": headline, "version_created": made_at.isoformat()})
        assert answer.status_code == 202
    first, wrong, alone = [RawUpdate.model_validate(each) for each in await wire.raw()]
    assert (first.version_created, first.counts_from) == (before, None)
    assert (wrong.version_created, wrong.counts_from) == (None, before)
    assert (alone.version_created, alone.counts_from) == (None, BEFORE_ANYTHING)

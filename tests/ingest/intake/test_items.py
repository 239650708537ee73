"""What the later stages report of a version, put together."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from ingest.intake import items
from shared.messages import Outcome

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

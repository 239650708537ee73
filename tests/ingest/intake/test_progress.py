"""What a sender is told of a version, by what the stages reported."""

import pytest

from ingest.intake.items import progress_of
from shared.messages import Outcome


@pytest.mark.parametrize(
    ("stages", "state"),
    [
        ((), "received"),
        (("held",), "held"),
        (("held", "enriched"), "enriched"),
        (("enriched", "dead"), "dead"),
        (("dead", "duplicate"), "dead"),
        (("enriched", "published", "duplicate"), "published"),
        (("superseded",), "superseded"),
    ],
)
def test_the_state_of_a_version(stages: tuple[str, ...], state: str) -> None:
    """The furthest stage counts; a dead letter is told unless readers have the version."""
    held = Outcome.model_validate(
        {"update_id": "a" * 26, "fingerprint": "f", "stage": "held", "at": "2026-01-01T12:00:00Z"}
    )
    [progress] = progress_of([held.model_copy(update={"stage": stage}) for stage in stages] or [held]).values()
    if not stages:
        progress.held_at = None
    assert progress.state(emitted=True) == state
    assert progress.state(emitted=False) == ("unacknowledged" if not stages else state)

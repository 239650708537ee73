"""A desk's orders without HTTP."""

import pytest
from pydantic import ValidationError

from ingest.intake.orders import OrderRequest
from shared.messages import update_id_for

UPDATE = update_id_for("north", "a")


@pytest.mark.parametrize(
    "fields",
    [
        {"order": "kill"},
        {"order": "kill", "reason": "  "},
        {"order": "correct", "reason": "typo"},
        {"order": "pin", "headline": "x"},
        {"order": "kill", "reason": "x\x00"},
        {"order": "pin", "colour": "red"},
        {"order": "pin", "revision": 3},
        {"order": "correct", "reason": "typo", "headline": "x", "revision": 0},
        {"order": "accept-source", "headline": "x"},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(fields: dict[str, str]) -> None:
    """What removes or corrects needs a reason, a correction its text, and nothing else takes text."""
    with pytest.raises(ValidationError):
        OrderRequest.model_validate(fields)


@pytest.mark.parametrize("order", ["accept-source", "keep-correction"])
def test_a_conflict_is_decided_about_a_revision(order: str) -> None:
    """It may name the one that was looked at."""
    assert OrderRequest.model_validate({"order": order, "revision": 3}).revision == 3

"""What an answer of an endpoint means for the delivery and for the endpoint."""

from datetime import UTC, datetime, timedelta

import pytest

from publish.push.delivery.attempts import AttemptOutcome, RetryPolicy, evaluate
from publish.push.delivery.outbound import Answer
from publish.push.delivery.queue import DueDelivery

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEBHOOK = RetryPolicy((10.0, 100.0), timedelta(hours=1))
PURGE = RetryPolicy((10.0, 100.0), None)


def outcome(
    status: int | None, policy: RetryPolicy = WEBHOOK, *, attempts: int = 1, failing_h: float = 0
) -> AttemptOutcome:
    """The outcome of one attempt."""
    due = DueDelivery(
        1, "e", "m", "update.publish", "u", 1, None, attempts, NOW, "webhook", "https://e.example", None, (), 0,
        NOW - timedelta(hours=failing_h) if failing_h else None, None,
    )  # fmt: skip
    return evaluate(due, Answer(status), policy, NOW)


@pytest.mark.parametrize(
    ("status", "state", "endpoint"),
    [
        (204, "delivered", "healthy"),
        (301, "waiting", "failing"),
        (400, "waiting", "unchanged"),
        (401, "waiting", "failing"),
        (410, "failed", "gone"),
        (503, "waiting", "failing"),
        (None, "waiting", "failing"),
    ],
)
def test_a_status_decides_on_the_delivery_and_on_the_endpoint(status: int | None, state: str, endpoint: str) -> None:
    """A refusal of one message says nothing about its endpoint; silence and errors of its own do."""
    found = outcome(status)
    assert (found.state, found.endpoint) == (state, endpoint)


def test_an_endpoint_that_has_only_failed_for_long_is_hopeless_but_a_cache_is_purged_for_ever() -> None:
    """A cache has no owner who could activate it again."""
    assert outcome(503, failing_h=2).endpoint == "hopeless"
    assert outcome(503, PURGE, failing_h=2).endpoint == "failing"
    assert outcome(410, PURGE).state == "waiting"


def test_a_delivery_fails_once_its_schedule_is_over() -> None:
    """The last attempt of the schedule still waits for another one."""
    assert outcome(503, attempts=2).state == "waiting"
    assert outcome(503, attempts=3).state == "failed"

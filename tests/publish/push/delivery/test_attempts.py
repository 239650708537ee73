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
    status: int | None,
    policy: RetryPolicy = WEBHOOK,
    *,
    attempts: int = 1,
    failing_h: float = 0,
    of: str = "update.publish",
    waited_s: float = 0.0,
) -> AttemptOutcome:
    """The outcome of one attempt."""
    due = DueDelivery(
        1, "e", "m", of, "u", 1, None, attempts, NOW - timedelta(seconds=waited_s), "webhook", "https://e.example", None, (), 0,
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


def test_what_a_recipient_asks_for_is_kept_for_a_removal_too() -> None:
    """`Retry-After` outlasts the minute."""
    due = DueDelivery(
        1, "e", "m", "update.kill", "u", 1, None, 1, NOW, "webhook", "https://e.example", None, (), 0, None, None
    )
    found = evaluate(due, Answer(429, headers={"Retry-After": "1800"}), WEBHOOK, NOW)
    assert (found.pause_s, found.endpoint_pause_s, found.hurried_s) == (1800, 1800, 1800)
    assert evaluate(due, Answer(503), WEBHOOK, NOW).hurried_s == WEBHOOK.removal_s


def test_a_removal_is_tried_often_and_for_as_long_as_the_schedule_lasts() -> None:
    """Its pauses never grow beyond a minute; how often it was tried does not end it, but how long."""
    for attempts in (2, 3, 40):
        found = outcome(503, attempts=attempts, of="update.kill", waited_s=109)
        assert (found.state, found.endpoint) == ("waiting", "failing")
        assert found.pause_s <= 60 * 1.2
    assert outcome(503, attempts=2).pause_s >= 100 * 0.8
    assert outcome(503, attempts=40, of="update.kill", waited_s=111).state == "failed"
    assert outcome(503, attempts=2, of="update.kill", waited_s=10_000).state == "waiting"

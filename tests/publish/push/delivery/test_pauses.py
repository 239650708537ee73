"""How long an endpoint is left alone: as its schedule says, or for as long as it asks."""

from datetime import UTC, datetime, timedelta

import pytest

from publish.push.delivery.attempts import RetryPolicy, evaluate
from publish.push.delivery.outbound import Answer
from publish.push.delivery.queue import DueDelivery

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DUE = DueDelivery(
    1, "e", "m", "update.publish", "u", 1, None, 1, NOW, "webhook", "https://e.example", None, (), 0, None, None
)  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "least_s", "most_s"), [("", 8, 12), ("5", 8, 12), ("120", 120, 120), ("9999999", 86_400, 86_400)]
)
def test_an_endpoint_that_asks_for_a_pause_has_it(asked: str, least_s: float, most_s: float) -> None:
    """At least its schedule's, a day at most; for all of its deliveries."""
    answer = Answer(429, headers={"Retry-After": asked} if asked else {})
    outcome = evaluate(DUE, answer, RetryPolicy((10.0, 100.0), timedelta(hours=1)), NOW)
    assert least_s <= outcome.pause_s <= most_s
    assert least_s <= outcome.endpoint_pause_s <= most_s

"""When a feed is polled next."""

from ingest.transports.poll.schedule import Cursor, PollResult, next_interval


def test_the_interval_follows_the_feed() -> None:
    """Shorter while copy comes, longer while none does, doubled with each failure, always within its bounds."""
    new, nothing, failed = PollResult("new"), PollResult("nothing"), PollResult("failed")
    assert next_interval(new, Cursor("s", interval_s=40), 10, 120) == 20
    assert next_interval(new, Cursor("s", interval_s=10), 10, 120) == 10
    assert next_interval(nothing, Cursor("s", interval_s=100), 10, 120) == 120
    assert next_interval(failed, Cursor("s", interval_s=20, failures=3), 10, 120) == 160
    assert next_interval(failed, Cursor("s", interval_s=20, failures=60), 10, 120) == 1800

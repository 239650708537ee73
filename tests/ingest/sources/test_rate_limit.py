"""The rate at which a source may send."""

from ingest.sources.rate_limit import SourceRateLimit
from ingest.sources.source import Source


def test_a_source_may_send_a_burst_and_then_its_rate() -> None:
    """Tokens fill with time up to the burst; who has none is told how long to wait."""
    now = [0.0]
    rate_limit = SourceRateLimit(lambda: now[0])
    source = Source(name="north", rate_per_s=2, burst=3)
    assert [rate_limit.wait_s(source) for _ in range(4)] == [0, 0, 0, 0.5]
    now[0] = 0.5
    assert [rate_limit.wait_s(source) for _ in range(2)] == [0, 0.5]
    now[0] = 100
    assert [rate_limit.wait_s(source) for _ in range(4)] == [0, 0, 0, 0.5]
    assert rate_limit.wait_s(Source(name="free")) == 0

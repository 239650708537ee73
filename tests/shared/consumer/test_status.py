"""What a consumer answers to the probes."""

from dataclasses import replace

from shared.consumer.status import Status, is_stuck, role, why_not_live, why_not_ready

WELL = Status(partitions=2)


def test_a_consumer_that_works_is_ready_and_live() -> None:
    """So is one that stands by."""
    for status in (WELL, replace(WELL, partitions=0), replace(WELL, oldest_batch_s=10.0)):
        assert why_not_ready(status) is None
        assert why_not_live(status) is None
    assert role(WELL) == "active, 2 partitions"
    assert role(replace(WELL, partitions=0)).startswith("standing by")
    assert role(replace(WELL, partitions=None)) == "joining"


def test_what_passes_by_itself_is_not_ready_and_live() -> None:
    """A restart would not help."""
    for status, reason in (
        (replace(WELL, halted=True), "ceiling"),
        (replace(WELL, paused_by="OSError: away"), "OSError: away"),
        (replace(WELL, partitions=None), "assigned"),
    ):
        assert reason in str(why_not_ready(status))
        assert why_not_live(status) is None


def test_what_only_a_restart_mends_is_not_live() -> None:
    """A dead producer, a consume loop that ended, a batch that does not end."""
    assert "producer" in str(why_not_live(replace(WELL, producer_failed=True)))
    assert "polled" in str(why_not_live(replace(WELL, polling=False)))
    assert "polled" in str(why_not_ready(replace(WELL, polling=False)))
    assert "running for 240 s" in str(why_not_live(replace(WELL, oldest_batch_s=241.0)))


def test_a_batch_that_hangs_after_a_pause_is_stuck() -> None:
    """What paused the consumer before is no excuse: the time runs anew from the end of the pause."""
    assert is_stuck(replace(WELL, oldest_batch_s=241.0, paused_by="OSError: away"), 240.0)
    assert not is_stuck(replace(WELL, oldest_batch_s=239.0, paused_by="OSError: away"), 240.0)

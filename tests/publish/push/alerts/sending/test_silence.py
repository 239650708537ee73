"""A push service that does not answer delays no reader of another."""

import pytest

from publish.push.alerts.sending.silence import PAUSE, SILENCES, SilentServices


class Clock:
    """The time, as the test says."""

    now = 100.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


@pytest.mark.parametrize("in_flight", [0, 20])
def test_after_some_silences_it_is_left_alone_and_tried_now_and_then(in_flight: int) -> None:
    """Requests that were under way make no pause longer; one that is tried and silent does; an answer ends it."""
    clock = Clock()
    services = SilentServices(clock)
    for _ in range(SILENCES - 1):
        services.note("a", answered=False)
        assert not services.is_left_alone("a")
    for _ in range(1 + in_flight):
        services.note("a", answered=False)
    assert services.is_left_alone("a")
    assert not services.is_left_alone("b")
    clock.now += PAUSE.mean_s(1)
    assert [services.is_left_alone("a") for _ in range(3)] == [False, True, True]
    services.note("a", answered=False)
    clock.now += PAUSE.mean_s(2) - 1
    assert services.is_left_alone("a")
    clock.now += 1
    assert not services.is_left_alone("a")
    services.note("a", answered=True)
    assert not any(services.is_left_alone("a") for _ in range(10))


def test_an_answer_between_silences_keeps_it_open() -> None:
    """Only silences in a row count."""
    services = SilentServices(Clock())
    for _ in range(50):
        services.note("a", answered=False)
        services.note("a", answered=True)
    assert not services.is_left_alone("a")

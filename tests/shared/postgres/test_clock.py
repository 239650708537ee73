"""The clock that the processes of a newsroom share."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.postgres.clock import SharedClock

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


class _Machine:
    """A machine whose wall clock may be set; its count of seconds goes on."""

    def __init__(self) -> None:
        self.wall, self.seconds = NOON, 100.0
        self.clock = SharedClock(wall=lambda: self.wall, seconds=lambda: self.seconds)

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.mark.unit
def test_before_postgres_answers_it_is_the_machines() -> None:
    machine = _Machine()
    machine.pass_time(5)
    assert machine.clock() == NOON + timedelta(seconds=5)


@pytest.mark.unit
@pytest.mark.parametrize("off_s", [-3600.0, -2.0, 0.0, 40.0])
def test_it_is_postgres_whatever_is_set_on_the_machine(off_s: float) -> None:
    machine, there = _Machine(), NOON + timedelta(seconds=off_s)
    machine.clock.set(there, machine.seconds, machine.seconds)
    machine.wall += timedelta(days=1)
    machine.pass_time(7.5)
    assert machine.clock() == there + timedelta(seconds=7.5)
    assert machine.clock.timestamp() == (there + timedelta(seconds=7.5)).timestamp()


@pytest.mark.unit
def test_what_an_answer_cannot_tell_better_stays() -> None:
    machine = _Machine()
    machine.clock.set(NOON, 100.0, 100.0)
    # It took 200 ms, so that 90 ms more say nothing.
    machine.clock.set(NOON + timedelta(seconds=10.19), 110.0, 110.2)
    machine.seconds = 120.0
    assert machine.clock() == NOON + timedelta(seconds=20)
    # The same in 2 ms says that ours was late.
    machine.clock.set(NOON + timedelta(seconds=20.09), 119.999, 120.001)
    assert machine.clock() == NOON + timedelta(seconds=20.09)


@pytest.mark.unit
def test_an_answer_that_took_long_is_passed_over_unless_it_is_the_first() -> None:
    machine = _Machine()
    machine.clock.set(NOON - timedelta(seconds=60), 100.0, 130.0)
    machine.seconds = 130.0
    assert machine.clock() == NOON - timedelta(seconds=45)
    machine.clock.set(NOON + timedelta(seconds=600), 130.0, 140.0)
    assert machine.clock() == NOON - timedelta(seconds=45)

"""What an outage recent is told once for each half minute, with a count, and nothing else is held back."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.observability.log_folding import FOLDED_S, Line, LogFolding, RecentLines
from shared.observability.logs import configure_logging
from shared.settings import Connections


def line(event: object) -> Line:
    """A warning."""
    return Line("warning", {"event": event})


def test_the_first_line_is_new_and_its_recent_are_counted() -> None:
    """What came again is told when the interval is over, with its last words and how often; then a new interval begins."""
    recent = RecentLines(30)
    assert recent.is_new("a", line("a1"), 0)
    assert not any(recent.is_new("a", line(f"a{number}"), number) for number in range(2, 20))
    assert recent.is_new("b", line("b1"), 20)
    assert recent.due(29) == []
    assert recent.due(30) == [(line("a19"), 18)]
    assert not recent.is_new("a", line("a20"), 31)
    assert recent.due(59) == []
    assert recent.due(60) == [(line("a20"), 1)]


def test_what_does_not_come_again_is_news_the_next_time() -> None:
    """An outage an hour later is told at once."""
    recent = RecentLines(30)
    assert recent.is_new("a", line("a1"), 0)
    assert recent.due(30) == []
    assert recent.is_new("a", line("a2"), 31)


def test_memory_is_bounded() -> None:
    """However many kinds of lines there are, so many are remembered; the oldest is forgotten first."""
    recent = RecentLines(30, max_kinds=3)
    assert all(recent.is_new(number, line(number), 0) for number in range(1000))
    assert not recent.is_new(999, line(999), 1)
    assert recent.is_new(0, line(0), 1)
    assert len(recent.due(1000)) <= 3


class Clock:
    """Time as a test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Printed:
    """What a process has printed so far."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self._lines: list[dict[str, Any]] = []

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line."""
        self._lines.extend(json.loads(line) for line in self._capture.readouterr().err.splitlines())
        return self._lines


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Iterator[Printed]:
    """What a process prints; logging is as before afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield Printed(capsys)
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def folding_of(clock: Clock) -> LogFolding:
    """A process's logging on that clock."""
    return configure_logging(Connections(), "tests", clock=clock)


def test_an_outage_of_ten_thousand_lines_is_a_few(printed: Printed) -> None:
    """Each kind is printed at once, then with a count; `fold` itself is not printed."""
    clock = Clock()
    folding = folding_of(clock)
    log = structlog.get_logger()
    for number in range(10_000):
        log.warning("paused", stage="a", error=f"attempt {number}", fold="a")
        log.warning("paused", stage="b", error="refused", fold="b")
    assert [(line["event"], line["stage"]) for line in printed.lines] == [("paused", "a"), ("paused", "b")]
    clock.now = FOLDED_S
    folding.print_due()
    told = printed.lines[2:]
    assert [(line["stage"], line["repeated"], line["level"]) for line in told] == [
        ("a", 9999, "warning"),
        ("b", 9999, "warning"),
    ]
    assert told[0]["error"] == "attempt 9999"
    assert all("fold" not in line for line in printed.lines)


def test_lines_that_do_not_ask_for_it_are_all_printed(printed: Printed) -> None:
    """A dead letter is told of each message, however many there are."""
    folding_of(Clock())
    for number in range(50):
        structlog.get_logger().warning("dead letter", offset=number)
    assert [line["offset"] for line in printed.lines] == list(range(50))


def test_warnings_of_the_clients_are_folded_by_their_wording(printed: Printed) -> None:
    """The Kafka client says the same of each node again and again; what other libraries say is printed as it comes."""
    clock = Clock()
    folding = folding_of(clock)
    for number in range(100):
        logging.getLogger("aiokafka.client").error("Unable connect to node with id %s: %s", number % 3, "refused")
        logging.getLogger("somebody.else").warning("something else")
    assert sum(line["logger"] == "aiokafka.client" for line in printed.lines) == 1
    assert sum(line["logger"] == "somebody.else" for line in printed.lines) == 100
    clock.now = FOLDED_S
    folding.print_due()
    assert printed.lines[-1]["repeated"] == 99

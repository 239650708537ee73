"""Reports of one day by three agencies: how many that tell the same are gathered, and how many others are kept apart."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from enrich.stories.clustering import StoryCandidate, StoryClusters
from support.incoming import NINE


@dataclass(frozen=True)
class Report:
    """One agency's report of an event."""

    name: str
    kind: str
    event: str
    family: str
    minute: int
    headline: str
    text: str


def labelled() -> Iterator[Report]:
    """The reports of the labelled set."""
    kind = event = ""
    for number, line in enumerate((Path(__file__).parent / "reports.txt").read_text().splitlines()):
        if line.startswith("== "):
            kind = line[3:]
        elif line.startswith("= "):
            event = line[2:]
        elif not line.startswith("#"):
            said, headline, text = (part.strip() for part in line.split("|", 2))
            family, minute = said.split(" +")
            yield Report(f"{number:04}", kind, event, family, int(minute), headline, text)


REPORTS = sorted(labelled(), key=lambda report: report.minute)
PAIRS = [
    (one, other)
    for one, other in itertools.combinations(REPORTS, 2)
    if one.family != other.family and (one.event == other.event or one.kind == other.kind)
]
"""Those of one event, and those that are easily taken for one: other events of the same kind on the same day."""


def gathered(hours: float = 0) -> dict[str, str | None]:
    """The story of each report, the second and later ones of an event so many hours later."""
    clusters = StoryClusters()
    seen: set[str] = set()
    late = [(report.event in seen or bool(seen.add(report.event)), report) for report in REPORTS]  # type: ignore[func-returns-value]
    for is_late, each in sorted(late, key=lambda pair: (pair[0], pair[1].minute)):
        clusters.place(
            StoryCandidate(
                update_id=each.name, family=each.family, headline=each.headline, text=each.text, own_story=None,
                at=NINE + timedelta(minutes=each.minute, hours=hours if is_late else 0),
            )
        )  # fmt: skip
    return {report.name: clusters.membership(report.name).story for report in REPORTS}


def test_independent_reports_of_one_event_gather_and_others_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the pairs that are gathered at least 97 of 100 tell of one event; of those that do, nine of ten are gathered."""
    assert len(PAIRS) >= 120
    stories = gathered()
    wrong: list[str] = []
    right = found = there = 0
    for one, other in itertools.combinations(REPORTS, 2):
        if one.family == other.family:
            continue
        same, together = (
            one.event == other.event,
            stories[one.name] is not None and stories[one.name] == stories[other.name],
        )
        right, found, there = right + (same and together), found + together, there + same
        if same != together:
            wrong.append(f"{'apart' if same else 'together'}: {one.headline!r} and {other.headline!r}")
    precision, recall = right / found, right / there
    with capsys.disabled():
        print(
            "\n"
            + "\n".join(
                [*wrong, f"stories: precision {precision:.3f}, recall {recall:.3f} over {there} pairs of one event"]
            )
        )
    assert precision >= 0.97, wrong
    assert recall >= 0.9, wrong


def test_the_same_words_a_day_later_tell_of_another_event() -> None:
    """Independent accounts gather within hours only."""
    stories = gathered(hours=24)
    first = {report.event: report.name for report in reversed(REPORTS)}.values()
    # What the next day brings twice is one event of that day.
    apart = [(one, other) for one, other in PAIRS if one.name in first or other.name in first]
    assert len(apart) >= 100
    assert not any(stories[one.name] is not None and stories[one.name] == stories[other.name] for one, other in apart)

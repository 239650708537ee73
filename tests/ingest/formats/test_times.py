"""Times as sources write them: understood with their offset, or not at all."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats import times

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "offset", "code"),
    [
        ("2026-11-23T09:00:00Z", 0, ""),
        ("2026-11-23T11:00:00+02:00", 2, ""),
        ("2026-11-23T11:00:00+0200", 2, ""),
        ("20261123T090000Z", 0, ""),
        ("20261123T110000+0200", 2, ""),
        ("2026-11-23 09:00:00 UTC", 0, ""),
        ("2026-11-23T09:00:00.000Z", 0, ""),
        ("2026-11-23T09:00Z", 0, ""),
        ("2026-11-23T04:00:00\u221205:00", -5, ""),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0, "time-rewritten"),
        ("2026-11-23T08:59:60Z", 0, "time-rewritten"),
        ("2026-11-23T09:00:00", 0, "time-without-offset"),
    ],
)
def test_forms(written: str, offset: int, code: str) -> None:
    """ISO 8601 extended and basic, RFC 3339, RFC 2822, leap seconds."""
    moment, found = times.parse(written)
    assert (moment, found) == (NINE, code)
    assert moment is not None
    assert moment.utcoffset() == timedelta(hours=offset)


@pytest.mark.parametrize(
    "written", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z", "2026", "1" * 100_000, "23/11/2026"]
)
def test_what_is_no_time(written: str) -> None:
    """A broken time is none, with one code; the zero time of some languages is none either."""
    assert times.parse(written) == (None, "unreadable-time")


def test_for_ever_is_a_time_that_can_be_reckoned_with() -> None:
    """Year 9999 overflows in any other zone; it is clamped, with a code."""
    moment, code = times.parse("9999-12-31T23:59:59Z")
    assert (moment, code) == (times.LATEST, "time-clamped")
    assert moment is not None
    assert moment + timedelta(days=1) > moment


def test_a_zone_of_the_source_knows_summer() -> None:
    """The same wall clock is another offset in July."""
    oslo = times.zone("Europe/Oslo")
    winter, summer = times.parse("2026-01-15T10:00:00", oslo)[0], times.parse("2026-07-15T10:00:00", oslo)[0]
    assert winter is not None
    assert summer is not None
    assert (winter.utcoffset(), summer.utcoffset()) == (timedelta(hours=1), timedelta(hours=2))


@given(st.datetimes(min_value=datetime(1800, 1, 2), max_value=datetime(9998, 12, 30), timezones=st.timezones()))  # noqa: DTZ001
def test_every_time_that_is_written_is_read(moment: datetime) -> None:
    """What isoformat writes comes back as the same moment, whole minutes of offset kept."""
    read, _ = times.parse(moment.isoformat())
    assert read == moment.astimezone(UTC)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(written: str) -> None:
    """Anything gives a time with an offset or none."""
    moment, code = times.parse(written)
    assert (moment is None) == (code == "unreadable-time")
    assert moment is None or moment.utcoffset() is not None

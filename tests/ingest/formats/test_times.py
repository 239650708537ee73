"""Times as sources write them: understood with their offset, or not at all."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from conformance.documents import read_document
from ingest.formats import SourceProfile, times
from ingest.formats.finish import BEFORE_ANYTHING
from shared.messages import RawUpdate

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


@pytest.mark.parametrize(
    ("written", "offset"),
    [("CEST", 2), ("MEZ", 1), ("BST", 1), ("EEST", 3), ("MSK", 3), ("JST", 9), ("AEDT", 11), ("NZDT", 13), ("SAST", 2), ("HKT", 8), ("GMT+1", 1), ("UTC+02:00", 2), ("America/New_York", -5), ("EST", -5)],
)  # fmt: skip
def test_zone_names_of_the_world(written: str, offset: int) -> None:
    """In the forms of feeds and of ISO 8601."""
    for form in ("Wed, 25 Nov 2026 12:00:00 {}", "2026-11-25 12:00:00 {}"):
        moment, code = times.parse(form.format(written))
        assert moment is not None
        assert moment.utcoffset() == timedelta(hours=offset)
        assert code in ("time-rewritten", "time-zone-ambiguous")


def test_a_name_that_means_several_zones_is_told() -> None:
    """The source's own zone decides; an embargo ends at the latest that it can mean."""
    written = "Wed, 25 Nov 2026 12:00:00 IST"
    assert times.parse(written)[1] == "time-zone-ambiguous"
    assert times.parse(written, ZoneInfo("Asia/Jerusalem")) == (
        datetime(2026, 11, 25, 10, tzinfo=UTC),
        "time-rewritten",
    )
    assert times.parse(written, latest=True)[0] == datetime(2026, 11, 25, 11, tzinfo=UTC)


def test_a_zone_that_nobody_knows_is_a_repair_of_its_own() -> None:
    """Never UTC without a word; an embargo in it is unreadable, so that it holds."""
    written = "Wed, 25 Nov 2026 12:00:00 XQZT"
    assert times.parse(written, ZoneInfo("Europe/Berlin")) == (
        datetime(2026, 11, 25, 11, tzinfo=UTC),
        "time-zone-unreadable",
    )
    assert times.parse(written, latest=True) == (None, "time-zone-unreadable")
    with pytest.raises(ValidationError, match="time zone"):
        SourceProfile(time_zone="Europe/Nowhere")


def test_an_hour_that_a_change_of_the_clock_repeats() -> None:
    """An embargo ends at the later of the two moments, and in an hour that is left out at the later reading."""
    berlin = ZoneInfo("Europe/Berlin")
    assert times.parse("2026-10-25T02:30:00", berlin)[0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert times.parse("2026-10-25T02:30:00", berlin, latest=True) == (
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        "time-ambiguous",
    )
    assert times.parse("2027-03-28T02:30:00", berlin, latest=True) == (
        datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
        "time-ambiguous",
    )
    assert times.parse("2026-11-25T12:00:00", berlin, latest=True) == (
        datetime(2026, 11, 25, 11, tzinfo=UTC),
        "time-without-offset",
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [("1795600000", "2026-11-25T09:46:40+00:00"), ("1795600000000", "2026-11-25T09:46:40+00:00"), ("25.11.2026 12:30", "2026-11-25T12:30:00+00:00"), ("25 Nov 2026 3:00 PM", "2026-11-25T15:00:00+00:00"), ("25 Nov 2026 12:10 AM GMT", "2026-11-25T00:10:00+00:00")],
)  # fmt: skip
def test_other_forms(written: str, expected: str) -> None:
    """Seconds since 1970, the day first, halves of the day."""
    moment, _ = times.parse(written)
    assert moment is not None
    assert moment.isoformat() == expected


def test_a_time_in_the_future_is_left_out() -> None:
    """Beyond ten minutes; else it would beat all that its source says next. Read again it is the same version, from wherever it counts."""

    def read(moment: str) -> RawUpdate:
        return read_document(f'{{"guid": "g", "headline": "x", "version_created": "{moment}"}}').updates[0]

    wrong, near = read("2027-11-23T09:00:00Z"), read("2026-11-23T09:09:00Z")
    assert (wrong.version_created, [repair.code for repair in wrong.repairs]) == (None, ["time-in-future"])
    assert (near.version_created, near.counts_from) == (datetime(2026, 11, 23, 9, 9, tzinfo=UTC), None)
    assert wrong.counts_from == BEFORE_ANYTHING
    assert wrong.fingerprint() == wrong.model_copy(update={"counts_from": near.version_created}).fingerprint()
    assert wrong.fingerprint() == read("2027-11-23T09:00:00Z").fingerprint()

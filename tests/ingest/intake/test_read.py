"""The order of a document's updates: its own, but of a feed the oldest entry first."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from ingest.formats import ReadRequest, read
from ingest.intake.read import prepare
from support.incoming import NINE


def guids(body: str) -> list[str]:
    """The updates of a document, in the order in which they are sent."""
    request = ReadRequest(
        content_type=None, source="wire", received_at=NINE + timedelta(hours=1), original_id="1", sha256="0" * 64
    )
    return [each.update.guid for each in prepare(read(body.encode(), request), "")[0]]


def rss(*entries: tuple[str, str]) -> str:
    """A feed with these guids and times of day; an empty time is none."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{guid}</guid><title>Headline of {guid}</title>"
        + (f"<pubDate>Mon, 23 Nov 2026 {time}:00 GMT</pubDate>" if time else "")
        + "</item>"
        for guid, time in entries
    )
    return f'<rss version="2.0"><channel><title>Wire</title>{items}</channel></rss>'


@pytest.mark.parametrize(
    ("entries", "sent"),
    [
        ([("d", ""), ("c", ""), ("b", ""), ("a", "")], "abcd"),
        ([("d", "09:30"), ("c", "09:20"), ("b", "09:10"), ("a", "09:00")], "abcd"),
        # Several of one minute are in the order of the feed.
        ([("d", "09:30"), ("c", "09:20"), ("b", "09:20"), ("a", "09:20")], "abcd"),
        # A feed that appends.
        ([("a", "09:00"), ("b", "09:10"), ("c", "09:10"), ("d", "09:20")], "abcd"),
        # Without a time: between its neighbours, at either end too.
        ([("d", ""), ("c", "09:20"), ("b", ""), ("a", "09:00")], "abcd"),
        ([("d", "09:30"), ("c", ""), ("b", "09:10"), ("a", "")], "abcd"),
        # A pinned entry on top is as old as it says.
        ([("a", "08:00"), ("d", "09:30"), ("c", "09:20"), ("b", "")], "abcd"),
        ([("a", "")], "a"),
        ([], ""),
    ],
)
def test_the_entries_of_a_feed_are_sent_oldest_first(entries: Sequence[tuple[str, str]], sent: str) -> None:
    """By what it says of their times, else by its own order."""
    assert "".join(guids(rss(*entries))) == sent


def test_a_batch_of_a_sender_is_sent_as_it_is_given() -> None:
    """It is no feed, whatever its times say."""
    batch = ",".join(
        f'{{"guid": "{guid}", "headline": "Headline", "version_created": "2026-11-23T09:{minute}:00Z"}}'
        for guid, minute in (("a", "30"), ("b", "10"), ("c", "20"))
    )
    assert guids(f"[{batch}]") == ["a", "b", "c"]

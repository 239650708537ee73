"""Filters, fields and forms of `/v1/updates`, and what every replica says alike."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from publish.archive.queries import Archived
from publish.archive.search.selection import Selection, conjunction, marks_of
from publish.representation.position import Position, channels_of
from publish.representation.reader_update import ReaderChange
from publish.web.archive_client import page_of, with_changes
from publish.web.feed_store import FeedEntry
from publish.web.partner.negotiation import negotiated
from shared.messages import Author, Flags
from support.revisions import NOON, read, revision
from support.samples import full
from support.web_replica import Make, Replica

NO_CHANGE = ReaderChange((), "", ())
ANA = Author(name="Ana", slug="ana")
NEWSROOM = (
    revision("a", tags=["flood", "port"], authors=(ANA,), story="s", language="en", urgency=1, flags=Flags(key_event=True)),
    revision("b", tags=["flood"], language="en-GB", urgency=4, first_published_at=NOON + timedelta(days=1)),
    revision("c", tags=["port"], authors=(ANA,), language="uk", first_published_at=NOON + timedelta(days=2)),
    revision("d", 2, tags=["flood", "port"], story="s", language="en", urgency=2, first_published_at=NOON + timedelta(days=3)),
)  # fmt: skip
QUERIES = {
    "tag=flood": "dba",
    "tag=flood&author=ana": "a",
    "channel=tag:port&tag=flood": "da",
    "author=ana": "ca",
    "source=wire&language=en": "dba",
    "language=en-gb": "b",
    "language=EN-GB": "b",
    "urgency=2": "da",
    "key_events=true": "a",
    "key_events=false": "dcba",
    "kind=update": "d",
    "story=s": "da",
    "from=2026-01-02": "dcb",
    "to=2026-01-02": "ba",
    "from=2026-01-02T12:00:00Z&to=2026-01-03T12:00:00Z": "b",
    "from=2026-01-02T13:00:00+01:00&to=2026-01-03": "cb",
    "tag=none": "",
}


@pytest.mark.parametrize("whole", [True, False], ids=["memory", "archive"])
async def test_filters_narrow_a_channel_whoever_answers(make_replica: Make, whole: bool) -> None:
    """All conditions hold together, from memory and from the archive alike, and pages follow on each other."""
    replica = make_replica()
    replica.take(*NEWSROOM)
    if not whole:
        replica.feed_store.reset(Position(1, 3), [], complete=False)
    for query, expected in QUERIES.items():
        seen, before = "", ""
        while True:
            page = (await replica.get(f"/v1/updates?limit=1&{query}{before}")).json()
            seen += "".join(each["headline"][0] for each in page["updates"])
            if page["next"] is None:
                break
            before = f"&before={page['next']}"
        assert seen == expected, query


@pytest.mark.parametrize(
    "query",
    [
        "urgency=0", "urgency=ten", "key_events=yes", "kind=kill", "kind=", "from=yesterday", "to=2026-13-01", "from=0001-01-01",
        "to=9999-12-31T23:59:59-12:00", "language=e", "language=%D0%B5%D0%BD", "tag=", "story=%00", "fields=", "fields=nonsense",
        "author=" + "x" * 301,
    ],
)  # fmt: skip
async def test_a_filter_that_is_none_is_named(replica: Replica, query: str) -> None:
    """400, and the field, on pages and in searches."""
    answer = await replica.get(f"/v1/updates?{query}", accept="*/*")
    assert (answer.status_code, answer.json()["field"]) == (400, query.partition("=")[0])
    if not query.startswith("fields"):
        assert (await replica.get(f"/v1/search?q=x&{query}", accept="*/*")).status_code == 400


async def test_marks_find_what_matches() -> None:
    """What memory says that fits and what the index would find is the same."""
    updates = [read(update, number) for number, update in enumerate(NEWSROOM)]
    now = datetime(2026, 2, 1, tzinfo=UTC)
    for selection in (
        Selection(language="en"),
        Selection(language="en-gb"),
        Selection(urgency=2),
        Selection(channels=frozenset({"tag:flood", "author:ana"})),
        Selection(key_events=True),
        Selection(kind="update"),
        Selection(since=NOON + timedelta(days=1)),
        Selection(until=NOON + timedelta(days=1, seconds=1)),
        Selection(since=datetime(2024, 1, 1, tzinfo=UTC), until=datetime(2026, 1, 31, tzinfo=UTC)),
    ):
        wanted = selection.marks(now)
        for update in updates:
            marks = set(marks_of(update, Position(1, 0)))
            found = all(marks & set(each) for each in wanted)
            assert found or not selection.matches(update)
            if selection.since is None and selection.until is None:
                assert found == selection.matches(update)
    assert conjunction([["it's \\ so"], ["a", "b"]]) == "('it''s \\\\ so') & ('a' | 'b')"


async def test_fields_are_those_that_were_asked_for(replica: Replica) -> None:
    """The others are not sent; what is sent is the same."""
    replica.take(full())
    whole = (await replica.get(f"/v1/updates/{full().update_id}")).json()
    part = (await replica.get("/v1/updates?fields=url,headline,url")).json()["updates"]
    assert part == [{"url": whole["url"], "headline": whole["headline"]}]
    assert (await replica.get(f"/v1/updates/{full().update_id}?fields=tags")).json() == {"tags": whole["tags"]}


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", ""),
        ("application/json", ""),
        ("application/feed+json", ".jsonfeed"),
        ("application/feed+json;q=0.1, application/json", ""),
        ("application/json;q=0.2, application/vnd.iptc.g2.newsitem+json; q=0.9", ".ninjs"),
        ("text/html, application/feed+json;q=0", ""),
        ("application/feed+json;q=nonsense", ".jsonfeed"),
    ],
)
async def test_accept_chooses_the_form_whatever_was_kept(replica: Replica, accept: str, form: str) -> None:
    """As the suffix does; a kept answer of another form is never given."""
    replica.take(full())
    for path in ("/v1/updates", f"/v1/updates/{full().update_id}"):
        await replica.get(path, accept="application/json")
        chosen = await replica.get(path, accept=accept)
        named = await replica.get(path + form, accept="*/*")
        assert chosen.content == named.content
        assert chosen.headers["content-type"] == named.headers["content-type"]
        assert "accept" in chosen.headers["vary"].split(", ")
        assert negotiated(path, [(b"accept", accept.encode())]) == path + form
    assert (await replica.get("/v1/updates.xml", accept="*/*")).status_code == 404
    assert negotiated("/v1/stories", [(b"accept", b"application/feed+json")]) == "/v1/stories"


async def test_replicas_say_the_same_bytes(make_replica: Make) -> None:
    """One that followed the log and one that began from the archive: pages, filters, stories, tags, with their cursors."""
    followed, begun = make_replica(), make_replica()
    log = (
        *NEWSROOM,
        revision("a", 2, tags=["port"], story="s", kind="correct", updated_at=NOON, change={"reason": "why"}),
        revision("b", 2, removal="killed"),
        revision("e", story="other"),
        revision("e", 1, story="other"),
        revision("a", 3, tags=["port"], story="s", kind="enrich", updated_at=NOON),
    )
    followed.take(*log)
    begun.archive.archived = followed.archive.archived
    bare = [replace(entry.update, change=NO_CHANGE) for entry in followed.feed_store.newest()]
    archived = await with_changes(begun.archive, [Archived(update, channels_of(update)) for update in bare])
    begun.feed_store.reset(Position(1, len(log) - 1), [FeedEntry(each.update) for each in archived], complete=True)
    for path in (
        "/v1/updates", "/v1/updates?channel=story:s", "/v1/updates?tag=flood", "/v1/updates?channel=tag:none",
        "/v1/updates?source=wire&limit=2", "/v1/tags/port", "/v1/stories/s", "/v1/tags",
    ):  # fmt: skip
        assert (await followed.get(path)).text == (await begun.get(path)).text, path
    assert (await begun.get("/v1/updates?channel=story:s")).json()["updates"][-1]["change"]["reason"] == "why"


async def test_the_cursor_of_a_channel_stands_until_it_changes(replica: Replica) -> None:
    """What happens elsewhere moves no byte of it; with the archive away it is where this replica is."""
    replica.take(revision("a", tags=["x"]))
    first = await replica.get("/v1/updates?channel=tag:x")
    replica.take(revision("b"), revision("c"))
    second = await replica.get("/v1/updates?channel=tag:x")
    assert (first.content, first.headers["etag"]) == (second.content, second.headers["etag"])
    assert (await replica.get("/v1/updates")).json()["cursor"] == "1-2"
    assert (await replica.get("/v1/updates?channel=tag:none")).json()["cursor"] == "1--1"
    replica.archive.away = True
    assert (await replica.get("/v1/updates?channel=tag:other")).json()["cursor"] == "1-2"
    page = await page_of(replica.feed_store, replica.archive, "tag:x", None, 5, selection=Selection(language="en"))
    assert page.entries == []


async def test_wrong_methods_and_unknown_addresses(replica: Replica) -> None:
    """405 says what is allowed, once each; what does not exist is 404 whatever the method."""
    replica.take(full())
    for path in ("/v1/updates", "/v1/since", "/v1/stories/harbour-flood", "/feeds/news.rss"):
        answer = await replica.client.post(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS"), path
        assert (await replica.client.options(path)).status_code == 204
    assert (await replica.client.delete("/stories")).headers["allow"] == "GET, HEAD"
    for path in ("/v1/nonsense", "/v1/", "/v1", "/v2/updates", "/feeds/news/x/y.rss"):
        for method in ("GET", "POST", "OPTIONS"):
            assert (await replica.client.request(method, path)).status_code == 404, (method, path)


async def test_things_tell_of_themselves(replica: Replica) -> None:
    """A story has its key events, a tag and an author what is known of them; what nobody has is 404."""
    replica.take(
        full(),
        full("later", slug="later", flags=Flags()),
        revision("end", story="harbour-flood", flags=Flags(closed=True)),
    )
    story = (await replica.get("/v1/stories/harbour-flood")).json()
    assert ([each["update_id"] for each in story["key_events"]], story["closed"]) == ([full().update_id], True)
    assert (story["label"], story["corroboration"]) == ("", 3)
    tags = (await replica.get("/v1/tags")).json()["tags"]
    assert (tags[0]["code"], tags[0]["updates"]) == ("medtop:20000150", 2)
    assert (await replica.get("/v1/authors/ana-ferreira")).json()["role"] == "Correspondent"
    for path in ("/v1/stories/none", "/v1/tags/none", "/v1/authors/none", "/v1/tags/%00"):
        assert (await replica.get(path, accept="*/*")).status_code == 404, path

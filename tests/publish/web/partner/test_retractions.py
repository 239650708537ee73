"""Retractions travel: what readers had and may not have is told wherever it was given out, and never with its words."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import pytest
from jsonschema import Draft202012Validator
from lxml import etree

from publish.representation.position import Position
from publish.representation.retraction import retraction_of, without_notices
from shared.messages import EnrichedUpdate, Passport
from support.places import conformance
from support.revisions import revision
from support.samples import full
from support.web_replica import Make, Replica

TOMBSTONE = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"
WORDS = (b"Tide", b"tide", b"gates", b"Ferreira", b"ferreira", b"Flood", b"Ellery", b"abc")


def passport(age: timedelta = timedelta()) -> Passport:
    """Of something that happened so long ago."""
    at = datetime.now(UTC) - age
    return Passport(received_at=at, enriched_at=at)


def killed(
    guid: str = "full", number: int = 2, removal: str = "killed", age: timedelta = timedelta()
) -> EnrichedUpdate:
    """The kill of an update, as enrich emits it."""
    return revision(guid, number, removal=removal, passport=passport(age))


FORMS = ("/feeds/news.rss", "/feeds/news.atom", "/feeds/news.json", "/feeds/tag/medtop:20000150.atom", "/v1/updates.ninjs", "/v1/updates.jsonfeed")  # fmt: skip


@pytest.mark.parametrize("path", FORMS)
async def test_every_form_says_that_it_is_gone_and_not_what_it_said(replica: Replica, path: str) -> None:
    """The entry's id is there, none of its words, its address among them; and the proof of a takedown finds it clean."""
    replica.take(full(), full("stays", tags=()), revision("unseen", removal="killed"))
    if "tag" in path:
        replica.take(
            full("other", headline="x", text="x", summary="", excerpt="", body_html="", authors=(), media=(), slug="x")
        )
    replica.take(killed())
    body = (await replica.get(path)).content
    entry = f"urn:slugline:update:{full().update_id}".encode()
    assert entry in body
    assert revision("unseen").update_id.encode() not in body
    assert full().update_id.encode() not in without_notices(body)
    notices = body if without_notices(body) == body else _notices(path, body)
    assert not [word for word in WORDS if word in notices]


def _notices(path: str, body: bytes) -> bytes:
    if path.endswith(("json", "ninjs", "jsonfeed")):
        items = json.loads(body)["items"]
        return json.dumps([each for each in items if full().update_id in json.dumps(each)]).encode()
    root = etree.fromstring(body)
    return b"".join(
        etree.tostring(each, with_tail=False)
        for each in (*root.iter(TOMBSTONE), *root.iter("item"))
        if full().update_id.encode() in etree.tostring(each)
    )


async def test_feeds_with_notices_are_valid(replica: Replica) -> None:
    """Readers that know tombstones find one; the others find an item with the same id, other words, and a later time."""
    replica.take(full(), revision("b"))
    before = feedparser.parse((await replica.get("/feeds/news.rss")).text)
    replica.take(killed())
    feed = feedparser.parse((await replica.get("/feeds/news.rss")).text)
    assert not feed.bozo
    (notice,) = [entry for entry in feed.entries if entry.id.endswith(full().update_id)]
    (had,) = [entry for entry in before.entries if entry.id == notice.id]
    assert (notice.title, notice.published) == ("Update withdrawn", had.published)
    atom = etree.fromstring((await replica.get("/feeds/news.atom")).content)
    (tombstone,) = atom.iter(TOMBSTONE)
    assert tombstone.get("ref", "").endswith(full().update_id)
    assert datetime.fromisoformat(tombstone.get("when", "")) > datetime.now(UTC) - timedelta(minutes=1)
    assert not feedparser.parse(etree.tostring(atom)).bozo


async def test_notices_end_with_the_window_or_with_a_return(make_replica: Make) -> None:
    """As long as readers keep entries; an update that comes back has no notice, and one that was never seen never had one."""
    replica = make_replica(publish_feed_retraction_days=3)
    replica.take(full("old"), full("new"), full("back"))
    replica.take(
        killed("old", age=timedelta(days=3, seconds=1)),
        killed("new", age=timedelta(days=2)),
        killed("back", removal="withdrawn"),
    )
    replica.take(full("back", 3))
    gone = [each.update_id for each in replica.answers.retractions("news")]
    assert gone == [full("new").update_id]
    assert "deleted-entry" not in (await replica.get("/feeds/author/nobody.atom", accept="*/*")).text


async def test_pages_of_ninjs_tell_each_cancel_once(replica: Replica) -> None:
    """Where the item stood, on the page that it stood on, however small pages are."""
    replica.take(*(revision(f"u{number}") for number in range(6)))
    replica.take(killed("u1"), killed("u4"))
    seen: list[tuple[str, str]] = []
    address = "/v1/updates.ninjs?limit=2"
    while address:
        page = (await replica.get(address)).json()
        seen += [(each["uri"][-26:], each["pubStatus"]) for each in page["items"]]
        address = (page["next_url"] or "").removeprefix("https://news.example")
    canceled = {revision("u1").update_id, revision("u4").update_id}
    assert seen == [
        (revision(f"u{n}").update_id, "canceled" if revision(f"u{n}").update_id in canceled else "usable")
        for n in range(5, -1, -1)
    ]


@pytest.mark.conformance
async def test_a_canceled_item_is_ninjs(replica: Replica) -> None:
    """By the schema of ninjs 3.1; the update's address says it with 410, or by a problem to those who ask for JSON."""
    schema = json.loads(Path(conformance("ninjs/specification/ninjs-schema_3.1.json")).read_text())
    replica.take(full(), killed())
    answer = await replica.get(f"/v1/updates/{full().update_id}.ninjs", accept="*/*")
    assert (answer.status_code, answer.json()["pubStatus"]) == (410, "canceled")
    assert not list(Draft202012Validator(schema).iter_errors(answer.json()))
    plain = await replica.get(f"/v1/updates/{full().update_id}", accept="*/*")
    assert (plain.status_code, plain.json()["removal"]) == (410, "killed")


def test_what_was_never_visible_has_no_retraction(replica: Replica) -> None:
    """Without a position there was no reader."""
    replica.take(full())
    (applied,) = replica.take(killed())
    assert applied is not None
    assert retraction_of(applied.update, applied.channels) is not None
    replica.feed_store.reset(Position(1, 0), [], complete=True)
    (applied,) = replica.take(killed("unseen"))
    assert applied is not None
    assert retraction_of(applied.update, applied.channels) is None

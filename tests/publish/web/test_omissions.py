"""One update that cannot be shown takes nothing else with it, and keeps no kill from anybody."""

import json
import signal
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from aiokafka import ConsumerRecord
from structlog.testing import capture_logs

from publish.representation.fragment import fitting
from publish.representation.position import Position
from publish.settings import Settings
from publish.web.application import build
from publish.web.feed_store import FeedEntry, FeedStore
from publish.web.following.follower import Follower
from publish.web.omissions import BACKOFF, Omissions, Omitted, TooLong, within
from shared.kafka.cloudevents import headers_for, value_of
from shared.messages import EnrichedUpdate
from shared.observability.health import Health
from support.revisions import read, revision
from support.web_replica import ListedArchive, Replica

FEEDS = ("/feeds/news.rss", "/feeds/news.atom", "/feeds/news.json")


def loops() -> None:
    """A bug that never returns."""
    while True:
        pass


def sleeps() -> None:
    """One that waits for what never comes."""
    time.sleep(60)


def raises() -> None:
    """One that says so."""
    raise RuntimeError("a bug")


def fitting_but(bug: Callable[[], None]) -> Callable[[str, int], str]:
    """What makes bodies fit, with a bug on those that have the mark."""

    def fit(body: str, heading: int = 4) -> str:
        if "poison" in body:
            bug()
        return fitting(body, heading)

    return fit


@pytest.mark.parametrize("bug", [loops, sleeps])
def test_what_never_ends_is_cut_off(bug: Callable[[], None]) -> None:
    """Whether it works or waits, and the block after it is bounded by nothing."""
    started = time.monotonic()
    with pytest.raises(TooLong), within(0.2, 0.5):
        bug()
    assert time.monotonic() - started < 3
    time.sleep(0.7)


def inside_out() -> None:
    """A bound inside another, which holds after it."""
    with within(0.5, 2):
        with within(0.1, 1):
            pass
        loops()


def test_a_bound_inside_another_and_an_alarm_of_somebody_else_stand() -> None:
    """The outer bound still holds, and whoever had set the alarm finds it as it was."""
    handler = signal.getsignal(signal.SIGALRM)
    before = signal.setitimer(signal.ITIMER_REAL, 50.0)
    try:
        with pytest.raises(TooLong):
            inside_out()
        assert 40 < signal.getitimer(signal.ITIMER_REAL)[0] <= 50
        assert signal.getsignal(signal.SIGALRM) is handler
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)


def test_what_failed_is_tried_again_only_after_a_while() -> None:
    """A bug costs its time once, not for every reader; what was of the moment comes back."""
    now = [0.0]
    omissions = Omissions(clock=lambda: now[0])
    entry = FeedEntry(read(revision("a")))
    tries: list[float] = []

    def make() -> str:
        tries.append(now[0])
        if len(tries) < 3:
            raise RuntimeError("a bug")
        return "shown"

    for moment in (0.0, 1.0, BACKOFF.first_s, BACKOFF.first_s + 1, 2 * BACKOFF.first_s):
        now[0] = moment
        with pytest.raises(Omitted):
            omissions.attempt(entry, "item", make)
    assert tries == [0.0, BACKOFF.first_s]
    assert omissions.are_any
    now[0] = 3 * BACKOFF.first_s
    assert omissions.attempt(entry, "item", make) == "shown"
    assert not omissions.are_any


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """What is logged, which is not written: a traceback with all that a template knows takes seconds."""
    with capture_logs() as logs:
        yield logs


@pytest.fixture
def poisoned(logged: list[Any], tmp_path: Path) -> Callable[..., Replica]:
    """Makes a replica of three updates whose middle one, or a given one, cannot be rendered."""

    def make(bug: Callable[[], None], poison: str = "b", **fields: Any) -> Replica:
        settings = Settings(publish_site_url="https://news.example", media_store=f"file://{tmp_path}/media")
        feed_store, archive = FeedStore(1000), ListedArchive()
        feed_store.reset(Position(1, -1), [], complete=True)
        omissions = Omissions(bound_s=0.2, waited_s=0.4)
        answers, broadcaster = build(
            settings, feed_store, archive, Health("publish.web"), fit=fitting_but(bug), omissions=omissions
        )
        transport = httpx.ASGITransport(app=answers.response_cache)
        replica = Replica(
            answers, broadcaster, archive, feed_store, httpx.AsyncClient(transport=transport, base_url="http://test")
        )
        for name in ("a", "b", "c"):
            words = "poison" if name == poison else "words"
            replica.take(revision(name, body_html=f"<p>{words} of {name}</p>", text="t", word_count=2, **fields))
        return replica

    return make


@pytest.mark.parametrize("bug", [loops, raises])
@pytest.mark.parametrize("poison", ["b", "c"])
async def test_the_page_and_every_feed_stand_without_it(
    poisoned: Callable[..., Replica], bug: Callable[[], None], poison: str, logged: list[Any]
) -> None:
    """Whether it would open the page or stand in the list, the others are shown, each where it belongs."""
    replica = poisoned(bug, poison)
    others = [name for name in "abc" if name != poison]
    page = await replica.get("/")
    assert page.status_code == 200
    for name in others:
        assert f"words of {name}" in page.text
    assert "poison" not in page.text.partition("<main")[2]
    for address in FEEDS:
        answer = await replica.get(address)
        assert answer.status_code == 200
        assert all(f"words of {name}" in answer.text for name in others)
        assert "poison" not in answer.text
        if address.endswith("json"):
            assert len(json.loads(answer.text)["items"]) == 2
        else:
            ET.fromstring(answer.content)
    own = await replica.get(f"/updates/{revision(poison).update_id}/{revision(poison).slug or 'update'}")
    assert own.status_code == 503
    assert own.headers["cache-control"] == "no-store"
    told = [(each["what"], each["update_id"]) for each in logged if each["event"] == "left out"]
    assert len(told) == len(set(told)), "each thing that is left out is logged once"
    assert {update_id for _, update_id in told} == {revision(poison).update_id}


async def test_a_bug_costs_its_time_once(poisoned: Callable[..., Replica]) -> None:
    """The second reader of the page waits for nothing."""
    calls: list[int] = []

    def bug() -> None:
        calls.append(1)
        loops()

    replica = poisoned(bug)
    await replica.get("/")
    before = len(calls)
    assert before
    await replica.get("/?before=1-99")
    assert len(calls) == before


def record(offset: int, update: EnrichedUpdate) -> "ConsumerRecord[bytes, bytes]":
    """A revision as the log has it."""
    headers = headers_for(update, source="test", event_id=str(offset))
    value = value_of(update)
    return ConsumerRecord(
        "updates.enriched", 0, offset, 0, 0, update.update_id.encode(), value, None, 0, len(value), tuple(headers)
    )


class BrokenPast(ListedArchive):
    """An archive that fails in a way that nobody foresaw."""

    async def standings(self, update_ids: Collection[str]) -> Any:
        raise RuntimeError(f"a bug on {update_ids}")


@pytest.mark.parametrize("bug", [loops, raises])
async def test_a_kill_beside_it_is_applied_to_memory_page_and_stream(
    poisoned: Callable[..., Replica], bug: Callable[[], None]
) -> None:
    """In one batch of the log: what cannot be rendered, what cannot even be placed, and a kill of what every reader has."""
    replica = poisoned(bug, "none")
    broadcaster = replica.broadcaster
    broadcaster.begin(1, 2)
    follower = Follower(
        replica.answers.settings, replica.feed_store, replica.answers.renderer, BrokenPast(), broadcaster
    )
    follower._epoch = 1
    assert "words of a" in (await replica.get("/")).text
    killed = revision("a", 2, kind="kill", removal="killed")
    poison = revision("x", body_html="<p>poison</p>", text="t", word_count=2)
    await follower._take(
        [
            record(3, poison),
            record(4, revision("unknown", 7)),
            record(5, killed),
            record(6, revision("short-lived")),
            record(7, revision("short-lived", 2, kind="kill", removal="killed")),
        ]
    )
    page = (await replica.get("/")).text
    assert "words of a" not in page
    assert "words of c" in page
    assert (await replica.get(f"/v1/updates/{killed.update_id}")).status_code == 410
    told = list(broadcaster.buffer.between(Position(1, 2), broadcaster.head))
    assert [(each.position.offset, each.kind) for each in told] == [
        (3, "publish"),
        (4, "update"),
        (5, "kill"),
        (7, "kill"),
    ]
    frames = [broadcaster.buffer.frame(each, "page") for each in told]
    assert b'"html":""' in frames[0]
    assert b"event: kill" in frames[2]
    assert broadcaster.head == Position(1, 7)


async def test_a_json_that_cannot_be_made_is_missing_from_lists_and_streams_alone(
    poisoned: Callable[..., Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list has the others, the update itself says that it cannot be shown, and the stream goes on behind it."""
    replica = poisoned(raises, "none")
    real = replica.answers.renderer.omissions.attempt

    def attempt(entry: FeedEntry, what: str, make: Callable[[], Any]) -> Any:
        return real(entry, what, raises if entry.update.headline.startswith("b") and what == "json" else make)

    monkeypatch.setattr(replica.answers.renderer.omissions, "attempt", attempt)
    listed = (await replica.get("/v1/updates", accept="*/*")).json()
    assert [each["headline"] for each in listed["updates"]] == ["c 1", "a 1"]
    alone = await replica.get(f"/v1/updates/{revision('b').update_id}", accept="*/*")
    assert alone.status_code == 503
    assert alone.json()["code"] == "not-shown"
    follower = Follower(
        replica.answers.settings, replica.feed_store, replica.answers.renderer, replica.archive, replica.broadcaster
    )
    follower._epoch = 1
    replica.broadcaster.begin(1, 2)
    await follower._take([record(3, revision("b", 2)), record(4, revision("d"))])
    told = list(replica.broadcaster.buffer.between(Position(1, 2), replica.broadcaster.head))
    assert [each.position.offset for each in told] == [4]

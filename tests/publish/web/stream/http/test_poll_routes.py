"""The same cursor for clients that cannot stream."""

import asyncio
import time

import httpx
import pytest

from publish.web.stream.limits import StreamLimits
from support.waiting import eventually


@pytest.fixture
async def client(site):
    """An HTTP client of the site."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}", timeout=30) as made:
        yield made


async def test_since_pages_through_what_was_missed(site, client, make_event) -> None:
    """Following the cursor of each answer gives every event of the channels once, then an empty answer with the end."""
    site.publish(*[make_event(offset, "tag:a" if offset % 2 else "tag:b") for offset in range(1, 10)])
    cursor, got, more = "1-0", [], True
    while more:
        answer = (await client.get("/v1/since", params={"cursor": cursor, "channels": "tag:a", "limit": 2})).json()
        got += [each["id"] for each in answer["events"]]
        cursor, more = answer["cursor"], answer["more"]
    assert got == ["1-1", "1-3", "1-5", "1-7", "1-9"]
    assert cursor == "1-9"
    again = (await client.get("/v1/since", params={"cursor": cursor})).json()
    assert again == {"cursor": "1-9", "more": False, "events": []}


async def test_an_answer_has_what_the_stream_would_have(site, client, make_event) -> None:
    """Kind, id and data are the stream's own, in either view."""
    site.publish(make_event(1, kind="correct"))
    plain = (await client.get("/v1/since", params={"cursor": "1-0"})).json()
    assert plain["events"] == [{"id": "1-1", "event": "correct", "data": {"n": 1}}]
    page = (await client.get("/v1/since", params={"cursor": "1-0", "view": "page"})).json()
    assert page["events"][0]["data"] == {"n": 1, "html": "<p>", "channels": ["news"]}


async def test_a_long_poll_answers_when_something_comes(site, client, make_event) -> None:
    """A poll waits, is woken by an event of its channels and by no other, and loses nothing between two polls."""
    asked = asyncio.create_task(client.get("/v1/poll", params={"cursor": "1-0", "channels": "tag:a", "timeout": 30}))
    await eventually(lambda: site.broadcaster.polls.waiting, lambda polls: polls == 1, within_s=30)
    other = asyncio.create_task(client.get("/v1/poll", params={"cursor": "1-0", "channels": "tag:b", "timeout": 5}))
    await eventually(lambda: site.broadcaster.polls.waiting, lambda polls: polls == 2, within_s=30)
    site.publish(make_event(1, "tag:b"))
    assert [each["id"] for each in (await other).json()["events"]] == ["1-1"]
    assert not asked.done()
    site.publish(make_event(2, "tag:a"))
    answer = (await asked).json()
    assert [each["id"] for each in answer["events"]] == ["1-2"]
    site.publish(make_event(3, "tag:a"))
    follow = (await client.get("/v1/poll", params={"cursor": answer["cursor"], "channels": "tag:a"})).json()
    assert [each["id"] for each in follow["events"]] == ["1-3"]


async def test_a_long_poll_ends_after_its_time(site, client, make_event) -> None:
    """With nothing new the answer is empty and its cursor has come along, so that the next question is cheap."""
    site.publish(make_event(1, "tag:b"))
    began = time.monotonic()
    answer = (await client.get("/v1/poll", params={"cursor": "1-0", "channels": "tag:a", "timeout": 0.3})).json()
    assert time.monotonic() - began > 0.25
    assert answer == {"cursor": "1-1", "more": False, "events": []}


async def test_many_polls_are_woken_by_one_event(site, client, make_event) -> None:
    """Long polls of many readers are answered together."""
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{site.port}", timeout=20, limits=httpx.Limits(max_connections=200)
    ) as many:
        asked = [asyncio.create_task(many.get("/v1/poll", params={"cursor": "1-0", "timeout": 10})) for _ in range(150)]
        ends = time.monotonic() + 30
        while site.broadcaster.polls.waiting < 150 and time.monotonic() < ends:
            await asyncio.sleep(0.01)
        site.publish(make_event(1))
        answers = await asyncio.gather(*asked)
        assert {answer.text for answer in answers} == {answers[0].text}
        assert answers[0].json()["cursor"] == "1-1"


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [("1-1", "expired"), ("0-5", "epoch"), ("nonsense", "unknown-cursor"), ("1-99999999", "ahead")],
)
@pytest.mark.parametrize("path", ["/v1/since", "/v1/poll"])
async def test_a_gap_is_answered_with_a_reset(served, make_event, path: str, cursor: str, reason: str) -> None:
    """A cursor that cannot be continued gets a reset event with the snapshot to fetch and the cursor to go on from."""
    async with served(StreamLimits(window_events=2, catch_up_s=0)) as site:
        site.publish(*[make_event(offset) for offset in range(1, 8)])
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}") as client:
            answer = (await client.get(path, params={"cursor": cursor})).json()
    (event,) = answer["events"]
    assert event["event"] == "reset"
    assert event["data"] == {"reason": reason, "snapshot": "/v1/updates", "cursor": "1-7"}
    assert answer["cursor"] == "1-7"


async def test_an_archive_that_is_away_is_a_503(served, make_event) -> None:
    """A question that only the archive can answer is to be asked again later, not answered with a reset or a 500."""

    async def away(*_: object) -> None:
        raise OSError("no route")

    async with served(StreamLimits(window_events=1), away) as site:
        site.publish(make_event(1), make_event(2), make_event(3))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}", timeout=30) as client:
            answer = await client.get("/v1/since", params={"cursor": "1-1"})
    assert answer.status_code == 503
    assert answer.json()["code"] == "archive-away"
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize("query", ["timeout=-1", "timeout=nan", "timeout=x", "limit=0", "limit=1e9", "view=x"])
async def test_bad_questions_are_named(client, query: str) -> None:
    """A parameter out of its range is answered 400 with its name."""
    answer = await client.get(f"/v1/poll?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["detail"]


async def test_a_poll_whose_client_left_is_released(site) -> None:
    """A poll whose client went away does not wait on."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}", timeout=0.2) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/v1/poll", params={"cursor": "1-0", "timeout": 50})
    ends = time.monotonic() + 30
    while site.broadcaster.polls.waiting and time.monotonic() < ends:
        await asyncio.sleep(0.01)
    assert site.broadcaster.polls.waiting == 0


async def test_a_host_cannot_stand_for_the_question(site, make_event) -> None:
    """What is asked is in the target of a request; a `Host` that looks like one adds nothing to it and takes nothing away."""
    site.publish(make_event(1, "tag:a"), make_event(2, "tag:b"))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}") as client:
        for host in ("here.example", "a#", "a?channel=tag:b", "a/?channel=tag:b#"):
            answer = await client.get("/v1/since?channel=tag:a&cursor=1-0", headers={"Host": host})
            assert [each["id"] for each in answer.json()["events"]] == ["1-1"], host


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ("/v1/since?timeout=3", "timeout"),
        ("/v1/poll?limits=3", "limits"),
        ("/v1/since?cursor=1-0&cursor=1-1", "cursor"),
    ],
)
async def test_a_parameter_that_is_not_known_is_refused(client, target: str, field: str) -> None:
    """One that is misspelt would be as good as absent: the answer names it instead."""
    answer = await client.get(target)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["field"] == field


async def test_an_answer_to_a_poll_has_a_bound_of_bytes(site, client, make_event) -> None:
    """Large events come in several answers, each complete up to its cursor, and none is left out."""
    site.publish(*[make_event(n, data=b'{"n":%d,"pad":"%b"}' % (n, b"x" * 400_000)) for n in range(1, 8)])
    seen, sizes, cursor, more = [], [], "1-0", True
    while more:
        answer = await client.get("/v1/since", params={"cursor": cursor})
        body = answer.json()
        seen += [each["data"]["n"] for each in body["events"]]
        sizes.append(len(answer.content))
        cursor, more = body["cursor"], body["more"]
    assert seen == list(range(1, 8))
    assert max(sizes) < 1_100_000

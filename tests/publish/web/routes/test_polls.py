"""Polls on the site: one vote a browser, from a page of the site alone, with and without scripts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.datastructures import Headers

from publish.web.routes.polls import COOKIE, MOST_BYTES, is_from_here
from shared.messages import Poll, PollOption
from support.counted_votes import CountedVotes
from support.revisions import revision
from support.web_replica import Make, Replica

OWN = {"origin": "https://news.example"}
JSON = {"accept": "application/json", **OWN}


def poll(**fields: Any) -> Poll:
    """A poll of two options."""
    options = (PollOption(id="yes", label="Yes"), PollOption(id="no", label="No"))
    return Poll(kind="poll", id="more", question="More?", options=options, **fields)


def voting(replica: Replica, **fields: Any) -> str:
    """The path of a poll that readers can vote in."""
    update = revision("a", blocks=(poll(**fields),))
    replica.take(update)
    replica.answers.votes = CountedVotes()
    return f"/polls/{update.update_id}/more"


async def vote(replica: Replica, path: str, option: str = "yes", **headers: str) -> Any:
    """A browser's vote, which says where it comes from unless told otherwise."""
    return await replica.client.post(path, data={"option": option}, headers=headers or OWN)


async def test_a_vote_without_scripts_leads_to_the_results(replica: Replica) -> None:
    """A form, a redirect that can be reloaded, and a page that says how it stands."""
    path = voting(replica)
    form = (await replica.get("/")).text
    assert f'<form class="block block-poll" method="post" action="{path}"' in form
    answer = await vote(replica, path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?said=counted")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Path=/polls", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
    page = await replica.get(answer.headers["location"])
    assert "Your vote is counted." in page.text
    assert "1 vote<" in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_a_browser_votes_once_and_another_is_another(replica: Replica) -> None:
    """The cookie is the browser; one that is made up is none, and gets a new one."""
    path = voting(replica)
    first = await vote(replica, path, "yes", **JSON)
    cookie = first.headers["set-cookie"].partition(";")[0]
    second = await vote(replica, path, "no", cookie=cookie, **JSON)
    assert [first.json()["said"], second.json()["said"]] == ["counted", "again"]
    assert "set-cookie" not in second.headers
    answer = await vote(replica, path, "no", cookie=f"{COOKIE}=made-up.00000000000000000000000000000000", **JSON)
    assert answer.json()["said"] == "counted"
    assert COOKIE in answer.headers["set-cookie"]
    assert isinstance(replica.answers.votes, CountedVotes)
    assert replica.answers.votes.counted == {"yes": 1, "no": 1}


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "https://news.example"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "https://news.example"}, True),
        ({"origin": "http://127.0.0.1:8080", "host": "127.0.0.1:8080"}, True),
        ({"origin": "https://evil.example", "host": "news.example"}, False),
        ({"origin": "null", "host": "news.example"}, False),
        ({"host": "news.example"}, False),
    ],
)
async def test_another_site_cannot_vote_for_a_reader(replica: Replica, headers: dict[str, str], own: bool) -> None:
    """Nor does what says nothing of where it comes from."""
    assert is_from_here(Headers(headers), "https://news.example") is own
    if not own:
        assert (await vote(replica, voting(replica), **headers)).status_code == 403


async def test_a_closed_poll_takes_no_vote(replica: Replica) -> None:
    """Whatever an old page still offers."""
    path = voting(replica, closes_at=datetime.now(UTC) - timedelta(seconds=1))
    assert (await vote(replica, path, **JSON)).json() == {
        "said": "closed",
        "open": False,
        "total": 0,
        "votes": {"yes": 0, "no": 0},
    }
    assert (await replica.get(f"/v1{path}")).json()["open"] is False
    assert "<form" not in (await replica.get(path)).text.partition("</header>")[2]


async def test_what_is_no_vote_is_refused(replica: Replica) -> None:
    """An option that is not there, none or two, another type, a body without end, a poll that is none."""
    path = voting(replica)
    post = replica.client.post
    assert (await vote(replica, path, "maybe")).json()["field"] == "option"
    assert (
        await post(
            path, content=b"option=yes&option=no", headers=OWN | {"content-type": "application/x-www-form-urlencoded"}
        )
    ).status_code == 400
    assert (
        await post(path, content=b"a=1&" * 100, headers=OWN | {"content-type": "application/x-www-form-urlencoded"})
    ).status_code == 400
    assert (await post(path, json={"option": "yes"}, headers=OWN)).status_code == 415
    assert (await vote(replica, path, "y" * MOST_BYTES)).status_code == 413
    assert (await vote(replica, path.replace("more", "less"))).status_code == 404
    assert (await vote(replica, path.replace("/polls/", "/polls/x"))).status_code == 404


async def test_votes_from_one_address_are_limited(make_replica: Make) -> None:
    """Cookies can be thrown away; addresses less easily."""
    replica = make_replica(publish_poll_per_minute=2)
    path = voting(replica)
    answers = []
    for _ in range(3):
        replica.client.cookies.clear()
        answers.append((await vote(replica, path)).status_code)
    assert answers == [303, 303, 429]


async def test_a_killed_update_takes_its_poll_with_it(replica: Replica) -> None:
    """No vote, no result, no word."""
    path = voting(replica)
    replica.take(revision("a", 2, removal="killed"))
    answers = [await vote(replica, path), await replica.get(path), await replica.get(f"/v1{path}")]
    assert [each.status_code for each in answers] == [410, 410, 410]
    assert not any("More?" in each.text for each in answers)


async def test_results_are_asked_of_redis_at_most_every_two_seconds(replica: Replica) -> None:
    """However many readers look on; shared caches may answer for as long."""
    path = voting(replica)
    for _ in range(20):
        answer = await replica.get(f"/v1{path}")
    assert answer.headers["cache-control"] == "public, max-age=2, must-revalidate"
    assert isinstance(replica.answers.votes, CountedVotes)
    assert replica.answers.votes.asked == 1


async def test_without_redis_votes_are_put_off_and_pages_stay(replica: Replica) -> None:
    """503, to come again."""
    path = voting(replica)
    replica.answers.votes = None
    answer = await vote(replica, path, **JSON)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (await replica.get("/")).status_code == 200

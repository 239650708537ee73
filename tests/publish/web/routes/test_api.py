"""The JSON API and its document."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft202012Validator
from starlette.routing import Route

from publish.web.routes.openapi import document
from publish.web.stories import is_over
from shared.messages import Flags
from support.places import conformance
from support.revisions import revision
from support.samples import full
from support.web_replica import Make, Replica


def fits(name: str, value: Any) -> None:
    """Fail where a value is not what the document says of a schema."""
    components = document("https://news.example")["components"]
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    errors = [
        f"{list(error.absolute_path)}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)
    ]
    assert not errors


async def test_pages_follow_on_each_other_without_a_hole_or_a_repeat(replica: Replica) -> None:
    """Going from `next` to `next` gives every update once, newest position first, and the last page says it is the last."""
    replica.take(*(revision(f"u{n}") for n in range(25)))
    seen: list[str] = []
    before = ""
    for _ in range(10):
        page = (await replica.get(f"/v1/updates?limit=7{before}")).json()
        fits("Page", page)
        seen += [each["headline"] for each in page["updates"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert seen == [f"u{n} 1" for n in range(24, -1, -1)]


async def test_an_update_shows_readers_everything_that_is_theirs_and_nothing_else(replica: Replica) -> None:
    """An update has its position, cursor and passport, and no fingerprint, repairs or guid of its source."""
    replica.take(revision("first"), full(), full(number=2))
    answer = await replica.get(f"/v1/updates/{full().update_id}")
    update = answer.json()
    fits("Update", update)
    assert (update["position"], update["cursor"], update["revision"]) == ("1-1", "1-2", 2)
    assert update["passport"]["received_at"] == "2026-01-01T12:00:00Z"
    assert update["url"] == f"https://news.example/updates/{update['update_id']}/tide-gates-closed"
    assert not {"guid", "fingerprint", "repairs", "degraded"} & update.keys()
    history = (await replica.get(f"/v1/updates/{full().update_id}/revisions")).json()
    assert [each["revision"] for each in history["revisions"]] == [1, 2]
    for each in history["revisions"]:
        fits("Update", each)


async def test_what_a_client_has_is_not_sent_again(replica: Replica) -> None:
    """The same content has the same strong ETag, answers 304 to it, and another one once anything changed."""
    replica.take(full())
    for path in ("/", "/v1/updates", f"/v1/updates/{full().update_id}", "/feeds/news.rss", "/v1/stories"):
        first = await replica.get(path, **{"accept-encoding": "identity"})
        tag = first.headers["etag"]
        assert not tag.startswith("W/")
        again = await replica.get(path, **{"if-none-match": f'"other", {tag}', "accept-encoding": "identity"})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), path
        assert again.headers["cache-control"] == first.headers["cache-control"]
        zipped = await replica.get(path, **{"accept-encoding": "gzip"})
        assert (zipped.headers["etag"] != tag) == ("content-encoding" in zipped.headers)
        assert zipped.content == first.content
        replica.take(revision(path))
        changed = await replica.get(path, **{"if-none-match": tag, "accept-encoding": "identity"})
        assert changed.status_code == (304 if path.startswith("/v1/updates/") else 200), path
    assert "stale-if-error" in (await replica.get("/")).headers["cache-control"]
    assert "s-maxage" in (await replica.get("/v1/updates")).headers["cache-control"]


async def test_what_was_kept_is_what_would_be_made(replica: Replica) -> None:
    """A kept answer is the same bytes as a fresh one, for GET and HEAD, and hostile queries push nothing out."""
    replica.take(full(), *(revision(f"u{n}") for n in range(30)))
    for path in ("/", "/v1/updates?channel=story:harbour-flood&limit=5", "/tags/medtop:20000150"):
        first = await replica.get(path)
        kept = await replica.get(path)
        assert kept.content == first.content
        head = await replica.client.head(path)
        assert (head.content, head.headers["content-type"]) == (b"", first.headers["content-type"])
    assert replica.answers.response_cache.ready("/", b"") is not None
    for n in range(50):
        assert (await replica.get(f"/?junk={n}")).status_code == 400
    assert replica.answers.response_cache.ready("/", b"junk=7") is None


@pytest.mark.parametrize("query", ["x=1", "limit=5&X=1", "before=&before=", "%62efore=&before=", "a", "utm=1"])
async def test_a_parameter_that_is_not_known_is_refused_everywhere(replica: Replica, query: str) -> None:
    """Whatever is served: 400 names the parameter, and nothing new is kept."""
    replica.take(full())
    update = full().update_id
    for path in (
        "/", "/stories", "/stories/harbour-flood", "/tags/medtop:20000150", f"/updates/{update}/words", "/v1/updates",
        f"/v1/updates/{update}", f"/v1/updates/{update}.ninjs", f"/v1/updates/{update}/revisions", "/v1/stories",
        "/v1/updates.ninjs", "/v1/stories/harbour-flood", "/v1/tags", "/v1/authors/ana-ferreira", "/v1/search", "/search",
        "/docs", "/text", "/embed/stories/harbour-flood", "/oembed", "/sitemap.xml", "/client.js",
        "/openapi.json", "/feeds/news.rss", "/feeds/news.json", "/sitemap-news.xml", "/robots.txt",
        "/static/page.js", "/media/ab/abc/320.webp",
    ):  # fmt: skip
        answer = await replica.get(f"{path}?{query}", accept="application/json")
        assert answer.status_code == 400, path
        assert answer.json()["field"], path
    assert replica.answers.response_cache.kept_bytes == 0


async def test_who_asks_past_every_cache_is_answered_and_nothing_is_kept_of_it(replica: Replica) -> None:
    """Our push process asks with `at` and a value of its own each time, to see what is true now."""
    before = len(replica.answers.response_cache._ready)
    for number in range(20):
        for path in ("/v1/updates?limit=1&", "/feeds/news.atom?", "/feeds/news.json?"):
            assert (await replica.client.get(f"{path}at={number}")).status_code == 200
    assert len(replica.answers.response_cache._ready) == before


async def test_the_service_worker_is_told_where_alerts_come_from(replica: Replica) -> None:
    """Its address names the push process, and nothing else that it does not know."""
    assert (await replica.get("/sw.js?push=https%3A%2F%2Fpush.example")).status_code == 200
    assert (await replica.get("/sw.js?x=1")).status_code == 400


async def test_what_others_add_to_addresses_changes_nothing(replica: Replica) -> None:
    """A link that was shared with marks of its campaign is answered as the page, from what is kept of it."""
    replica.take(full())
    plain = await replica.get("/")
    kept = replica.answers.response_cache.kept_bytes
    for query in ("utm_source=mail&utm_medium=x", "fbclid=" + "a" * 500, "before=&gclid=1", "utm_x"):
        answer = await replica.get(f"/?{query}")
        assert (answer.status_code, answer.content) == (200, plain.content), query
    assert replica.answers.response_cache.kept_bytes <= 2 * kept + 100


async def test_kept_answers_are_bounded_with_their_addresses(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address counts as what it takes: thousands of long ones leave no more than the bound."""
    monkeypatch.setattr("publish.web.response_cache.KEPT_BYTES", 400_000)
    replica.take(*(revision(f"u{n}") for n in range(3)))
    for n in range(200):
        await replica.get(f"/v1/updates?limit=1&before=1-{n:0>18}")
        await replica.get(
            f"/v1/updates?limit=1&before={'%31-2' if n % 2 else '1-2'}&channel=news{'&utm_a=' + 'x' * 5000}"
        )
    assert 0 < replica.answers.response_cache.kept_bytes <= 400_000


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=٣", "limit"),
        ("channel=", "channel"),
        ("channel=nonsense", "channel"),
        ("channel=tag:", "channel"),
        ("channel=tag:" + "x" * 400, "channel"),
        ("channel=tag:%00", "channel"),
        ("before=1_0-0", "before"),
    ],
)
async def test_a_bad_parameter_is_named(replica: Replica, query: str, field: str) -> None:
    """A parameter that is none is a 400 problem that names it, never a 500."""
    answer = await replica.get(f"/v1/updates?{query}", accept="*/*")
    problem = answer.json()
    assert (answer.status_code, problem["field"]) == (400, field)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"].startswith(field)
    fits("ProblemDocument", problem)


async def test_any_site_may_read_the_api(replica: Replica) -> None:
    """A browser on another origin may read, also after asking first; errors can be read too."""
    replica.take(full())
    for path in ("/v1/updates", "/v1/updates/nonsense", "/feeds/news.json", "/v1/since"):
        assert (await replica.get(path, accept="*/*")).headers["access-control-allow-origin"] == "*", path
    answer = await replica.client.options("/v1/updates", headers={"origin": "https://other.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")


async def test_stories_are_told_by_their_newest_update(replica: Replica) -> None:
    """Each story once, that with the newest update first, with its count."""
    replica.take(full(), revision("b", story="b", story_label="B"), full("again", slug="again"))
    answer = (await replica.get("/v1/stories")).json()
    fits("Stories", answer)
    assert [(each["id"], each["updates"], each["corroboration"]) for each in answer["stories"]] == [
        ("harbour-flood", 2, 3),
        ("b", 1, 1),
    ]


def test_a_story_is_over_once_nothing_is_expected_to_follow(replica: Replica) -> None:
    """Corrections come for a while after the end of coverage; a newer update that opens it again makes it live."""
    ended = datetime(2026, 5, 1, 12, tzinfo=UTC)
    closing = revision("end", story="flood", flags=Flags(closed=True), version_created=ended)
    replica.take(revision("a", story="flood"), closing, revision("b", story="fire"))

    def over(channel: str, hours: float) -> bool:
        return is_over(replica.feed_store, channel, ended + timedelta(hours=hours))

    assert not over("story:flood", 1)
    assert over("story:flood", 25)
    assert not over("story:fire", 25)
    assert not over("story:unknown", 25)
    assert not over("news", 25)
    replica.take(revision("end", 2, story="flood", version_created=ended))
    assert not over("story:flood", 25)


def test_the_document_is_true(make_replica: Make) -> None:
    """Every route that is not a page is in the document, and the document names no route that is not there."""
    app = make_replica().answers.response_cache.app
    served = {
        route.path.replace(":path}", "}")
        for route in app.routes
        if isinstance(route, Route)
        and route.path.startswith(
            ("/v1/", "/oembed", "/feeds/", "/media/", "/openapi", "/livez", "/readyz", "/metrics")
        )
    }
    assert set(document("https://news.example")["paths"]) == served


async def test_the_document_is_openapi(replica: Replica) -> None:
    """It is OpenAPI 3.1 whose schemas are JSON Schema, with every reference resolved."""
    text = (await replica.get("/openapi.json")).text
    value = json.loads(text)
    assert value["openapi"].startswith("3.1")
    assert value["servers"] == [{"url": "https://news.example"}]
    for name, schema in value["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert text.count(f'"#/components/schemas/{name}"') > 0, f"{name} is used nowhere"
    references = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert references == set(value["components"]["schemas"])


@pytest.mark.conformance
async def test_ninjs_validates(replica: Replica) -> None:
    """An update with everything, and one with nothing, are valid ninjs 3.1."""
    schema = json.loads(conformance("ninjs/specification/ninjs-schema_3.1.json").read_text())
    replica.take(full(), full(number=2), revision("bare"))
    for update_id in (full().update_id, revision("bare").update_id):
        item = (await replica.get(f"/v1/updates/{update_id}.ninjs")).json()
        validator = Draft202012Validator if "2020-12" in schema.get("$schema", "") else Draft4Validator
        errors = [f"{list(error.absolute_path)}: {error.message}" for error in validator(schema).iter_errors(item)]
        assert not errors

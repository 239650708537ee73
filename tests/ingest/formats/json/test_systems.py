"""Articles of content systems and publishers' interfaces."""

import json
from typing import Any

import pytest

from conformance.documents import read_document
from shared.messages import RawUpdate

BODY = "<p>The port reopened on Saturday after a week of storms, the ministry said.</p><p>Ships may enter again.</p>"


def updates(value: Any) -> tuple[RawUpdate, ...]:
    """What becomes of a document."""
    return read_document(json.dumps(value)).updates


def post(**members: Any) -> dict[str, Any]:
    """A post of WordPress."""
    return {
        "id": 1,
        "date": "2026-11-20T10:00:00",
        "date_gmt": "2026-11-20T09:00:00",
        "guid": {"rendered": "https://p.example/?p=1"},
        "slug": "port",
        "status": "publish",
        "type": "post",
        "link": "https://p.example/port/",
        "title": {"rendered": "Port&#8217;s gates reopen"},
        "content": {"rendered": BODY, "protected": False},
        "excerpt": {"rendered": "<p>The port reopened on Saturday after a week of storms [&hellip;]</p>", "protected": False},
        **members,
    }  # fmt: skip


def test_a_post_of_wordpress() -> None:
    embedded = {
        "author": [{"name": "Ann Other"}],
        "wp:featuredmedia": [{"source_url": "https://p.example/a.jpg", "alt_text": "A port", "caption": {"rendered": "<p>The port. Photo: Jo Bloggs/AP</p>"}}],
        "wp:term": [[{"name": "News", "taxonomy": "category"}], [{"name": "Ports &amp; ships", "taxonomy": "post_tag"}]],
    }  # fmt: skip
    content = {
        "rendered": BODY + "<p>The post <a href='https://p.example/port/'>Port</a> appeared first on <a href='https://p.example'>Paper</a>.</p>"
    }  # fmt: skip
    (update,) = updates([post(_embedded=embedded, content=content)])
    assert (update.guid, update.link) == ("https://p.example/?p=1", "https://p.example/port/")
    assert (update.headline, update.body_html, update.summary) == ("Port’s gates reopen", BODY, "")
    assert (update.byline, [one.name for one in update.subjects]) == ("Ann Other", ["Ports & ships", "News"])
    assert [(one.url, one.caption, one.credit) for one in update.media] == [
        ("https://p.example/a.jpg", "The port.", "Jo Bloggs/AP")
    ]
    assert update.version_created is not None
    assert update.version_created.isoformat() == "2026-11-20T09:00:00+00:00"


@pytest.mark.parametrize(
    "members",
    [
        {"status": "draft"},
        {"status": "future"},
        {"status": "private"},
        {"content": {"rendered": "", "protected": True}, "excerpt": {"rendered": "<p>There is no excerpt because this is a protected post.</p>"}},
    ],
)  # fmt: skip
def test_what_is_not_published_is_withheld(members: dict[str, Any]) -> None:
    (update,) = updates(post(**members))
    assert (update.status, update.summary) == ("withheld", "")


@pytest.mark.parametrize(
    "value",
    [
        {"jsonapi": {}, "data": [{"type": "node--article", "id": "u-1", "attributes": {"title": "Port reopens", "status": True, "langcode": "en", "body": {"value": "x", "processed": BODY, "summary": ""}, "field_byline": "Ann Other"}}]},
        {"nid": [{"value": 12}], "uuid": [{"value": "u-1"}], "title": [{"value": "Port reopens"}], "status": [{"value": True}], "langcode": [{"value": "en"}], "body": [{"value": "x", "processed": BODY, "summary": ""}], "field_byline": [{"value": "Ann Other"}]},
        {"posts": [{"uuid": "u-1", "id": "6", "comment_id": "6", "title": "Port reopens", "html": BODY, "visibility": "public", "authors": [{"name": "Ann Other"}], "tags": [{"name": "#newsletter"}]}]},
        {"response": {"results": [{"id": "u-1", "webTitle": "Port reopens", "webUrl": "https://g.example/1", "fields": {"byline": "Ann Other", "body": BODY}}]}},
    ],
    ids=["json-api", "drupal-rest", "ghost", "guardian"],
)  # fmt: skip
def test_an_article_of_a_system(value: dict[str, Any]) -> None:
    (update,) = updates(value)
    assert (update.guid, update.headline, update.body_html) == ("u-1", "Port reopens", BODY)
    assert (update.byline, update.status, update.subjects) == ("Ann Other", "usable", ())


def test_what_is_for_members_or_unpublished_is_withheld() -> None:
    ghost = {"uuid": "u-1", "comment_id": "6", "title": "Port reopens", "html": BODY, "visibility": "paid"}
    node = {"type": "node--article", "id": "u-1", "attributes": {"title": "Port reopens", "status": False, "body": {"processed": BODY}}}  # fmt: skip
    assert [updates(one)[0].status for one in ({"posts": [ghost]}, {"data": [node]})] == ["withheld", "withheld"]


def test_an_item_of_a_newswire_of_a_paper() -> None:
    (update,) = updates(
        {"results": [{"uri": "nyt://article/1", "url": "https://n.example/1", "title": "Port reopens", "abstract": "Ships may enter again.", "byline": "BY ANN OTHER", "source": "New York Times", "des_facet": ["Ports"], "geo_facet": ["Lisbon"], "multimedia": [{"url": "https://n.example/s.jpg", "width": 75}, {"url": "https://n.example/l.jpg", "width": 600, "caption": "The port.", "copyright": "Jo Bloggs"}]}]}
    )  # fmt: skip
    assert (update.guid, update.summary, update.credit) == ("nyt://article/1", "Ships may enter again.", "New York Times")  # fmt: skip
    assert [(one.kind, one.name) for one in update.subjects] == [("subject", "Ports"), ("place", "Lisbon")]
    assert [(one.url, one.credit) for one in update.media] == [("https://n.example/l.jpg", "Jo Bloggs")]


def test_a_gatherer_of_news_names_the_source_behind_the_headline_and_cuts_the_text() -> None:
    (update,) = updates(
        {"articles": [{"source": {"id": "bbc", "name": "BBC News"}, "title": "Port reopens after storms - BBC News", "url": "https://b.example/1", "content": "The port reopened on Saturday. Ships of up… [+1234 chars]"}]}
    )  # fmt: skip
    assert (update.headline, update.credit) == ("Port reopens after storms", "BBC News")
    assert update.body_html.endswith("Ships of up…</p>")

"""Readers get what `ReaderUpdate` allows, in every form; and what is marked as a source's words is erased by a kill."""

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
import pytest

from publish.archive.queries import Archived
from publish.archive.store import revision_of
from publish.cache.store import arguments_of
from publish.push.alerts.notification import wording
from publish.push.webhooks.message import body_of
from publish.representation import reader_json
from publish.representation.position import Position
from publish.representation.reader_update import reader_update
from publish.web.renderer import stream_event
from shared.messages import (
    SOURCE_WORDS,
    Author,
    Change,
    Corroboration,
    EnrichedUpdate,
    Flags,
    Media,
    Passport,
    Rendition,
    Tag,
    marked,
    without_source_words,
)
from support.revisions import NOON, read, revision
from support.web_replica import Make, Replica

SITE = "https://news.example"
SECRET = "SESAME"
PLACE = Position(1, 0)


class NewAuthor(Author):
    """An author with a field that a later release adds."""

    added: str = SECRET


class NewTag(Tag):
    """A tag with one."""

    added: str = SECRET


class NewRendition(Rendition):
    """A rendition with one."""

    added: str = SECRET


class NewMedia(Media):
    """A picture with one."""

    added: str = SECRET


class NewChange(Change):
    """A change with one."""

    added: str = SECRET


class NewFlags(Flags):
    """Flags with one."""

    added: str = SECRET


class NewPassport(Passport):
    """A passport with one."""

    added: str = SECRET


class NewCorroboration(Corroboration):
    """A corroboration with one."""

    added: str = SECRET


class NewUpdate(EnrichedUpdate):
    """An update with a field that a later release adds."""

    added: str = SECRET


class MarkedUpdate(EnrichedUpdate):
    """The same, marked as a source's words."""

    added: Annotated[str, SOURCE_WORDS] = ""


@pytest.fixture
def extended() -> EnrichedUpdate:
    """An update of a later release: it and each of its parts have a field more."""
    rendition = NewRendition(url="/media/ab/1.jpg", mime_type="image/jpeg", width=640, height=480)
    parts: dict[str, Any] = {
        "authors": (NewAuthor(name="Ana Ferreira", slug="ana-ferreira"),),
        "tags": (NewTag(code="t1", label="Tide"),),
        "media": (NewMedia(id="m", renditions=(rendition,)),),
        "change": NewChange(reason="The hour was wrong.", diff=(("-", "five"), ("+", "six"))),
        "flags": NewFlags(key_event=True),
        "passport": NewPassport(received_at=NOON, enriched_at=NOON),
        "corroboration": NewCorroboration(count=2),
    }
    fields: dict[str, Any] = {
        "story": "flood",
        "story_label": "Flood",
        "updated_at": NOON,
        "first_published_at": datetime.now(UTC),
        "body_html": "<p>Tide gates closed</p>",
    }
    update = revision("a", headline="Tide gates closed", **fields)
    return NewUpdate.model_construct(
        **{**{name: getattr(update, name) for name in EnrichedUpdate.model_fields}, **parts}
    )


async def forms_of(replica: Replica, update: EnrichedUpdate) -> dict[str, bytes]:
    """All that readers, partners and devices get of a revision."""
    (applied,) = replica.take(update)
    assert applied is not None
    event = stream_event(replica.answers.renderer, applied)
    archived = Archived(read(update), frozenset({"news"}))
    update_id = update.update_id
    paths = (
        "/", "/stories", "/stories/flood", "/authors/ana-ferreira", "/tags/t1", f"/updates/{update_id}/words",
        "/v1/updates", "/v1/stories", f"/v1/updates/{update_id}", f"/v1/updates/{update_id}/revisions",
        f"/v1/updates/{update_id}.ninjs", "/feeds/news.rss", "/feeds/news.atom", "/feeds/news.json", "/sitemap-news.xml",
    )  # fmt: skip
    answers = {path: await replica.get(path) for path in paths}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(paths, 200)
    return {
        **{path: answer.content for path, answer in answers.items()},
        "stream": event.views["json"],
        "stream of a page": event.views["page"],
        "Redis": b" ".join(str(each).encode() for each in arguments_of(read(update), SITE)),
        "webhook": body_of(archived, SITE),
        "alert": orjson.dumps(wording(read(update))),
    }


async def test_a_field_that_is_added_to_the_message_is_private(make_replica: Make, extended: EnrichedUpdate) -> None:
    """Neither the update's own new field nor one of any of its parts reaches a reader, in whatever form."""
    forms = await forms_of(make_replica(), extended)
    showing = {name for name, form in forms.items() if b"Tide gates closed" in form}
    assert showing == forms.keys(), "what shows nothing of the update proves nothing"
    assert {name for name, form in forms.items() if SECRET.encode() in form} == set()


@pytest.mark.parametrize("removal", ["killed", "taken-down", "withdrawn", "expired"])
async def test_what_is_marked_is_erased_by_a_removal(make_replica: Make, removal: str) -> None:
    """Archive, memory, streams, Redis, webhooks: a removal that still carries a source's words is stored and sent without."""
    plain = revision("a", 2, removal=removal)
    careless = MarkedUpdate.model_construct(
        **{name: getattr(plain, name) for name in EnrichedUpdate.model_fields}
        | {"added": SECRET, "headline": SECRET, "change": Change(reason="why", diff=(("+", SECRET),))}
    )
    replica = make_replica()
    (_, applied) = replica.take(revision("a"), careless)
    assert applied is not None
    sent = read(careless)
    kept = {
        "archive": revision_of(PLACE, careless, orjson.dumps(SECRET)).data,
        "memory": repr(replica.feed_store.removed(careless.update_id)).encode(),
        "stream": stream_event(replica.answers.renderer, applied).views["page"],
        "Redis": b" ".join(str(each).encode() for each in arguments_of(sent, SITE)),
        "webhook": body_of(Archived(sent, frozenset()), SITE),
    }
    assert {name for name, form in kept.items() if SECRET.encode() in form} == set()
    assert all(careless.update_id.encode() in form for form in kept.values())
    assert reader_update(careless, cursor=PLACE).change.reason == "why"


def test_the_proof_of_a_kill_looks_for_what_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Redis and in a stream's replay each marked field counts, and the page's fragment."""
    monkeypatch.setattr(reader_json, "EnrichedUpdate", MarkedUpdate)
    assert reader_json.read_metadata({"update_id": "a", "added": SECRET, "html": "<li>", "source": "wire"}) == [
        "added",
        "html",
    ]


def test_every_field_of_an_update_is_either_words_or_harmless() -> None:
    """Whoever adds a text field decides here: of a killed update these alone may be said."""
    texts = {
        name
        for name, field in EnrichedUpdate.model_fields.items()
        if field.annotation in (str, str | None) and name not in marked(EnrichedUpdate, SOURCE_WORDS)
    }
    assert texts == {
        "update_id", "source", "guid", "version", "language", "story", "path", "fingerprint",
    }  # fmt: skip
    assert without_source_words(revision("a")).headline == ""

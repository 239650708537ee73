"""Text from outside costs enrich and publish time in proportion to its length, and becomes no more than a few times as long.

Every function that takes such text meets every hostile text of `growth.pumps`, and some more of HTML's own, at a length
and at four times that length.
"""

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from inspect import unwrap
from typing import Any

import pytest

from enrich.media.render.metadata import read_iim, read_metadata, read_xmp
from enrich.picture_index.embedded import Embedded
from enrich.picture_index.rights import Rights, why_withheld
from enrich.reference.agencies import family_of, is_agency
from enrich.reference.dictionary import Dictionary, DictionaryEntry, folded
from enrich.reference.directory import AuthorProfile, Directory, loose_key
from enrich.reference.inflections import to_base_forms
from enrich.reference.loader import ReferenceData
from enrich.reference.stories import story_id
from enrich.reference.vocabulary import ConceptTags, Vocabulary
from enrich.settings import Settings
from enrich.short_text import line_of, slug_of, tidy
from enrich.stories.clustering import StoryCandidate, StoryClusters
from enrich.stories.events.signature import event_signature, spelled, terms_of
from enrich.stories.events.words import numbers_of
from enrich.stories.witnesses import attributed, credited, is_shared_credit, sentences_of
from enrich.text.domain.attachments import Attachments
from enrich.text.domain.corrections.merge import merged
from enrich.text.domain.lifecycle import decide
from enrich.text.domain.revision import build_revision
from enrich.text.domain.state import State
from enrich.text.domain.word_diff import word_diff
from enrich.text.steps.authors import attach_authors
from enrich.text.steps.byline.parser import read_byline
from enrich.text.steps.runner import Steps
from enrich.text.steps.tags import attach_tags
from enrich.text.steps.text.language import direction_of, language_of, normalised_language
from enrich.text.steps.text.plain_text import plain
from enrich.text.steps.text.reading import excerpt_of, reading
from enrich.text.steps.text.sanitise import sanitised
from enrich.text.steps.text.step import bare_text
from publish.archive.queries import Archived
from publish.push.alerts.notification import ordered_wording, wording
from publish.push.webhooks.message import body_of
from publish.representation.fragment import fitting, web_address
from publish.representation.ninjs import ninjs
from publish.representation.position import Position
from publish.representation.reader_json import dump
from publish.representation.reader_update import reader_change
from publish.representation.words import printable, shown_diff, story_name, title_of
from publish.settings import Settings as PublishSettings
from publish.web.application import build
from publish.web.archive_client import ArchiveClient
from publish.web.feed_store import FeedEntry as Standing
from publish.web.feed_store import FeedStore
from publish.web.page_parts.translations import Family
from publish.web.routes.answers import Answers
from publish.web.routes.feeds import Feed
from publish.web.routes.own_page import own_page
from security.growth.measure import growth
from security.growth.pumps import PUMPS
from shared.markup import repair_nesting
from shared.messages import (
    Author,
    Change,
    Creator,
    EnrichedUpdate,
    Media,
    MediaReference,
    Passport,
    RawUpdate,
    Rendition,
    Subject,
    Tag,
    update_id_for,
)
from shared.messages.limits import LONGEST
from shared.observability.health import Health
from support.revisions import read

SIZE = 5000
"""Characters, and four times as many: the square of 20,000 is seen where it costs 50 ps."""
SIZES: Mapping[str, int] = {"body": 12_000, "fragment": 12_000}
"""Of what would need more to be seen."""

Function = Callable[[str], Any]

FORMATS = ("b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u")
MARKUP: Mapping[str, Callable[[int], str]] = {
    "formats torn by a paragraph": lambda n: (
        "<p>" + "".join(f"<{each}>" * 3 for each in FORMATS) + "</p>" + "<p>x</p>" * (n // 8)
    ),
    "different formats torn by a paragraph": lambda n: (
        "<p>" + "".join(f"<b id={i}>" for i in range(90)) + "</p>" + "<p>x</p>" * (n // 8)
    ),
    "ends that are hidden in attributes": lambda n: (
        "<p>" + "".join(f'<b id={i} title="</b>">' for i in range(n // 60)) + "</p>" + "<p>x</p>" * (n // 16)
    ),
    "ends that end nothing": lambda n: "<div></zz>" * (n // 10),
    "ends across a block": lambda n: "<span><div></span>" * (n // 18),
    "formats between the cells of a table": lambda n: (
        "<table>" + "".join(f"<b id={i}><tr></tr>" for i in range(60)) + "x<tr></tr>" * (n // 10)
    ),
    "paragraphs between the cells of a table": lambda n: "<table>" + "a<p>" * (n // 4),
    "links in links": lambda n: '<a href="https://a.example/">x' * (n // 30),
    "items under formats": lambda n: "<b>" * 60 + "<li></li>" * (n // 9),
    "references in an attribute": lambda n: f'<a href="https://a.example/?{"&amp;" * (n // 5)}">x</a>',
    "drawings that do not end": lambda n: "<svg>" * (n // 5),
    "styles that do not end": lambda n: "<style><title>" * (n // 14),
    "headings in headings": lambda n: "<h2><span>" * (n // 10),
    "headings of headings": lambda n: "<h6>a</h6><h2>b</h2>" * (n // 20),
    "blocks in spans": lambda n: ("<span>" * 30 + "<p>x</p>" + "</span>" * 30) * (n // 400 + 1),
    "empty elements within each other": lambda n: ("<b>" * 60 + "</b>" * 60) * (n // 420 + 1),
    "references without a name": lambda n: "<p>" + "&" * n,
}
"""What the repairs of HTML's parsers, and our own steps behind them, take badly."""

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KNOWN = Directory.of([AuthorProfile(id="anna-bell", name="Anna Bell"), AuthorProfile(id="ada-quill", name="Ada Quill")])
NAMED = Dictionary.of(
    [
        DictionaryEntry(code="person:anna-bell", kind="person", label="Anna Bell"),
        DictionaryEntry(code="place:moskva", kind="place", label="Москва"),
        DictionaryEntry(code="place:a", kind="place", label="Ab"),
        DictionaryEntry(code="topic:news", kind="topic", label="新聞"),
    ]
)
HOMONYMS = Dictionary.of(
    [
        DictionaryEntry(code="place:chad", kind="place", label="Chad", near=("border", "the", "a")),
        DictionaryEntry(code="person:chad", kind="person", label="Chad"),
        DictionaryEntry(code="org:apple", kind="organisation", label="Apple"),
    ]
)
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description>{}</dc:description>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def xmp(inside: str) -> dict[str, str]:
    """What a packet says whose caption is that."""
    return read_xmp(XMP.format(inside).encode("utf-8", "surrogatepass"))


def iim(value: str) -> dict[str, str]:
    """What a block says that is nothing but captions of a few bytes."""
    data = value.encode("utf-8", "surrogatepass")
    return read_iim(b"".join(b"\x1c\x02\x78\x00\x40" + data[at : at + 64].ljust(64) for at in range(0, len(data), 64)))


def exif(value: str) -> Embedded:
    """What an artist's name says."""
    return read_metadata({"exif-ifd0-Artist": f"{value} ({value}, ASCII, 5 components, 5 bytes)"}.get)


def rights(terms: str) -> str:
    """Why a picture with these terms is withheld."""
    reference = MediaReference(url="https://a.example/a.jpg", credit="PA", usage_terms=terms, copyright=terms)
    return why_withheld(reference, Embedded(), Rights(allowed=("no use",)))


def gathered(text: str) -> Any:
    """Where an update with these words stands beside one that tells something else."""
    likeness = StoryClusters()
    for number, words in enumerate(("The bridge is closed", text)):
        told = StoryCandidate(
            update_id=f"u{number}", family=f"f{number}", headline=words, text=words, own_story=None, at=NOON, slugline=words
        )  # fmt: skip
        placed = likeness.place(told)
    return placed


def tags(text: str) -> Any:
    """The tags of an update that says this in every place."""
    return attach_tags(
        subjects=[Subject(code=text, name=text, scheme=text), Subject(name=text, kind="person")], keywords=[text],
        headline=text[:500], text=text, language="ru", vocabulary=Vocabulary(), dictionary=NAMED, concept_tags=ConceptTags(("en",)),
    )  # fmt: skip


def raw(text: str) -> RawUpdate:
    """A version that says this in every field of words."""
    return RawUpdate(
        update_id=update_id_for("pa", "g"), source="pa", guid="g", received_at=NOON, headline=text, body_html=text,
        summary=text, byline=text, creators=(Creator(name=text, role=text),), credit=text, copyright=text, located=text,
        subjects=(Subject(name=text),), keywords=(text,), editors_note=text, story=text, slugline=text, version=text,
        link=f"https://a.example/{text}", language=text,
    )  # fmt: skip


@functools.cache
def steps() -> Steps:
    """The steps, with budgets that nothing reaches."""
    late = 1e9
    settings = Settings(enrich_text_budget_ms=late, enrich_authors_budget_ms=late, enrich_tags_budget_ms=late)
    return Steps(ReferenceData(directory=KNOWN, dictionary=NAMED), settings)


def whole(text: str) -> EnrichedUpdate:
    """The revision that enrich makes of a version."""
    version = raw(text)
    transition = decide(version, State(update_id=version.update_id))
    made = steps().run(version, (version.headline, version.body_html), {})
    revision = build_revision(transition, Attachments(made.text, made.authorship, made.tagging), NOON)
    assert revision is not None
    return revision.update


def update(text: str) -> EnrichedUpdate:
    """A revision that says this in every field of words, as one of another release might."""
    return EnrichedUpdate(
        update_id=update_id_for("pa", "g"), revision=1, kind="publish", source="pa", guid="g", first_published_at=NOON,
        passport=Passport(received_at=NOON), headline=text, body_html=text, text=text, summary=text, excerpt=text,
        byline=text, credit=text, copyright=text, located=text, editors_note=text, story="s", story_label=text,
        authors=(Author(name=text),), tags=(Tag(code="topic:a", label=text),), slug="s",
        media=(Media(id="m", caption=text, credit=text, alt_text=text, renditions=(JPEG,)),),
    )  # fmt: skip


JPEG = Rendition(url="/media/a.jpg", mime_type="image/jpeg", width=10, height=10)


@functools.cache
def answers() -> Answers:
    """A web replica of nothing."""
    feed_store = FeedStore(10)
    feed_store.reset(Position(1, -1), [], complete=True)
    return build(PublishSettings(publish_site_url="https://news.example"), feed_store, ArchiveClient(), Health("web"))[
        0
    ]


def entry(text: str) -> Standing:
    """The revision as a replica keeps it."""
    return Standing(read(update(text)))


def feed(text: str) -> Feed:
    """A feed of that revision."""
    return Feed(answers(), title="t", page="/", address="/feeds/news", hub="", entries=[entry(text)], name="News")


def webhook(text: str) -> bytes:
    """What a webhook is told of that revision."""
    return body_of(Archived(read(update(text)), frozenset({"news"})), "https://news.example")


def page(text: str) -> bytes:
    """The update's own page."""
    return own_page(answers(), entry(text), Position(1, 0), [], Family(original_withdrawn=False, members=()))


TEXT: Mapping[str, Function] = {
    "nested": repair_nesting,
    "line": tidy,
    "line, cut": lambda text: line_of(text, 500),
    "body": sanitised,
    "plain text of a body": lambda text: plain(sanitised(text)),
    "plain text of what was not sanitised": plain,
    "text that the step degrades to": lambda text: bare_text(text, text, text, text),
    "language that is said": normalised_language,
    "language that is guessed": lambda text: language_of(None, text),
    "direction": lambda text: direction_of("und", text),
    "read time": lambda text: reading(text, "ja"),
    "excerpt": excerpt_of,
    "slug": slug_of,
    "difference of a middle": lambda text: word_diff(text, text[: len(text) // 2] + "else" + text[len(text) // 2 :]),
    "difference of all": lambda text: word_diff(f"{text} and", f"or {text[::-1]}"),
    "difference of a part": lambda text: word_diff(f"It was {text}", f"It is {text[len(text) // 3 :]}, they say"),
    "byline": lambda text: read_byline(text, KNOWN),
    "byline of names": lambda text: read_byline(f"By Ada Quill {text} and Ben Marsh in Oslo", KNOWN),
    "authors": lambda text: attach_authors(text, [Creator(name=text, uri=text, role=text)], KNOWN),
    "name": lambda text: loose_key(text[: LONGEST["byline"]]),
    "tags": tags,
    "terms": terms_of,
    "account": lambda text: event_signature(text, text, (), text),
    "words of an explanation": lambda text: spelled(["bridge"], text),
    "likeness": gathered,
    "family": lambda text: family_of("pa", text, {}),
    "small letters": folded,
    "names in a text": lambda text: NAMED.find(text[:500], text, "ru"),
    "homonyms in a text": lambda text: HOMONYMS.find(text[:500], f"In Chad {text} Chad {text} Apple", "en"),
    "sources of a text": lambda text: (attributed(text), sentences_of(text)),
    "sources of a credit": lambda text: (credited(text), is_shared_credit(text), is_agency(text)),
    "numbers": numbers_of,
    "inflected names": lambda text: to_base_forms(text, folded(text), "fi", {"helsinki"}),
    "story": story_id,
    "XMP": xmp,
    "XMP, bare": lambda text: read_xmp(text.encode("utf-8", "surrogatepass")),
    "IIM": iim,
    "EXIF": exif,
    "rights": rights,
    "fragment": fitting,
    "seen": printable,
    "address": web_address,
    "title": lambda text: title_of(read(update(text))),
    "name of a story": lambda text: story_name("a", text),
    "alert": lambda text: (wording(update(text)), ordered_wording(update(text), text, text)),
    "shown difference": lambda text: shown_diff(reader_change(Change(diff=(("=", text), ("-", text), ("+", text))))),
}
WHOLE: Mapping[str, Function] = {
    "a correction merged with what came since": lambda text: unwrap(merged)(
        f"It was {text} 20 percent", f"It was {text} 12 percent", f"It is {text} by 20 percent. {text}", is_html=True
    ),
    "a correction of all merged": lambda text: unwrap(merged)(
        f"<p>{text}</p>", f"<p>{text[::-1]}</p>", f"<p>{text[len(text) // 3 :]} and</p>", is_html=True
    ),
    "revision": whole,
    "item": lambda text: answers().renderer.item(entry(text)),
    "page": page,
    "JSON": lambda text: answers().renderer.json(entry(text)),
    "ninjs": lambda text: dump(ninjs(answers().renderer.site, entry(text).update)),
    "webhook": webhook,
    "RSS": lambda text: feed(text).rss(),
    "Atom": lambda text: feed(text).atom(),
    "JSON Feed": lambda text: feed(text).json(),
}
"""Several functions, one after the other: measured with what is hardest."""


ALONE = {pump: made for pump, made in PUMPS.items() if not pump.endswith("between words")}
QUICK = set(TEXT) - {
    "nested",
    "body",
    "fragment",
    "plain text of a body",
    "difference of a middle",
    "difference of all",
}
"""What has time for every hostile text twice: alone, and between two words."""


@pytest.mark.parametrize("name", TEXT)
def test_time_grows_with_the_length(name: str) -> None:
    """No more than in proportion, whatever it is made of."""
    pumps = (PUMPS if name in QUICK else ALONE) | MARKUP
    grown = {pump: growth(TEXT[name], made, SIZES.get(name, SIZE)) for pump, made in pumps.items()}
    assert not {pump: value for pump, value in grown.items() if value}


HARDEST = ("spaces", "no-break spaces", "line feeds", "entities", "bidi embeddings", "unequal rows")


@pytest.mark.parametrize("name", WHOLE)
def test_time_of_whole_answers_grows_with_the_length(name: str) -> None:
    """So too where a whole revision, page or feed is made of it."""
    pumps = {pump: made for pump, made in ALONE.items() if "table" in made(100) or pump in HARDEST} | MARKUP
    grown = {pump: growth(WHOLE[name], made, SIZE) for pump, made in pumps.items()}
    assert not {pump: value for pump, value in grown.items() if value}

"""How long the loop of a process works at most on one thing that somebody sends: nobody else is served meanwhile.

In seconds of a machine that does nothing else (`growth.measure`).
"""

from collections.abc import Callable
from functools import partial
from inspect import unwrap

import pytest

from conformance.documents import outcome
from enrich.reference.loader import ReferenceData
from enrich.settings import Settings
from enrich.text.domain.attachments import Attachments
from enrich.text.domain.corrections.merge import MOST_TOKENS, merged
from enrich.text.domain.corrections.tokens import LONG_TOKEN
from enrich.text.domain.lifecycle import decide
from enrich.text.domain.revision import build_revision
from enrich.text.domain.state import State
from enrich.text.steps.runner import Steps
from enrich.text.steps.text.language import load_model
from enrich.text.steps.text.step import MOST_MARKUP
from ingest.intake.read import LARGE_BYTES, is_large, prepare
from publish.representation.position import Position
from publish.web.feed_store import FeedEntry
from publish.web.page_parts.translations import Family
from publish.web.routes.own_page import own_page
from security.growth.documents import DOCUMENTS
from security.growth.measure import quiet_s
from security.growth.pumps import PUMPS
from security.growth.test_text import KNOWN, MARKUP, NAMED, NOON, answers
from shared.messages import EnrichedUpdate, RawUpdate, update_id_for
from shared.messages.limits import LONGEST
from support.revisions import read

LONGEST_S = 0.3
ALL = {**PUMPS, **MARKUP}
HARDEST = (
    "paragraphs between the cells of a table", "links over blocks", "formats between the cells of a table", "formats torn by a paragraph", "open tags",
    "references without a name", "ampersands", "closing angles", "opening angles", "paragraphs of one letter", "bidi embeddings", "Han", "cells",
    "entities of blanks", "em dashes and blanks", "surrogate pairs",
)  # fmt: skip
"""Texts that readers of HTML, and steps behind them, took from a third of a second to two seconds for."""


def within_markup(pump: Callable[[int], str], size: int = LONGEST["body_html"]) -> list[str]:
    """A body as long as one may be, and the longest of the kind whose markup is read as such."""
    whole = pump(size)[:size]
    marks = whole.count("<")
    return [whole] if marks <= MOST_MARKUP else [whole, pump(size * MOST_MARKUP // marks - 100)]


def enriched(body: str, guid: str) -> EnrichedUpdate:
    """What enrich makes of a first version, with the budgets that it has."""
    version = RawUpdate(
        update_id=update_id_for("pa", guid), source="pa", guid=guid, received_at=NOON, headline="News", body_html=body
    )
    made = Steps(ReferenceData(directory=KNOWN, dictionary=NAMED), Settings()).run(version, ("News", body), {})
    transition = decide(version, State(update_id=version.update_id))
    revision = build_revision(transition, Attachments(made.text, made.authorship, made.tagging), NOON)
    assert revision is not None
    return revision.update


@pytest.mark.parametrize("name", HARDEST)
def test_a_body_as_long_as_may_be_stalls_no_process(name: str) -> None:
    """Neither enrich, which makes a revision of it, nor web, which makes its item and its page."""
    load_model()
    for number, body in enumerate(within_markup(ALL[name])):
        guid = f"{name} {number}"
        assert quiet_s(partial(enriched, body, guid), LONGEST_S) <= LONGEST_S
        update = enriched(body, guid)
        assert len(update.body_html) <= 12 * len(body) + 100
        assert quiet_s(partial(shown, update), LONGEST_S) <= LONGEST_S


def shown(update: EnrichedUpdate) -> bytes:
    """An update's item and its own page."""
    web, entry = answers(), FeedEntry(read(update))
    web.renderer.item(entry)
    return own_page(web, entry, Position(1, 0), [], Family(original_withdrawn=False, members=()))


WORDS = ("letters and blanks", "words", "Han", "paragraphs", "emoji joined", "distinct names", "nested inline tags")


@pytest.mark.parametrize("name", WORDS)
def test_a_merge_stalls_no_process(name: str) -> None:
    """A desk's words and a source's next version: as many as are merged, and as many as a body may have, which are left as the desk has them."""
    for size in (2 * MOST_TOKENS - 1000, LONG_TOKEN * MOST_TOKENS - 1000, LONGEST["body_html"]):
        text = ALL[name](size)[:size]
        for desk, source in (
            (f"It was {text} 12 percent", f"It is {text[::-1]} by 20 percent. {text}"[:size]),
            (text[::-1], text[size // 3 :]),
        ):
            assert quiet_s(partial(unwrap(merged), text, desk, source, is_html=True), LONGEST_S) <= LONGEST_S


def _items(unit: bytes, before: bytes = b"", between: bytes = b"", after: bytes = b"") -> bytes:
    """As many numbered items as a document may have that is read where it is received."""
    number = (LARGE_BYTES - len(before) - len(after)) // (len(unit) + len(between) + 2)
    while (
        len(made := before + between.join(unit.replace(b"#", b"%d" % n) for n in range(number)) + after) > LARGE_BYTES
    ):
        number -= 20
    return made


INLINE: dict[str, bytes] = {
    "native items": _items(b'{"guid":"#","headline":"h"}', b"[", b",", b"]"),
    "native items that say nothing": _items(b'{"guid":"#"}', b"[", b",", b"]"),
    "ninjs items": _items(b'{"uri":"#","headline":"h"}', b"[", b",", b"]"),
    "JSON Feed": _items(b'{"id":"#","title":"a"}', b'{"version":"https://jsonfeed.org/version/1.1","items":[', b",", b"]}"),
    "ANPA messages": _items(b"\x16\x16\x01W#\x1fasian\nu l BC-A 11-13 0049\n\x02x\n\x03"),
    "subjects": _items(b'{"name":"n#"}', b'{"guid":"a","headline":"b","subjects":[', b",", b"]}"),
    **{
        f"{kind}, {pump}": DOCUMENTS[kind](PUMPS[pump](size))[:LARGE_BYTES]
        for kind, pump, size in (
            ("atom, as it is", "ampersands", 64_000),
            ("iptc 7901", "bullets", 64_000),
            ("nitf, as it is", "many attributes", 63_000),
            ("anpa 1312", "closing angles", 64_000),
            ("rss, broken", "bullets", 40_000),
        )
    },
}  # fmt: skip
"""Documents that are read in the process that receives them, since they are small, and that take it longest."""


@pytest.mark.parametrize("name", INLINE)
def test_a_document_that_is_read_where_it_is_received_stalls_no_process(name: str) -> None:
    """Larger ones, and those with more items, are read by a process that nobody waits for."""
    body = INLINE[name]
    if is_large(body):
        return

    def take() -> None:
        found = outcome(body)
        if not isinstance(found, Exception):
            prepare(found, "")

    assert quiet_s(take, LONGEST_S) <= LONGEST_S

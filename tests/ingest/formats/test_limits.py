"""No field of an update is longer than its limit, whatever format it came in."""

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from conformance.documents import outcome, read_document
from ingest.formats import ReadResult, Unreadable
from ingest.formats.limits import keep_within
from ingest.intake.orders import OrderRequest
from security.growth.documents import DOCUMENTS
from shared.messages import RawUpdate
from shared.messages.limits import LONGEST, MOST, MOST_EXTRA_BYTES


def beyond(update: RawUpdate) -> list[str]:
    """The fields of an update, and of its parts, that are over their limits."""
    found = [
        name
        for name, most in LONGEST.items()
        if isinstance(one := getattr(update, name, None), str) and len(one) > most
    ]
    for several in ("keywords", "subjects", "creators", "media", "replaces"):
        values = getattr(update, several)
        found += [several] * (len(values) > MOST[several])
        for one in values:
            parts = {several: one} if isinstance(one, str) else one.model_dump()
            found += [
                f"{several}/{name}"
                for name, value in parts.items()
                if isinstance(value, str) and len(value) > LONGEST.get(name, len(value))
            ]
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("value", ["word ", "a,", "x", "https://example.org/a "])
def test_no_format_lets_a_field_grow(name: str, value: str) -> None:
    """200,000 characters in each field: what is taken is within every limit, and says what was cut."""
    found = outcome(DOCUMENTS[name]((value * 200_000)[:200_000]))
    if isinstance(found, Unreadable):
        assert found.code
        return
    for update in found.updates:
        assert beyond(update) == []
        assert len(orjson.dumps(update.extra)) <= MOST_EXTRA_BYTES + 2


def _native(**fields: Any) -> ReadResult:
    return read_document(orjson.dumps({"guid": "a", "headline": "b", **fields}), taken_for="native")


def test_a_headline_is_cut_and_that_is_told() -> None:
    """At its limit, with an ellipsis; one that just fits is left alone."""
    long, fits = _native(headline="h" * 4_000_002).updates[0], _native(headline="h" * LONGEST["headline"]).updates[0]
    assert long.headline == "h" * (LONGEST["headline"] - 1) + "…"
    assert [(one.code, one.place) for one in long.repairs] == [("too-long", "/headline")]
    assert fits.headline == "h" * LONGEST["headline"]
    assert fits.repairs == ()


@pytest.mark.parametrize("field", ["guid", "version"])
def test_a_name_is_never_cut(field: str) -> None:
    """Two that begin alike would become one: the item is refused, and the reason names the field."""
    wire = read_document(
        orjson.dumps({"uri": "a", "versioncreated": "2026-01-01T00:00:00Z", "headline": "b", field: "x"})
    )
    assert wire.updates
    long = "x" * (LONGEST[field] + 1)
    name = "uri" if field == "guid" else field
    found = read_document(
        orjson.dumps({"uri": "a", "versioncreated": "2026-01-01T00:00:00Z", "headline": "b", name: long})
    )
    assert [(one.code, one.place) for one in found.refused] == [("too-long", f"/{field}")]
    feed = f"<rss><channel><item><guid>{long}</guid><title>a</title></item></channel></rss>"
    assert field == "version" or [one.code for one in read_document(feed).refused] == ["too-long"]


def test_references_and_addresses_are_left_out_rather_than_cut() -> None:
    """Half an address leads somewhere else."""
    long = "https://example.org/" + "a" * 5000
    update = _native(
        link=long, evolved_from=long, replaces=["b", long],
        subjects=[{"code": long, "name": "a"}, {"code": long}],
    ).updates[0]  # fmt: skip
    assert (update.link, update.evolved_from, update.replaces) == (None, None, ("b",))
    assert [(one.code, one.name) for one in update.subjects] == [(None, "a")]
    assert {one.place for one in update.repairs} >= {
        "/link",
        "/evolved_from",
        "/replaces",
        "/subjects/0/code",
    }


def test_a_picture_without_an_address_is_none() -> None:
    """The others stay."""
    fields: dict[str, Any] = {
        "media": [{"url": "https://a/" + "b" * 5000}, {"url": "https://a/b", "caption": "c" * 9000}]
    }
    keep_within(fields, lambda *_: None)
    assert [one["url"] for one in fields["media"]] == ["https://a/b"]
    assert len(fields["media"][0]["caption"]) == LONGEST["caption"]


def test_lists_are_cut() -> None:
    """The first of them are kept."""
    update = _native(keywords=[f"k{number}" for number in range(5000)] + ["x" * 5000]).updates[0]
    assert update.keywords == tuple(f"k{number}" for number in range(MOST["keywords"]))
    assert [one.code for one in update.repairs] == ["too-many"]


def test_a_body_beyond_its_limit_is_refused() -> None:
    """No reader reads a million characters; half an account may say the opposite of the whole."""
    found = _native(body_html="<p>" + "a " * 600_000 + "</p>")
    assert [(one.code, one.place) for one in found.refused] == [("too-large", "/body_html")]


def test_a_body_that_is_nested_is_flattened_and_that_is_told() -> None:
    """In whatever format it comes."""
    body = "<table><tr><td>" * 14 + "x" + "</td></tr></table>" * 14
    native = _native(body_html=body).updates[0]
    nitf = read_document(
        f"<nitf><body><body.content>{body}</body.content></body></nitf>".replace(
            "<nitf>", '<nitf><head><docdata><doc-id id-string="a"/></docdata></head>'
        )
    ).updates[0]
    for update in (native, nitf):
        assert update.body_html.count("<table>") == 1
        assert "markup-flattened" in [one.code for one in update.repairs]


def test_limits_once_applied_change_nothing_more() -> None:
    """What is within them stays as it is."""
    fields: dict[str, Any] = {
        "headline": "h" * 9999,
        "summary": "s " * 9999,
        "keywords": ["k" * 999] * 999,
        "byline": "b",
    }
    keep_within(fields, lambda *_: None)
    before = dict(fields)
    keep_within(fields, lambda *_: pytest.fail("repaired again"))
    assert fields == before


def test_a_desk_keeps_to_the_same_limits() -> None:
    """A correction's headline is refused where it is longer than a headline may be."""
    with pytest.raises(ValidationError, match="headline"):
        OrderRequest(order="correct", reason="typo", headline="h" * (LONGEST["headline"] + 1))

"""What is known of the pictures of an update."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.picture_index.lookup import IndexRow, lookup, media_for, picture_of, reference_key
from shared.messages import MediaReference
from shared.messages.limits import LONGEST
from support.incoming import NINE

REFERENCE = MediaReference(url="https://example.org/a.jpg", guid="p1", credit="A", caption="New words")


def row(**changes: Any) -> IndexRow:
    """A row of the index for a picture that is ready."""
    return IndexRow(**{
        "update_id": "", "reference": "", "url": REFERENCE.url, "state": "ready", "reason": "", "sha256": "a" * 64, "fetched_url": REFERENCE.url,
        "fetched_as": {"url": REFERENCE.url, "credit": "A", "caption": "Old words"}, "picture": "a" * 64, "width": 800,
        "height": 600, "focal_x": 0.5, "focal_y": 0.25, "placeholder": "data:,", "renditions": [], "embedded": {}, "credentials": None,
        "refused": "", "removed_at": None, "forbidden": (), "allowed": (), "default_credit": "", "came_at": NINE, "allowed_by": "", "now": NINE, **changes,
    })  # fmt: skip


def test_unknown_reference_is_pending() -> None:
    """What the index has never heard of is asked for."""
    assert lookup([REFERENCE], [None]).pending == (REFERENCE,)


def test_ready_picture_is_shown_under_the_words_of_this_version() -> None:
    """A corrected caption shows at once, without a fetch."""
    found = lookup([REFERENCE], [row()])
    assert [each.caption for each in found.media] == ["New words"]
    assert found.media[0].focal_point == (0.5, 0.25)
    assert not found.pending


def test_picture_of_another_url_keeps_its_words_and_is_asked_for() -> None:
    """The new words may speak of the new picture: until it is there, the old one keeps the old ones."""
    moved = row(fetched_url="https://example.org/old.jpg", state="pending")
    found = lookup([REFERENCE], [moved])
    assert [each.caption for each in found.media] == ["Old words"]
    assert found.pending == (REFERENCE,)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"refused": "damaged jpeg"}, "damaged jpeg"),
        ({"removed_at": NINE}, "removed by the newsroom"),
        ({"state": "failed", "reason": "HTTP 404", "sha256": None, "picture": None}, "HTTP 404"),
    ],
)
def test_what_readers_do_not_see_has_a_reason(changes: dict[str, Any], reason: str) -> None:
    """Nothing disappears without a word for people, and nothing that failed is asked for again and again."""
    found = lookup([REFERENCE], [row(**{"state": "failed", **changes})])
    assert not found.media
    assert reason in found.withheld[0]
    assert not found.pending


def test_video_is_not_waited_for() -> None:
    """What is not rendered never keeps an update waiting."""
    found = lookup([REFERENCE.model_copy(update={"kind": "video"})], [None])
    assert not found.pending
    assert "video is not rendered" in found.withheld[0]


@pytest.mark.parametrize("state", ["ready", "withheld"])
def test_a_picture_that_new_words_show_or_withhold_is_asked_for(state: str) -> None:
    """Words that make a picture presentable, or not, are sent on, so that the report of ops is true."""
    reference = REFERENCE if state == "withheld" else REFERENCE.model_copy(update={"credit": None})
    found = lookup([reference], [row(state=state)])
    assert found.pending == (reference,)
    assert bool(found.media) == (state == "withheld")


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_reference_is_known_by_guid_and_by_url_where_there_is_none(url: str, other: str, guid: str) -> None:
    """A passing signature in the URL makes no new picture; a guid and a URL of the same text are not confused."""
    assert reference_key(MediaReference(url=url, guid="g" + guid)) == reference_key(
        MediaReference(url=other, guid="g" + guid)
    )
    assert (reference_key(MediaReference(url=url)) == reference_key(MediaReference(url=other))) == (url == other)
    assert reference_key(MediaReference(url=url)) != reference_key(MediaReference(url=other, guid=url or "x"))


async def test_nothing_wanted_asks_nothing() -> None:
    """Updates without pictures cost no query."""
    found = await media_for(None, {"a": [], "b": [REFERENCE.model_copy(update={"kind": "audio"})]})
    assert set(found) == {"a", "b"}


LONG = "word " * 400_000


def test_the_words_of_a_picture_are_short() -> None:
    """No picture has a caption of megabytes."""
    reference = MediaReference(
        url="https://a.example/a.jpg", caption=LONG, credit=LONG, copyright=LONG, alt_text=LONG, usage_terms=LONG
    )
    picture, _ = picture_of(reference, row())
    assert picture is not None
    for name in ("caption", "credit", "copyright", "alt_text"):
        assert 0 < len(getattr(picture, name)) <= LONGEST[name]

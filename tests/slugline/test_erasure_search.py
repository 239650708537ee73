"""What an erasure means by an author and by words, and what it refuses to mean."""

import orjson
import pytest
from click.testing import CliRunner

from shared.settings import Connections
from shared.streams import STREAMS
from slugline.erasure.command import erase
from slugline.erasure.erase import elsewhere
from slugline.erasure.search import Wanted, _fits, as_bytes, like
from support.revisions import NOON

REVISION = orjson.dumps(
    {
        "headline": 'The "Eagle" lands',
        "text": "Said Ada Quill.",
        "byline": "By Bea Nib",
        "authors": [{"name": "Cy Ink"}],
    }
)
STATE = orjson.dumps({"current": {"raw": {"byline": "Von Ada Quill", "body_html": "<p>x</p>"}}})


@pytest.mark.parametrize(
    ("wanted", "data", "fits"),
    [
        (Wanted(authors=("bea nib",)), REVISION, True),
        (Wanted(authors=("Cy Ink",)), REVISION, True),
        (Wanted(authors=("Ada Quill",)), REVISION, False),
        (Wanted(words=("ada quill",)), REVISION, True),
        (Wanted(words=('"eagle"',)), REVISION, True),
        (Wanted(authors=("Ada Quill",)), STATE, True),
        (Wanted(words=("somebody",)), STATE, False),
    ],
)
def test_an_author_is_who_the_byline_names_and_words_are_anywhere(wanted: Wanted, data: bytes, fits: bool) -> None:
    """Whoever is merely written about is found by words."""
    assert _fits(data, wanted) is fits


def test_documents_are_searched_as_bytes_in_their_encodings() -> None:
    """A wire in Latin-1 or UTF-16 says the name too."""
    forms = as_bytes(["Zoë Müller"])
    for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
        assert "Zoë Müller".encode(encoding) in forms
        assert "ZOË MÜLLER".encode(encoding) in forms
    assert b"\\u00eb" not in b"".join(forms)
    assert like("50%_\\") == "%50\\%\\_\\\\%"


@pytest.mark.parametrize("arguments", [[], ["--words", "abc"], ["--author", " a "]])
def test_what_means_nothing_or_everything_is_refused(arguments: list[str]) -> None:
    """Before a server is asked."""
    refused = CliRunner().invoke(erase, [*arguments, "--yes"])
    assert refused.exit_code == 2, refused.output


def test_each_topic_has_the_date_when_it_is_gone() -> None:
    """And every other place that no command empties is named."""
    places = elsewhere(Connections(topic_prefix="p."), NOON)
    dated = {each.place.removeprefix("Kafka p."): each.until for each in places if each.until}
    assert dated.keys() == {stream.name for stream in STREAMS}
    assert {each.state for each in places} == {"until", "kept"}

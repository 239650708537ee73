"""NewsML 1.2: Business Wire's releases, beside the same releases as ninjs."""

from pathlib import Path

import pytest

from conformance.documents import corpus, letters, named, read_document, words_of

pytestmark = pytest.mark.conformance

FILES = corpus("ninjs/examples/NewsML", "*.xml")


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_release_says_the_same_in_both_formats(path: Path) -> None:
    """Headline, version time, language, the lead paragraph and every picture of the ninjs are in the NewsML's update."""
    twin = path.parents[1] / "1.4" / f"{path.stem}.json"
    ours, theirs = read_document(path.read_bytes()).updates[0], read_document(twin.read_bytes()).updates[0]
    assert read_document(path.read_bytes()).format == "newsml-1"
    assert (ours.headline, ours.version_created, ours.language) == (
        theirs.headline,
        theirs.version_created,
        theirs.language,
    )
    assert letters(words_of(theirs.body_html)) in letters(words_of(ours.body_html))
    known = {url for media in ours.media for url in (media.url, *media.renditions)}
    wanted = {url for media in theirs.media for url in (media.url, *media.renditions)}
    assert wanted <= known

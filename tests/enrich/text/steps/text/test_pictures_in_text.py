"""Pictures in a text: each leaves a mark where it stands, and no address of its source's is left."""

import pytest

from enrich.picture_index.lookup import anchor_of, anchors_of
from enrich.text.steps.text.sanitise import sanitised
from shared.messages import MediaReference

QUAY = MediaReference(url="https://wire.example/pictures/quay.jpg?w=1200&s=a", role="inline")
GATE = MediaReference(url="https://wire.example/pictures/gate.jpg", role="inline", guid="gate-1")
ANCHORS = anchors_of([QUAY, GATE, MediaReference(url="https://wire.example/lead.jpg", role="lead")])
MARK = {name: f'<figure data-picture="{anchor_of(each)}"></figure>' for name, each in (("quay", QUAY), ("gate", GATE))}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<p>a</p><img src="https://wire.example/pictures/quay.jpg?w=1200&amp;s=a" alt="x"><p>b</p>', "<p>a</p>{quay}<p>b</p>"),
        ("<p>a <img src='https://wire.example/pictures/gate.jpg'> b</p>", "<p>a </p>{gate} b"),
        ('<p><a href="https://wire.example/large"><img src="/pictures/gate.jpg"></a></p><p>b</p>', "{gate}<p>b</p>"),
        ('<figure><img src="blank.gif" data-src="../pictures/gate.jpg"><figcaption>c</figcaption></figure>', "<figure>{gate}<figcaption>c</figcaption></figure>"),
        ('<p>a</p><img src="https://elsewhere.example/x.jpg"><img src="https://wire.example/lead.jpg">', "<p>a</p>"),
        ('<p title="<img src=https://wire.example/pictures/gate.jpg>">a</p>', None),
        ('<figure data-picture="javascript:alert(1)"><p>a</p></figure>', "<figure><p>a</p></figure>"),
    ],
)  # fmt: skip
def test_a_picture_leaves_a_mark_where_it_stands(body: str, expected: str | None) -> None:
    """Of an address in full or relative, linked, lazily loaded; what did not come with the update leaves nothing."""
    made = sanitised(body, ANCHORS)
    assert "img" not in made
    assert "wire.example/pictures" not in made
    if expected is not None:
        assert made.replace("<p></p>", "") == expected.format(**MARK)


def test_a_mark_stays_in_a_body_that_a_desk_gives_back() -> None:
    """A correction of the words leaves pictures where they are."""
    body = f"<p>a</p>{MARK['quay']}<p>b</p>"
    assert sanitised(body) == body

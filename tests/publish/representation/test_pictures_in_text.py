"""Pictures in a text are shown where they stand, by our own renditions, in every form that has a body."""

import re

import pytest

from shared.messages import EnrichedUpdate
from support.revisions import read, revision
from support.samples import picture
from support.web_replica import Replica

LEAD, QUAY, AFTER = "a" * 16, "b" * 16, "c" * 16


def update() -> EnrichedUpdate:
    """A lead picture, one in the text, one whose place is gone, and a mark of a picture that may not be shown."""
    below = {LEAD: "Words of one, by J. L.", QUAY: "Words of two, by J. L.", "d" * 16: "Words of none."}
    body = "".join(
        f'<figure><figure data-picture="{each}"></figure><figcaption>{below[each]}</figcaption></figure>'
        for each in (LEAD, QUAY, "d" * 16)
    )
    body = f'<p>First.</p>{body}<figure data-picture="{QUAY}"></figure><p>Last.</p>'
    media = [
        picture(id=name, role=role, caption=f"Caption {name}.", anchors=(anchor,))
        for name, role, anchor in (("one", "inline", LEAD), ("two", "inline", QUAY), ("three", "inline", AFTER))
    ]
    return revision("a", body_html=body, text="First.\n\nLast.", excerpt="First.", word_count=2, media=media)


@pytest.mark.parametrize(
    "path", ["/", "{page}", "/feeds/news.rss", "/feeds/news.atom", "/feeds/news.json", "/v1/updates/{id}.ninjs"]
)
async def test_pictures_stand_where_they_stood(replica: Replica, path: str) -> None:
    """The first opens the update, as ever; each is shown once, and no mark is left."""
    given = update()
    replica.take(given)
    answer = await replica.get(path.format(id=given.update_id, page=read(given).path), accept="*/*")
    said = answer.text.replace("\\u003c", "<").replace("&lt;", "<")
    if path.endswith("ninjs"):
        said = answer.json()["bodies"][0]["value"]
    assert "data-picture" not in said
    # What is written below a picture is said by its caption; where it is not shown, as text.
    assert "Words of none." in said
    assert "Words of two" not in said
    order = re.findall(r"First\.<|Last\.<|Caption (?:one|two|three)\.<?", said.partition("<body")[2] or said)
    # Feeds say the first words in their summaries too.
    body = order[len(order) - order[::-1].index("First.<") : order.index("Last.<")]
    assert [each.rstrip("<").strip() for each in body].count("Caption two.") == 1
    assert not any("three" in each for each in body)


async def test_the_api_says_which_picture_stands_where(replica: Replica) -> None:
    """By its anchors."""
    replica.take(update())
    (found,) = (await replica.get("/v1/updates")).json()["updates"]
    assert [each["anchors"] for each in found["media"]] == [[LEAD], [QUAY], [AFTER]]
    assert f'<figure data-picture="{QUAY}"></figure>' in found["body_html"]

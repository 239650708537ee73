"""The verdict of `slugline where`: where an update is, and whether that is where it should be."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from slugline.where.find import IN_ADDRESS, UPDATE_ID
from slugline.where.tables import Document
from slugline.where.trail import EnrichState, Place, Trail, Version, judge

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ID = "a" * 26
SENT = Version("f" * 32, NOW, NOW, None, NOW, NOW, None, "")
LIVE = EnrichState("live", 2, None, "", NOW)
WEB, CACHE = Place("web a", 2, shows=True), Place("cache", 2, shows=True)
PUBLISHED = Trail(ID, "wire", "g", [SENT], LIVE, archived=2, places=[WEB, CACHE])
UNPUBLISHED = replace(PUBLISHED, archived=None, places=[], state=None)
GONE = Place("web a", 3, shows=False)


@pytest.mark.parametrize(
    ("trail", "severity", "words"),
    [
        (PUBLISHED, 0, "in all of 2 places"),
        (Trail(ID), 1, "nothing is known of it"),
        (replace(PUBLISHED, places=[WEB, replace(CACHE, revision=1)]), 2, "readers lack it at cache"),
        (replace(PUBLISHED, places=[WEB, replace(CACHE, revision=None, shows=False)]), 2, "readers lack it at cache"),
        (replace(PUBLISHED, places=[WEB, replace(CACHE, error="OSError")]), 1, "no answer from cache"),
        (replace(PUBLISHED, places=[]), 1, "no web replica and no cache was found"),
        (replace(PUBLISHED, state=replace(LIVE, revision=3)), 2, "on its way, or stuck"),
        (replace(PUBLISHED, in_the_way=["webhook ep failed"]), 1, "did not leave"),
        (replace(PUBLISHED, removal="killed", places=[GONE]), 0, "it is killed, and nobody shows it"),
        (replace(PUBLISHED, removal="killed", places=[GONE, CACHE]), 2, "readers still get it at cache"),
        (replace(UNPUBLISHED, state=replace(LIVE, revision=0, status="held", due_at=NOW, due_for="embargo")), 1, "embargoed until 2026-11-28"),
        (replace(UNPUBLISHED, state=replace(LIVE, revision=0, status="held"), versions=[replace(SENT, reason="withheld by the desk")]), 1, "held: withheld by the desk"),
        (replace(UNPUBLISHED, state=LIVE), 2, "the archive does not have it"),
        (replace(UNPUBLISHED, versions=[replace(SENT, ended="dead", reason="/byline: too long")]), 1, "dead: /byline: too long"),
        (replace(UNPUBLISHED, versions=[replace(SENT, ended="duplicate")]), 1, "not published: duplicate"),
        (replace(UNPUBLISHED, versions=[replace(SENT, emitted_at=None)]), 1, "Kafka has not acknowledged it"),
        (UNPUBLISHED, 2, "enrich text has not made a revision"),
        (replace(UNPUBLISHED, versions=[], in_the_way=["dead letter updates.raw@1"]), 1, "dead letter updates.raw@1"),
    ],
)  # fmt: skip
def test_where_an_update_is(trail: Trail, severity: int, words: str) -> None:
    """In one sentence, and with the exit code that a script needs."""
    verdict = judge(trail)
    assert words in verdict.text
    assert verdict.severity == severity


def test_a_server_that_is_away_makes_nothing_of_an_update_unknown() -> None:
    """Nobody may read "no version of it has come" because Postgres could not be asked."""
    verdict = judge(Trail("a" * 26, unknown={"Postgres": "ConnectionRefusedError"}))
    assert verdict.severity == 1
    assert verdict.text.startswith("not known where it is: no answer about Postgres")


def test_what_a_person_has_in_hand_is_understood() -> None:
    """The id, or the address of the update's page or of its JSON."""
    assert UPDATE_ID.fullmatch(ID)
    for address in (f"https://news.example/updates/{ID}/a-slug", f"/v1/updates/{ID}", f"https://x/updates/{ID}?utm=1"):
        found = IN_ADDRESS.search(address)
        assert found is not None
        assert found[1] == ID
    assert IN_ADDRESS.search("https://agency.example/updates/12345") is None


@pytest.mark.parametrize(
    ("items", "refused", "words"),
    [(3, [], "had been sent before (3 items)"), (0, ["item 0 was refused"], "nothing could be made of it"), (None, [], "it has not been read")],
)  # fmt: skip
def test_a_document_of_which_no_update_came_says_why(items: int | None, refused: list[str], words: str) -> None:
    """The sender has its id, whatever became of it."""
    assert words in Document([], [], refused, items).outcome

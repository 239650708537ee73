"""What changes while an answer is made, which waits for the archive: a kill above all."""

import pytest

from publish.representation.position import Position
from support.revisions import revision
from support.web_replica import Make


@pytest.mark.parametrize(
    "path", ["/v1/updates", "/v1/updates.ninjs", "/v1/stories", "/v1/stories/s", "/v1/tags", "/v1/tags/t"]
)
async def test_what_changes_while_an_answer_is_made_is_not_kept_out_of_it(
    make_replica: Make, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next reader gets what is true now, and the cursor of the first is none behind which something was missed."""
    replica = make_replica()
    replica.take(*(revision(name, tags=["t"], story="s") for name in "ab"))
    # As after a start: the archive alone knows when a channel changed last.
    replica.feed_store.reset(Position(1, 1), [*replica.feed_store.newest()], complete=True)
    ask, waited = replica.archive.last_change, list[str]()

    async def meanwhile(channel: str, until: Position) -> Position | None:
        found = await ask(channel, until)
        if not waited:
            waited.append(channel)
            replica.take(revision("b", 2, removal="killed", story="s"), revision("c", tags=["t"], story="s"))
        return found

    monkeypatch.setattr(replica.archive, "last_change", meanwhile)
    first = await replica.get(path)
    assert waited
    # Nothing of it, or all of it: what a reader lacks follows in the stream behind the cursor.
    assert "b 1" not in first.text or Position.parse(first.json()["cursor"]) < Position(1, 2)
    second = await replica.get(path)
    assert "b 1" not in second.text
    assert (await replica.get(path)).content == second.content

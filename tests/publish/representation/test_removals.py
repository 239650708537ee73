"""What readers are told of a removal: that it is one, and nothing of the words."""

import orjson
import pytest

from publish.representation.position import Position
from publish.representation.reader_json import dump, read_metadata, removal_members
from publish.representation.reader_update import reader_update
from support.revisions import revision


@pytest.mark.parametrize("removal", ["killed", "taken-down", "withdrawn", "expired", "superseded"])
def test_a_removal_says_why_and_has_no_words(removal: str) -> None:
    """Also where the record of the log has words that it must not have."""
    told = reader_update(revision("a", 2, removal=removal, headline="Leaked", text="Leaked"), cursor=Position(1, 5))
    value = orjson.loads(dump(removal_members(told)))
    assert (value["removal"], value["kind"], value["revision"], value["cursor"]) == (removal, "kill", 2, "1-5")
    assert read_metadata(value) == []
    assert b"Leaked" not in dump(value)

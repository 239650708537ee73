"""What a record is taken for, by its type."""

import pytest

from shared.consumer.decode import Incoming, Rejection, decode
from shared.messages import RawUpdate
from shared.streams import RAW
from support.in_memory import record_of
from support.topics import raw_update

BODY = raw_update("a").model_dump_json().encode()


@pytest.mark.parametrize("ce_type", [RawUpdate.ce_type, ""])
def test_a_message_of_a_known_type_or_of_none_is_read(ce_type: str) -> None:
    """One without a type was made by hand."""
    found = decode(record_of(BODY, ce_type=ce_type), {RawUpdate.ce_type: RawUpdate})
    assert isinstance(found, Incoming)
    assert found.event.guid == "a"


def test_a_type_of_a_newer_release_is_passed_over_and_one_of_others_is_refused() -> None:
    """What is nobody's does not vanish: it becomes a dead letter that says so."""
    assert decode(record_of(b"{}", ce_type="slugline.update.invented"), RAW.types) is None
    refused = decode(record_of(b"{}", ce_type="com.example.else"), RAW.types)
    assert isinstance(refused, Rejection)
    assert "com.example.else" in str(refused.failure)

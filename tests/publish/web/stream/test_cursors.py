"""Of the cursors that a reader gives, the newest counts, wherever it is given."""

import pytest

from publish.web.stream.request import parse_request


@pytest.mark.parametrize("name", ["cursor", "lastEventId", "Last-Event-ID"])
def test_a_reconnect_goes_on_from_the_newest_cursor(name: str) -> None:
    """A browser repeats the address it began with, beside its Last-Event-ID; a new page has only its address."""
    assert parse_request(f"{name}=1-5", "1-9").cursor == "1-9"
    assert parse_request(f"{name}=1-12", "1-9").cursor == "1-12"
    assert parse_request(f"{name}=2-0", "1-9").cursor == "2-0"
    assert parse_request(f"{name}=1-5").cursor == "1-5"
    assert parse_request("", "1-9").cursor == "1-9"

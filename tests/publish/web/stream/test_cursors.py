"""Where a reader goes on: from its Last-Event-ID, else from the newest cursor of its address."""

import pytest

from publish.web.stream.request import parse_request


@pytest.mark.parametrize("name", ["cursor", "lastEventId", "Last-Event-ID"])
def test_the_header_of_a_reconnect_counts_before_the_address_it_began_with(name: str) -> None:
    """A browser repeats that address; a page that opens a new connection has nothing but its address."""
    assert parse_request(f"{name}=1-5", "1-9").cursor == "1-9"
    assert parse_request(f"{name}=1-5").cursor == "1-5"
    assert parse_request("", "1-9").cursor == "1-9"


def test_of_several_cursors_in_an_address_the_newest_counts() -> None:
    """As polyfills add theirs to an address that has one; numbers are compared as numbers."""
    assert parse_request("cursor=1-5&lastEventId=1-12").cursor == "1-12"
    assert parse_request("cursor=1-12&lastEventId=1-5").cursor == "1-12"
    assert parse_request("lastEventId=2-0&cursor=1-90").cursor == "2-0"

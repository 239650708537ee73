"""The links that a feed has beside its items."""

from ingest.transports.feed_links import feed_links


def test_links_of_a_feed_and_not_of_its_items() -> None:
    """Hub, self and older pages are found in headers, Atom, RSS and JSON Feed, relative ones against the feed's address."""
    atom = (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><link rel="hub" href="https://hub.example/"/>'
        b'<link rel="next" href="?page=2"/><entry><link rel="self" href="/item"/></entry></feed>'
    )
    found = feed_links(atom, "https://a.example/feed")
    assert (found.hub, found.topic, found.older) == ("https://hub.example/", None, "https://a.example/feed?page=2")
    assert feed_links(b'{"title": "Feed", "next_url": "/2"}', "https://a.example/feed").older == "https://a.example/2"
    header = [{"url": "https://other.example/", "rel": "hub"}]
    assert feed_links(atom, "https://a.example/feed", header).hub == "https://other.example/"
    assert feed_links(b"\x00 no feed", "https://a.example/feed").hub is None

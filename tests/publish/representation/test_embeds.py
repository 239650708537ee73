"""What is known for an embed, and what is made of it."""

import pytest

from publish.representation.embeds import embed_of
from publish.representation.fragment import embeds_of, fitting

KNOWN = {
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ": ("youtube", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"),
    "https://youtu.be/dQw4w9WgXcQ?t=3": ("youtube", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"),
    "https://vimeo.com/76979871": ("vimeo", "https://player.vimeo.com/video/76979871?dnt=1"),
    "https://twitter.com/harbour/status/1460323737035677698": (
        "x", "https://platform.twitter.com/embed/Tweet.html?id=1460323737035677698&dnt=true",
    ),
    "https://bsky.app/profile/harbour.example/post/3l6oveex3ii2l": (
        "bluesky", "https://embed.bsky.app/embed/harbour.example/app.bsky.feed.post/3l6oveex3ii2l",
    ),
    "https://mastodon.example/@harbour/112233445566778899": (
        "mastodon", "https://mastodon.example/@harbour/112233445566778899/embed",
    ),
    "https://www.instagram.com/p/CuZ1a2b3c4d/": ("instagram", "https://www.instagram.com/p/CuZ1a2b3c4d/embed/"),
    "https://cdn.example/gates.mp4": ("video", "https://cdn.example/gates.mp4"),
    "https://cdn.example/sirens.mp3?x=1": ("audio", "https://cdn.example/sirens.mp3?x=1"),
    "https://www.openstreetmap.org/export/embed.html?bbox=1%2C2%2C3%2C4&layer=mapnik": (
        "map", "https://www.openstreetmap.org/export/embed.html?bbox=1%2C2%2C3%2C4&layer=mapnik",
    ),
}  # fmt: skip


@pytest.mark.parametrize("address", KNOWN)
def test_a_provider_is_known_by_its_address(address: str) -> None:
    """The type, and what a frame loads."""
    embed = embed_of(address)
    assert embed is not None
    assert (embed.type, embed.frame) == KNOWN[address]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/?https://www.youtube.com/watch?v=dQw4w9WgXcQ", "https://www.youtube.com.evil.example/watch?v=dQw4w9WgXcQ",
        "javascript:alert(1)//youtu.be/dQw4w9WgXcQ", "https://youtu.be/", "http://cdn.example/a.mp4",
        "https://www.google.com/maps/embed?pb=1\"><script>", "https://www.youtube.com/",
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_a_link(address: str) -> None:
    """Nobody can have us frame an address of theirs."""
    assert embed_of(address) is None


def test_a_link_that_stands_alone_is_a_card_and_one_in_a_sentence_is_a_link() -> None:
    """The link stays in the card, so that nothing is lost without scripts."""
    alone = '<p><a href="https://youtu.be/dQw4w9WgXcQ">The gates close (YouTube)</a></p>'
    assert fitting(alone) == (
        '<figure class="embed embed-video" data-embed="0" data-provider="YouTube"><p>'
        '<a href="https://youtu.be/dQw4w9WgXcQ" rel="noopener nofollow">The gates close (YouTube)</a></p></figure>'
    )
    assert "figure" not in fitting('<p>See <a href="https://youtu.be/dQw4w9WgXcQ">this</a>.</p>')
    assert "figure" not in fitting('<p><a href="https://harbour.example/">The harbour</a></p>')


def test_a_quoted_post_keeps_its_words() -> None:
    """A post that a source quotes is shown as it was sent, and can be loaded."""
    post = '<blockquote><p>The gates hold.</p>— Harbour <a href="https://x.com/harbour/status/1460323737035677698">1 May</a></blockquote>'
    shown = fitting(post)
    assert shown.startswith(
        '<figure class="embed embed-post" data-embed="0" data-provider="X"><blockquote><p>The gates hold.</p>'
    )


def test_cards_and_embeds_have_the_same_numbers() -> None:
    """What a frame shows is what stands on the card of its number."""
    body = "".join(f'<p>a</p><p><a href="https://vimeo.com/{n}">v</a></p>' for n in range(100000, 100003))
    shown = fitting(body)
    assert [f'data-embed="{n}"' in shown for n in range(4)] == [True, True, True, False]
    assert [embed.url for embed in embeds_of(body)] == [f"https://vimeo.com/{n}" for n in range(100000, 100003)]

"""What an update embeds of others: players, posts and maps, known by their addresses.

A source's embeds come as links with a name (see `ingest/formats/html/embeds.py`). A link that stands alone in its paragraph
and leads to one of these providers is shown as a card, and so is a quoted post that ends with a link to itself. Nothing is
loaded from a provider before a reader asks for it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Literal
from urllib.parse import quote, urlsplit

Kind = Literal["video", "audio", "post", "map", "chart"]
"""What a reader gets, which decides about the height of its frame."""


@dataclass(frozen=True, slots=True)
class Embed:
    """Something of another site that an update shows in its place."""

    type: str
    """The provider, or `audio`, `video` and `map` of any site: `youtube`, `x`, `bluesky`, …"""
    kind: Kind
    provider: str
    """What readers call the provider; of a file the name of its host."""
    url: str
    """The address as the source gave it."""
    frame: str
    """What a frame shows of it, or the address of the file."""
    is_file: bool = False

    @property
    def origin(self) -> str:
        """The only origin that its frame loads something from."""
        parts = urlsplit(self.frame)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class _Provider:
    type: str
    kind: Kind
    name: str
    address: re.Pattern[str]
    frame: Callable[[Sequence[str]], str]


def _provider(type_: str, kind: Kind, name: str, address: str, frame: str) -> _Provider:
    return _Provider(type_, kind, name, re.compile(address), lambda parts: frame.format(*parts))


PROVIDERS = (
    _provider(
        "youtube", "video", "YouTube",
        r"https?://(?:(?:www\.|m\.)?youtube(?:-nocookie)?\.com/(?:watch\?v=|embed/|shorts/|live/|v/)|youtu\.be/)([\w-]{6,20})(?:[?&#/]|$)",
        "https://www.youtube-nocookie.com/embed/{0}",
    ),
    _provider(
        "vimeo", "video", "Vimeo", r"https?://(?:www\.|player\.)?vimeo\.com/(?:video/)?(\d{5,15})(?:[?#/]|$)",
        "https://player.vimeo.com/video/{0}?dnt=1",
    ),
    _provider(
        "dailymotion", "video", "Dailymotion", r"https?://(?:www\.)?dailymotion\.com/(?:embed/)?video/([a-z0-9]{5,20})(?:[?#/]|$)",
        "https://geo.dailymotion.com/player.html?video={0}",
    ),
    _provider(
        "tiktok", "post", "TikTok", r"https?://www\.tiktok\.com/@[\w.]{1,40}/video/(\d{10,25})(?:[?#/]|$)",
        "https://www.tiktok.com/embed/v2/{0}",
    ),
    _provider(
        "x", "post", "X", r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/\w{1,20}/status/(\d{5,25})(?:[?#/]|$)",
        "https://platform.twitter.com/embed/Tweet.html?id={0}&dnt=true",
    ),
    _provider(
        "bluesky", "post", "Bluesky", r"https://bsky\.app/profile/([\w.:-]{3,100})/post/([a-z0-9]{8,20})(?:[?#/]|$)",
        "https://embed.bsky.app/embed/{0}/app.bsky.feed.post/{1}",
    ),
    _provider(
        "instagram", "post", "Instagram", r"https?://(?:www\.)?instagram\.com/(p|reel|tv)/([\w-]{5,20})(?:[?#/]|$)",
        "https://www.instagram.com/{0}/{1}/embed/",
    ),
    _provider(
        "mastodon", "post", "Mastodon", r"https://([a-z0-9][a-z0-9.-]{2,100}\.[a-z]{2,20})/@([\w.@-]{1,100})/(\d{12,25})(?:[?#/]|$)",
        "https://{0}/@{1}/{2}/embed",
    ),
    _provider(
        "spotify", "audio", "Spotify", r"https://open\.spotify\.com/(?:embed/)?(episode|track|show|album|playlist)/([A-Za-z0-9]{10,40})(?:[?#/]|$)",
        "https://open.spotify.com/embed/{0}/{1}",
    ),
    _Provider(
        "soundcloud", "audio", "SoundCloud", re.compile(r"(https://soundcloud\.com/[\w-]{1,80}/[\w-]{1,200})(?:[?#/]|$)"),
        lambda parts: f"https://w.soundcloud.com/player/?url={quote(parts[0], safe='')}",
    ),
    _provider(
        "datawrapper", "chart", "Datawrapper", r"https://datawrapper\.dwcdn\.net/(\w{5})(?:/\d{1,5})?/?$",
        "https://datawrapper.dwcdn.net/{0}/",
    ),
    _provider("map", "map", "OpenStreetMap", r"(https://www\.openstreetmap\.org/export/embed\.html\?[\w=&%.,;:+~-]{1,500})$", "{0}"),
    _provider("map", "map", "Google Maps", r"(https://www\.google\.com/maps/embed\?[\w=&%.,;:!+~*-]{1,1500})$", "{0}"),
)  # fmt: skip
FILES: tuple[tuple[str, Kind, re.Pattern[str]], ...] = (
    ("video", "video", re.compile(r"https://[^\s\"'<>?#]{4,1500}\.(?:mp4|webm|m4v)(?:[?#]|$)", re.IGNORECASE)),
    ("audio", "audio", re.compile(r"https://[^\s\"'<>?#]{4,1500}\.(?:mp3|m4a|ogg|oga|opus|aac|wav)(?:[?#]|$)", re.IGNORECASE)),
)  # fmt: skip
LONE_LINK = re.compile(r'<a href="([^"]{8,4000})" rel="noopener nofollow">((?:(?!</?a\b).)*)</a>', re.DOTALL)
"""A paragraph that says nothing but a link, as `fragment` writes links."""
LAST_LINK = re.compile(r'.*<a href="([^"]{8,4000})"', re.DOTALL)


def embed_of(address: str) -> Embed | None:
    """What an address embeds; None where it is not of a provider that is known."""
    for provider in PROVIDERS:
        found = provider.address.match(address)
        if found is not None:
            return Embed(provider.type, provider.kind, provider.name, address, provider.frame(found.groups()))
    for type_, kind, pattern in FILES:
        if pattern.match(address):
            host = urlsplit(address).hostname or ""
            return Embed(type_, kind, host.removeprefix("www."), address, address, is_file=True)
    return None


def alone(paragraph: str) -> Embed | None:
    """What a paragraph embeds that says nothing else."""
    found = LONE_LINK.fullmatch(paragraph)
    return embed_of(unescape(found[1])) if found else None


def quoted(quote_html: str) -> Embed | None:
    """The post that a quotation is of: it ends with a link to it."""
    found = LAST_LINK.match(quote_html)
    embed = embed_of(unescape(found[1])) if found else None
    return embed if embed is not None and embed.kind == "post" else None

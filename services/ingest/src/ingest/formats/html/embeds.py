"""Players and posts that a body embeds become links with a name, so that a reader can get to them. Pure.

Nothing of somebody else's is ever run on our pages: frames, players and scripts are taken out later, and a text that says
"watch the ceremony" would point at nothing.
"""

import re
from urllib.parse import urlsplit

from ingest.formats.text import plain as text

MAX_EMBEDS = 100
"""Of one body; the others are left as they are, and taken out with what nobody may see."""

_ANY = ("<iframe", "<video", "<audio", "<embed", "<object", "<oembed", "<amp-", " data-", "<IFRAME")
"""What a body with an embed has in it."""
_EMBED = re.compile(
    r"<(?P<player>iframe|video|audio|object|oembed|amp-[a-z-]{2,30})(?P<attributes>\s[^<>]*)?>(?P<inner>(?>(?:[^<]+|<(?!/?(?:iframe|video|audio|object|oembed)\b))*))(?:</(?P=player)\s*>)?"
    r"|<embed(?P<single>\s[^<>]*)?/?>"
    r"|<(?P<post>div|blockquote)(?P<about>\s[^<>]*\bdata-(?:href|url|oembed-url|embed-url|instgrm-permalink|video-url|src)\s*=[^<>]*)>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"([a-zA-Z][a-zA-Z\-]{0,40})\s{0,8}=\s{0,8}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_SOURCE = re.compile(r"<source\s[^<>]*?\bsrc\s*=\s*[\"']?([^\"'\s<>]{1,2000})", re.IGNORECASE)
_ADDRESSES = (
    "src", "data-src", "data-lazy-src", "data-url", "data-href", "data-oembed-url", "data-embed-url", "data-instgrm-permalink", "data-video-url",
    "url", "data", "href",
)  # fmt: skip
_TRACKERS = re.compile(
    r"googletagmanager|doubleclick|google-analytics|facebook\.com/(?:tr|plugins/like)|scorecardresearch|/pixel|vgwort|ivwbox|about:blank",
    re.IGNORECASE,
)
_NAMES = {
    "youtube": "YouTube", "youtu": "YouTube", "youtube-nocookie": "YouTube", "vimeo": "Vimeo", "dailymotion": "Dailymotion", "twitter": "Twitter", "x": "X",
    "facebook": "Facebook", "instagram": "Instagram", "tiktok": "TikTok", "soundcloud": "SoundCloud", "spotify": "Spotify", "datawrapper": "Datawrapper",
    "dwcdn": "Datawrapper", "flourish": "Flourish", "infogram": "Infogram", "jwplayer": "Video", "jwplatform": "Video", "brightcove": "Video", "threads": "Threads",
    "bsky": "Bluesky", "telegram": "Telegram", "t": "Telegram", "acast": "Acast", "podigee": "Podigee", "apple": "Apple Podcasts", "google": "Google",
}  # fmt: skip
_YOUTUBE = re.compile(
    r"https?://(?:www\.|m\.)?(?:youtube(?:-nocookie)?\.com/(?:embed|v|shorts|live)/|youtu\.be/)([\w-]{3,20})",
    re.IGNORECASE,
)
_VIMEO = re.compile(r"https?://player\.vimeo\.com/video/(\d{3,15})", re.IGNORECASE)


def as_links(html: str, base: str = "") -> tuple[str, int]:
    """The body with a link for each player or post that it embeds, and how many there were."""
    if not any(one in html for one in _ANY):
        return html, 0
    out: list[str] = []
    at = made = 0
    for found in _EMBED.finditer(html):
        if made == MAX_EMBEDS:
            break
        link = _link(found, base)
        out.append(html[at : found.start()])
        if link:
            made += 1
            out.append(link if _is_in_paragraph(html, found.start()) else f"<p>{link}</p>")
        if found.group("post"):
            out.append(found.group(0))
        at = found.end()
    out.append(html[at:])
    return "".join(out), made


def _is_in_paragraph(html: str, at: int) -> bool:
    near = html[max(0, at - 4000) : at].lower()
    return near.rfind("<p>") > near.rfind("</p>") or near.rfind("<p ") > near.rfind("</p>")


def _link(found: re.Match[str], base: str) -> str:
    written = found.group("attributes") or found.group("single") or found.group("about") or ""
    attributes = {
        one[0].lower(): text.unescaped(one[1] or one[2] or one[3]) for one in _ATTRIBUTE.findall(written[:8000])
    }
    if any(attributes.get(side, "").strip("px ") in ("0", "1") for side in ("width", "height")):
        return ""
    address = next(
        (attributes[name] for name in _ADDRESSES if attributes.get(name, "").strip().startswith(("http", "//", "/"))),
        "",
    )
    inner = found.group("inner") or ""
    if not address and (source := _SOURCE.search(inner)):
        address = text.unescaped(source.group(1))
    if not address and (video := attributes.get("data-videoid")) and re.fullmatch(r"[\w-]{3,20}", video):
        address = f"https://www.youtube.com/watch?v={video}"
    url = _absolute(address.strip(), base)
    if not url or _TRACKERS.search(url):
        return ""
    if found.group("post") and "<a" in found.string[found.end() : found.end() + 3000].lower():
        # A post that is quoted with its own link.
        return ""
    return f'<a href="{text.escaped(url).replace(chr(34), "%22")}">{text.escaped(_name(url, attributes, (found.group("player") or "").lower()))}</a>'


def _absolute(address: str, base: str) -> str:
    if address.startswith("//"):
        address = f"https:{address}"
    elif address.startswith("/") and base.startswith(("http://", "https://")):
        parts = urlsplit(base)
        address = f"{parts.scheme}://{parts.netloc}{address}"
    if (
        not address.startswith(("http://", "https://"))
        or len(address) > 2000
        or any(sign.isspace() for sign in address)
    ):
        return ""
    if match := _YOUTUBE.match(address):
        return f"https://www.youtube.com/watch?v={match.group(1)}"
    if match := _VIMEO.match(address):
        return f"https://vimeo.com/{match.group(1)}"
    return address


def _name(url: str, attributes: dict[str, str], player: str) -> str:
    """What is embedded, and where: `The bridge opens (YouTube)`."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    parts = host.removeprefix("www.").split(".")
    where = next((_NAMES[part] for part in reversed(parts[:-1]) if part in _NAMES), host.removeprefix("www."))
    kind = {"video": "Video", "amp-video": "Video", "audio": "Audio", "amp-audio": "Audio"}.get(player, "")
    title = text.one_line(attributes.get("title") or attributes.get("aria-label") or "")[:150]
    if title and title.casefold() not in (
        "youtube video player",
        "embed",
        "iframe",
        "video",
        "player",
        where.casefold(),
    ):
        return f"{title} ({where})"
    return f"{kind} ({where})" if kind else where

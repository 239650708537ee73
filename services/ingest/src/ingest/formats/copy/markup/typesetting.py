"""Tags of typesetting systems and codes of players that were escaped on their way into a text, read or left out. Pure."""

import re

from ingest.formats.html import embeds
from ingest.formats.text import plain as text

_VENDORS_TAG = re.compile(r"&lt;(/?[a-zA-Z][\w:.-]{0,40})((?:\s[^&<>]{0,300})?)/?&gt;")
_SIGNS = {
    "endash": "–", "ndash": "–", "en": "–", "emdash": "—", "mdash": "—", "em": "—", "hyphen": "-", "ellipsis": "…", "hellip": "…", "bullet": "•", "nbsp": " ", "tab": " ",
    "newline": " ", "linebreak": " ", "thinspace": " ", "softhyphen": "", "lquote": "‘", "rquote": "’", "lsquo": "‘", "rsquo": "’", "ldquo": "“", "rdquo": "”",
    "quot": '"', "apos": "'", "euro": "€", "pound": "£", "yen": "¥", "cent": "¢", "degree": "°", "deg": "°", "copyright": "©", "trademark": "™", "times": "×", "minus": "−",
}  # fmt: skip
"""Tags of typesetting systems that stand for a character."""
_REFERENCES = frozenset(
    [
        "component",
        "componentref",
        "comp",
        "ref",
        "mediaref",
        "media-ref",
        "embed",
        "pullquote",
        "infobox",
        "factbox",
        "graphic",
        "photo",
        "picture",
        "image",
        "gallery",
        "teaser",
        "xref",
        "crosshead",
        "related",
        "story-link",
    ]
)


def with_vendors_tags_read(html: str) -> str:
    """The body with escaped tags of typesetting systems as what they stand for; what only points at a component is left out.

    A tag of HTML that is written about stays: it is a word of the text.
    """
    if "&lt;" not in html:
        return html

    def read(found: re.Match[str]) -> str:
        name = found.group(1).strip("/").lower()
        if name in _SIGNS and not found.group(2):
            return text.escaped(_SIGNS[name])
        last = name.rpartition(":")[2]
        return (
            ""
            if (last in _REFERENCES or last.endswith("ref"))
            and (found.group(2) or found.group(0).endswith("/&gt;") or ":" in name)
            else found.group(0)
        )

    return _VENDORS_TAG.sub(read, _ESCAPED_EMBED.sub(_embedded, _INSTRUMENT.sub("", html)))


_INSTRUMENT = re.compile(r"(?<!\s)\s?&lt;(?:[A-Z0-9]{1,8}\.[A-Z]{1,3}|[A-Z]{2,6}=)&gt;")
"""Codes of instruments (RICs) as Reuters writes them behind a company's name: `Acme <ACME.LS>`."""
_ESCAPED_EMBED = re.compile(
    r"<p(?:\s[^<>]*)?>\s*+(&lt;(?:div|script|iframe|blockquote|embed|object)\s[^<]*+)</p>\s*+", re.IGNORECASE
)
"""A paragraph that is the escaped code of a player or post, and nothing else."""


def _embedded(found: re.Match[str]) -> str:
    code = found.group(1).strip()
    if not code.endswith("&gt;") or len(code) > _LONGEST_CODE:
        return found.group(0)
    linked, count = embeds.as_links(text.unescaped(code))
    # Only the links are ours; whatever else is in it is code.
    return linked if count and linked.startswith("<p><a ") and linked.count("<") == 4 else ""


_LONGEST_CODE = 4000

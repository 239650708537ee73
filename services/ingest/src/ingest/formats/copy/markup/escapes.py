"""Words whose character references were escaped twice, as content systems do: a reader would see `&rsquo;`. Pure."""

import html.entities
import re

from ingest.formats.text import plain as text

_REFERENCE = re.compile(r"&(?:#\d{2,6}|#[xX][0-9a-fA-F]{2,5}|[a-zA-Z]{2,8}\d{0,2});")
_TWICE = re.compile(r"&amp;(#\d{2,6}|#[xX][0-9a-fA-F]{2,5}|[a-zA-Z]{2,8}\d{0,2});")
_TAGS = re.compile(
    r"\s*(?:<p>\s*)?&(?:amp;)?lt;(?:p|div|br|h[1-6]|ul|b|strong|em|i|span)(?:\s[^<>]{0,200}?)?/?&(?:amp;)?gt;",
    re.IGNORECASE,
)
_CODE = ("<pre", "<code", "<PRE", "<CODE")
_SIGNS = frozenset({"lt", "gt"})
"""Which a text about markup writes on purpose."""


def read_once_more(words: str) -> str:
    """Plain words without the references that are left in them: `Don&rsquo;t` is `Don’t`. Words about markup stay as they are."""
    if "&" not in words or ";" not in words or "&lt;" in words or "<" in words:
        return words
    return _REFERENCE.sub(_character, words)


def _character(found: re.Match[str]) -> str:
    if not _is_known(found.group(0)[1:-1]):
        return found.group(0)
    read = text.unescaped(found.group(0))
    return read if read.isprintable() else " "


def _is_known(name: str) -> bool:
    return name.startswith("#") or (f"{name};" in html.entities.html5 and name not in _SIGNS)


def body_read_once_more(body: str) -> str:
    """A body without references that were escaped twice, and one that was escaped as a whole as the HTML that it is.

    What is code is left as it is.
    """
    if "&amp;" not in body and "&lt;" not in body:
        return body
    if any(one in body for one in _CODE):
        return body
    if _TAGS.match(body) and body.count("<") <= _FEW_TAGS and ("/p&" in body or "/div&" in body or "br" in body):
        inner = re.sub(r"^\s*<p>|</p>\s*$", "", body.strip())
        once = text.unescaped(inner)
        return text.unescaped(once) if "&lt;" in once and "<" not in once else once
    return _TWICE.sub(lambda found: f"&{found.group(1)};" if _is_known(found.group(1)) else found.group(0), body)


_FEW_TAGS = 4

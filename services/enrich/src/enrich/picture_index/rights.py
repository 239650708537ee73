"""The words of a picture, and whether readers may see it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from enrich.picture_index.embedded import Embedded
from shared.messages import MediaReference

FORBIDDEN: tuple[str, ...] = (
    "not for online", "not for web", "not for internet", "not for digital", "not for publication", "not for use", "not for editorial use",
    "no online", "no web use", "no internet", "no digital", "no publication", "no use", "print only", "print use only", "broadcast only",
    "internal use only", "embargo", "embargoed", "internet out", "online out", "web out", "mandatory kill", "picture kill", "photo kill",
    "do not use", "do not publish",
)  # fmt: skip
"""Phrases that withhold a picture of any source: its use on a public page is forbidden, or not allowed yet."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a newsroom agreed with one source."""

    forbidden: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    credit: str = ""


@dataclass(frozen=True, slots=True)
class PictureWords:
    """The words that readers get with a picture."""

    caption: str
    credit: str
    copyright: str
    alt_text: str


def words_of(reference: MediaReference, embedded: Embedded, rights: Rights) -> PictureWords:
    """The wire's words win, since a desk can correct them; the picture's own fill what is missing."""
    return PictureWords(
        caption=_first(reference.caption, embedded.caption, reference.headline, embedded.headline),
        credit=_first(reference.credit, embedded.credit, embedded.creator, embedded.source, rights.credit),
        copyright=_first(reference.copyright, embedded.copyright),
        alt_text=_first(reference.alt_text, embedded.alt_text),
    )


def why_withheld(reference: MediaReference, embedded: Embedded, rights: Rights) -> str:
    """The reason why readers must not see a picture; empty when they may."""
    if not words_of(reference, embedded, rights).credit:
        return "no credit"
    terms = (
        ("usage terms", reference.usage_terms),
        ("copyright", reference.copyright),
        ("embedded usage terms", embedded.usage_terms),
        ("embedded instructions", embedded.instructions),
        ("embedded copyright", embedded.copyright),
    )
    for where, text in terms:
        if phrase := _found(text or "", (*FORBIDDEN, *rights.forbidden), rights.allowed):
            return f"{where} forbid it: {phrase!r} in {(text or '')[:200]!r}"
    return ""


def _first(*candidates: str | None) -> str:
    return next((text.strip() for text in candidates if text and text.strip()), "")


def _found(text: str, phrases: Iterable[str], allowed: Iterable[str]) -> str:
    plain = _plain(text)
    for phrase in allowed:
        plain = plain.replace(_plain(phrase), " ")
    return next((phrase for phrase in phrases if phrase.strip() and _plain(phrase) in plain), "")


def _plain(text: str) -> str:
    return " " + " ".join(re.findall(r"[^\W_]+", text.casefold())) + " "

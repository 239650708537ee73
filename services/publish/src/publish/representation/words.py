"""An update's words as HTML and XML can show them."""

import re
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from publish.representation.fragment import web_address
from publish.representation.reader_blocks import words_of
from publish.representation.reader_update import ReaderAuthor, ReaderChange, ReaderUpdate
from shared.messages.limits import LONGEST

LANGUAGES = (
    " aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es "
    "et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki "
    "kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no "
    "nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te "
    "tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu fil yue ckb haw "
)
LANGUAGE_TAG = re.compile(r"^([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?$")
UNSEEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]|[\U0001fffe\U0001ffff]"
)


CONTEXT_CHARS = 80
LONGEST_TITLE = 200
"""Characters of a title that is the beginning of a text."""

DiffPart = tuple[Literal["=", "-", "+", "…"], str]


def printable(text: str) -> str:
    """The text without what neither HTML nor XML may hold: control characters, noncharacters and lone surrogates."""
    if text.isprintable():
        return text  # the usual case, and an order of magnitude faster: none of these is printable
    return UNSEEN.sub("", text.encode("utf-8", "replace").decode() if not text.isascii() else text)


def language_of(update: ReaderUpdate) -> str:
    """The language for a `lang` attribute; empty where it is unknown, which HTML takes for just that."""
    match = LANGUAGE_TAG.match(update.language)
    return update.language if match and f" {match[1].lower()} " in LANGUAGES else ""


def headline_of(update: ReaderUpdate) -> str:
    """The headline, whole; empty where the source sent none: beside the text, its beginning would be said twice."""
    return printable(update.headline.strip()[: LONGEST["headline"]])


def title_of(update: ReaderUpdate) -> str:
    """What the update is called where something has to be: its headline, else the beginning of the text."""
    if headline := headline_of(update):
        return headline
    title = update.excerpt.strip() or full_text_of(update)
    return printable(title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1].rstrip() + "…") or "Update"


def full_text_of(update: ReaderUpdate) -> str:
    """The text with what its blocks say, paragraphs parted by a blank line."""
    if not update.blocks:
        return update.text.strip()
    return "\n\n".join(filter(None, (update.text.strip(), *words_of(update.blocks))))


def byline_of(update: ReaderUpdate) -> str:
    """The byline as the source wrote it, else the names of the writers."""
    if update.byline.strip():
        return printable(update.byline.strip())
    return ", ".join(
        printable(author.name) for author in update.authors if author.contribution in ("writing", "reporting")
    )


def modified_at(update: ReaderUpdate) -> datetime:
    """When readers were last given other words; the first publication until then."""
    return update.updated_at or update.first_published_at


def story_name(story: str, label: str) -> str:
    """What readers call a story; one that only has an id is named by the id's words."""
    words = printable(label).strip() or printable(story).replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else story


def links_of(author: ReaderAuthor) -> list[tuple[str, str]]:
    """An author's own pages elsewhere: address and the host that is shown."""
    addresses = dict.fromkeys(web_address(link) for link in (author.url or "", *author.links))
    return [
        (address, urlsplit(address).hostname or address)
        for address in addresses
        if address.startswith(("http://", "https://"))
    ]


def shown_diff(change: ReaderChange) -> list[DiffPart]:
    """The word diff, with long unchanged stretches cut to the words next to a change."""
    parts: list[DiffPart] = []
    last = len(change.diff) - 1
    for number, (sign, raw) in enumerate(change.diff):
        text = printable(raw)
        if sign != "=" or len(text) <= 2 * CONTEXT_CHARS:
            parts.append((sign, text))
            continue
        if number > 0:
            parts.append(("=", text[:CONTEXT_CHARS]))
        parts.append(("…", " … "))
        if number < last:
            parts.append(("=", text[-CONTEXT_CHARS:]))
    return parts if any(sign in "-+" for sign, _ in parts) else []

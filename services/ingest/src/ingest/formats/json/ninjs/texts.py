"""Headlines, descriptions and bodies of ninjs in several variants: the best of each kind."""

from typing import NamedTuple

import orjson
from pydantic import JsonValue

from ingest.formats.text import plain as text
from shared.messages.blocks import BLOCK_KINDS, BLOCK_TYPE


class Variant(NamedTuple):
    """One of several headlines, descriptions or bodies, however a version of ninjs writes them."""

    role: str
    is_html: bool
    media_type: str
    value: str


Texts = dict[str, list[Variant]]
"""Variants by the kind of text: headline, description, body."""


def plain(words: str, is_html: bool = False) -> str:
    """HTML's words where a text is HTML; as sent where it is not."""
    return text.of_html(words) if is_html or ("</" in words and text.is_markup(words)) else words


_CREDITS = ("creditline", "writer", "source", "credit")


def best_of(variants: list[Variant], roles: tuple[str, ...]) -> str:
    """The variant of the earliest of some roles, else the first; credits are none."""
    best: tuple[int, str, bool] | None = None
    for role, is_html, _, value in variants:
        if role in _CREDITS:
            continue
        rank = roles.index(role) if role in roles else len(roles)
        if best is None or rank < best[0]:
            best = rank, value, is_html
    return plain(best[1], best[2]) if best else ""


def of_role(variants: list[Variant], wanted: str) -> str:
    """The first variant of a role; empty where there is none."""
    for role, is_html, _, value in variants:
        if role == wanted:
            return plain(value, is_html)
    return ""


def blocks_of(variants: list[Variant]) -> tuple[list[dict[str, JsonValue]], list[str]]:
    """The typed blocks among the bodies, and what is wrong with those that cannot be read."""
    blocks: list[dict[str, JsonValue]] = []
    unreadable: list[str] = []
    for each in variants:
        if each.media_type.partition(";")[0].strip().lower() == BLOCK_TYPE:
            try:
                block = orjson.loads(each.value)
            except orjson.JSONDecodeError as error:
                unreadable.append(str(error))
                continue
            if isinstance(block, dict) and block.get("kind") in BLOCK_KINDS:
                blocks.append(block)
            else:
                unreadable.append(f"a block is a JSON object with one of the kinds {', '.join(BLOCK_KINDS)}")
    return blocks, unreadable


def body_of(variants: list[Variant]) -> str:
    """The fullest text: HTML before plain text, and both before other markup, whose tags are left out."""
    best: tuple[int, str] = (9, "")
    for role, is_html, kind, value in variants:
        if role == "blocks" or kind.startswith(BLOCK_TYPE):
            continue
        if is_html or ("</" in value and "plain" not in kind and "xml" not in kind and text.is_markup(value)):
            rank = 0 if is_html else 1
        elif "xml" in kind or "nitf" in role or value.startswith("<?xml"):
            rank = 3
        else:
            rank = 2
        if rank < best[0]:
            best = rank, value
    rank, value = best
    if rank < 2:
        return text.body_of_page(value).strip()
    return f"<p>{text.escaped(text.of_html(value))}</p>" if rank == 3 else text.paragraphs(value)

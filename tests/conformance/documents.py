"""The published suites beside the checkout, and how a document is read in a test."""

import hashlib
import itertools
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import html5lib

from ingest.formats import DEFAULT_PROFILE, ReadRequest, ReadResult, SourceProfile, Unreadable, read
from support.places import conformance

RECEIVED_AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def corpus(folder: str, pattern: str = "*") -> list[Path]:
    """The files of one suite."""
    files = conformance(folder).rglob(pattern)
    return sorted(path for path in files if path.is_file() and path.name not in ("SOURCE.txt", "LICENSE"))


def named(path: Path) -> str:
    """A file's name in a test's id."""
    return str(path.relative_to(conformance()))


def read_document(
    body: bytes | str,
    *,
    content_type: str | None = None,
    profile: SourceProfile = DEFAULT_PROFILE,
    taken_for: str | None = None,
) -> ReadResult:
    """A document as ingest reads it."""
    octets = body.encode() if isinstance(body, str) else body
    request = ReadRequest(
        content_type=content_type,
        source="wire",
        received_at=RECEIVED_AT,
        original_id="original",
        sha256=hashlib.sha256(octets).hexdigest(),
        profile=profile,
        format=taken_for,
    )
    return read(octets, request)


def outcome(body: bytes | str, *, taken_for: str | None = None) -> ReadResult | Unreadable:
    """What becomes of a document: what was understood, or why nothing could be."""
    try:
        return read_document(body, taken_for=taken_for)
    except Unreadable as failure:
        return failure


@cache
def words_of(html: str) -> str:
    """What a browser shows of HTML, by a parser that is not ours, blanks made single."""
    tree = html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False)
    hidden = [text for name in ("script", "style", "title") for one in tree.iter(name) for text in one.itertext()]
    shown = list(tree.itertext())
    for text in hidden:
        if text in shown:
            shown.remove(text)
    return " ".join(" ".join(shown).split())


def letters(value: str) -> str:
    """A text without its blanks, to compare what two parsers part differently."""
    return "".join(itertools.chain.from_iterable(value.split()))

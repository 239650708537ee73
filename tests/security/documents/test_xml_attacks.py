"""XML attacks: refused, at once, with nothing opened and nothing fetched."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.documents import corpus, named, outcome
from ingest.formats import FORMATS, Unreadable
from security.documents.attacks import ATTACKS

pytestmark = pytest.mark.conformance

FILES = corpus("xml-attacks")
ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "cp037")


@contextmanager
def sealed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is opened or connected to meanwhile, which fails."""
    touched: list[str] = []

    def note(*args: object, **_: object) -> None:
        touched.append(repr(args))
        raise OSError("sealed")

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", note)
        patch.setattr("io.open", note)
        patch.setattr(socket, "socket", note)
        patch.setattr(socket, "getaddrinfo", note)
        yield touched


@pytest.mark.parametrize("path", FILES, ids=named)
@pytest.mark.parametrize("taken_for", [None, *(one.names[0] for one in FORMATS)])
def test_an_attack_gives_a_reason_and_touches_nothing(
    path: Path, taken_for: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever format the file is taken for, nothing of it becomes an update, and nothing is opened or fetched."""
    body = path.read_bytes()
    with sealed(monkeypatch) as touched:
        found = outcome(body, taken_for=taken_for)
    if isinstance(found, Unreadable):
        assert found.code
        assert found.reason
    else:
        assert not found.updates
    assert not touched


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY a "b">',
        '<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!-- ]> --><!ENTITY a "b">',
        "<!ATTLIST nitf x CDATA ']>'><!ENTITY a 'b'>",
    ],
)
def test_entities_are_refused_in_every_charset(encoding: str, subset: str) -> None:
    """The declaration is found in the text, not in the bytes, so no encoding hides it."""
    declared = f' encoding="{encoding}"' if encoding == "cp037" else ""
    text = f'<?xml version="1.0"{declared}?><!DOCTYPE nitf [{subset}]><nitf><body><body.content><p>&a;</p></body.content></body></nitf>'
    found = outcome(text.encode(encoding))
    assert isinstance(found, Unreadable)
    assert found.code == "entities-declared"


@pytest.mark.parametrize("name", ATTACKS)
def test_what_would_keep_a_reader_busy_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Depth, size and number are judged before a parser works on them; nothing becomes an update, nothing is opened."""
    body = ATTACKS[name]()
    with sealed(monkeypatch) as touched:
        found = outcome(body)
    if not isinstance(found, Unreadable):
        assert not found.updates
        assert len(found.refused) == 1
    assert not touched


def test_a_header_of_blanks_costs_no_more_than_its_length() -> None:
    """An expression that tries every way to part a run of blanks would not come back within the test's time."""
    for header in ("u l" + " " * 590, "u l" + " \x10 " * 190, "u l " + "1-1 " * 140):
        outcome(f"\x01W2870\x1fasian\n{header}\n\x02text\x03")
    outcome("\x01eca0003 3 i 380 dpa\r\n\x02text\x03123456" + " " * 1_000_000)
    pictures = "<img " + "a" * 3900 + ">"
    outcome(
        f"<rss version='2.0'><channel><item><description><![CDATA[{pictures * 500}]]></description></item></channel></rss>"
    )

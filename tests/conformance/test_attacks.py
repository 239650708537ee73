"""XML attacks: refused, at once, with nothing opened and nothing fetched."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.documents import corpus, named, outcome
from ingest.formats import FORMATS, Unreadable

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

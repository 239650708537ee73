"""The charset that a document has, rather than the one it claims."""

import pytest

from ingest.formats.charset import decode

TEXT = "Žižkov – “naïve” café"


@pytest.mark.parametrize("claim", ["iso-8859-1", "windows-1252", "latin-1", "iso-8859-15", "utf-8", None])
def test_utf_8_is_read_as_such_whatever_it_claims(claim: str | None) -> None:
    """Ordinary text in a one-byte charset is hardly ever valid UTF-8; a claim that is wrong is told."""
    text, charset, wrong = decode(TEXT.encode(), claim)
    assert (text, charset) == (TEXT, "utf-8")
    assert bool(wrong) == (claim not in ("utf-8", None))
    # One accent is enough against a charset of one byte.
    assert decode("Cafés close".encode(), claim)[:2] == ("Cafés close", "utf-8")


def test_one_byte_charsets_are_read_as_they_claim() -> None:
    """Latin-1 as browsers read it, which is Windows-1252."""
    assert decode("café – ok".encode("cp1252"), "iso-8859-1") == ("café – ok", "cp1252", "")
    assert decode("Žižkov".encode("iso-8859-2"), "iso-8859-2")[0] == "Žižkov"

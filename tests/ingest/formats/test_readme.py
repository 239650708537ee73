"""The formats' README tells every code and every name there is."""

import re
from pathlib import Path

from ingest import formats
from ingest.formats import FORMATS

FOLDER = Path(formats.__file__).parent
TEXT = (FOLDER / "README.md").read_text("utf-8")
_CODES = re.compile(
    r"(?:repaired\(\s*|Unreadable\(\s*|code=|Flaw\([^,]+,\s*|code, name(?:, reason)? = |return \w+, )\"([a-z]+(?:-[a-z]+)+)\"|\(\"([a-z]+-[a-z]+)\", (?:_|lambda)"
)


def test_every_code_is_explained() -> None:
    """Who reads a reason or a repair finds its code in the tables."""
    sources = "".join(path.read_text("utf-8") for path in FOLDER.rglob("*.py"))
    codes = {code for pair in _CODES.findall(sources) for code in pair if code}
    assert len(codes) > 30
    assert {code for code in codes if f"`{code}`" not in TEXT} == set()


def test_every_format_is_listed() -> None:
    """The table has the family's name of each format."""
    assert {one.names[0] for one in FORMATS if f"`{one.names[0]}`" not in TEXT} == set()

"""The README of the service is true."""

import re

import pytest

from ingest.__main__ import COMMANDS
from ingest.cli.sources import sources
from ingest.settings import Settings
from support.places import ROOT

README = ROOT / "services" / "ingest" / "README.md"


def row(name: str) -> str:
    """A setting as the table has it."""
    field = Settings.model_fields[name]
    default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"| `{name.upper()}` | {f'`{default}`' if default else ''} | {field.description} |"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_table(name: str) -> None:
    """Name, default and meaning of each setting are in the README as in the code."""
    assert row(name) in README.read_text()


def test_no_setting_is_in_the_table_that_is_not_there() -> None:
    """A setting that was taken away is taken out of the README."""
    table = README.read_text().partition("## Settings")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `([A-Z0-9_]+)`", table, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_every_command_is_told_of() -> None:
    """Each command of the service, and each of `sources`, is in the README."""
    text = README.read_text()
    commands = text.partition("## Commands")[2].partition("\n## ")[0]
    for name in COMMANDS:
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`", commands), name
    told = text.partition("## Sources")[2].partition("\n## ")[0]
    for name in sources.commands:
        assert name in told or name in commands, name


def test_every_metric_is_told_of() -> None:
    """Each metric that the code declares is in the README."""
    code = "".join(path.read_text() for path in (README.parent / "src" / "ingest").rglob("*.py"))
    text = README.read_text()
    for name in re.findall(r'"(slugline_ingest_\w+)"', code):
        assert name in text or f"`{name.removeprefix('slugline_ingest')}`" in text, name

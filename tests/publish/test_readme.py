"""The README of the service is true."""

import re

from publish.__main__ import cli
from publish.push.settings import PushSettings
from support.places import ROOT

README = ROOT / "services" / "publish" / "README.md"


def row(name: str) -> str:
    """A setting as the table has it."""
    field = PushSettings.model_fields[name]
    default = "" if field.default is None else str(field.default)
    if isinstance(field.default, bool):
        default = default.lower()
    return f"| `{name.upper()}` | {f'`{default}`' if default else ''} | {field.description} |"


def test_the_settings_table_is_the_settings() -> None:
    """Every setting is in the table with its default and meaning, in the order of the code, and no other."""
    table = README.read_text().partition("## Settings")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if re.match(r"\| `[A-Z0-9_]+`", line)]
    assert rows == [row(name) for name in PushSettings.model_fields]


def test_every_command_is_told_of() -> None:
    """Each command of the service is in the README."""
    commands = README.read_text().partition("## Commands")[2].partition("\n## ")[0]
    told = {match.split()[0] for match in re.findall(r"^\| `([^`]+)`", commands, re.MULTILINE)}
    assert told == set(cli.list_commands(None))  # type: ignore[arg-type]


def test_every_metric_is_told_of() -> None:
    """Each metric that the code declares is in the README, and none that is gone."""
    code = "".join(path.read_text() for path in (README.parent / "src").rglob("*.py"))
    declared = set(re.findall(r'(?:Counter|Gauge|Histogram)\(\s*"(slugline_\w+)"', code))
    table = README.read_text().partition("## Metrics")[2]
    assert set(re.findall(r"^\| `(slugline_\w+)`", table, re.MULTILINE)) == declared

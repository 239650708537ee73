"""The README of the service is true."""

import json
import re

from enrich.__main__ import cli
from enrich.settings import Settings
from support.places import ROOT

README = ROOT / "services" / "enrich" / "README.md"


def row(name: str) -> str:
    """A setting as the table has it; what is read as JSON is told as JSON."""
    field = Settings.model_fields[name]
    value = field.get_default(call_default_factory=True, validated_data={})
    default = json.dumps(value) if isinstance(value, dict | tuple | list) else "" if value is None else str(value)
    if isinstance(value, bool):
        default = default.lower()
    return f"| `{name.upper()}` | {f'`{default}`' if default else ''} | {field.description} |"


def test_the_settings_table_is_the_settings() -> None:
    """Every setting is in the table with its default and meaning, in the order of the code, and no other."""
    table = README.read_text().partition("## Settings")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if re.match(r"\| `[A-Z0-9_]+`", line)]
    assert rows == [row(name) for name in Settings.model_fields]


def test_every_command_is_told_of() -> None:
    """Each command of the service is in the README, and each command of a group."""
    commands = README.read_text().partition("## Commands")[2].partition("\n## ")[0]
    told = {line.split()[0]: line for line in re.findall(r"^\| `([^`]+)`", commands, re.MULTILINE)}
    names = cli.list_commands(None)  # type: ignore[arg-type]
    assert set(told) == set(names)
    for group in ("authors", "tags", "stories"):
        members = set(cli.get_command(None, group).commands)  # type: ignore[arg-type, union-attr]
        assert set(told[group].split(maxsplit=1)[1].split("\\|")) == members


def test_every_metric_is_told_of() -> None:
    """Each metric that the code declares is in the README, and none that is gone."""
    code = "".join(path.read_text() for path in (README.parent / "src").rglob("*.py"))
    declared = set(re.findall(r'(?:Counter|Gauge|Histogram)\(\s*"(slugline_\w+)"', code))
    table = README.read_text().partition("## Metrics")[2]
    assert set(re.findall(r"^\| `(slugline_\w+)`", table, re.MULTILINE)) == declared


def test_every_step_is_told_of() -> None:
    """The table of budgets has a line for each step that can be degraded."""
    table = README.read_text().partition("## Steps")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| (\w+) \| .* `ENRICH_\w+_BUDGET_MS`", table, re.MULTILINE)) == {
        "text",
        "authors",
        "tags",
        "media",
        "story",
    }

"""The README of each service is true: its settings, its commands and its metrics are those of the code."""

import json
import re
from dataclasses import dataclass
from typing import get_args

import click
import pytest
from pydantic_settings import BaseSettings

import enrich.__main__
import enrich.settings
import ingest.__main__
import ingest.settings
import publish.__main__
import publish.push.settings
from shared.messages.enriched import Step
from support.places import ROOT

METRIC = re.compile(r'(?:Counter|Gauge|Histogram|Summary)\(\s*"(slugline_\w+)"')


@dataclass(frozen=True)
class Service:
    """A service, as its README and its code have it."""

    name: str
    settings: type[BaseSettings]
    commands: click.Group

    def section(self, title: str) -> str:
        """The README from a heading to the next one."""
        text = (ROOT / "services" / self.name / "README.md").read_text("utf-8")
        return re.split(rf"^## {title}.*\n", text, maxsplit=1, flags=re.MULTILINE)[1].partition("\n## ")[0]

    def code(self) -> str:
        """All of its source."""
        return "".join(path.read_text("utf-8") for path in (ROOT / "services" / self.name / "src").rglob("*.py"))


SERVICES = [
    Service("ingest", ingest.settings.Settings, ingest.__main__.cli),
    Service("enrich", enrich.settings.Settings, enrich.__main__.cli),
    Service("publish", publish.push.settings.PushSettings, publish.__main__.cli),
]
each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)


def setting(settings: type[BaseSettings], name: str) -> str:
    """A setting as the table has it; what is read as JSON stands there as JSON."""
    field = settings.model_fields[name]
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, dict | tuple | list | bool):
        default = json.dumps(value)
    else:
        default = "" if value is None else str(value)
    return f"| `{name.upper()}` | {f'`{default}`' if default else ''} | {field.description} |"


@each_service
def test_the_table_of_settings_is_the_settings(service: Service) -> None:
    """Every setting is in the table with its default and meaning, in the order of the code, and no other."""
    rows = [line for line in service.section("Settings").splitlines() if re.match(r"\| `[A-Z0-9_]+`", line)]
    assert rows == [setting(service.settings, name) for name in service.settings.model_fields]


@each_service
def test_every_command_is_in_the_table(service: Service) -> None:
    """Each command of the service is in the README, and no other."""
    cells = re.findall(r"^\| (`[^|]*(?:\\\|[^|]*)*) \|", service.section("Commands"), re.MULTILINE)
    listed = {command.split()[0] for cell in cells for command in re.findall(r"`([^`]+)`", cell)}
    assert listed == set(service.commands.list_commands(click.Context(service.commands)))


@each_service
def test_every_metric_is_in_the_table(service: Service) -> None:
    """Each metric that the code declares is in the README, and none that is gone."""
    table = service.section("Metrics")
    declared = set(METRIC.findall(service.code()))
    assert declared <= set(re.findall(r"`(slugline_\w+)`", table))
    assert set(re.findall(rf"`(slugline_{service.name}_\w+)`", table)) <= declared


@each_service
def test_every_command_of_a_group_is_named(service: Service) -> None:
    """Who looks for a command of a group finds it in the README."""
    text = (ROOT / "services" / service.name / "README.md").read_text("utf-8")
    context = click.Context(service.commands)
    for name in service.commands.list_commands(context):
        group = service.commands.get_command(context, name)
        for member in getattr(group, "commands", ()):
            assert re.search(rf"`[^`\n]*\b{member}\b[^`\n]*`", text), f"{name} {member}"


def test_every_step_of_enrichment_is_in_the_table() -> None:
    """The table of budgets has a line for each step that can be degraded."""
    listed = re.findall(r"^\| (\w+) \| .* `ENRICH_\w+_BUDGET_MS`", SERVICES[1].section("Steps"), re.MULTILINE)
    assert set(listed) == set(get_args(Step))

"""Alerts that a person can act on: valid, tested, and about metrics that the processes really have."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from enrich.__main__ import cli as enrich_cli
from ingest.__main__ import cli as ingest_cli
from publish.__main__ import cli as publish_cli
from slugline.__main__ import cli as slugline_cli

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "observability"
RULES = [rule for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"] for rule in group["rules"]]
IMAGE = "prom/prometheus:v2.53.3"
SUFFIXES = ("_total", "_bucket", "_count", "_sum")


def promtool(*arguments: str) -> str:
    """Run promtool, from PATH or out of the Prometheus image."""
    if shutil.which("promtool"):
        command = ["promtool", *arguments]
    elif shutil.which("docker") and not subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode:  # fmt: skip
        mount = ["-v", f"{FOLDER}:/rules:ro", "-w", "/rules"]
        command = ["docker", "run", "--rm", "--entrypoint", "promtool", *mount, IMAGE, *arguments]
    else:
        pytest.skip(f"neither promtool nor the image {IMAGE} is here")
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_valid_and_fire_when_they_should() -> None:
    """promtool accepts the rules, and its unit tests of them pass."""
    promtool("check", "rules", "rules.yml")
    promtool("test", "rules", "rules.test.yml")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_readers_miss_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    """Who is woken learns in one look what it means and what to do first."""
    assert set(rule["annotations"]) == {"summary", "readers", "first"}
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    """It says what it means, what readers miss, what to do step by step, and when it is over."""
    text = (FOLDER / "RUNBOOKS.md").read_text()
    sections = {part.partition("\n")[0]: part for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]}
    assert set(sections) == {rule["alert"] for rule in RULES}
    for name, section in sections.items():
        assert re.search(r"^\*\*Means\*\* .* \*\*(Readers|Senders)\*\* ", section, re.MULTILINE), name
        assert re.search(r"^1\. ", section, re.MULTILINE), name
        assert re.search(r"^\*\*Over\*\* ", section, re.MULTILINE), name


def test_every_command_of_the_rules_and_runbooks_exists() -> None:
    """Who is woken types it, and it is there: `slugline` and each service's own, with their subcommands."""
    texts = [(FOLDER / name).read_text() for name in ("RUNBOOKS.md", "rules.yml", "README.md")]
    lines = {
        found
        for text in texts
        for found in re.findall(r"`(?:python -m )?((?:slugline|ingest|enrich|publish) [a-z][a-z -]*)", text)
    }
    assert len(lines) > 15
    groups = {"slugline": slugline_cli, "ingest": ingest_cli, "enrich": enrich_cli, "publish": publish_cli}
    processes = {"text", "media", "gather", "archive", "cache", "web", "push", "api", "poll", "watch"}
    for line in sorted(lines):
        name, *words = line.split()
        command: click.Command = groups[name]
        for word in words:
            if not isinstance(command, click.Group) or word.startswith("-") or word in processes - {"push"}:
                break
            found = command.get_command(click.Context(command), word)
            assert found is not None, line
            command = found


def test_every_metric_of_the_rules_and_the_dashboard_exists() -> None:
    """A rule about a metric that nobody exports would never fire, and a panel would stay empty."""
    code = "\n".join(path.read_text() for path in ROOT.glob("s*/**/src/**/*.py"))
    boards = [json.loads(path.read_text()) for path in sorted((FOLDER / "dashboards").glob("*.json"))]
    assert len({board["uid"] for board in boards}) == 2
    panels = [panel for board in boards for panel in board["panels"]]
    asked = [rule["expr"] for rule in RULES] + [target["expr"] for panel in panels for target in panel["targets"]]
    named = {name for expression in asked for name in re.findall(r"slugline_[a-z_]+", expression)}
    assert named
    for name in named:
        plain = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)
        assert f'"{plain}"' in code, name


def _served(services: dict[str, dict[str, Any]]) -> set[str]:
    """The processes of ours that have a port: no commands, and no jobs that delete or back up."""
    ours = {name for name, service in services.items() if "slugline-" in service["image"]}
    asked = {name for name in ours if not services[name].get("healthcheck", {}).get("disable")}
    return {name for name in asked if not name.endswith("-prune") and name != "backups"}


def test_every_process_of_the_compose_file_is_watched() -> None:
    """No process runs without being scraped."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ours = _served(services)
    scraped = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"][0]["static_configs"][0][
        "targets"
    ]
    settings = {name: services[name]["environment"] for name in ours}
    ports = {name: str(own.get("INTERNAL_PORT", own["HEALTH_PORT"])) for name, own in settings.items()}
    assert {target.split(":")[0]: target.split(":")[1] for target in scraped} == ports


def test_every_process_has_a_deployment() -> None:
    """What the compose file runs, Kubernetes can run too: in the base, or as a component."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ours = _served(services)
    folder = ROOT / "deploy" / "kubernetes"
    listed = [folder / "base" / "kustomization.yaml", folder / "components" / "watch" / "kustomization.yaml"]
    named = [name for path in listed for name in yaml.safe_load(path.read_text())["resources"]]
    assert ours == {name.removesuffix(".yaml") for name in named} - {"slugline", "prune"}


def test_what_strangers_reach_has_its_metrics_elsewhere() -> None:
    """In compose and Kubernetes alike: a port that is published is never the one of metrics."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    published = {
        name for name, service in services.items() if "slugline-" in service.get("image", "") and service.get("ports")
    }
    assert published == {"ingest-api", "publish-web", "publish-push"}
    for name in published:
        internal = services[name]["environment"]["INTERNAL_PORT"]
        assert all(port.rpartition(":")[2] != str(internal) for port in services[name]["ports"])
        [deployment, *_] = yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "base" / f"{name}.yaml").read_text())
        template = deployment["spec"]["template"]
        [container] = template["spec"]["containers"]
        assert {"name": "INTERNAL_PORT", "value": str(internal)} in container["env"]
        assert template["metadata"]["annotations"]["prometheus.io/port"] == str(internal)
        assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "internal"}

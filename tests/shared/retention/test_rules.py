"""A policy says for how long; what it cannot mean is refused by name."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import enrich.retention
import ingest.retention
import publish.retention
from ingest.retention import old_files
from shared.retention.rules import BadPolicy, Rule, read_policy, with_policy

RULES = {"ingest": ingest.retention, "enrich": enrich.retention, "publish": publish.retention}


def test_a_policy_names_rules_and_days(tmp_path: Path) -> None:
    """What it does not name stays as it is; other services' tables are theirs."""
    policy = tmp_path / "policy.toml"
    policy.write_text("[ingest]\noriginals = 30\nitems = 0\n[publish]\nwithheld = 5\n")
    days = read_policy(policy, "ingest", ingest.retention.RULES)
    assert (days["originals"], days["items"], days["orders"]) == (30, 0, 400)
    assert {
        rule.name: rule.days
        for rule in with_policy(publish.retention.RULES, read_policy(policy, "publish", publish.retention.RULES))
    }["withheld"] == 5
    assert read_policy(None, "ingest", ingest.retention.RULES)["originals"] == 90


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[ingest]\nupdates = 3", "no rule 'updates'"),
        ("[ingest]\noriginals = '3'", "whole number"),
        ("[ingest]\noriginals = -1", "whole number"),
        ("[ingest]\noriginals = true", "whole number"),
        ("[ingest]\nitems = 2", "at least 7"),
        ("ingest = 3", "table"),
        ("[ingest", "cannot be read"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """With the file, the service and the rule, before anything is deleted."""
    policy = tmp_path / "policy.toml"
    policy.write_text(text)
    with pytest.raises(BadPolicy, match=told):
        read_policy(policy, "ingest", ingest.retention.RULES)
    refused = CliRunner().invoke(ingest.retention.prune, ["--policy", str(policy)])
    assert refused.exit_code == 2
    assert isinstance(ingest.retention.prune, click.Command)


@pytest.mark.parametrize("service", RULES)
def test_every_rule_is_listed_without_a_server(service: str) -> None:
    """Its name, days and meaning; and a name is of one rule alone."""
    rules = RULES[service].RULES
    listed = CliRunner().invoke(RULES[service].prune, ["--list"])
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.output.splitlines()] == [rule.name for rule in rules]
    assert len({rule.name for rule in rules}) == len(rules)
    assert all("$1" in rule.old for rule in rules if isinstance(rule, Rule))


def test_only_old_files_of_done_and_rejected_go(tmp_path: Path) -> None:
    """Not what waits, nor links, nor other folders."""
    for name in ("done/a", "rejected/b", "waiting", ".taking/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "done" / "link").symlink_to(tmp_path / "waiting")
    later = datetime.now(UTC) + timedelta(days=1)
    assert [path.name for path in old_files([tmp_path, tmp_path / "gone"], later)] == ["a", "b"]
    assert list(old_files([tmp_path], datetime.now(UTC) - timedelta(days=1))) == []

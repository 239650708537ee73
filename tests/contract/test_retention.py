"""What stays, and for how long: the table is true of every table, topic, rule and setting."""

import re
import tomllib

import enrich.retention
import ingest.retention
import publish.retention
from publish.push.settings import PushSettings
from shared.streams import DAY_MS, STREAMS
from support.places import ROOT

README = (ROOT / "deploy" / "retention" / "README.md").read_text("utf-8")
SERVICES = {"ingest": ingest.retention, "enrich": enrich.retention, "publish": publish.retention}
BOOKKEEPING = {"ingest.migrations", "enrich.migrations", "publish.migrations"}


def tables() -> set[str]:
    """Every table that a migration makes and no later one drops."""
    made: set[str] = set()
    for service in SERVICES:
        for script in sorted((ROOT / "services" / service / "src" / service / "migrations").glob("*.sql")):
            text = script.read_text("utf-8")
            made |= set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+\.\w+)", text))
            made -= set(re.findall(r"DROP TABLE (?:IF EXISTS )?(\w+\.\w+)", text))
    return made


def test_every_table_says_what_it_keeps() -> None:
    """A new table fails here until somebody has said whether it holds words, for how long, and what ends it sooner."""
    named = set(re.findall(r"`((?:ingest|enrich|publish)\.\w+)`", README))
    assert tables() - named == set(), "tables that say nothing"
    assert named - tables() - BOOKKEEPING == set(), "tables that are gone"


def test_every_topic_has_its_retention() -> None:
    """In days, as `topics apply` sets it."""
    kept = {}
    for names, days in re.findall(r"^\| (`[a-z.`, ]+) \| (\d+) days \|$", README, re.MULTILINE):
        kept |= dict.fromkeys(re.findall(r"`([a-z.]+)`", names), int(days))
    assert kept == {stream.name: stream.retention_ms // DAY_MS for stream in STREAMS}


def test_every_rule_is_told_with_its_days() -> None:
    """In the table, and in the policy file that says what applies without one."""
    policy = tomllib.loads((ROOT / "deploy" / "retention" / "policy.toml").read_text("utf-8"))
    for name, service in SERVICES.items():
        assert policy[name] == {rule.name: rule.days for rule in service.RULES}
        for rule in service.RULES:
            line = next(line for line in README.splitlines() if line.startswith("|") and f"`{rule.name}`" in line)
            assert ("for ever" if not rule.days else f"{rule.days} day") in line, line


def test_the_settings_are_those_of_the_code() -> None:
    """Days of deliveries and of the read model."""
    fields = PushSettings.model_fields
    assert f"`PUBLISH_PUSH_KEEP_DAYS` ({fields['publish_push_keep_days'].default} days)" in README
    assert f"`PUBLISH_CACHE_DAYS` ({fields['publish_cache_days'].default} days)" in README


def test_a_migration_stands_behind_the_tables_that_it_changes() -> None:
    """Files are applied in the order of their names, and on a new installation all at once."""
    wrong = []
    for service in SERVICES:
        made: set[str] = set()
        for script in sorted((ROOT / "services" / service / "src" / service / "migrations").glob("*.sql")):
            text = re.sub(r"--.*", "", script.read_text("utf-8"))
            made |= set(re.findall(r"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+\.\w+)", text))
            used = set(re.findall(rf"\b(?:ON|TABLE|UPDATE|FROM|JOIN|INTO|REFERENCES) ({service}\.\w+)\b", text))
            wrong += [
                f"{script.name}: {table}"
                for table in used - made
                if not re.search(rf"CREATE .*{re.escape(table)}", text)
            ]
    assert wrong == []

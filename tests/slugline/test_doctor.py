"""`slugline doctor`: what is set up wrongly is found, with the way to mend it; what is right is left alone."""

import contextlib
import resource
from pathlib import Path

import pytest
from pydantic import ValidationError

from ingest.settings import Settings as IngestSettings
from publish.push.settings import PushSettings
from shared.streams import RAW
from slugline.doctor import kafka_check, machine_check, postgres_check, settings_check
from slugline.doctor.finding import Finding
from slugline.settings import OperatorSettings
from slugline.status.report import Severity

MODELS = {"": OperatorSettings, "ingest": IngestSettings, "publish": PushSettings}
OPEN = {"PUBLISH_SITE_URL": "https://news.example", "POSTGRES_DSN": "postgresql://news:long@db/news", "REDIS_URL": "redis://:long@redis/0"}  # fmt: skip


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this shell has set is no part of a test: pydantic's settings read it, too."""
    for name in settings_check.known_names(MODELS.values()):
        monkeypatch.delenv(name, raising=False)


def whats(environment: dict[str, str]) -> list[str]:
    """What is found in an environment that is otherwise in order."""
    return [each.what for each in found_in(environment) if each.severity]


def found_in(environment: dict[str, str]) -> list[Finding]:
    """All findings."""
    given = {**OPEN, **environment}
    values: dict[str, object] = {}
    for model in MODELS.values():
        with contextlib.suppress(ValidationError):
            read = model.model_validate(
                {name: given[name.upper()] for name in model.model_fields if name.upper() in given}
            )
            values |= {name.upper(): getattr(read, name) for name in model.model_fields}
    return settings_check.check(given, MODELS, values)


def test_settings_that_are_in_order_are_no_finding() -> None:
    """Nor is what other programs read: of the compose file, of Kubernetes, of a service that is not installed here."""
    assert (
        whats({"POSTGRES_PASSWORD": "x", "INGEST_API_SERVICE_HOST": "10.0.0.1", "ENRICH_NO_SUCH": "1", "HOME": "/"})
        == []
    )


def test_a_name_that_nobody_reads_is_found_with_the_one_that_was_meant() -> None:
    """A setting with a slip of the pen is silently the default."""
    (found,) = [each for each in found_in({"PUBLISH_SITE_NAMES": "News"}) if each.severity]
    assert found.what == "PUBLISH_SITE_NAMES is no setting: nobody reads it"
    assert found.mend == "did you mean PUBLISH_SITE_NAME?"


def test_a_bad_value_is_told_once_for_all_services() -> None:
    """The processes would not start with it."""
    (what,) = whats({"HEALTH_PORT": "eighty"})
    assert what.startswith("HEALTH_PORT: ")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("POSTGRES_DSN", "postgresql://slugline:slugline@postgres/slugline", "password of the documentation"),
        ("REDIS_URL", "redis://redis:6379/0", "Redis is open"),
        ("PUBLISH_SITE_URL", "http://news.example", "is http"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0", "0.0.0.0/0"),
        ("PUBLISH_PUSH_ALLOW_PRIVATE", "true", "reach your own network"),
    ],
)
def test_a_default_that_is_not_for_the_open_is_found_there_and_not_on_a_laptop(
    name: str, value: str, words: str
) -> None:
    """The demo is no finding; the same on a server is one."""
    (what,) = whats({name: value})
    assert words in what
    here = {"PUBLISH_SITE_URL": "http://127.0.0.1:8080", "PUBLISH_PUSH_ALLOW_PRIVATE": "true"}
    assert whats({**here, "POSTGRES_DSN": "postgresql://slugline:slugline@127.0.0.1/slugline", "REDIS_URL": "redis://127.0.0.1/0"}) == []  # fmt: skip


def test_a_schema_is_compared_with_what_is_installed() -> None:
    """Behind, ahead, changed, or not there at all."""
    ours = {"0001_a.sql": "1", "0002_b.sql": "2"}
    of = postgres_check.of_schema
    assert [each.severity for each in of("ingest", ours, ours)] == [Severity.WELL]
    assert "lacks 0002_b.sql" in of("ingest", {"0001_a.sql": "1"}, ours)[0].what
    assert "newer release: 0003_c.sql" in of("ingest", {**ours, "0003_c.sql": "3"}, ours)[0].what
    assert "not what was applied" in of("ingest", {**ours, "0001_a.sql": "x"}, ours)[0].what
    assert of("ingest", None, ours)[0].severity == Severity.MISSED
    assert of("ingest", ours, None)[0].severity == Severity.WELL
    assert postgres_check.packaged("publish")
    assert postgres_check.packaged("no_such_service") is None


def test_the_role_of_one_service_enters_its_own_schema_alone() -> None:
    """That is in order; a role that enters none is nobody's."""
    assert [each.severity for each in postgres_check.of_closed("slugline_publish", ["enrich", "ingest"])] == [
        Severity.WELL
    ]
    (none,) = postgres_check.of_closed("nobody", ["enrich", "ingest", "publish"])
    assert (none.severity, "roles apply" in none.mend) == (Severity.MISSED, True)
    assert postgres_check.of_closed("slugline", []) == []


def test_a_clock_that_is_wrong_is_told_by_how_much() -> None:
    """The time that the question took is nobody's fault."""
    assert postgres_check.of_clock("Postgres", 100.4, 100.0, 101.0).severity == Severity.WELL
    assert "3.0 s ahead" in postgres_check.of_clock("Postgres", 104.0, 100.0, 101.0).what
    assert "5.0 s behind" in postgres_check.of_clock("Postgres", 95.0, 100.0, 101.0).what


def test_topics_are_compared_with_their_declaration() -> None:
    """Partitions, leaders, replicas, retention and size."""
    partition = {"partition": 0, "leader": 1, "replicas": [1], "isr": [1]}
    right = [partition] * RAW.partitions
    assert kafka_check.of_partitions("t", RAW, right) == []
    assert "1 partitions, 12 are declared" in kafka_check.of_partitions("t", RAW, [partition])[0].what
    assert "no leader for 0" in kafka_check.of_partitions("t", RAW, [*right[1:], {**partition, "leader": -1}])[0].what
    assert "1 partitions lack a replica" in kafka_check.of_partitions("t", RAW, [*right[1:], {**partition, "replicas": [1, 2]}])[0].what  # fmt: skip
    config = {
        "retention.ms": str(RAW.retention_ms),
        "max.message.bytes": str(4 * 1024 * 1024),
        "cleanup.policy": "delete",
    }
    assert kafka_check.of_config("t", RAW, config) == []
    assert "an outage may outlast it" in kafka_check.of_config("t", RAW, {**config, "retention.ms": "1000"})[0].what
    assert kafka_check.of_config("t", RAW, {**config, "max.message.bytes": "1000"})[0].severity == Severity.MISSED
    assert "compacted" in kafka_check.of_config("t", RAW, {**config, "cleanup.policy": "compact"})[0].what


def test_the_machine_is_looked_at(tmp_path: Path) -> None:
    """The folder of renditions, and how many files a process may open."""
    assert "are free" in machine_check.of_store(f"file://{tmp_path}")[0].what
    assert machine_check.of_store(f"file://{tmp_path}/none")[0].severity == Severity.LOOK
    assert machine_check.of_store("s3://bucket")[0].severity == Severity.WELL
    assert machine_check.of_files(20_000, 1_024).severity == Severity.LOOK
    assert machine_check.of_files(20_000, resource.RLIM_INFINITY).severity == Severity.WELL

"""What `slugline status` makes of what it was told: the worst finding is the exit code, and each says what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from slugline.settings import PORTS, PUBLIC, Address, OperatorSettings, address_of
from slugline.status.report import (
    AsideCount,
    DeadLetterCount,
    Group,
    Process,
    Report,
    Server,
    Severity,
    SourceState,
    UncleanTakedown,
    problems_of,
    verdict,
)
from slugline.status.screen import screen
from support.places import ROOT

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
QUIET = SourceState("wire", "api", NOW - timedelta(hours=2), NOW - timedelta(minutes=1), 3_600, None)
WELL = Report(
    NOW,
    processes=[Process("publish.web", "10.0.0.1:8080", "ok", "0.1.0", behind=0)],
    servers=[Server("Kafka", answered_in_ms=3.0)],
    groups=[Group("enrich.text", "updates.raw", 3)],
    sources=[replace(QUIET, newest_at=NOW), replace(QUIET, silence_after_s=None)],
    dead_letters=[DeadLetterCount("updates.raw", 0)],
)


def test_all_well_is_no_finding() -> None:
    """Nor is a source quiet that may be, or a stage that has a few messages in hand."""
    assert problems_of(WELL) == []
    assert verdict([]) == Severity.WELL
    assert screen(WELL, []).startswith("\x1b") or "all well" in screen(WELL, [])


@pytest.mark.parametrize(
    ("report", "severity", "words"),
    [
        (replace(WELL, servers=[Server("Kafka", "OSError")]), 2, "Kafka does not answer: OSError"),
        (replace(WELL, processes=[Process("publish.web", "web:8080", "away", reasons={"readyz": "refused"})]), 2, "does not answer"),
        (replace(WELL, processes=[Process("enrich.text", "x:1", "failing", reasons={"updates.raw": "halted"})]), 2, "updates.raw: halted"),
        (replace(WELL, processes=[Process("publish.web", "x:1", "degraded", reasons={"server kafka": "silent"})]), 1, "degraded"),
        (replace(WELL, processes=[Process("publish.web", "x:1", "ok", behind=5_000)]), 2, "5000 revisions behind"),
        (replace(WELL, processes=[Process("publish.push", "x:1", "ok", late=("cache",))]), 2, "does not come out in time: cache"),
        (replace(WELL, groups=[Group("enrich.text", "updates.raw", 5_000)]), 2, "5000 messages of updates.raw"),
        (replace(WELL, sources=[QUIET]), 1, "nothing new for longer than 3600 s"),
        (replace(WELL, sources=[replace(QUIET, newest_at=NOW, paused_because="noise")]), 1, "paused: noise"),
        (replace(WELL, dead_letters=[DeadLetterCount("updates.raw", 7, NOW, complete=False)]), 1, "7 or more dead letters"),
        (replace(WELL, takedowns=[UncleanTakedown("a" * 26, ["cache"], NOW)]), 2, "not known to be gone from cache"),
        (replace(WELL, set_aside=[AsideCount("publish", "notices", 2, NOW, "bug")]), 1, "2 rows of notices"),
        (replace(WELL, unknown={"the lag": "no answer"}), 1, "the lag is not known"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_is_said_with_what_to_do(report: Report, severity: int, words: str) -> None:
    """One finding each, no worse and no better than it is."""
    (problem,) = problems_of(report)
    assert words in problem.what
    assert problem.severity == severity
    assert problem.first
    assert problem.what in screen(report, [problem])


def test_what_a_server_has_no_request_for_is_said_and_is_no_finding() -> None:
    """Kafka in memory, which the demo has, does not tell of groups: all is well all the same."""
    report = replace(WELL, groups=(), untold=("the lag of consumer groups",))
    assert problems_of(report) == []
    assert "the lag of consumer groups is not told by this Kafka" in screen(report, [])


def test_what_the_role_of_one_service_may_not_read_is_said_and_is_no_finding() -> None:
    """In the pod of a process, with its own login: all is well as far as it sees, and the screen says how to see more."""
    report = replace(WELL, sources=(), unseen=("the state of sources",))
    assert problems_of(report) == []
    assert "the state of sources" in screen(report, [])
    assert "docker compose run --rm tools" in screen(report, [])


@pytest.mark.parametrize(
    ("name", "error", "mend"),
    [
        ("Postgres", "InvalidPasswordError: password authentication failed for user \"slugline\"", "POSTGRES_DSN"),
        ("Redis", "AuthenticationError: WRONGPASS invalid username-password pair", "REDIS_URL"),
        ("Redis", "AuthenticationError: NOAUTH Authentication required.", "has no password"),
        ("Kafka", "AuthenticationFailedError: SASL authentication failed", "KAFKA_USER"),
        ("Postgres", "TooManyConnectionsError: sorry, too many clients already", "max_connections"),
        ("Postgres", "DiskFullError: could not extend file: No space left on device", "room on the disk of Postgres"),
        ("Postgres", "it is a standby, which takes no writes", "promote it"),
        ("Postgres", "it takes no writes: default_transaction_read_only is on", "default_transaction_read_only"),
        ("Kafka", "gaierror: [Errno -2] Name or service not known", "KAFKA_SERVERS names a host"),
        ("Postgres", "InvalidCatalogNameError: database \"news\" does not exist", "POSTGRES_DSN names what is not there"),
        ("Kafka", "TimeoutError", "mend Kafka"),
    ],
)  # fmt: skip
def test_what_a_server_says_leads_to_what_mends_it(name: str, error: str, mend: str) -> None:
    """Who is woken does not have to know what the words of each server mean."""
    (problem,) = problems_of(replace(WELL, servers=[Server(name, error)]))
    assert mend in problem.first
    assert ("does not answer" in problem.what) == (not error.startswith("it "))


def test_processes_that_wait_for_a_server_that_is_away_are_one_line_below_it() -> None:
    """Ten lines of one cause hide the cause; a process with another reason keeps a line of its own."""
    silent = {"server postgres": "has not answered for 30 s: TimeoutError"}
    waiting = [
        Process(name, "x:1", state, reasons=silent)
        for name, state in (("enrich.text", "failing"), ("publish.web", "degraded"))
    ]
    halted = Process("publish.cache", "x:1", "failing", reasons={**silent, "updates.enriched": "halted"})
    report = replace(WELL, servers=[Server("Postgres", "away")], processes=[*waiting, halted])
    first, second, third = problems_of(report)
    assert first.what.startswith("Postgres does not answer")
    assert second.what == "2 processes wait for that: enrich.text, publish.web"
    assert "halted" in third.what
    full = Process(
        "publish.cache", "x:1", "failing", reasons={"updates.enriched": "paused by OutOfMemoryError: > 'maxmemory'"}
    )
    assert "raise Redis's maxmemory" in problems_of(replace(WELL, processes=[full]))[0].first
    alone = replace(WELL, processes=waiting)
    assert len(problems_of(alone)) == 2


def test_the_worst_comes_first_and_is_the_verdict() -> None:
    """An operator reads the first line."""
    problems = problems_of(replace(WELL, sources=[QUIET], servers=[Server("Redis", "away")]))
    assert [each.severity for each in problems] == [Severity.MISSED, Severity.LOOK]
    assert verdict(problems) == Severity.MISSED


def test_addresses_are_hosts_with_ports() -> None:
    """With a name where the host's does not say what it is, and a mark for what may be absent."""
    assert address_of("web=127.0.0.1:8080") == Address("127.0.0.1", 8080, name="web")
    assert address_of("ingest-watch:8092?") == Address("ingest-watch", 8092, optional=True)
    assert address_of("http://[::1]:80/").host == "::1"
    assert address_of("web:9100/8080").public == 8080
    for wrong in ("web:80/x", "web:80/70000", "web", "web:", "web:0", "web:70000", "web:x", ":80"):
        with pytest.raises(ValueError, match="HOST:PORT"):
            address_of(wrong)


def test_without_a_setting_the_processes_are_where_compose_and_kubernetes_have_them() -> None:
    """Their names and ports are those of the compose file, and each has a headless Service in the base."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ports = {
        name: int(of["environment"]["HEALTH_PORT"])
        for name, of in services.items()
        if "HEALTH_PORT" in of.get("environment", {})
    }
    internal = {
        name: int(of["environment"]["INTERNAL_PORT"])
        for name, of in services.items()
        if "INTERNAL_PORT" in of.get("environment", {})
    }
    assert {**ports, **internal} == PORTS
    assert {name: ports[name] for name in internal} == PUBLIC
    assert [each.host for each in OperatorSettings().addresses] == list(PORTS)
    inside = OperatorSettings(kubernetes_service_host="10.0.0.1").addresses
    folder = ROOT / "deploy" / "kubernetes"
    documents = [
        document
        for path in (*folder.glob("base/*.yaml"), *folder.glob("components/*/*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]
    headless = {
        each["metadata"]["name"]: each["spec"]
        for each in documents
        if each and each["kind"] == "Service" and each["spec"].get("clusterIP") == "None"
    }
    assert {each.host: each.port for each in inside} == {
        name: spec["ports"][0]["port"] for name, spec in headless.items()
    }
    assert all(f"{spec['selector']['app.kubernetes.io/name']}-replicas" == name for name, spec in headless.items())
    assert all(spec["publishNotReadyAddresses"] for spec in headless.values())

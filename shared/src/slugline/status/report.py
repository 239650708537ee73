"""What is known of an installation at one moment, and what is wrong with it: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

BEHIND = 1_000
"""Messages that wait before a stage, past which copy is late: as the alert SluglineCopyLate has it."""


class Severity(IntEnum):
    """How bad a finding is; the worst one is the command's exit code."""

    WELL = 0
    LOOK = 1
    MISSED = 2


@dataclass(frozen=True, slots=True)
class Process:
    """One replica of a process, as its /readyz has it."""

    name: str
    """`publish.web`; where it does not answer, what its address is called."""
    address: str
    state: str
    """`ok`, `degraded`, `failing`, or `away` where it does not answer."""
    version: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    behind: int | None = None
    """Of a web replica, revisions that it has not read."""
    late: Sequence[str] = ()
    """Of push, the kinds of place at which its monitor sees publishes late."""
    serves: str = ""
    """Where readers or senders come to it."""


@dataclass(frozen=True, slots=True)
class Server:
    """Kafka, Postgres or Redis, asked by this command."""

    name: str
    error: str = ""
    answered_in_ms: float | None = None

    @property
    def refuses(self) -> bool:
        """Whether it answers, and refuses to work."""
        return "takes no writes" in self.error


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group on one of our topics."""

    name: str
    topic: str
    lag: int


@dataclass(frozen=True, slots=True)
class SourceState:
    """When a source was last heard."""

    name: str
    kind: str
    newest_at: datetime | None
    heard_at: datetime | None
    silence_after_s: int | None
    paused_because: str | None


@dataclass(frozen=True, slots=True)
class DeadLetterCount:
    """Dead letters of a topic that nobody has replayed or dropped."""

    topic: str
    open: int
    newest_at: datetime | None = None
    complete: bool = True
    """Whether all were counted; otherwise there are more."""


@dataclass(frozen=True, slots=True)
class UncleanTakedown:
    """A killed update that is not known to be gone from everywhere."""

    update_id: str
    sinks: Sequence[str]
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class AsideCount:
    """Rows that a loop of a service has set aside."""

    service: str
    loop: str
    rows: int
    first_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong: what, and what to do first."""

    severity: Severity
    what: str
    first: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one look found. What could not be asked is in `unknown`, by what was asked."""

    at: datetime
    processes: Sequence[Process] = ()
    servers: Sequence[Server] = ()
    groups: Sequence[Group] = ()
    sources: Sequence[SourceState] = ()
    dead_letters: Sequence[DeadLetterCount] = ()
    takedowns: Sequence[UncleanTakedown] = ()
    set_aside: Sequence[AsideCount] = ()
    refreshes_waiting: int = 0
    unknown: Mapping[str, str] = field(default_factory=dict)
    untold: Sequence[str] = ()
    """What a server has no request for, so that nobody can know it: said, and no finding."""
    unseen: Sequence[str] = ()
    """What the role of this command may not read: said, and no finding."""


def problems_of(report: Report) -> list[Problem]:
    """What is wrong, the worst first."""
    found = [
        *(_of_server(each) for each in report.servers if each.error),
        *(problem for each in report.processes if (problem := _of_process(each)) is not None),
        *(_of_group(each) for each in report.groups if each.lag > BEHIND),
        *(problem for each in report.sources if (problem := _of_source(each, report.at)) is not None),
        *(
            Problem(
                Severity.LOOK,
                f"{each.open}{'' if each.complete else ' or more'} dead letters of {each.topic}",
                f"slugline deadletters list --topic {each.topic}",
            )
            for each in report.dead_letters
            if each.open
        ),
        *(
            Problem(
                Severity.MISSED,
                f"the killed update {each.update_id} is not known to be gone from {', '.join(each.sinks)}",
                f"slugline takedown {each.update_id}",
            )
            for each in report.takedowns
        ),
        *(
            Problem(
                Severity.LOOK,
                f"{each.rows} rows of {each.loop} are set aside: {each.reason}",
                f"python -m {each.service} set-aside",
            )
            for each in report.set_aside
        ),
        *(
            Problem(Severity.LOOK, f"{what} is not known: {why}", "slugline doctor")
            for what, why in report.unknown.items()
        ),
    ]
    return sorted(found, key=lambda each: -each.severity)


def verdict(problems: Sequence[Problem]) -> Severity:
    """The worst of them."""
    return max((each.severity for each in problems), default=Severity.WELL)


SETTING_OF = {"Kafka": "KAFKA_SERVERS", "Postgres": "POSTGRES_DSN", "Redis": "REDIS_URL"}
MENDS = {
    "password": "{setting} has another password than the server: correct it where it is set, then restart what read it",
    "WRONGPASS": "{setting} has another password than the server: correct it where it is set, then restart what read it",
    "NOAUTH": "{setting} has no password, and the server wants one: set it, then restart what read it",
    "SASL": "KAFKA_USER and its password are not those of the server: correct them, then restart what read them",
    "CERTIFICATE": "the certificate is not trusted, has ended, or is of another name; see the READMEs' settings of TLS",
    "does not exist": "{setting} names what is not there: a database, a role, or a server that lost its data (deploy/recovery)",
    "No space left": "make room on the disk of {name}; no process needs a restart",
    "DiskFull": "make room on the disk of {name}; no process needs a restart",
    "too many clients": "raise max_connections, or end what holds connections (pg_stat_activity)",
    "TooManyConnections": "raise max_connections, or end what holds connections (pg_stat_activity)",
    "is a standby": "promote it, or let {setting} name the primary; no process needs a restart",
    "takes no writes": "end default_transaction_read_only, or let {setting} name the primary; no process needs a restart",
    "resolution": "{setting} names a host that is not known here",
    "not known": "{setting} names a host that is not known here",
}
"""What mends a server, by words of its error; the first that is found."""


def _of_server(server: Server) -> Problem:
    mend = next(
        (each for words, each in MENDS.items() if words in server.error), "mend {name}; no process needs a restart"
    )
    return Problem(
        Severity.MISSED,
        f"{server.name} does not answer: {server.error}" if not server.refuses else f"{server.name}: {server.error}",
        mend.format(name=server.name, setting=SETTING_OF.get(server.name, "the setting")),
    )


def _of_process(process: Process) -> Problem | None:
    where = f"{process.name} at {process.address}"
    why = "; ".join(f"{name}: {reason}" for name, reason in process.reasons.items())
    match process.state:
        case "away":
            elsewhere = "; or set SLUGLINE_PROCESSES, where this is typed outside of the processes' network"
            mend = f"start it{elsewhere}" if "not known to DNS" in why else "look at its log; is it running?"
            return Problem(Severity.MISSED, f"{where} does not answer: {why}", mend)
        case "failing":
            return Problem(Severity.MISSED, f"{where} is not ready: {why}", "its log says more")
        case "degraded":
            return Problem(Severity.LOOK, f"{where} is degraded: {why}", "its log says more")
    if process.behind is not None and process.behind > BEHIND:
        what = f"{where} is {process.behind} revisions behind: its readers see old text"
        return Problem(Severity.MISSED, what, "take it out of the load balancer, then restart it")
    if process.late:
        what = f"what is published does not come out in time: {', '.join(process.late)}"
        return Problem(
            Severity.MISSED,
            what,
            "SluglineReadersMiss in deploy/observability/RUNBOOKS.md; /push/monitor names the publishes",
        )
    return None


def _of_group(group: Group) -> Problem:
    what = f"{group.lag} messages of {group.topic} wait before {group.name}"
    return Problem(Severity.MISSED, what, "see SluglineCopyLate in deploy/observability/RUNBOOKS.md")


def _of_source(source: SourceState, now: datetime) -> Problem | None:
    if source.paused_because is not None:
        what = f"the source {source.name} is paused: {source.paused_because or 'no reason given'}"
        return Problem(Severity.LOOK, what, f"slugline sources resume {source.name}")
    if source.silence_after_s is None:
        return None
    last = source.newest_at or source.heard_at
    if last is None or (now - last).total_seconds() <= source.silence_after_s:
        return None
    what = f"the source {source.name} has brought nothing new for longer than {source.silence_after_s} s"
    return Problem(Severity.LOOK, what, "call the agency; `slugline sources list` has what was last heard")

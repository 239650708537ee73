"""What is known of one update, and the verdict: pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slugline.status.report import Severity

FINAL = ("killed", "taken-down")
OUT_OF_SIGHT = ("withdrawn", "expired", "superseded", *FINAL)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to it."""

    at: datetime
    room: str
    """`ingest`, `enrich`, `archive`, `push`, ..."""
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A version as its source sent it, and how it ended."""

    fingerprint: str
    received_at: datetime | None
    emitted_at: datetime | None
    held_at: datetime | None
    enriched_at: datetime | None
    published_at: datetime | None
    ended: str | None
    reason: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class EnrichState:
    """What enrich text holds of it."""

    status: str
    revision: int
    due_at: datetime | None
    due_for: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """What readers get of it in one place: a web replica or the cache."""

    name: str
    revision: int | None
    """None where it has none."""
    shows: bool
    """Whether readers are given its words."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Trail:
    """Everything that is known of one update."""

    update_id: str
    source: str = ""
    guid: str = ""
    versions: Sequence[Version] = ()
    state: EnrichState | None = None
    archived: int | None = None
    """The newest revision in the archive."""
    removal: str | None = None
    """Why it is out of sight, by that revision."""
    places: Sequence[Place] = ()
    events: Sequence[Event] = ()
    in_the_way: Sequence[str] = ()
    """Dead letters, rows that are set aside, deliveries that failed: each in one line."""
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether anything of it is known."""
        return bool(self.versions or self.state or self.archived or self.events or self.in_the_way)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where it is, in one sentence, and whether that is where it should be."""

    severity: Severity
    text: str


def judge(trail: Trail) -> Verdict:  # noqa: PLR0911 -- one for each place where it can be
    """The verdict."""
    if not trail.known and trail.unknown:
        names = ", ".join(trail.unknown)
        return Verdict(Severity.LOOK, f"not known where it is: no answer about {names}, and nothing of it elsewhere")
    if not trail.known:
        return Verdict(
            Severity.LOOK, "nothing is known of it: no version of it has come, or it was sent by another source"
        )
    shown = [each for each in trail.places if each.shows]
    unasked = [each.name for each in trail.places if each.error]
    if trail.removal in OUT_OF_SIGHT:
        return _of_removed(trail, shown, unasked)
    if trail.archived is None:
        return _of_unpublished(trail, shown)
    behind = [
        each.name
        for each in trail.places
        if not each.error and (not each.shows or (each.revision or 0) < trail.archived)
    ]
    if behind:
        return Verdict(
            Severity.MISSED, f"revision {trail.archived} is archived, but readers lack it at {', '.join(behind)}"
        )
    if trail.state is not None and trail.state.revision > trail.archived:
        return Verdict(
            Severity.MISSED,
            f"revision {trail.state.revision} was made, and the archive has {trail.archived}: it is on its way, or stuck",
        )
    newest = trail.versions[-1] if trail.versions else None
    if trail.in_the_way or (newest is not None and newest.ended == "dead"):
        return Verdict(
            Severity.LOOK, f"published, revision {trail.archived}, but something of it is set aside or did not leave"
        )
    if unasked:
        return Verdict(Severity.LOOK, f"published, revision {trail.archived}; no answer from {', '.join(unasked)}")
    count = len(trail.places)
    return Verdict(
        Severity.WELL, f"published: revision {trail.archived} is in the archive and in all of {count} places"
    )


def _of_removed(trail: Trail, shown: Sequence[Place], unasked: Sequence[str]) -> Verdict:
    if shown:
        names = ", ".join(each.name for each in shown)
        return Verdict(Severity.MISSED, f"it is {trail.removal}, and readers still get it at {names}")
    if unasked:
        return Verdict(Severity.LOOK, f"it is {trail.removal}; no answer from {', '.join(unasked)}")
    return Verdict(Severity.WELL, f"it is {trail.removal}, and nobody shows it")


def _of_unpublished(trail: Trail, shown: Sequence[Place]) -> Verdict:  # noqa: PLR0911 -- as above
    if shown:
        names = ", ".join(each.name for each in shown)
        return Verdict(Severity.LOOK, f"readers have it at {names}; the archive does not have it yet")
    if trail.state is not None and trail.state.due_for == "embargo" and trail.state.due_at is not None:
        return Verdict(Severity.LOOK, f"held: embargoed until {trail.state.due_at:%Y-%m-%d %H:%M:%S %Z}")
    if trail.state is not None and trail.state.revision:
        return Verdict(Severity.MISSED, f"revision {trail.state.revision} was made, and the archive does not have it")
    if trail.state is not None and trail.state.status != "live":
        last = next((each.reason for each in reversed(trail.versions) if each.reason), "")
        return Verdict(Severity.LOOK, f"not published: {trail.state.status}{': ' + last if last else ''}")
    newest = trail.versions[-1] if trail.versions else None
    if newest is not None and newest.ended is not None:
        return Verdict(Severity.LOOK, f"not published: {newest.ended}{': ' + newest.reason if newest.reason else ''}")
    if trail.in_the_way:
        return Verdict(Severity.LOOK, f"not published: {trail.in_the_way[0]}")
    if newest is not None and newest.emitted_at is None:
        return Verdict(Severity.LOOK, "received, and Kafka has not acknowledged it")
    return Verdict(Severity.MISSED, "received, and enrich text has not made a revision of it yet")

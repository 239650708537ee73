"""What a check found."""

from dataclasses import dataclass

from slugline.status.report import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is like, and where it is not well, how to mend it."""

    area: str
    """`settings`, `Kafka`, `Postgres`, ..."""
    severity: Severity
    what: str
    mend: str = ""


def well(area: str, what: str) -> Finding:
    """As it should be."""
    return Finding(area, Severity.WELL, what)


def look(area: str, what: str, mend: str) -> Finding:
    """Works, and somebody should look."""
    return Finding(area, Severity.LOOK, what, mend)


def wrong(area: str, what: str, mend: str) -> Finding:
    """Readers or senders miss something, or soon will."""
    return Finding(area, Severity.MISSED, what, mend)

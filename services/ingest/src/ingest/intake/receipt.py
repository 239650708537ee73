"""What becomes of a document and of each of its items."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ingest.formats import Unreadable
from ingest.intake.deadline import OutcomeUnknown

Status = Literal["accepted", "duplicate", "invalid", "error"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item of a document."""

    index: int
    status: Status
    id: str | None = None
    """The update's id."""
    guid: str | None = None
    code: str = ""
    pointer: str = ""
    """Where in the document: a JSON pointer, an XPath or a line."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a document."""

    original: uuid.UUID
    format: str
    results: list[Result] = field(default_factory=list)
    oldest: datetime | None = None
    """The earliest time that one of its items gives for itself."""

    def count(self, *statuses: Status) -> int:
        """How many items have one of these statuses."""
        return sum(result.status in statuses for result in self.results)


class DocumentRejected(Exception):
    """Nothing can ever be made of the document; it is kept as the original of that id."""

    def __init__(self, original: uuid.UUID, cause: Unreadable) -> None:
        super().__init__(cause.reason)
        self.original = original
        self.code = cause.code
        self.place = cause.place
        self.reason = cause.reason


class DocumentOutcomeUnknown(OutcomeUnknown):
    """Kafka has acknowledged nothing that is new in the document, and may have some of it."""

    def __init__(self, reason: str, receipt: Receipt) -> None:
        super().__init__(reason)
        self.receipt = receipt

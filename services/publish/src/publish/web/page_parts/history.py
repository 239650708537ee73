"""What became of an update, revision by revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from publish.representation.reader_update import ReaderUpdate
from publish.representation.words import DiffPart, printable, shown_diff

HISTORY_WORDS = {"publish": "Published", "update": "Updated", "correct": "Corrected"}


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A line of an update's history."""

    at: datetime
    words: str
    reason: str
    diff: list[DiffPart]


def history_of(updates: Sequence[ReaderUpdate]) -> list[HistoryLine]:
    """The history of an update, newest first, without revisions that did not change its words."""
    lines = [
        HistoryLine(
            at=update.updated_at if update.kind != "publish" and update.updated_at else update.first_published_at,
            words=HISTORY_WORDS[update.kind],
            reason=printable(update.change.reason),
            diff=shown_diff(update.change) if update.kind != "publish" else [],
        )
        for update in updates
        if update.kind in HISTORY_WORDS and not update.is_removal
    ]
    return lines[::-1]

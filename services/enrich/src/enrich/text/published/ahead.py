"""What the log has and the rows lack, and what is to be done about it when a raw record is handled. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from enrich.text.published.records import Cause, PublishedRecord


@dataclass(frozen=True, slots=True)
class Due:
    """What the log has of an update beyond its state, as seen from one raw record."""

    before: Sequence[PublishedRecord] = ()
    """To be adopted before the raw record is handled: made from what is not read again, so by another writer."""
    repeated: Sequence[PublishedRecord] = ()
    """What this raw record was made into when it was handled before: adopted instead of whatever would be computed now."""
    is_later: bool = False
    """Whether later raw records have been published already: this one had emitted nothing, and emits nothing now."""

    @property
    def adopted(self) -> Sequence[PublishedRecord]:
        """All that is to be adopted, in order."""
        return [*self.before, *self.repeated]


NOTHING = Due()


def due_at(records: Sequence[PublishedRecord], revision: int, cause: Cause) -> Due:
    """What of an update's records, in the order of the log, is due when the raw record `cause` is handled.

    `revision` is the newest that the state knows.
    """
    left = [record for record in records if record.revision > revision]
    begin = _leading(left, cause, 0)
    end = begin
    if end < len(left) and left[end].cause == cause:
        while end < len(left) and left[end].cause == cause:
            end = _leading(left, cause, end + 1)
    return Due(left[:begin], left[begin:end], is_later=end < len(left))


def _leading(records: Sequence[PublishedRecord], cause: Cause, begin: int) -> int:
    """Where the records end, from `begin`, whose raw record does not come any more when `cause` is handled."""
    end = begin
    while end < len(records) and _is_past(records[end].cause, cause):
        end += 1
    return end


def _is_past(made_from: Cause | None, cause: Cause) -> bool:
    return made_from is None or made_from.partition != cause.partition or made_from.offset < cause.offset


class Ahead:
    """What recovery found of updates whose rows are behind the log."""

    def __init__(self, records: Iterable[PublishedRecord] = ()) -> None:
        self._records: dict[str, list[PublishedRecord]] = {}
        for record in records:
            self._records.setdefault(record.update_id, []).append(record)

    def __len__(self) -> int:
        return sum(map(len, self._records.values()))

    def due(self, update_id: str, revision: int, cause: Cause) -> Due:
        """See `due_at`."""
        records = self._records.get(update_id)
        return due_at(records, revision, cause) if records else NOTHING

    def settle(self, revisions: Mapping[str, int]) -> None:
        """Forget what these rows have by now: the newest revision by update id."""
        for update_id in self._records.keys() & revisions.keys():
            left = [record for record in self._records[update_id] if record.revision > revisions[update_id]]
            if left:
                self._records[update_id] = left
            else:
                del self._records[update_id]

    def first_offset(self) -> int | None:
        """The offset in the log of the first that no row has; None if the rows have everything."""
        return min((records[0].offset for records in self._records.values()), default=None)

    def newest(self) -> list[PublishedRecord]:
        """The newest of each update that waits for a raw record."""
        return [records[-1] for records in self._records.values()]

"""Whether a log is whole: every entry as it was written, none left out, none added between."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from shared.audit.entry import ERASABLE, GENESIS, Row, chained, salted


@dataclass
class Verification:
    """Follows a chain from its beginning."""

    service: str
    head: tuple[int, bytes] = (0, GENESIS)
    """Number and hash of the last entry that was seen."""
    faults: list[str] = field(default_factory=list)
    erased: int = 0
    """Values that were erased."""

    def add(self, row: Row) -> None:
        """The next entry."""
        number, previous = self.head
        if row.seq != number + 1:
            self.faults.append(f"{row.seq}: entries {number + 1} to {row.seq - 1} are missing")
        elif row.previous != previous:
            self.faults.append(f"{row.seq}: does not follow entry {number}")
        if chained(row.previous, row.seq, row.entry) != row.hash:
            self.faults.append(f"{row.seq}: what it says is not what was written")
        self.faults.extend(f"{row.seq}: {fault}" for fault in self._faults_within(row))
        self.head = (row.seq, row.hash)

    def _faults_within(self, row: Row) -> Iterator[str]:
        try:
            covered = orjson.loads(row.entry)
        except orjson.JSONDecodeError:
            yield "is no JSON"
            return
        if covered.get("service") != self.service:
            yield f"is of {covered.get('service')!r}"
        for name in ERASABLE:
            kept = row.erasable.get(name)
            if kept is None:
                self.erased += name in covered
            elif salted(kept.get("salt", ""), kept.get("value", "")) != covered.get(name):
                yield f"its {name} is not what was written"

    def check_heads(self, heads: Iterable[tuple[int, bytes]], seen: dict[int, bytes]) -> None:
        """Heads that were noted earlier must still be there: else the end was cut off, or the whole written anew."""
        for number, digest in heads:
            if seen.get(number) != digest:
                self.faults.append(f"{number}: the head that was noted is not there any more")

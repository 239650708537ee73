"""What was seen that must not have been, or was not seen and must have been."""

from collections import Counter
from dataclasses import asdict, dataclass, field

MOST_OF_A_KIND = 25
"""More are counted only."""


@dataclass(frozen=True)
class Difference:
    """One of them: who saw it, what kind it is, about which update, and what was expected."""

    observer: str
    kind: str
    about: str
    expected: str
    got: str


@dataclass
class Differences:
    """All of one run."""

    found: list[Difference] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, observer: str, kind: str, about: str, *, expected: object, got: object) -> None:
        """Note one."""
        name = f"{observer}: {kind}"
        self.counts[name] += 1
        if self.counts[name] <= MOST_OF_A_KIND:
            self.found.append(Difference(observer, kind, about, str(expected)[:1500], str(got)[:1500]))

    @property
    def total(self) -> int:
        """How many there were."""
        return self.counts.total()

    def as_json(self) -> list[dict[str, str]]:
        """For the report."""
        return [asdict(each) for each in self.found]

"""What an observer has seen of one revision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oracle.model import Shown, shown_of


@dataclass(frozen=True, slots=True)
class Seen:
    """A revision as somebody was told of it, and when."""

    at: float
    event: str
    """The kind: `publish`, `correct`, `kill` …, or `reset`."""
    id: str
    """The event's id: a cursor; empty where the channel has none."""
    update_id: str
    revision: int
    shown: Shown


@dataclass
class Log:
    """All that one observer was told, in order."""

    name: str
    seen: list[Seen] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)
    connections: int = 0

    def add(self, at: float, event: str, cursor: str, data: Mapping[str, Any]) -> None:
        """Note one event; of a reset, its reason."""
        if event == "reset":
            self.resets.append(f"{cursor}: {data.get('reason')}")
            self.seen.append(Seen(at, "reset", cursor, "", 0, Shown()))
        elif "update_id" in data:
            self.seen.append(Seen(at, event, cursor, data["update_id"], int(data["revision"]), shown_of(data)))

    @property
    def last_id(self) -> str:
        """The cursor behind which it goes on."""
        return self.seen[-1].id if self.seen else ""


def place_of(cursor: str) -> tuple[int, int]:
    """A cursor as numbers: epoch and offset."""
    epoch, _, offset = cursor.partition("-")
    return int(epoch), int(offset)

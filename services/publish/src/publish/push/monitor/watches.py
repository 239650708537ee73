"""What is watched, and what it came to: pure, and bounded however much is published.

A publish is watched at a sink until it is seen there or its deadline passes. A sink is red while two of its last ten publishes
were late; one that is red stays so until publishes come out again, since nothing else shows that it is well.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from publish.representation.position import Position

Kind: TypeAlias = Literal["page", "cache", "webhook", "alert", "cdn"]
KINDS: tuple[Kind, ...] = ("page", "cache", "webhook", "alert", "cdn")
LAST = 10
RED_AT = 2
MOST_OPEN = 500
"""Publishes that are watched at one sink at one time; in a flood the rest go unwatched, which says as much of the sink."""
REMEMBERED = 200
"""Publishes that the newsroom can ask about."""
MEASURED = 100


@dataclass(frozen=True, slots=True)
class Publish:
    """A revision, and when it was given to the log."""

    update_id: str
    revision: int
    place: Position
    at: float
    """Seconds of the Unix epoch."""
    headline: str = ""
    """Empty for one that takes something out of sight."""

    @property
    def key(self) -> tuple[str, int]:
        """What it is known by."""
        return self.update_id, self.revision


@dataclass(frozen=True, slots=True)
class Seen:
    """What a publish came to at a sink."""

    publish: Publish
    after_s: float
    """When it was seen, or for how long it has not been."""
    late: bool


@dataclass(slots=True)
class Sink:
    """One place where readers get what is published, or are told of it."""

    name: str
    kind: Kind
    deadline_s: float
    open: OrderedDict[tuple[str, int], Publish] = field(default_factory=OrderedDict)
    last: deque[Seen] = field(default_factory=lambda: deque(maxlen=MEASURED))
    unwatched: int = 0

    def watch(self, publish: Publish) -> bool:
        """Begin to watch; False where there is no room."""
        if len(self.open) >= MOST_OPEN:
            self.unwatched += 1
            return False
        self.open[publish.key] = publish
        return True

    def seen(self, publish: Publish, now: float) -> Seen:
        """A watched publish has come out."""
        return self._end(publish, now, late=now - publish.at > self.deadline_s)

    def overdue(self, now: float) -> list[Publish]:
        """Those whose deadline has passed."""
        return [each for each in self.open.values() if now - each.at > self.deadline_s]

    def missed(self, publish: Publish, now: float) -> Seen:
        """A watched publish has not come out by its deadline."""
        return self._end(publish, now, late=True)

    def forget(self, publish: Publish) -> None:
        """A watched publish does not concern this sink after all."""
        self.open.pop(publish.key, None)

    def _end(self, publish: Publish, now: float, *, late: bool) -> Seen:
        self.open.pop(publish.key, None)
        seen = Seen(publish, max(now - publish.at, 0.0), late)
        self.last.append(seen)
        return seen

    @property
    def late(self) -> int:
        """How many of the last ten were late."""
        return sum(each.late for each in list(self.last)[-LAST:])

    @property
    def red(self) -> bool:
        """Whether readers miss something here."""
        return self.late >= RED_AT

    @property
    def p95_s(self) -> float | None:
        """How long all but one in twenty of the last hundred took; None while there are none."""
        took = sorted(each.after_s for each in self.last)
        return took[min(len(took) - 1, int(0.95 * len(took)))] if took else None


class Watches:
    """All sinks, and the publishes that the newsroom can ask about."""

    def __init__(self, sinks: Iterable[Sink]) -> None:
        self.sinks: Mapping[str, Sink] = {each.name: each for each in sinks}
        self._remembered: OrderedDict[tuple[str, int], tuple[Publish, dict[str, Seen]]] = OrderedDict()

    def watch(self, publishes: Iterable[Publish]) -> None:
        """Watch these at every sink."""
        for publish in publishes:
            if publish.key in self._remembered:
                continue
            self._remembered[publish.key] = (publish, {})
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
            for sink in self.sinks.values():
                sink.watch(publish)

    def note(self, sink: Sink, seen: Seen) -> None:
        """What a publish came to, for who asks."""
        if (remembered := self._remembered.get(seen.publish.key)) is not None:
            remembered[1][sink.name] = seen

    @property
    def idle(self) -> bool:
        """Whether nothing is watched."""
        return not any(sink.open for sink in self.sinks.values())

    def newest(self, update_id: str = "") -> Sequence[tuple[Publish, Mapping[str, Seen]]]:
        """The last publishes, newest first; those of one update where it is named."""
        found = reversed(self._remembered.values())
        return [each for each in found if not update_id or each[0].update_id == update_id]

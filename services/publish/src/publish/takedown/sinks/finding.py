"""What is looked for, and what a look finds."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from publish.archive.queries import Archived
from publish.representation.reader_update import ReaderUpdate
from shared.failures.transient import TRANSIENT, reason_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Killed:
    """A killed or taken-down update, and what readers knew it by."""

    archived: Archived
    removed_at: datetime
    """When the archive had its removal."""
    paths: Sequence[str] = ()
    """The paths of its own page, as far as a withheld revision still tells them: a takedown destroys them too."""
    was_public: bool = True
    """Whether readers ever saw it; of what they did not, nobody was told anything."""
    words: str = ""
    """Its last headline, for searches; empty where it is destroyed."""

    @property
    def update(self) -> ReaderUpdate:
        """The removal."""
        return self.archived.update

    @property
    def update_id(self) -> str:
        """The update's id."""
        return self.archived.update.update_id


@dataclass(frozen=True, slots=True)
class Finding:
    """One sink at one moment: clean where `detail` is empty."""

    sink: str
    detail: str
    checked_at: datetime

    @property
    def clean(self) -> bool:
        """Whether nothing of the update came out of it."""
        return not self.detail


Look = Callable[[], Awaitable[str]]
"""Why a sink is not clean; empty where it is. Raises what it cannot find out: unknown is never clean."""


async def find(sink: str, look: Look, update_id: str) -> Finding:
    """One sink now. What does not answer, or cannot be looked at, is not known to be clean."""
    try:
        detail = await look()
    except TRANSIENT as error:
        detail = f"does not answer: {reason_of(error)}"[:500]
    except Exception as error:
        # The other sinks are looked at all the same.
        log.exception("a sink cannot be looked at", sink=sink, update_id=update_id)
        detail = f"cannot be looked at: {reason_of(error)}"[:500]
    return Finding(sink, detail, datetime.now(UTC))


async def find_all(looks: Mapping[str, Look], update_id: str, only: Collection[str] | None = None) -> list[Finding]:
    """These sinks at this moment; `only` some of them."""
    wanted = [(sink, look) for sink, look in looks.items() if only is None or sink in only]
    return list(await asyncio.gather(*(find(sink, look, update_id) for sink, look in wanted)))


def listing(names: Iterable[str], most: int = 5) -> str:
    """A few names, and how many more there are."""
    all_names = list(names)
    more = len(all_names) - most
    return ", ".join(all_names[:most]) + (f" and {more} more" if more > 0 else "")

"""A revision on its way to the channels, and how a channel queues what follows from it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from publish.archive.queries import Archived
from publish.representation.reader_update import ReaderUpdate
from shared.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class Notice:
    """A revision that readers can have now, or cannot by the deadline."""

    archived: Archived
    readable: bool
    republished: bool = False
    """An operator had it made again: webhooks, feeds and alerts are not told."""

    traceparent: str = ""

    @property
    def update(self) -> ReaderUpdate:
        """The revision."""
        return self.archived.update

    @property
    def order_key(self) -> str:
        """Deliveries that share it keep their order."""
        return (self.update.story or self.update.update_id).replace("\x00", "")

    @property
    def enriched_at(self) -> datetime:
        """When it was made."""
        return self.update.passport.enriched_at or self.update.passport.received_at


QueueDeliveries = Callable[[Connection, Sequence[Notice]], Awaitable[None]]
"""Writes a channel's deliveries for some notices, inside the transaction that marks these as pushed."""

"""The streams on Kafka, each declared once: its topic, its messages, who sends and who receives, and its dead letters.

`python -m shared topics apply` creates the topics; a process never creates one. The AsyncAPI document is made of this
table, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.messages import (
    DeadLetter,
    DeadLettersClosed,
    EnrichedUpdate,
    MediaWanted,
    Message,
    Order,
    Outcomes,
    RawUpdate,
    Refresh,
    Release,
)

DAY_MS = 24 * 60 * 60 * 1000
MAX_MESSAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stream:
    """One topic and what it is for."""

    name: str
    """The topic's name, without the prefix of an installation."""
    partitions: int
    """Must not change while a keyed topic holds messages: a key would move to another partition."""
    retention_ms: int
    """-1 keeps for ever."""
    purpose: str
    messages: tuple[type[Message], ...] = ()
    """What it carries, the usual one first; empty where the messages are private to the service that reads its own."""
    senders: tuple[str, ...] = ()
    """The services that send to it."""
    receivers: tuple[str, ...] = ()
    """The services that consume it."""
    config: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def types(self) -> dict[str, type[Message]]:
        """The messages by their CloudEvents type."""
        return {message.ce_type: message for message in self.messages}

    @property
    def is_public(self) -> bool:
        """Whether others may read it, so that the AsyncAPI document describes it."""
        return bool(self.messages)

    @property
    def dead_letters(self) -> "Stream":
        """Where the consumers of this stream put what can never be handled. Whatever is consumed has one."""
        if not self.receivers:
            raise ValueError(f"nobody consumes {self.name}, so it has no dead letters")
        return Stream(
            name=f"{self.name}.dead",
            partitions=1,
            retention_ms=90 * DAY_MS,
            purpose=f"dead letters of {self.name}",
            messages=(DeadLetter, DeadLettersClosed),
            senders=self.receivers,
        )


RAW = Stream(
    "updates.raw", 12, 7 * DAY_MS, "versions as received, and what else concerns updates, keyed by source",
    messages=(RawUpdate, Order, Release, Refresh), senders=("ingest", "enrich"), receivers=("enrich",),
    # Several sources are merged by the time of receipt: that of one clock, Kafka's, and not of each sender.
    config={"message.timestamp.type": "LogAppendTime"},
)  # fmt: skip
ENRICHED = Stream(
    "updates.enriched", 1, 30 * DAY_MS, "revisions; its one partition is the total order of the newsroom",
    messages=(EnrichedUpdate,), senders=("enrich",), receivers=("publish",),
)  # fmt: skip
MEDIA = Stream(
    "media.wanted", 6, 7 * DAY_MS, "pictures to fetch, keyed by update id",
    messages=(MediaWanted,), senders=("enrich",), receivers=("enrich",),
)  # fmt: skip
PUSH_BATCHES = Stream(
    "push.batches", 6, 7 * DAY_MS, "batches of a push fan-out, keyed by alert",
    senders=("publish",), receivers=("publish",),
)  # fmt: skip
OUTCOMES = Stream(
    "updates.outcomes", 3, 2 * DAY_MS, "what became of items at each stage, for the sender who asks",
    messages=(Outcomes,), senders=("enrich", "publish"), receivers=("ingest",),
)  # fmt: skip

DECLARED = (RAW, ENRICHED, MEDIA, PUSH_BATCHES, OUTCOMES)
STREAMS: tuple[Stream, ...] = (*DECLARED, *(stream.dead_letters for stream in DECLARED if stream.receivers))
"""Every stream with its dead letters: what `topics apply` creates."""

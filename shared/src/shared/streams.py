"""The topics, as code. Created by `python -m shared topics apply`; a process never creates one."""

from dataclasses import dataclass, field

DAY_MS = 24 * 60 * 60 * 1000
RAW = "updates.raw"
ENRICHED = "updates.enriched"
MEDIA = "media.wanted"
ALERTS = "push.batches"
OUTCOMES = "updates.outcomes"


def dead(topic: str) -> str:
    """The dead-letter topic of the stages that read `topic`."""
    return f"{topic}.dead"


@dataclass(frozen=True)
class Topic:
    """One topic of Slugline. `retention_ms` of -1 keeps for ever."""

    name: str
    partitions: int
    retention_ms: int
    purpose: str
    config: dict[str, str] = field(default_factory=dict)


TOPICS: tuple[Topic, ...] = (
    Topic(RAW, 12, 7 * DAY_MS, "versions as received, keyed by update id"),
    Topic(ENRICHED, 1, 30 * DAY_MS, "revisions; its one partition is the total order of the newsroom"),
    Topic(MEDIA, 6, 7 * DAY_MS, "pictures to fetch, keyed by update id"),
    Topic(ALERTS, 6, 7 * DAY_MS, "batches of a push fan-out, keyed by alert"),
    Topic(OUTCOMES, 3, 2 * DAY_MS, "what became of items at each stage, for the sender who asks"),
    Topic(dead(RAW), 1, 90 * DAY_MS, "dead letters of enrich text"),
    Topic(dead(ENRICHED), 1, 90 * DAY_MS, "dead letters of the publish channels"),
    Topic(dead(MEDIA), 1, 90 * DAY_MS, "dead letters of enrich media"),
    Topic(dead(ALERTS), 1, 90 * DAY_MS, "dead letters of publish push"),
)
"""Partitions of a keyed topic must not change while it holds messages: the key would move to another partition."""

MAX_MESSAGE_BYTES = 4 * 1024 * 1024

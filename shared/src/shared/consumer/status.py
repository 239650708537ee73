"""What a consumer answers to the probes: whether it is ready and live, and what its part is among the replicas."""

from dataclasses import dataclass

LONGEST_BATCH_S = 240.0
"""A batch that runs for longer awaits what never comes: no call that a handler makes may take so long."""


@dataclass(frozen=True, slots=True)
class Status:
    """A consumer at this moment."""

    partitions: int | None
    """How many it has; None until the group has assigned any."""
    paused_by: str | None = None
    halted: bool = False
    oldest_batch_s: float | None = None
    """For how long the oldest batch has been running, since the last pause; None if there is none."""
    polling: bool = True
    """Whether FastStream's loop takes records."""
    producer_failed: bool = False


def is_stuck(status: Status, longest_batch_s: float) -> bool:
    """Whether a batch runs that will not end: only a new process helps, which finds the message at fault."""
    return status.oldest_batch_s is not None and status.oldest_batch_s > longest_batch_s


def why_not_ready(status: Status) -> str | None:
    """Why no work is done now; None if all is well."""
    if status.halted:
        return "the dead-letter ceiling was reached; see the dead letters, then restart"
    if status.paused_by is not None:
        return f"paused by {status.paused_by}"
    if status.partitions is None:
        return "no partitions assigned yet"
    return _why_not_polling(status)


def why_not_live(status: Status, longest_batch_s: float = LONGEST_BATCH_S) -> str | None:
    """Why only a restart helps; None if all is well."""
    if status.producer_failed:
        return "the Kafka producer has failed for good"
    if is_stuck(status, longest_batch_s):
        return f"one batch has been running for {longest_batch_s:g} s"
    return _why_not_polling(status)


def role(status: Status) -> str:
    """What this replica has of the topic."""
    if status.partitions is None:
        return "joining"
    return (
        f"active, {status.partitions} partitions" if status.partitions else "standing by: others have every partition"
    )


def _why_not_polling(status: Status) -> str | None:
    return None if status.polling else "records are no longer polled: the consume loop has ended"

"""Records of `updates.enriched`: which raw record each was made from, and which of them count."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from aiokafka import ConsumerRecord

from shared.kafka.producer import PARTITIONER
from shared.streams import RAW

CAUSE = "ce_cause"
WRITER = "ce_writer"
_READ = frozenset({"ce_id", CAUSE, WRITER})
_RAW_PARTITIONS = list(range(RAW.partitions))


@dataclass(frozen=True, slots=True, order=True)
class Cause:
    """The record of `updates.raw` that a revision was made from."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class PublishedRecord:
    """One record of the log."""

    update_id: str
    revision: int
    offset: int
    cause: Cause | None
    """None of a record of a release that did not say it, or whose raw record is of a topic that is gone."""
    writer: str
    """The id of who wrote it; empty of a record of a release that did not say it."""
    partition: int
    """The partition of `updates.raw` whose owner answers for it."""
    value: bytes


def headers_of(cause: Cause, writer: str) -> list[tuple[str, bytes]]:
    """What a revision says of its making."""
    return [(CAUSE, str(cause).encode()), (WRITER, writer.encode())]


def read_cause(text: str) -> Cause | None:
    """The cause as a header gives it; None where it gives none."""
    partition, _, offset = text.partition(":")
    if not (partition.isdecimal() and offset.isdecimal() and text.isascii() and len(text) <= 40):
        return None
    return Cause(int(partition), int(offset))


def published_record(record: "ConsumerRecord[bytes, bytes]") -> PublishedRecord | None:
    """What a record's headers say; None of one that is no revision of ours."""
    said = {name: value for name, value in record.headers if name in _READ}
    update_id, _, number = _text(said.get("ce_id")).rpartition(":")
    if not (update_id and number.isascii() and number.isdecimal() and len(number) <= 10):
        return None
    cause = read_cause(_text(said.get(CAUSE)))
    partition = cause.partition if cause else _partition_of(update_id, record.value or b"")
    return PublishedRecord(
        update_id, int(number), record.offset, cause, _text(said.get(WRITER)), partition, record.value or b""
    )


def _partition_of(update_id: str, value: bytes) -> int:
    """The partition of a record that says no cause: that of its source, whose owner answers for all that comes from now on."""
    try:
        source = orjson.loads(value).get("source")
    except (ValueError, AttributeError):
        source = None
    key = source if isinstance(source, str) and source else update_id
    return int(PARTITIONER(key.encode("utf-8", "replace"), _RAW_PARTITIONS, _RAW_PARTITIONS))


def _text(value: bytes | None) -> str:
    return bytes(value or b"").decode("utf-8", "replace")


def counting(records: Iterable[PublishedRecord], newest: dict[str, int]) -> list[PublishedRecord]:
    """The records that count for readers: each whose number is higher than all before it of its update.

    `newest` holds the highest number of each update so far, and is moved on.
    """
    kept = []
    for record in records:
        if record.revision > newest.get(record.update_id, 0):
            newest[record.update_id] = record.revision
            kept.append(record)
    return kept

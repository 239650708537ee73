"""Tells of the updates that have passed a stage: a span for each that is sampled, and at log level `debug` a line for each."""

import logging
import time

import structlog

from shared.consumer.batches.in_flight import Records
from shared.consumer.decode import header_of, update_id_of
from shared.observability.traces import passage, record, spans_are_recorded, trace_id_of

log = structlog.get_logger(__name__)


def lines_are_wanted() -> bool:
    """Whether a line is to be printed for each update. It takes longer to find out than to handle a message in a batch."""
    return bool(log.is_enabled_for(logging.DEBUG))


def tell(stage: str, records: Records, started_at: float, *, lines: bool) -> None:
    """Tell of a batch whose effects are done, which started at that reading of the monotonic clock."""
    spans = spans_are_recorded()
    if not (lines or spans):
        return
    ended_ns = time.time_ns()
    began_ns = ended_ns - int((time.monotonic() - started_at) * 1e9)
    for each in records:
        traceparent = header_of(each, "traceparent")
        if lines:
            log.debug(
                "handled", stage=stage, update_id=update_id_of(each), trace_id=trace_id_of(traceparent),
                topic=each.topic, partition=each.partition, offset=each.offset,
            )  # fmt: skip
        if spans and (passed := passage(traceparent, began_ns)) is not None:
            attributes = {
                "slugline.update_id": update_id_of(each),
                "messaging.system": "kafka",
                "messaging.destination.name": each.topic,
                "messaging.destination.partition.id": str(each.partition),
                "messaging.kafka.offset": each.offset,
                "messaging.batch.message_count": len(records),
            }
            record(passed, stage, attributes, ended_ns=ended_ns)

"""Traces: a span for each sampled update of a batch, in the trace that it came with, and nothing for any other."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiokafka import ConsumerRecord
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.openmetrics.exposition import generate_latest
from structlog.testing import capture_logs

from shared.consumer.batches.passages import tell
from shared.consumer.decode import update_id_of
from shared.observability import traces
from shared.observability.traces import exemplar_of, is_sampled, trace_id_of
from support.in_memory import record_of

UPDATE, TRACE, SPAN = "a" * 26, "1" * 32, "2" * 16
SAMPLED, UNSAMPLED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What is recorded, while this test runs."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(traces, "TRACER", provider.get_tracer("tests"))
    yield kept
    provider.shutdown()


def record(traceparent: str, offset: int = 7) -> "ConsumerRecord[bytes, bytes]":
    """A record of `updates.raw` with a trace context."""
    plain = record_of(b"{}", offset=offset, key=b"wire", ce_id=f"{UPDATE}:3")
    return replace(plain, headers=[*plain.headers, ("traceparent", traceparent.encode())])


def test_a_batch_is_a_span_for_each_sampled_update(spans: InMemorySpanExporter) -> None:
    """As long as the batch took, below what the update came with; the others cost nothing and leave nothing."""
    tell("enrich.text", [record(SAMPLED), record(UNSAMPLED), record("nonsense")], time.monotonic() - 2, lines=False)
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, SPAN)
    assert span.name == "enrich.text"
    assert span.attributes is not None
    assert span.attributes["slugline.update_id"] == UPDATE
    assert span.attributes["messaging.batch.message_count"] == 3
    assert span.start_time is not None
    assert span.end_time is not None
    assert 2.0 <= (span.end_time - span.start_time) / 1e9 < 30


def test_without_a_collector_nothing_is_recorded() -> None:
    """Nor is a line printed, unless the level asks for it."""
    with capture_logs() as lines:
        tell("enrich.text", [record(SAMPLED)], time.monotonic(), lines=False)
    assert lines == []
    with capture_logs() as lines:
        tell("enrich.text", [record(SAMPLED)], time.monotonic(), lines=True)
    assert [(line["update_id"], line["trace_id"], line["stage"]) for line in lines] == [(UPDATE, TRACE, "enrich.text")]
    assert traces.passage(SAMPLED) is None


def test_contexts_of_anybody_are_read_as_they_are_meant() -> None:
    """A context that is none is neither sampled nor a trace."""
    assert is_sampled(SAMPLED)
    assert is_sampled(SAMPLED[:-1] + "3")
    assert trace_id_of(UNSAMPLED) == TRACE
    for other in (UNSAMPLED, "", "01", "x" * 55, SAMPLED + "-00", SAMPLED[:-1] + "x"):
        assert not is_sampled(other)
    for other in ("", "x" * 55, SAMPLED[:-1]):
        assert trace_id_of(other) == ""
    assert update_id_of(record_of(b"", key=UPDATE.encode())) == UPDATE
    assert update_id_of(record_of(b"", key=b"\xff", ce_id="order:1")) == ""


def test_an_observation_of_a_sampled_update_leads_to_its_trace() -> None:
    """In OpenMetrics, beside the bucket that it fell into."""
    registry = CollectorRegistry()
    seconds = Histogram("latency_seconds", "Latency", buckets=(1.0,), registry=registry)
    seconds.observe(0.5, exemplar_of(UNSAMPLED))
    assert b"trace_id" not in generate_latest(registry)
    seconds.observe(0.5, exemplar_of(SAMPLED))
    assert f'# {{trace_id="{TRACE}"}} 0.5'.encode() in generate_latest(registry)

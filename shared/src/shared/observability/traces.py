"""Traces: the context that travels with an update, and the spans of the stages that it passes.

A stage handles updates in batches, and each of them belongs to a trace of its own: so a stage's span is recorded afterwards, for
those updates alone that are sampled. Nothing is done for the others but to look at the last two characters of their context.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.settings import Connections

PROPAGATOR = TraceContextTextMapPropagator()
TRACER = trace.get_tracer("slugline")


def configure_tracing(settings: Connections, service: str) -> None:
    """Send spans to the collector at `otlp_endpoint`. Without one, contexts are passed on and nothing is recorded."""
    if not settings.otlp_endpoint:
        return
    provider = TracerProvider(
        resource=Resource.create({"service.name": service}),
        sampler=ParentBased(TraceIdRatioBased(settings.otlp_sample)),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint}/v1/traces")))
    trace.set_tracer_provider(provider)


def spans_are_recorded() -> bool:
    """Whether spans go to a collector."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def traceparent_now() -> str:
    """The W3C traceparent of the running span, or a fresh unsampled one, so that logs of all stages can be joined."""
    carrier: dict[str, str] = {}
    if trace.get_current_span() is not trace.INVALID_SPAN:
        PROPAGATOR.inject(carrier)
    if traceparent := carrier.get("traceparent"):
        return traceparent
    fresh = secrets.token_hex(24)
    return f"00-{fresh[:32]}-{fresh[32:]}-00"


def trace_id_of(traceparent: str) -> str:
    """The trace's id, 32 hex characters, for logs; empty where the context is none."""
    return traceparent[3:35] if len(traceparent) == 55 and traceparent.startswith("00-") else ""


def is_sampled(traceparent: str) -> bool:
    """Whether whoever began the trace has it recorded: W3C Trace Context, section 3.2.2.5, the flag `sampled`."""
    return len(traceparent) == 55 and traceparent[54] in "13579bdfBDF"


@dataclass(frozen=True, slots=True)
class Passage:
    """An update in one stage, from a moment on, in ns of the Unix epoch."""

    traceparent: str
    began_ns: int


def passage(traceparent: str, began_ns: int | None = None) -> Passage | None:
    """The passage of a sampled update that begins now, or began then; None where nothing is to be recorded."""
    if not is_sampled(traceparent) or not spans_are_recorded():
        return None
    return Passage(traceparent, began_ns if began_ns is not None else time.time_ns())


def exemplar_of(traceparent: str) -> dict[str, str] | None:
    """What links an observation of a histogram to the trace of a sampled update; None for any other."""
    return {"trace_id": trace_id_of(traceparent)} if is_sampled(traceparent) else None


def record(
    passed: Passage,
    name: str,
    attributes: Mapping[str, str | int],
    *,
    kind: SpanKind = SpanKind.CONSUMER,
    ended_ns: int | None = None,
) -> None:
    """Record the span of a passage that has ended now, or ended then, as a child of what the update came with."""
    context = PROPAGATOR.extract({"traceparent": passed.traceparent})
    span = TRACER.start_span(name, context, kind, attributes=attributes, start_time=passed.began_ns)
    span.end(ended_ns)

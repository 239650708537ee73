"""Traces, and passing the trace context on."""

import secrets

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.settings import Connections

PROPAGATOR = TraceContextTextMapPropagator()


def configure_tracing(settings: Connections, service: str) -> None:
    """Send spans to the collector at `otlp_endpoint`. Without one, contexts are passed on and nothing is recorded."""
    if not settings.otlp_endpoint:
        return
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
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

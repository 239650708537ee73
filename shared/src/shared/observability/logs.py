"""Structured logs, traces and the passing on of the trace context."""

import logging
import secrets
import sys
import time
from collections.abc import Callable

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.observability.repeats import Folding, Repeats
from shared.settings import Connections

PROPAGATOR = TraceContextTextMapPropagator()


def configure_logging(settings: Connections, service: str, *, clock: Callable[[], float] = time.monotonic) -> Folding:
    """One JSON object a line on standard error; libraries' own logs come out the same way.

    What is returned holds back the lines that an outage repeats; let its `keep_printing` run.
    """
    folding = Folding(Repeats(), clock)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared_processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    final: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if settings.log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[folding, *shared_processors, *final],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared_processors, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    handler.addFilter(folding.filter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.INFO))
    for noisy in ("uvicorn.access", "httpx", "aiokafka.consumer.group_coordinator", "aiokafka.consumer.fetcher"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns of each request that it cannot parse, which anybody may send by the thousand.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    structlog.contextvars.bind_contextvars(service=service)
    return folding


def configure_tracing(settings: Connections, service: str) -> None:
    """Spans go to the collector of `otlp_endpoint`; without one, contexts are passed on and nothing is recorded."""
    if not settings.otlp_endpoint:
        return
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint}/v1/traces")))
    trace.set_tracer_provider(provider)


def spans_are_kept() -> bool:
    """Whether there is a collector for them."""
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

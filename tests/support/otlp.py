"""An OTLP receiver: keeps the spans that processes send it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """A span as it was sent."""

    name: str
    service: str
    trace_id: str
    attributes: dict[str, str]


@dataclass
class Collector:
    """What came so far."""

    url: str
    spans: list[Span] = field(default_factory=list)

    def names(self, trace_id: str) -> set[str]:
        """The spans of one trace."""
        return {span.name for span in self.spans if span.trace_id == trace_id}


@contextmanager
def collector() -> Iterator[Collector]:
    """A receiver on a free port, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in message.resource_spans:
                service = next(
                    each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
                )
                found.spans += [
                    Span(
                        span.name,
                        service,
                        span.trace_id.hex(),
                        {each.key: each.value.string_value for each in span.attributes},
                    )
                    for scope in resource.scope_spans
                    for span in scope.spans
                ]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Structured logs."""

import logging
import sys
import time
from collections.abc import Callable

import structlog
from structlog.typing import EventDict

from shared.observability.log_folding import LogFolding, RecentLines
from shared.observability.secrets import SecretMask, secrets_of
from shared.settings import Connections
from shared.terminal import on_one_line


def _on_one_line(_: object, __: str, event: EventDict) -> EventDict:
    """What others said begins no line that looks like one of ours; JSON does the same by itself."""
    return {name: on_one_line(value) if isinstance(value, str) else value for name, value in event.items()}


def configure_logging(
    settings: Connections, service: str, *, clock: Callable[[], float] = time.monotonic
) -> LogFolding:
    """Log one JSON object a line to standard error; libraries log in the same form.

    The folding that is returned holds back repeated lines; run its `keep_printing`.
    """
    folding = LogFolding(RecentLines(), clock)
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
        else [
            _on_one_line,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )
    mask = SecretMask(secrets_of(settings))

    def masked(_: object, __: str, line: str | bytes | EventDict) -> str:
        return mask(str(line))

    final.append(masked)
    structlog.configure(
        processors=[folding, *shared_processors, *final],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared_processors, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    handler.addFilter(folding.filter)
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler], force=True)
    for noisy in ("uvicorn.access", "httpx", "aiokafka.consumer.group_coordinator", "aiokafka.consumer.fetcher"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns of each request that it cannot parse, and anybody may send thousands.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    structlog.contextvars.bind_contextvars(service=service)
    return folding

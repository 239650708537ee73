"""Finds the message that makes a batch fail, when the reason is not the infrastructure."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from shared.consumer.decode import Incoming, Rejection
from shared.failures import Invalid, Permanent
from shared.failures.transient import is_transient
from shared.messages import Message

log = structlog.get_logger(__name__)

BUG_ATTEMPTS = 3
BUG_PAUSE_S = 0.1

M = TypeVar("M", bound=Message)
Handle = Callable[[Sequence[Incoming[M]]], Awaitable[Sequence[Rejection]]]
"""Does all effects of the messages, in their order, awaits every acknowledgement, and returns what can never be done."""


async def handle_isolating(handle: Handle[M], incoming: Sequence[Incoming[M]], stage: str) -> list[Rejection]:
    """Handle a batch; if it fails, handle its messages one by one. A transient failure is raised."""
    try:
        return list(await handle(incoming))
    except Exception as failure:
        if is_transient(failure):
            raise
        if len(incoming) > 1:
            return [rejection for each in incoming for rejection in await handle_isolating(handle, [each], stage)]
        if isinstance(failure, Invalid | Permanent):
            return [Rejection(incoming[0].record, failure)]
        return await _handle_again(handle, incoming[0], failure, stage)


async def _handle_again(handle: Handle[M], message: Incoming[M], failure: Exception, stage: str) -> list[Rejection]:
    """A bug on one message may be of the moment: try twice more, then set the message aside so that the rest goes on."""
    for attempt in range(1, BUG_ATTEMPTS):
        await asyncio.sleep(BUG_PAUSE_S * attempt)
        try:
            return list(await handle([message]))
        except Exception as again:
            if is_transient(again):
                raise
            failure = again
    log.error(
        "bug on one message; it is set aside",
        stage=stage, partition=message.record.partition, offset=message.record.offset, exc_info=failure,
    )  # fmt: skip
    return [Rejection(message.record, Permanent(f"{type(failure).__name__}: {failure}"))]

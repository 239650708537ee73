"""What a desk orders about an update, whoever's it is: emitted on `updates.raw`, to meet the update's versions in order."""

import asyncio
import uuid
from datetime import UTC, datetime
from functools import partial
from typing import Literal

import asyncpg
import structlog
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ingest.formats.html.flatten import flat
from ingest.intake import emit
from ingest.intake.deadline import Deadline, OutcomeUnknown, Unavailable
from shared.messages import Order, OrderName
from shared.messages.limits import LONGEST
from shared.observability.logs import traceparent_now
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

RECORD_TIMEOUT_S = 0.5

REASONED: tuple[OrderName, ...] = ("kill", "takedown", "withdraw", "correct")
"""What is not done without a reason: readers of a correction see it, the report of a removal keeps it."""

MAX_TEXT = 500_000

INLINE_CHARACTERS = 20_000
"""A longer text is looked at in a thread."""


class OrderRequest(BaseModel):
    """An order as a desk writes it."""

    model_config = ConfigDict(extra="forbid")

    order: OrderName
    by: str = Field(default="", max_length=200, description="The person who orders it; the source's name when empty")
    reason: str = Field(
        default="",
        max_length=LONGEST["correction_reason"],
        description="Shown to readers of a correction, kept of a removal",
    )
    headline: str | None = Field(
        default=None, max_length=LONGEST["headline"], description="A correction's new headline"
    )
    body_html: str | None = Field(default=None, max_length=MAX_TEXT, description="A correction's new body")

    @field_validator("by", "reason", "headline", "body_html")
    @classmethod
    def _can_be_kept(cls, value: str | None) -> str | None:
        if value is not None and "\x00" in value:
            raise ValueError("NUL cannot be kept")
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> "OrderRequest":
        if self.order in REASONED and not self.reason.strip():
            raise ValueError(f"{self.order} needs a reason")
        if self.order == "correct" and self.headline is None and self.body_html is None:
            raise ValueError("correct needs a headline or a body_html")
        if self.order != "correct" and not (self.headline is None and self.body_html is None):
            raise ValueError(f"{self.order} takes no headline and no body_html")
        return self


class OrderReceipt(BaseModel):
    """Kafka has the order."""

    order_id: str
    update_id: str
    order: OrderName
    status: Literal["accepted"] = "accepted"
    ordered_at: datetime


async def give(
    queue: emit.SendQueue | None,
    update_id: str,
    request: OrderRequest,
    *,
    by: str,
    timeout_s: float,
    pool: Pool | None = None,
    traceparent: str = "",
) -> OrderReceipt:
    """Emit an order and wait for Kafka; raises `Unavailable` if it does not answer, `OutcomeUnknown` if it may have the order.

    The order is recorded in Postgres for whoever asks about the update. A kill must not wait for that: it counts once Kafka has it.
    """
    order = Order(
        update_id=update_id,
        order=request.order,
        by=request.by or by,
        ordered_at=datetime.now(UTC),
        reason=request.reason,
        headline=request.headline,
        body_html=None if request.body_html is None else (await _flat(request.body_html)),
    )
    order_id = uuid.uuid4().hex
    message = emit.encoded(order, update_id, f"order:{order_id}", traceparent or traceparent_now())
    [sent] = await emit.emit(queue, [message], timeout_s)
    if sent.fate == "maybe-taken":
        if queue is not None and pool is not None:
            queue.when_acknowledged(sent, partial(_record, pool, order_id, order))
        raise OutcomeUnknown(
            f"Kafka has not acknowledged the order in time and may have it; GET /v1/items/{update_id} tells which orders were "
            "given, and giving it again is harmless"
        )
    if sent.fate == "not-taken":
        raise Unavailable("Kafka does not answer; the order was not given")
    if pool is not None:
        await _record(pool, order_id, order)
    return OrderReceipt(order_id=order_id, update_id=update_id, order=request.order, ordered_at=order.ordered_at)


async def _flat(body_html: str) -> str:
    """A correction's text, within the limits of markup that hold for every text."""
    if len(body_html) <= INLINE_CHARACTERS:
        return flat(body_html).html
    return (await asyncio.to_thread(flat, body_html)).html


async def _record(pool: Pool, order_id: str, order: Order) -> None:
    try:
        await Deadline(RECORD_TIMEOUT_S).within(
            pool.execute(
                "INSERT INTO ingest.orders (id, update_id, name, by, reason, ordered_at) VALUES ($1, $2, $3, $4, $5, $6)",
                order_id,
                order.update_id,
                order.order,
                order.by,
                order.reason,
                order.ordered_at,
            )
        )
    except (Unavailable, asyncpg.PostgresError) as error:
        # Whatever Postgres objects to: Kafka has the order.
        log.warning("order given and not recorded", update_id=order.update_id, order=order.order, reason=str(error))


class OrderGiven(BaseModel):
    """An order, as the answer to a question about its update lists it."""

    order: OrderName
    by: str
    reason: str
    ordered_at: datetime


async def given(pool: Pool, update_id: str, limit: int = 50) -> list[OrderGiven]:
    """The orders about an update, newest first."""
    rows = await pool.fetch(
        "SELECT name, by, reason, ordered_at FROM ingest.orders WHERE update_id = $1 ORDER BY ordered_at DESC LIMIT $2",
        update_id,
        limit,
    )
    return [
        OrderGiven.model_construct(order=row["name"], by=row["by"], reason=row["reason"], ordered_at=row["ordered_at"])
        for row in rows
    ]

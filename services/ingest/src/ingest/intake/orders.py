"""A desk's orders about updates, emitted on `updates.raw` so that they are handled in order with the update's versions."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Literal

import asyncpg
import structlog
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ingest.formats.html.flatten import flat
from ingest.intake import emit
from ingest.intake.deadline import Deadline, OutcomeUnknown, Unavailable
from shared.audit.author import Author
from shared.audit.log import append
from shared.crash_points import reached
from shared.messages import Order, OrderName, Power, Signature
from shared.messages.limits import LONGEST
from shared.observability.traces import traceparent_now
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

RECORD_TIMEOUT_S = 0.5

REASONED: tuple[OrderName, ...] = ("kill", "takedown", "withdraw", "correct")
"""Orders that need a reason: readers of a correction see it, the report of a removal keeps it."""

REMOVALS: frozenset[OrderName] = frozenset(("kill", "takedown", "withdraw", "expire"))
"""Orders that take an update out of sight, which wait for nothing."""
OF_DESKS: tuple[OrderName, ...] = ("accept-source", "keep-correction", "hold", "release", "spike")
"""Orders that only a desk gives: a source does not release its own copy."""

NEEDS: Mapping[OrderName, Power] = {
    "kill": "kill", "takedown": "kill", "pin": "pin", "unpin": "pin", "key-event": "key_event", "close": "story",
}  # fmt: skip
"""By order, the power that a source needs to give it about its own updates."""

MADE_OF_REVISIONS: tuple[OrderName, ...] = ("correct", "accept-source", "keep-correction")
"""Orders that may name the revision that the desk had before it."""

MAX_BODY_CHARACTERS = 500_000

INLINE_CHARACTERS = 20_000
"""A longer text is flattened in a thread."""


class OrderRequest(BaseModel):
    """An order as a desk sends it."""

    model_config = ConfigDict(extra="forbid")

    order: OrderName
    by: str = Field(
        default="",
        max_length=200,
        description="The person who orders it, of a desk's key that is not a person's own; the key's holder when empty",
    )
    reason: str = Field(
        default="",
        max_length=LONGEST["correction_reason"],
        description="Shown to readers of a correction, kept of a removal",
    )
    headline: str | None = Field(
        default=None, max_length=LONGEST["headline"], description="A correction's new headline"
    )
    body_html: str | None = Field(default=None, max_length=MAX_BODY_CHARACTERS, description="A correction's new body")
    revision: int | None = Field(
        default=None,
        ge=1,
        le=2**31 - 1,
        description="The revision that a correction was made from, or whose words are accepted or kept; the newest when left out",
    )

    @field_validator("by", "reason", "headline", "body_html")
    @classmethod
    def _has_no_nul(cls, value: str | None) -> str | None:
        if value is not None and "\x00" in value:
            raise ValueError("NUL cannot be stored")
        return value

    @model_validator(mode="after")
    def _is_complete(self) -> "OrderRequest":
        if self.order in REASONED and not self.reason.strip():
            raise ValueError(f"{self.order} needs a reason")
        if self.order == "correct" and self.headline is None and self.body_html is None:
            raise ValueError("correct needs a headline or a body_html")
        if self.order != "correct" and not (self.headline is None and self.body_html is None):
            raise ValueError(f"{self.order} takes no headline and no body_html")
        if self.order not in MADE_OF_REVISIONS and self.revision is not None:
            raise ValueError(f"{self.order} takes no revision")
        return self


class OrderReceipt(BaseModel):
    """Kafka has the order."""

    order_id: str
    update_id: str
    order: OrderName
    status: Literal["accepted"] = "accepted"
    ordered_at: datetime


async def send(
    queue: emit.SendQueue | None,
    update_id: str,
    request: OrderRequest,
    *,
    signed_by: Signature,
    ordered_at: datetime,
    timeout_s: float,
    pool: Pool | None = None,
    source: str | None = None,
    traceparent: str = "",
    author: Author | None = None,
) -> OrderReceipt:
    """Emit an order and wait for Kafka; raises `Unavailable` where it does not answer, and `OutcomeUnknown` where it may have the order.

    `ordered_at` is of the newsroom's clock (`shared.postgres.clock`). `source` is that of the update: with it the order stands behind the versions that were sent before. Where it is not known
    enrich forwards the order, so that it comes a little later.
    The order is also recorded in Postgres, for whoever asks about the update, and under `author` in the audit log. A kill does not depend on that: it counts once
    Kafka has it.
    """
    order = Order(
        update_id=update_id,
        order=request.order,
        by=signed_by.person or signed_by.holder,
        signed_by=signed_by,
        ordered_at=ordered_at,
        reason=request.reason,
        headline=request.headline,
        body_html=None if request.body_html is None else (await _flattened(request.body_html)),
        revision=request.revision,
    )
    order_id = uuid.uuid4().hex
    message = emit.encoded(order, source or update_id, f"order:{order_id}", traceparent or traceparent_now())
    [sent] = await emit.emit(queue, [message], timeout_s)
    reached("ingest.order-emitted")
    if sent.status == "unknown":
        if queue is not None and pool is not None:
            queue.when_acknowledged(sent, partial(_record, pool, order_id, order, author))
        raise OutcomeUnknown(
            f"Kafka has not acknowledged the order in time and may have it; GET /v1/items/{update_id} tells which orders were "
            "given, and giving it again is harmless"
        )
    if sent.status == "not-sent":
        raise Unavailable("Kafka does not answer; the order was not given")
    if pool is not None:
        await _record(pool, order_id, order, author)
    reached("ingest.order-recorded")
    return OrderReceipt(order_id=order_id, update_id=update_id, order=request.order, ordered_at=order.ordered_at)


async def _flattened(body_html: str) -> str:
    """A correction's text within the limits of markup, like any other."""
    if len(body_html) <= INLINE_CHARACTERS:
        return flat(body_html).html
    return (await asyncio.to_thread(flat, body_html)).html


async def _record(pool: Pool, order_id: str, order: Order, author: Author | None) -> None:
    try:
        await Deadline(RECORD_TIMEOUT_S).run(_write(pool, order_id, order, author))
    except (Unavailable, asyncpg.PostgresError) as error:
        # The order is given, whatever Postgres objects to.
        log.warning("order given and not recorded", update_id=order.update_id, order=order.order, reason=str(error))


async def _write(pool: Pool, order_id: str, order: Order, author: Author | None) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO ingest.orders (id, update_id, name, by, reason, ordered_at, key_id, holder, person) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            order_id,
            order.update_id,
            order.order,
            order.by,
            order.reason,
            order.ordered_at,
            *(
                (order.signed_by.key_id, order.signed_by.holder, order.signed_by.person)
                if order.signed_by
                else ("", "", "")
            ),
        )
        if author is not None:
            # What a correction says is in the revision that it makes.
            given = order.model_dump(
                mode="json", exclude_defaults=True, exclude={"body_html", "update_id", "reason", "signed_by"}
            )
            words = {} if order.body_html is None else {"body_html": order.body_html.encode()}
            # Whom a desk's key without a person names has signed, too.
            person = author.actor.person or (order.signed_by.person if order.signed_by else "")
            signed = replace(author, actor=replace(author.actor, person=person), reason=order.reason)
            entry = signed.entry(
                f"order-{order.order}", order.update_id, None, {"order_id": order_id, **given, **words}
            )
            await append(connection, entry)


class OrderGiven(BaseModel):
    """An order as it is shown to whoever asks about the update."""

    order: OrderName
    by: str
    holder: str
    """Whose key signed it; empty of orders before signatures."""
    reason: str
    ordered_at: datetime


async def orders_of(pool: Pool, update_id: str, limit: int = 50) -> list[OrderGiven]:
    """The orders that were given about an update, the newest first."""
    rows = await pool.fetch(
        "SELECT name, by, holder, reason, ordered_at FROM ingest.orders WHERE update_id = $1 ORDER BY ordered_at DESC LIMIT $2",
        update_id,
        limit,
    )
    return [
        OrderGiven.model_construct(
            order=row["name"], by=row["by"], holder=row["holder"], reason=row["reason"], ordered_at=row["ordered_at"]
        )
        for row in rows
    ]

"""What waits for a desk: what there is, and the orders that end it."""

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from enrich.text.domain.corrections.published import headline_and_body, with_conflicts
from enrich.text.domain.holding.why import if_released
from enrich.text.domain.state import State
from enrich.text.state_store import Fetching
from shared.audit.author import Author
from shared.audit.entry import Entry
from shared.kafka.producer import Producer, acknowledged
from shared.messages import Order, Signature
from shared.messages.limits import LONGEST
from shared.postgres.pool import Row
from shared.streams import RAW

HeldOrder = Literal["release", "spike", "hold"]
HeldKind = Literal["advisory", "policy", "never", "sent", "order", "spiked"]
LISTED_KINDS: tuple[HeldKind, ...] = ("advisory", "policy", "sent", "order")
"""What a desk has to decide about: not what it decided against, nor what may never be published."""
MOST_LISTED = 1000


class HeldUpdate(BaseModel):
    """An update of which a version waits for a desk."""

    update_id: str
    source: str
    guid: str
    version: str | None
    kind: HeldKind
    because: str = Field(description="Why it is held")
    since: datetime | None = Field(description="Since when a version of it waits; null once it is spiked")
    received_at: datetime
    is_out: bool = Field(description="Readers have an earlier version of it")
    embargo_until: datetime | None = Field(description="A release before it waits for it")
    expires_at: datetime | None
    headline: str = Field(description="As it would be published now, with what a desk corrected")
    fingerprint: str = Field(description="Of the version that waits; a decision that names it is about no other")


class HeldTexts(HeldUpdate):
    """The same with all that a desk needs to decide."""

    summary: str
    body_html: str = Field(description="As it would be published now, before it is made safe")
    source_headline: str
    source_body_html: str
    byline: str
    private_note: str
    editors_note: str
    conflicts: int = Field(description="Where a desk's correction and the newest version do not go together")


class HeldDecision(BaseModel):
    """What a desk decides."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field(default="", max_length=200, description="Who decides; of a person's own key it is that person")
    reason: str = Field(default="", max_length=LONGEST["correction_reason"], description="Kept with the order")

    fingerprint: str = Field(
        default="",
        max_length=64,
        description="Of the version that was looked at: if another one waits by then, nothing is done. What waits when left out",
    )

    @field_validator("by", "reason", "fingerprint")
    @classmethod
    def _has_no_nul(cls, value: str) -> str:
        if "\x00" in value:
            raise ValueError("NUL cannot be stored")
        return value


class HeldOrdered(BaseModel):
    """Kafka has the order; what becomes of it is in the update's outcomes."""

    update_id: str
    order: HeldOrder
    ordered_at: datetime


async def held_updates(postgres: Fetching, limit: int, kinds: tuple[HeldKind, ...] = LISTED_KINDS) -> list[HeldUpdate]:
    """What is held, the oldest first."""
    rows = await postgres.fetch(
        "SELECT state FROM enrich.updates WHERE hold_kind <> '' AND hold_kind = ANY($2::text[]) "
        "ORDER BY hold_since, update_id LIMIT $1",
        limit,
        list(kinds),
    )
    return [HeldUpdate(**_members(_state(row))) for row in rows]


async def held_update(postgres: Fetching, update_id: str) -> HeldTexts | None:
    """What is held of an update; None where nothing is."""
    rows = await postgres.fetch("SELECT state FROM enrich.updates WHERE update_id = $1", update_id)
    state = _state(rows[0]) if rows else None
    if state is None or state.held is None or state.hold is None:
        return None
    raw, released = state.held.raw, if_released(state)
    return HeldTexts(
        **_members(state),
        summary=raw.summary,
        body_html=headline_and_body(released)[1],
        source_headline=raw.headline,
        source_body_html=raw.body_html,
        byline=raw.byline,
        private_note=raw.private_note,
        editors_note=raw.editors_note,
        conflicts=len(with_conflicts(released).conflicts),
    )


async def order(
    producer: Producer,
    update_id: str,
    name: HeldOrder,
    wanted: HeldDecision,
    *,
    source: str,
    signed_by: Signature,
    at: datetime,
) -> HeldOrdered:
    """Give an order about an update; returns once Kafka has it."""
    given = Order(
        update_id=update_id,
        order=name,
        by=signed_by.person or signed_by.holder,
        signed_by=signed_by,
        ordered_at=at,
        reason=wanted.reason,
        fingerprint=wanted.fingerprint,
    )
    key, event_id = source or update_id, f"order:{uuid.uuid4().hex}"
    await acknowledged([await producer.send(RAW, given, key=key, event_id=event_id)])
    return HeldOrdered(update_id=update_id, order=name, ordered_at=given.ordered_at)


def decision_entry(by: Author, signed_by: Signature, wanted: HeldDecision, given: HeldOrdered) -> Entry:
    """A decision as the audit log tells of it, once Kafka has it."""
    signed = replace(by, actor=replace(by.actor, person=signed_by.person), reason=wanted.reason)
    return signed.entry(f"order-{given.order}", given.update_id, None, {"fingerprint": wanted.fingerprint})


def _state(row: Row) -> State:
    return State.model_validate_json(row["state"])


def _members(state: State) -> dict[str, object]:
    if state.held is None or state.hold is None:
        raise ValueError(f"nothing of {state.update_id} is held")
    raw = state.held.raw
    return {
        "update_id": state.update_id,
        "source": raw.source,
        "guid": raw.guid,
        "version": raw.version,
        "kind": "spiked" if state.spiked else state.hold.kind,
        "because": state.hold.because,
        "since": state.hold_since,
        "received_at": raw.received_at,
        "is_out": state.is_public,
        "embargo_until": state.held_until,
        "expires_at": raw.expires_at,
        "headline": headline_and_body(if_released(state))[0],
        "fingerprint": state.held.fingerprint,
    }

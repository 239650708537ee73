"""Corrections whose source has said something else since: what is open, and the orders that decide it."""

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from enrich.text.domain.corrections.published import MATTERS, headline_and_body
from enrich.text.domain.state import State
from enrich.text.state_store import Fetching
from shared.audit.author import Author
from shared.audit.entry import Entry
from shared.kafka.producer import Producer, acknowledged
from shared.messages import Order, Signature
from shared.messages.limits import LONGEST
from shared.postgres.pool import Row
from shared.streams import RAW

Decision = Literal["accept", "keep"]
ORDERS: dict[Decision, Literal["accept-source", "keep-correction"]] = {
    "accept": "accept-source",
    "keep": "keep-correction",
}
MOST_LISTED = 1000


class CorrectionConflict(BaseModel):
    """Words that a desk corrected and that the source has changed otherwise, as plain text."""

    matter: Literal["headline", "body"]
    base: str = Field(description="What both changed; empty where the whole text is in conflict")
    desk: str = Field(description="What readers get")
    source: str = Field(description="What the source says now")
    since: datetime


class Corrected(BaseModel):
    """Who corrected a headline or a body, and when."""

    matter: Literal["headline", "body"]
    by: str
    at: datetime
    reason: str


class Correction(BaseModel):
    """A corrected update, and where its source says something else."""

    update_id: str
    source: str
    guid: str
    revision: int = Field(description="The newest revision: what a decision is about")
    corrected: list[Corrected]
    conflicts: list[CorrectionConflict]


class CorrectionTexts(Correction):
    """A corrected update with both its texts."""

    headline: str = Field(description="As readers get it")
    body_html: str = Field(description="As readers get it, before it is made safe")
    source_headline: str
    source_body_html: str


class CorrectionDecision(BaseModel):
    """How a conflict ends."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field(default="", max_length=200, description="Who decides; of a person's own key it is that person")
    reason: str = Field(
        default="", max_length=LONGEST["correction_reason"], description="Shown to readers of a changed text"
    )
    revision: int | None = Field(
        default=None,
        ge=1,
        le=2**31 - 1,
        description="The revision that was looked at: what the source said later is not decided. The newest when left out",
    )

    @field_validator("by", "reason")
    @classmethod
    def _has_no_nul(cls, value: str) -> str:
        if "\x00" in value:
            raise ValueError("NUL cannot be stored")
        return value


class CorrectionOrdered(BaseModel):
    """Kafka has the order; what becomes of it is in the update's outcomes."""

    update_id: str
    order: Literal["accept-source", "keep-correction"]
    revision: int
    ordered_at: datetime


async def open_corrections(postgres: Fetching, limit: int) -> list[Correction]:
    """The corrections with conflicts, the oldest conflict first."""
    rows = await postgres.fetch(
        "SELECT state FROM enrich.updates WHERE conflict_since IS NOT NULL ORDER BY conflict_since, update_id LIMIT $1",
        limit,
    )
    return [Correction(**_members(_state(row))) for row in rows]


async def correction_of(postgres: Fetching, update_id: str) -> CorrectionTexts | None:
    """The correction of an update; None where there is none."""
    rows = await postgres.fetch("SELECT state FROM enrich.updates WHERE update_id = $1", update_id)
    state = _state(rows[0]) if rows else None
    if state is None or state.current is None or not any(matter in state.desk_decisions for matter in MATTERS):
        return None
    headline, body = headline_and_body(state)
    return CorrectionTexts(
        **_members(state),
        headline=headline,
        body_html=body,
        source_headline=state.current.raw.headline,
        source_body_html=state.current.raw.body_html,
    )


async def decide(
    producer: Producer,
    correction: Correction,
    decision: Decision,
    wanted: CorrectionDecision,
    signed_by: Signature,
    *,
    at: datetime,
) -> CorrectionOrdered:
    """Order that the source's words are accepted, or the desk's kept; returns once Kafka has the order."""
    order = Order(
        update_id=correction.update_id,
        order=ORDERS[decision],
        by=signed_by.person or signed_by.holder,
        signed_by=signed_by,
        ordered_at=at,
        reason=wanted.reason,
        revision=wanted.revision or correction.revision or None,
    )
    key, event_id = correction.source or correction.update_id, f"order:{uuid.uuid4().hex}"
    await acknowledged([await producer.send(RAW, order, key=key, event_id=event_id)])
    return CorrectionOrdered(
        update_id=order.update_id,
        order=ORDERS[decision],
        revision=order.revision or 0,
        ordered_at=order.ordered_at,
    )


def decision_entry(by: Author, signed_by: Signature, correction: Correction, ordered: CorrectionOrdered) -> Entry:
    """A decision as the audit log tells of it, once Kafka has it."""
    return replace(by, actor=replace(by.actor, person=signed_by.person)).entry(
        f"order-{ordered.order}",
        correction.update_id,
        {"conflicts": [each.model_dump() for each in correction.conflicts]},
        {"revision": ordered.revision},
    )


def _state(row: Row) -> State:
    return State.model_validate_json(row["state"])


def _members(state: State) -> dict[str, object]:
    raw = state.current_version.raw
    return {
        "update_id": state.update_id,
        "source": raw.source,
        "guid": raw.guid,
        "revision": state.revision,
        "corrected": [
            {"matter": matter, "by": each.by, "at": each.at, "reason": each.reason}
            for matter in MATTERS
            if (each := state.desk_decisions.get(matter)) is not None
        ],
        "conflicts": [each.model_dump() for each in state.conflicts],
    }

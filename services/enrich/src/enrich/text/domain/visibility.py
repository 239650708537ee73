"""Whether readers may see an update, and when it must be looked at again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from enrich.text.domain.state import VISIBILITY, DeskDecision, State
from shared.messages import Removal

Visibility = Literal["visible", "hidden"] | Removal
REMOVALS: Mapping[str, Removal] = {"withdraw": "withdrawn", "supersede": "superseded", "expire": "expired"}
"""By order that hides an update, the removal that it is."""


def visibility_of(state: State) -> Visibility:
    """Whether readers may see an update, or why not."""
    if state.final is not None:
        return state.final
    if state.current is None:
        return "hidden"
    decision = state.desk_decisions.get(VISIBILITY)
    if decision is not None and decision.at >= state.current.since:
        return _decided(decision, state)
    if state.current.raw.status == "withheld" or (state.hold is not None and state.hold.withdraws and not state.spiked):
        return "withdrawn"
    return "expired" if state.current.raw.signal == "expire" or _has_expired(state) else "visible"


def _decided(decision: DeskDecision, state: State) -> Visibility:
    if decision.order == "restore":
        expires_at = state.current_version.raw.expires_at
        restored_for_good = expires_at is not None and decision.at >= expires_at
        return "expired" if _has_expired(state) and not restored_for_good else "visible"
    return REMOVALS.get(decision.order, "expired")


def _has_expired(state: State) -> bool:
    """Whether the current version was received after its expiry, or a release for that moment has come."""
    raw = state.current_version.raw
    return raw.expires_at is not None and (
        raw.expires_at <= raw.received_at
        or (state.released_until is not None and raw.expires_at <= state.released_until)
    )


def due_of(state: State) -> tuple[datetime | None, str]:
    """When an update must be looked at again, and for what: `embargo`, `expiry` or `retry`."""
    due: list[tuple[datetime, str]] = []
    if state.final is None:
        if state.held is not None and state.held_until is not None and state.hold is None:
            due.append((state.held_until, "embargo"))
        if state.current is not None and state.is_public and visibility_of(state) == "visible":
            expires_at = state.current.raw.expires_at
            if expires_at is not None and not _has_expired(state):
                due.append((expires_at, "expiry"))
            if state.last_published is not None and state.last_published.retry_at is not None:
                due.append((state.last_published.retry_at, "retry"))
    return min(due) if due else (None, "")


def status_of(state: State) -> str:
    """The status of an update, as its state row has it."""
    if state.final is not None:
        return state.final
    if state.current is None:
        return "held" if state.held is not None else "waiting"
    visibility = visibility_of(state)
    return {"visible": "live", "hidden": "held"}.get(visibility, visibility)

"""What a desk's orders mean for what waits: hold, release and spike."""

from datetime import datetime

from enrich.text.domain.corrections.history import remembering
from enrich.text.domain.state import HOLD, VISIBILITY, DeskDecision, State, Version
from enrich.text.domain.transition import Transition, public_reason_of, transition
from enrich.text.domain.visibility import REMOVALS, visibility_of
from shared.messages import Hold

ORDERS = ("hold", "release", "spike")


def hold_transition(decision: DeskDecision, before: State, seen: str = "") -> Transition:
    """What a hold, a release or a spike means for an update. `seen` is the fingerprint of the version that the desk looked at."""
    if not decision.is_later_than(before.desk_decisions.get(HOLD)):
        return Transition(before, "duplicate", "this order, or a later one, was here", visibility_of(before))
    if decision.order == "hold":
        return _hold(decision, before)
    if before.hold is None and (decision.order == "spike" or HOLD not in before.desk_decisions):
        return Transition(before, "duplicate", "nothing of it waits for a desk", visibility_of(before))
    if seen and before.held is not None and before.held.fingerprint != seen:
        reason = "another version waits by now; look at it again"
        return Transition(before, "superseded", reason, visibility_of(before))
    return _spike(decision, before) if decision.order == "spike" else _release(decision, before)


def _hold(decision: DeskDecision, before: State) -> Transition:
    changes: dict[str, object] = {"desk_decisions": {**before.desk_decisions, HOLD: decision}}
    if before.held is not None:
        hold = before.hold or Hold(kind="order", because=decision.reason or f"held by {decision.by}")
        changes |= {"hold": hold, "hold_since": before.hold_since or decision.at, "spiked": False}
    reason = f"held by {decision.by}" + ("; what is out stays out" if before.is_public else "")
    return transition(
        before, before.model_copy(update=changes), outcome="held", reason=reason, at=decision.at, only_remembers=True
    )


def _spike(decision: DeskDecision, before: State) -> Transition:
    decisions = {**before.desk_decisions, HOLD: decision}
    state = before.model_copy(update={"desk_decisions": decisions, "spiked": True, "hold_since": None})
    return transition(
        before,
        state,
        outcome="suppressed",
        reason=f"spiked by {decision.by}",
        at=decision.at,
        fingerprint=before.held.fingerprint if before.held is not None else "",
        # A hold that had withdrawn what was out gives it back.
        only_remembers=visibility_of(state) == visibility_of(before),
    )


def _release(decision: DeskDecision, before: State) -> Transition:
    hold, held = before.hold, before.held
    if hold is not None and hold.kind == "never":
        reason = "none of its source's copy is published; its profile says so"
        return Transition(before, "held", reason, visibility_of(before))
    # What it covers is beside what makes it the same order when it comes again.
    decision = decision.model_copy(update={"said": decision.digest, "text": hold.because if hold is not None else ""})
    decisions = {**before.desk_decisions, HOLD: decision}
    changes: dict[str, object] = {"hold": None, "hold_since": None, "spiked": False}
    opens = held is not None and hold is not None and _is_over(before.held_until, decision.at)
    if opens and held is not None:
        hidden = before.desk_decisions.get(VISIBILITY)
        if hidden is not None and hidden.order in REMOVALS and held.raw.received_at <= hidden.at <= decision.at:
            restored = DeskDecision(order="restore", at=decision.at, by=decision.by, reason=decision.reason)
            decisions[VISIBILITY] = restored
        changes |= {
            "current": _released(held, decision.at),
            "held": None,
            "held_until": None,
            # What has expired meanwhile is not published for a moment.
            "released_until": max(filter(None, (before.released_until, decision.at))),
        }
    embargo = before.held_until if held is not None and not opens else None
    raw = held.raw if opens and held is not None else None
    state = remembering(before, before.model_copy(update=changes | {"desk_decisions": decisions}))
    return transition(
        before,
        state,
        outcome=None if opens else "held",
        reason=f"released by {decision.by}" + (f"; it is embargoed until {embargo.isoformat()}" if embargo else ""),
        forced=opens,
        correction=raw is not None and raw.signal == "correction",
        public_reason=public_reason_of(raw) if raw is not None else "",
        at=decision.at,
        fingerprint=held.fingerprint if held is not None else "",
        only_remembers=not opens,
    )


def _is_over(held_until: datetime | None, moment: datetime) -> bool:
    return held_until is None or held_until <= moment


def _released(version: Version, at: datetime) -> Version:
    return version.model_copy(update={"released_at": max(at, version.raw.received_at)})

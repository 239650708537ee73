"""What a desk's orders mean for an update, and the signals of a source that say something about it without words."""

from enrich.text.domain.state import VISIBILITY, DeskDecision, Final, State
from enrich.text.domain.transition import Transition, ended, suppressed, transition
from enrich.text.domain.visibility import visibility_of
from shared.messages import Order, RawUpdate

MATTERS = {"pin": "pinned", "unpin": "pinned", "key-event": "key_event", "close": "closed"}
"""By order: the matter that it decides. All others decide visibility."""
WORDLESS: dict[str | None, str] = {"advisory": "note", "pin": "pinned", "unpin": "pinned", "expire": VISIBILITY}
"""By signal that may come without words of its own, the matter that it then decides; it is no version of the update."""


def order_transition(order: Order, state: State) -> Transition:
    """What an order means for an update. Its `ordered_at` has an offset."""
    if order.order in ("kill", "takedown"):
        final: Final = "taken-down" if order.order == "takedown" else "killed"
        return ended(state, final, by=order.by, reason=order.reason, at=order.ordered_at)
    if state.final is not None:
        return suppressed(state, state.final)
    decision = DeskDecision(order=order.order, at=order.ordered_at, by=order.by, reason=order.reason)
    if order.order == "correct":
        return _correct(order, decision, state)
    return _decide_matter(decision, MATTERS.get(order.order, VISIBILITY), state)


def is_wordless_signal(raw: RawUpdate) -> bool:
    """Whether a version only says something about the update, and has no words of its own."""
    return raw.signal in WORDLESS and not (raw.headline or raw.body_html or raw.summary)


def signal_transition(raw: RawUpdate, fingerprint: str, state: State) -> Transition:
    """What a signal without words means for an update."""
    decision = DeskDecision(
        order=raw.signal or "",
        at=raw.received_at,
        by=raw.source,
        reason=raw.correction_reason or raw.editors_note,
        text=raw.editors_note,
    )
    return _decide_matter(decision, WORDLESS[raw.signal], state, fingerprint)


def _correct(order: Order, decision: DeskDecision, before: State) -> Transition:
    texts = {"headline": order.headline, "body": order.body_html, "correction": ""}
    known = before.desk_decisions
    changed = {
        matter: new
        for matter, text in texts.items()
        if text is not None and (new := decision.model_copy(update={"text": text})).is_later_than(known.get(matter))
    }
    if not changed:
        reason = "this correction, or a later one, was here"
        return Transition(before, "duplicate", reason, visibility_of(before))
    decisions = {**known, **changed}
    return transition(
        before,
        before.model_copy(update={"desk_decisions": decisions}),
        reason=f"corrected by {order.by}",
        forced=decisions["correction"].at == decision.at,
        correction=True,
        public_reason=order.reason,
        at=decision.at,
    )


def _decide_matter(decision: DeskDecision, matter: str, before: State, fingerprint: str = "") -> Transition:
    if not decision.is_later_than(before.desk_decisions.get(matter)):
        reason = "this order, or a later one, was here"
        return Transition(before, "duplicate", reason, visibility_of(before), fingerprint=fingerprint)
    state = before.model_copy(update={"desk_decisions": {**before.desk_decisions, matter: decision}})
    return transition(
        before,
        state,
        reason=f"{decision.order} by {decision.by}",
        public_reason=decision.reason,
        at=decision.at,
        fingerprint=fingerprint,
    )

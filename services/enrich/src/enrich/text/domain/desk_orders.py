"""What a desk's orders mean for an update, and the signals of a source that say something about it without words."""

from enrich.text.domain.corrections.history import wording_at
from enrich.text.domain.corrections.merge import merged
from enrich.text.domain.corrections.published import MATTERS as MERGED
from enrich.text.domain.corrections.published import UNKNOWN, current_wording, merged_text, replaced_in
from enrich.text.domain.holding.orders import ORDERS as HOLDING
from enrich.text.domain.holding.orders import hold_transition
from enrich.text.domain.holding.why import ended_by, if_released
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
    decision = DeskDecision(
        order=order.order, at=order.ordered_at, by=order.by, person=_person_of(order), reason=order.reason
    )
    if order.order == "correct":
        return _correct(order, decision, state)
    if order.order in ("accept-source", "keep-correction"):
        return _settle(order, decision, state)
    if order.order in HOLDING:
        return hold_transition(decision, state, order.fingerprint)
    return _decide_matter(decision, MATTERS.get(order.order, VISIBILITY), state)


def _person_of(order: Order) -> str:
    """The person who signed an order; empty where only a key or a desk did."""
    return order.signed_by.person if order.signed_by is not None else ""


def is_wordless_signal(raw: RawUpdate) -> bool:
    """Whether a version only says something about the update, and has no words of its own."""
    return raw.signal in WORDLESS and not (raw.headline or raw.body_html or raw.summary)


def signal_transition(raw: RawUpdate, fingerprint: str, state: State) -> Transition:
    """What a signal without words means for an update; what it says to desks alone is shown to nobody."""
    if raw.hold is not None and raw.signal == "advisory":
        reason = f"said to desks alone: {raw.hold.because}"
        return Transition(state, "suppressed", reason, visibility_of(state), fingerprint=fingerprint)
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
        matter: _made_of(order.revision, matter, new, before) if matter in MERGED else new
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


def _made_of(revision: int | None, matter: str, decision: DeskDecision, before: State) -> DeskDecision:
    """A correction with what it was made of, where its order names a revision.

    What another desk corrected after that revision is merged with it: it is no part of the text that this one was made of.
    """
    decision = decision.model_copy(update={"revision": before.revision})
    if revision is None and before.hold is not None:
        # The desk has what waits before it, whatever readers have.
        held = current_wording(if_released(before))
        return decision.model_copy(update={"base": held.text(matter), "base_order": held.order})
    if revision is None or revision > before.revision:
        return decision
    seen = wording_at(before, revision)
    if seen is None:
        return decision.model_copy(update={"revision": UNKNOWN})
    known = before.desk_decisions.get(matter)
    if known is None or known.revision is None or known.revision < revision:
        return decision.model_copy(update={"base": seen.text(matter), "base_order": seen.order})
    now = current_wording(before)
    theirs = merged_text(before, matter).text
    both = merged(seen.text(matter), decision.text, theirs, is_html=matter == "body")
    changes = {"said": decision.digest, "text": both.text, "base": now.text(matter), "base_order": now.order}
    return decision.model_copy(update=changes)


def _settle(order: Order, decision: DeskDecision, before: State) -> Transition:
    """End the conflicts of a correction with what the source said in a revision: its words are accepted, or the desk's kept."""
    known = {matter: each for matter in MERGED if (each := before.desk_decisions.get(matter)) is not None}
    if not any(decision.is_later_than(each) for each in known.values()):
        reason = "no correction is in force" if not known else "this order, or a later one, was here"
        return Transition(before, "duplicate", reason, visibility_of(before))
    said = None
    if before.current is not None:
        said = current_wording(before) if order.revision is None else wording_at(before, order.revision)
    if said is None:
        reason = "what the source said in that revision is not remembered; look at the conflict again"
        return Transition(before, "superseded", reason, visibility_of(before))
    accepts = order.order == "accept-source"
    decisions = dict(before.desk_decisions)
    for matter, each in known.items():
        if not decision.is_later_than(each):
            continue
        settled = merged_text(before, matter, said, "source" if accepts else "desk").text
        remembered = each.replaced if accepts else (*each.replaced, *replaced_in(before, matter, said))
        changes = {
            "revision": before.revision, "said": decision.digest, "text": settled,
            "base": said.text(matter), "base_order": said.order, "replaced": remembered,
        }  # fmt: skip
        decisions[matter] = decision.model_copy(update=changes)
    verb = "the source's words accepted" if accepts else "the correction kept"
    return transition(
        before,
        before.model_copy(update={"desk_decisions": decisions}),
        reason=f"{verb} by {order.by}",
        public_reason=order.reason,
        at=decision.at,
    )


def _decide_matter(decision: DeskDecision, matter: str, before: State, fingerprint: str = "") -> Transition:
    if not decision.is_later_than(before.desk_decisions.get(matter)):
        reason = "this order, or a later one, was here"
        return Transition(before, "duplicate", reason, visibility_of(before), fingerprint=fingerprint)
    state = before.model_copy(update={"desk_decisions": {**before.desk_decisions, matter: decision}})
    if matter == VISIBILITY:
        state = ended_by(decision, state)
    return transition(
        before,
        state,
        reason=f"{decision.order} by {decision.by}",
        public_reason=decision.reason,
        at=decision.at,
        fingerprint=fingerprint,
    )

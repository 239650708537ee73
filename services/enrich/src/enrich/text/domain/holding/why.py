"""Which versions wait for a desk, and why.

A version is held in the place of an embargoed one, so that nothing of it is current: nothing is attached to it, emitted or shown.
Being out is a fact, not a wish: what is out when a version comes that is held stays out (unless its rule withdraws), with the words
of the version before. That version alone waits, and a later one that nothing holds goes out over it. Of an update that is not out
every version waits, with the newest words, until a desk decides. So it matters, here and nowhere else, in which order versions come.
"""

from enrich.text.domain.state import HOLD, DeskDecision, State
from enrich.text.domain.visibility import REMOVALS
from shared.messages import Hold, RawUpdate

LASTING = ("advisory", "order")
"""Kinds of hold that a version without a reason of its own inherits: its source does not decide when it ends."""


def hold_of(raw: RawUpdate, state: State) -> Hold | None:
    """Why a version that comes now waits for a desk; None where it does not."""
    if raw.status not in ("usable", "held") or raw.signal == "expire":
        return None
    own = raw.hold or (Hold(kind="sent", because="its source sent it as held") if raw.status == "held" else None)
    decision = state.desk_decisions.get(HOLD)
    if decision is not None and decision.order == "hold" and (own is None or own.kind != "never"):
        return Hold(kind="order", because=decision.reason or f"held by {decision.by}")
    if own is not None:
        was_released = decision is not None and decision.order == "release" and decision.text == own.because
        return None if own.kind == "advisory" and was_released and state.is_public else own
    if state.hold is not None and state.hold.kind in LASTING and not state.is_public:
        return state.hold
    return None


def ended_by(decision: DeskDecision, state: State) -> State:
    """The state after an order about visibility: what withdraws an update ends what waits of it."""
    if state.hold is None or state.held is None or decision.at < state.held.since:
        return state
    if decision.order in REMOVALS:
        return state.model_copy(update={"spiked": True, "hold_since": None})
    return state.model_copy(update={"spiked": False, "hold_since": state.hold_since or decision.at})


def if_released(state: State) -> State:
    """The state with what is held as what is current: what readers would get if it were released now."""
    return state if state.held is None else state.model_copy(update={"current": state.held, "held": None})

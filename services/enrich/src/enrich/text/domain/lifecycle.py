"""What a message about an update means, given all that came before it.

What must hold:
- any order of arrival, with any repeats, ends in the same state, and an older text never follows a newer one;
- a kill or a takedown is final, also when it comes before its update;
- nothing of an embargoed version is emitted before its moment, nor after a kill that was acknowledged before it;
- what waits for a desk leaves no trace until it is released (`holding`);
- the transition is a function of the message and the state: no clock is read, so it is the same whenever the message is read.

Time passes for an update by its releases alone: the scheduler sends one to `updates.raw` when a moment has come, so it
comes after all that was acknowledged before that moment. What a version means depends on when it was received too; orders do not:
they carry the clock of whoever gave them.
"""

from datetime import UTC, datetime

from enrich.text.domain.corrections.history import remembering
from enrich.text.domain.corrections.published import MATTERS
from enrich.text.domain.desk_orders import is_wordless_signal, order_transition, signal_transition
from enrich.text.domain.state import Final, State
from enrich.text.domain.transition import Transition, ended, public_reason_of, suppressed, transition
from enrich.text.domain.versions import opened, place_version, visible_from
from enrich.text.domain.visibility import visibility_of
from shared.messages import Order, RawUpdate, Refresh, Release
from shared.messages.powers import of_older_release, says_only_what_is_not_permitted

Input = RawUpdate | Order | Release | Refresh


def decide(message: Input, state: State, *, margin_s: float = 0.0, fingerprint: str = "") -> Transition:
    """What `message` means for an update in `state`.

    `margin_s` is added to embargoes. `fingerprint` is the version's as ingest gave it, so that both name a version alike
    whatever releases they are of.
    """
    match message:
        case RawUpdate():
            raw = _in_utc(message)
            fingerprint = fingerprint or raw.fingerprint()
            return _version_transition(of_older_release(raw), fingerprint, state, margin_s)
        case Order():
            return order_transition(message.model_copy(update={"ordered_at": _aware(message.ordered_at)}), state)
        case Release():
            return _release_transition(message, state)
        case Refresh():
            return _refresh_transition(message, state)


def _version_transition(raw: RawUpdate, fingerprint: str, before: State, margin_s: float) -> Transition:
    if raw.status == "canceled" or raw.signal in ("kill", "takedown"):
        final: Final = "taken-down" if raw.signal == "takedown" else "killed"
        reason = raw.correction_reason or raw.editors_note
        return ended(before, final, by=raw.source, reason=reason, at=raw.received_at, fingerprint=fingerprint, raw=raw)
    if before.final is not None:
        return suppressed(before, before.final, fingerprint=fingerprint)
    if says_only_what_is_not_permitted(raw):
        reason = "its source may not give that signal"
        return Transition(before, "suppressed", reason, visibility_of(before), fingerprint=fingerprint)
    if is_wordless_signal(raw):
        return signal_transition(raw, fingerprint, before)
    # A version that was received after the embargo of a held one finds that one open, though its release is yet to come.
    state, released = opened(before, raw.received_at)
    placed, outcome, reason = place_version(raw, fingerprint, state, margin_s)
    state = remembering(before, placed, raw, fingerprint)
    # The reason and the time of a version that is not published are not published either.
    published = raw if outcome is None else released.raw if released is not None else None
    return transition(
        before,
        state,
        outcome=outcome,
        reason=reason,
        forced=published is not None,
        correction=published is not None and published.signal == "correction",
        public_reason=public_reason_of(published) if published is not None else "",
        at=visible_from(published, margin_s) if published is not None else raw.received_at,
        fingerprint=fingerprint,
        only_remembers=placed is before and not any(matter in before.desk_decisions for matter in MATTERS),
    )


def _release_transition(release: Release, before: State) -> Transition:
    """The moment that a release carries has come, whenever it is read; what waits for a later one goes on waiting."""
    if before.final is not None:
        return suppressed(before, before.final, None)
    moment = _aware(release.due_at)
    state, released = opened(before, moment)
    if (state.current is not None or state.held is not None) and (
        before.released_until is None or before.released_until < moment
    ):
        state = state.model_copy(update={"released_until": moment})
    state = remembering(before, state)
    return transition(
        before,
        state,
        reason=f"the moment of its {release.reason} has come",
        outcome=None if released or release.reason == "expiry" else "held",
        forced=released is not None,
        correction=released is not None and released.raw.signal == "correction",
        public_reason=public_reason_of(released.raw) if released is not None else "",
        at=moment,
        fingerprint=state.current.fingerprint if state.current else "",
        looks_again=released is None,
    )


def _refresh_transition(refresh: Refresh, before: State) -> Transition:
    if before.final is not None:
        return suppressed(before, before.final, None)
    reason = f"made again because of {refresh.cause}"
    return transition(before, before, reason=reason, at=_aware(refresh.requested_at), looks_again=True)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _in_utc(raw: RawUpdate) -> RawUpdate:
    """Times without an offset, which a tolerant reader may meet, are taken for UTC: they could not be compared."""
    naive = {
        name: value.replace(tzinfo=UTC)
        for name in ("received_at", "version_created", "first_created", "embargo_until", "expires_at")
        if (value := getattr(raw, name)) is not None and value.tzinfo is None
    }
    return raw.model_copy(update=naive) if naive else raw

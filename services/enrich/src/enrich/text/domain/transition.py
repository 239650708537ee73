"""What follows from a message: the state after it, and what is to be emitted and reported."""

from dataclasses import dataclass
from datetime import datetime

from enrich.text.domain.corrections.published import with_conflicts
from enrich.text.domain.state import Final, OpenConflict, State, Version
from enrich.text.domain.visibility import Visibility, visibility_of
from shared.messages import RawUpdate, Stage, update_id_for


@dataclass(frozen=True, slots=True)
class Transition:
    """What is to be done about a message."""

    state: State
    """After the message; publishing a revision changes it once more."""
    outcome: Stage | None
    """None for a message that may turn out to change nothing."""
    reason: str
    """Why, for whoever asks."""
    visibility: Visibility
    emit: bool = False
    """Whether there may be something to emit: for `visible`, if the content differs or `forced` is set."""
    forced: bool = False
    correction: bool = False
    public_reason: str = ""
    """The reason that readers are given for a change."""
    at: datetime | None = None
    """The moment that the message speaks of: when readers' words changed."""
    fingerprint: str = ""
    replaced: tuple[str, ...] = ()
    """Updates of the same source whose place this one takes, by id."""
    conflicts: tuple[OpenConflict, ...] = ()
    """Of a desk's correction with what the source says now, those that are new."""

    @property
    def told_conflicts(self) -> str:
        """The new conflicts, for whoever asks what became of a message."""
        return "; ".join(
            f"{each.matter}: the desk's {each.desk[:80]!r} stands; the source says {each.source[:80]!r}"
            for each in self.conflicts
        )


def transition(
    before: State,
    state: State,
    *,
    reason: str,
    outcome: Stage | None = None,
    forced: bool = False,
    correction: bool = False,
    public_reason: str = "",
    at: datetime | None = None,
    fingerprint: str = "",
    looks_again: bool = False,
    only_remembers: bool = False,
) -> Transition:
    """Compare what readers should have with what they have.

    `looks_again`: the message has no outcome of its own, and what is attached to the version may have changed.
    `only_remembers`: readers get nothing else by it, whatever the state remembers now.
    """
    visibility = visibility_of(state)
    conflicts: tuple[OpenConflict, ...] = ()
    if state is not before:
        known = {each.words for each in before.conflicts}
        state = with_conflicts(state)
        conflicts = tuple(each for each in state.conflicts if each.words not in known)
        state = state.model_copy(update={"state_version": before.state_version + 1})
    replaced: tuple[str, ...] = ()
    if visibility == "visible":
        emit = forced or not state.is_public or looks_again or (state is not before and not only_remembers)
        forced = forced or not state.is_public
        if emit and state.current is not None:
            raw = state.current.raw
            replaced = tuple(update_id_for(raw.source, guid) for guid in raw.replaces if guid != raw.guid)
    else:
        emit = forced = state.is_public
    if outcome is None and not looks_again:
        outcome = "enriched" if emit else "held"
        reason = reason if emit else f"{reason}; not visible: {visibility}"
    return Transition(
        state,
        outcome,
        reason,
        visibility,
        emit,
        forced,
        correction,
        public_reason,
        at,
        fingerprint,
        replaced,
        conflicts,
    )


def public_reason_of(raw: RawUpdate) -> str:
    """The reason that a version gives readers for its change."""
    return raw.correction_reason or (raw.editors_note if raw.signal in ("correction", "advisory") else "")


def ended(
    state: State,
    final: Final,
    *,
    by: str,
    reason: str,
    at: datetime,
    fingerprint: str = "",
    raw: RawUpdate | None = None,
) -> Transition:
    """A kill or a takedown. A takedown after a kill says more, a kill after a takedown less; the words go at once."""
    if state.final in (final, "taken-down"):
        return suppressed(state, state.final, fingerprint=fingerprint)
    known = raw or (state.current.raw if state.current else None) or (state.held.raw if state.held else None)
    kept = None
    if known is not None:
        wordless = RawUpdate(
            update_id=known.update_id, source=known.source, guid=known.guid,
            version=known.version, version_created=known.version_created, received_at=known.received_at,
        )  # fmt: skip
        since = known.received_at
        kept = Version(raw=wordless, fingerprint=fingerprint, since=since, headline_since=since, body_since=since)
    changes: dict[str, object] = {
        "state_version": state.state_version + 1,
        "current": kept, "held": None, "held_until": None, "hold": None, "hold_since": None, "spiked": False,
        "desk_decisions": {},
        "earlier": (), "conflicts": (),
        "final": final, "final_by": by, "final_reason": reason, "final_at": at,
    }  # fmt: skip
    return Transition(
        state.model_copy(update=changes),
        "enriched",
        f"{final} by {by}",
        final,
        emit=True,
        forced=True,
        public_reason=reason,
        at=at,
        fingerprint=fingerprint,
    )


def suppressed(state: State, final: Final, outcome: Stage | None = "suppressed", fingerprint: str = "") -> Transition:
    """Nothing, since the update was killed or taken down before."""
    return Transition(state, outcome, f"the update is {final}", final, fingerprint=fingerprint)

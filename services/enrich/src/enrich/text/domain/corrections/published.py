"""What readers get of an update's headline and body: the source's words, as far as a desk has not corrected them.

The words are a function of the versions that are known and of the newest correction, in whatever order they came. A desk saw
the newest version that had been visible by the time of its order, whatever words of it the source said before; or the version
of the revision that the order names. Each later version is merged with the correction. Once the source has taken it over, or
only changed other words, the merged text is the desk's next one: what the source then changes passes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from enrich.text.domain.corrections.merge import MergedText, merged, replaced_words
from enrich.text.domain.corrections.replaced import MOST, Replacement
from enrich.text.domain.corrections.words import Conflict, Side
from enrich.text.domain.state import DeskDecision, OpenConflict, State, Wording
from enrich.text.domain.versions import embargo_end, version_order

MATTERS = ("headline", "body")
UNKNOWN = -1
"""The revision of a correction of a text that is not remembered any more."""


def headline_and_body(state: State) -> tuple[str, str]:
    """The words of the current version as readers get them, before they are made safe."""
    return merged_text(state, "headline").text, merged_text(state, "body").text


def merged_text(state: State, matter: str, against: Wording | None = None, prefer: Side = "desk") -> MergedText:
    """One matter of the current version, or of another `against`, with the desk's correction."""
    said = against or current_wording(state)
    source, decision = said.text(matter), state.desk_decisions.get(matter)
    if decision is None:
        return MergedText(source)
    if decision.revision is None:
        # Decided by a release that did not remember what the desk saw.
        version = state.current_version
        since = version.headline_since if matter == "headline" else version.body_since
        return MergedText(decision.text if decision.at >= since else source)
    correction = _carried_to(state, matter, said, decision)
    return correction.merged_with(source, matter, prefer) if correction else _of_unknown(decision, source, prefer)


def replaced_in(state: State, matter: str, said: Wording) -> tuple[Replacement, ...]:
    """The words that a desk replaced in the text of a version, or in one before it."""
    decision = state.desk_decisions[matter]
    correction = _carried_to(state, matter, said, decision) if decision.revision is not None else None
    return correction.all_replaced(matter) if correction is not None else ()


def with_conflicts(state: State) -> State:
    """The state with the conflicts of its current version; those that were known keep their time."""
    if state.current is None or not any(matter in state.desk_decisions for matter in MATTERS):
        return state if not state.conflicts else state.model_copy(update={"conflicts": ()})
    known = {each.words: each for each in state.conflicts}
    conflicts = [
        known.get((matter, each.base, each.desk, each.source))
        or OpenConflict(
            matter=matter,
            base=each.base,
            desk=each.desk,
            source=each.source,
            since=max(state.current.since, state.desk_decisions[matter].at),
        )
        for matter in MATTERS
        if matter in state.desk_decisions
        for each in merged_text(state, matter).conflicts
    ]
    return state if tuple(conflicts) == state.conflicts else state.model_copy(update={"conflicts": tuple(conflicts)})


@dataclass(frozen=True, slots=True)
class Seen:
    """What a desk saw when it corrected it, and which version that was."""

    base: str
    order: tuple[object, ...]


def seen_by(decision: DeskDecision, matter: str, known: Sequence[Wording]) -> Seen | None:
    """What a desk saw; None where that is not remembered."""
    if decision.base is not None and decision.base_order is not None:
        return Seen(decision.base, decision.base_order)
    if decision.revision == UNKNOWN or not known:
        return None
    visible = [each for each in known if each.since_of(matter) <= decision.at]
    said = {each.text(matter) for each in visible}
    seen = max((each for each in known if each.text(matter) in said), key=lambda each: each.order, default=None)
    # Clocks differ: a correction of what came a moment later, by its time, is one of the first version.
    seen = seen or min(known, key=lambda each: each.order)
    return Seen(seen.text(matter), seen.order)


def current_wording(state: State) -> Wording:
    """The words of the current version."""
    version = state.current_version
    return Wording(
        order=version_order(version.raw, version.fingerprint),
        headline=version.raw.headline,
        body_html=version.raw.body_html,
        headline_since=version.headline_since,
        body_since=version.body_since,
        opened_at=embargo_end(version.raw),
    )


def _carried_to(state: State, matter: str, said: Wording, decision: DeskDecision) -> "_Correction | None":
    seen = seen_by(decision, matter, [*state.earlier, said])
    if seen is None:
        return None
    correction = _Correction(seen.base, decision.text, decision.replaced)
    for each in state.earlier:
        if seen.order < each.order < said.order:
            correction = correction.followed_by(each.text(matter), matter)
    return correction


def pinned(decision: DeskDecision, matter: str, forgotten: Wording, known: Sequence[Wording]) -> DeskDecision:
    """A correction that does without a version which is about to be forgotten, the oldest that is known."""
    if decision.revision is None or (seen := seen_by(decision, matter, known)) is None:
        return decision
    if forgotten.order == seen.order:
        return decision.model_copy(update={"base": seen.base, "base_order": seen.order})
    if forgotten.order < seen.order:
        return decision
    before = _Correction(seen.base, decision.text, decision.replaced)
    after = before.followed_by(forgotten.text(matter), matter)
    if after is before:
        return decision
    changes = {
        "said": decision.digest, "base": after.base, "text": after.text, "replaced": after.replaced,
        "base_order": forgotten.order,
    }  # fmt: skip
    return decision.model_copy(update=changes)


@dataclass(frozen=True, slots=True)
class _Correction:
    """What a desk saw and what it made of it, carried along the versions that followed."""

    base: str
    text: str
    replaced: tuple[Replacement, ...]

    def merged_with(self, source: str, matter: str, prefer: Side = "desk") -> MergedText:
        """The merged text."""
        return merged(self.base, self.text, source, is_html=matter == "body", prefer=prefer, remembered=self.replaced)

    def followed_by(self, source: str, matter: str) -> "_Correction":
        """Carried to a version with which nothing of it is open."""
        if source == self.base or not (made := self.merged_with(source, matter)).is_clean:
            return self
        return _Correction(source, made.text, self.all_replaced(matter))

    def all_replaced(self, matter: str) -> tuple[Replacement, ...]:
        """What the desk replaced, here and in texts before."""
        here = replaced_words(self.base, self.text, is_html=matter == "body")
        return tuple(dict.fromkeys((*self.replaced, *here)))[:MOST]


def _of_unknown(decision: DeskDecision, source: str, prefer: Side) -> MergedText:
    if source == decision.text:
        return MergedText(source)
    told = (Conflict("", decision.text[:500], source[:500]),)
    return MergedText(source if prefer == "source" else decision.text, told, is_clean=False)

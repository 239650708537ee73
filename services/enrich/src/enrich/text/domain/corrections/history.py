"""The words of versions that are not current any more: what a desk may have seen."""

from enrich.text.domain.corrections.published import MATTERS, current_wording, pinned
from enrich.text.domain.state import State, Version, Wording
from enrich.text.domain.versions import embargo_end, version_order
from shared.messages import RawUpdate

MOST_VERSIONS = 8
MOST_CHARACTERS = 100_000
"""Of all remembered versions together."""


def remembering(before: State, after: State, raw: RawUpdate | None = None, fingerprint: str = "") -> State:
    """The state after a message, with the words of what it took the place of, and of the version `raw` if it came too late."""
    kept = {version.fingerprint for version in (after.current, after.held) if version is not None}
    earlier = {each.order[-1]: each for each in after.earlier}
    for version, revision in ((before.current, before.revision), (before.held, 0)):
        if version is not None and version.fingerprint not in kept:
            earlier[version.fingerprint] = _joined(earlier.get(version.fingerprint), _wording(version, revision))
    if raw is not None and fingerprint not in kept:
        at = raw.received_at
        late = _wording(Version(raw=raw, fingerprint=fingerprint, since=at, headline_since=at, body_since=at), 0)
        earlier[fingerprint] = _joined(earlier.get(fingerprint), late)
    versions = tuple(sorted((each for key, each in earlier.items() if key not in kept), key=lambda each: each.order))
    changes: dict[str, object] = {"earlier": versions}
    for slot in ("current", "held"):
        again: Version | None = getattr(after, slot)
        if again is not None and (known := earlier.get(again.fingerprint)) is not None:
            # A version that comes again was seen when it first came.
            since = {
                "headline_since": min(known.headline_since, again.headline_since),
                "body_since": min(known.body_since, again.body_since),
            }
            changes[slot] = again.model_copy(update=since)
    if versions == after.earlier and len(changes) == 1:
        return after
    return _bounded(after.model_copy(update=changes))


def wording_at(state: State, revision: int) -> Wording | None:
    """What the source said in a revision; None where that is not remembered."""
    if not state.forgotten_until < revision <= state.revision or state.current is None:
        return None
    shown = [each for each in state.earlier if each.shown_until >= revision]
    return min(shown, key=lambda each: (each.shown_until, each.order), default=None) or current_wording(state)


def _wording(version: Version, revision: int) -> Wording:
    return Wording(
        order=version_order(version.raw, version.fingerprint),
        headline=version.raw.headline,
        body_html=version.raw.body_html,
        headline_since=version.headline_since,
        body_since=version.body_since,
        opened_at=embargo_end(version.raw),
        shown_until=revision,
    )


def _joined(known: Wording | None, new: Wording) -> Wording:
    """One version that came twice: as early as it came first, in the place of its last."""
    if known is None:
        return new
    changes = {
        "headline_since": min(known.headline_since, new.headline_since),
        "body_since": min(known.body_since, new.body_since),
        "shown_until": max(known.shown_until, new.shown_until),
        "order": max(known.order, new.order),
    }
    return new.model_copy(update=changes)


def _bounded(state: State) -> State:
    """Without the oldest, where there are too many; a correction of one of those keeps what it needs."""
    earlier = list(state.earlier)
    size = sum(each.size for each in earlier)
    while earlier and (len(earlier) > MOST_VERSIONS or size > MOST_CHARACTERS):
        known = [*earlier, current_wording(state)] if state.current is not None else earlier
        decisions = {
            matter: pinned(decision, matter, earlier[0], known) if matter in MATTERS else decision
            for matter, decision in state.desk_decisions.items()
        }
        forgotten = earlier.pop(0)
        size -= forgotten.size
        changes = {
            "desk_decisions": decisions, "earlier": tuple(earlier),
            "forgotten_until": max(state.forgotten_until, forgotten.shown_until),
        }  # fmt: skip
        state = state.model_copy(update=changes)
    return state

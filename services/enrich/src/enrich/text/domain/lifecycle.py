"""Pure: what a message about an update means, given all that came before it.

What must not break:
- any order of arrival, with any repeats, ends in the same state, and an older text never follows a newer one;
- a kill or a takedown is final, also when it comes before its update;
- nothing of an embargoed version is emitted before its moment, nor after a kill that was acknowledged before it;
- the decision is a function of the message and the state: no clock is read, so it is the same whenever the message is read.

Time passes for an update by its releases alone: the timer sends one to `updates.raw` when a moment has come, and so it stands
behind all that was acknowledged before that moment. A version is also judged by when it was received, orders never: they
carry the clock of whoever gave them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from enrich.text.domain.state import Final, Ruling, State, Version
from shared.messages import Flags, Order, RawUpdate, Refresh, Release, Removal, Stage, update_id_for

Input = RawUpdate | Order | Release | Refresh
Sight = Literal["visible", "hidden"] | Removal

LONGEST_NUMBER = 40
"""Digits: a longer version is no number that anyone counts with."""

WORDLESS: dict[str | None, str] = {
    "advisory": "note",
    "pin": "pinned",
    "unpin": "pinned",
    "expire": "sight",
}
"""Signals that may come without words of their own: they then say something about the update and are no version of it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about a message."""

    state: State
    """With the message taken in; what is emitted moves it once more."""
    outcome: Stage | None
    """None for a refresh that may turn out to change nothing."""
    reason: str
    """Why, for whoever asks."""
    sight: Sight
    emit: bool = False
    """Whether there may be something to emit: for `visible`, if the content differs or `forced` is set."""
    forced: bool = False
    correction: bool = False
    said: str = ""
    """The reason that readers are given for a change."""
    at: datetime | None = None
    """The moment that the message speaks of: when readers' words changed."""
    fingerprint: str = ""
    replaced: tuple[str, ...] = ()
    """Updates of the same source whose place this one takes, by id."""


def order_of(raw: RawUpdate, fingerprint: str = "") -> tuple[datetime, int, datetime, str]:
    """The key by which versions of one update are ordered, whatever the order of their arrival."""
    version = (raw.version or "").strip()
    number = int(version) if version.isascii() and version.isdigit() and len(version) <= LONGEST_NUMBER else -1
    return (raw.version_created or raw.received_at, number, raw.received_at, fingerprint or raw.fingerprint())


def held_until(raw: RawUpdate, margin_s: float = 0.0) -> datetime | None:
    """Until when a version must be held, as of its receipt; None where it never had to be."""
    if raw.embargo_until is None or raw.status != "usable":
        return None
    until = raw.embargo_until + timedelta(seconds=margin_s)
    return until if until > raw.received_at else None


def opened_at(raw: RawUpdate, margin_s: float = 0.0) -> datetime:
    """The moment at which a version could first be seen: received, or released."""
    return held_until(raw, margin_s) or raw.received_at


def decide(message: Input, state: State, *, margin_s: float = 0.0, fingerprint: str = "") -> Decision:
    """What `message` means for an update in `state`. `margin_s` is added to embargoes; `fingerprint` is a version's, as
    ingest told it, so that both speak of one version whatever releases they are of."""
    match message:
        case RawUpdate():
            raw = _in_utc(message)
            return _version(raw, fingerprint or raw.fingerprint(), state, margin_s)
        case Order():
            return _order(message, state)
        case Release():
            return _release(message, state)
        case Refresh():
            return _refresh(message, state)


def sight_of(state: State) -> Sight:  # noqa: PLR0911 -- a table of cases
    """Whether readers may see an update, or why not."""
    if state.final is not None:
        return state.final
    if state.current is None:
        return "hidden"
    raw = state.current.raw
    ruling = state.rulings.get("sight")
    if ruling is not None and ruling.at >= state.current.since:
        match ruling.order:
            case "restore":
                restored_for_good = raw.expires_at is not None and ruling.at >= raw.expires_at
                return "expired" if _has_expired(state) and not restored_for_good else "visible"
            case "withdraw":
                return "withdrawn"
            case "supersede":
                return "superseded"
            case _:
                return "expired"
    if raw.status == "withheld":
        return "withdrawn"
    if raw.signal == "expire" or _has_expired(state):
        return "expired"
    return "visible"


def _has_expired(state: State) -> bool:
    """Whether the version that stands was received after its expiry, or a release has told that it has come."""
    assert state.current is not None  # noqa: S101
    expires_at = state.current.raw.expires_at
    if expires_at is None:
        return False
    return expires_at <= state.current.raw.received_at or (
        state.released_until is not None and expires_at <= state.released_until
    )


def due_of(state: State) -> tuple[datetime | None, str]:
    """When an update must be looked at again, and for what: `embargo`, `expiry` or `retry`."""
    due: list[tuple[datetime, str]] = []
    if state.final is None:
        if state.held is not None and state.held_until is not None:
            due.append((state.held_until, "embargo"))
        if state.current is not None and state.is_public and sight_of(state) == "visible":
            expires_at = state.current.raw.expires_at
            if expires_at is not None and not _has_expired(state):
                due.append((expires_at, "expiry"))
            if state.shown is not None and state.shown.retry_at is not None:
                due.append((state.shown.retry_at, "retry"))
    return min(due) if due else (None, "")


def status_of(state: State) -> str:
    """The word for where an update is, as the state's row carries it."""
    if state.final is not None:
        return state.final
    if state.current is None:
        return "held" if state.held is not None else "waiting"
    sight = sight_of(state)
    return {"visible": "live", "hidden": "held"}.get(sight, sight)


def headline_and_body(state: State) -> tuple[str, str]:
    """The words that hold: the source's, or the desk's where it corrected what the source still says."""
    assert state.current is not None  # noqa: S101
    raw, version = state.current.raw, state.current
    headline, body = state.rulings.get("headline"), state.rulings.get("body")
    return (
        headline.text if headline is not None and headline.at >= version.headline_since else raw.headline,
        body.text if body is not None and body.at >= version.body_since else raw.body_html,
    )


def flags_of(state: State) -> Flags:
    """The flags that hold: what was ordered outlasts what later versions say or leave out."""
    assert state.current is not None  # noqa: S101
    said = state.current.raw.flags
    pinned = state.rulings.get("pinned")
    return Flags(
        pinned=pinned.order == "pin" if pinned is not None else said.pinned or state.current.raw.signal == "pin",
        key_event=said.key_event or "key_event" in state.rulings,
        closed=said.closed or "closed" in state.rulings,
    )


def note_of(state: State) -> str:
    """The public editor's note: the newest advisory's, or the version's own."""
    assert state.current is not None  # noqa: S101
    note = state.rulings.get("note")
    if note is not None and note.at >= state.current.since:
        return note.text
    return state.current.raw.editors_note


def _version(raw: RawUpdate, fingerprint: str, state: State, margin_s: float) -> Decision:
    if raw.status == "canceled" or raw.signal in ("kill", "takedown"):
        final: Final = "taken-down" if raw.signal == "takedown" else "killed"
        reason = raw.correction_reason or raw.editors_note
        return _end(state, final, by=raw.source, reason=reason, at=raw.received_at, fingerprint=fingerprint, raw=raw)
    if state.final is not None:
        return Decision(state, "suppressed", f"the update is {state.final}", state.final, fingerprint=fingerprint)
    before = state
    if raw.signal in WORDLESS and not (raw.headline or raw.body_html or raw.summary):
        return _rule(_wordless_ruling(raw), WORDLESS[raw.signal], before, fingerprint=fingerprint)
    outcome: Stage | None
    # What its source says after the moment of a held version finds that version open, though its release is yet to come.
    state, opened = _opened(state, raw.received_at)
    state, outcome, reason = _take(raw, fingerprint, state, margin_s)
    # Nothing is said for a version that is not shown: neither its reason nor its time.
    shown = raw if outcome is None else opened.raw if opened is not None else None
    return _conclude(
        before,
        state,
        outcome=outcome,
        reason=reason,
        forced=shown is not None,
        correction=shown is not None and shown.signal == "correction",
        said=_reason_of(shown) if shown is not None else "",
        at=opened_at(shown, margin_s) if shown is not None else raw.received_at,
        fingerprint=fingerprint,
    )


def _reason_of(raw: RawUpdate) -> str:
    """What a version tells readers about its change."""
    return raw.correction_reason or (raw.editors_note if raw.signal in ("correction", "advisory") else "")


def _take(  # noqa: PLR0911 -- a table of cases
    raw: RawUpdate, fingerprint: str, state: State, margin_s: float
) -> tuple[State, Stage | None, str]:
    """Put a version where its key says; an outcome of None is a version that is now the current one."""
    for place in ("held", "current"):
        known: Version | None = getattr(state, place)
        if known is not None and known.fingerprint == fingerprint:
            return _repeated(raw, known, place, state)
    key = order_of(raw, fingerprint)
    until = held_until(raw, margin_s)
    if state.held is not None and key < _place_of(state.held):
        held = until is not None and until > state.held.raw.received_at
        if held or (state.current is not None and key < _place_of(state.current)):
            return _older(raw, state)
        return state.model_copy(update={"current": _newer(raw, fingerprint, state.current)}), None, "an open version"
    if state.current is not None and key < _place_of(state.current):
        return _older(raw, state)
    newest = state.held or state.current
    if raw.signal == "repeat" and newest is not None and _same_words(raw, newest.raw):
        place = "held" if state.held is not None else "current"
        moved = newest.model_copy(update={"raw": raw, "fingerprint": fingerprint})
        return state.model_copy(update={place: moved}), "duplicate", "the source repeats what it said"
    version = _newer(raw, fingerprint, newest)
    if until is not None:
        changes = {"held": version, "held_until": until}
        return state.model_copy(update=changes), "held", f"embargoed until {until.isoformat()}"
    return state.model_copy(update={"current": version, "held": None, "held_until": None}), None, "a newer version"


def _place_of(version: Version) -> tuple[datetime, int, datetime, str]:
    return order_of(version.raw, version.fingerprint)


def _newer(raw: RawUpdate, fingerprint: str, before: Version | None) -> Version:
    at = raw.received_at
    return Version(
        raw=raw,
        fingerprint=fingerprint,
        since=at,
        headline_since=min(before.headline_since, at) if before and before.raw.headline == raw.headline else at,
        body_since=min(before.body_since, at) if before and before.raw.body_html == raw.body_html else at,
    )


def _repeated(raw: RawUpdate, known: Version, place: str, state: State) -> tuple[State, Stage, str]:
    """The same version again: nothing new to anyone, but its place in the order and its beginning may move."""
    changed = known.model_copy(
        update={
            "raw": raw if order_of(raw, known.fingerprint) > _place_of(known) else known.raw,
            "since": min(known.since, raw.received_at),
            "headline_since": min(known.headline_since, raw.received_at),
            "body_since": min(known.body_since, raw.received_at),
        }
    )
    if changed != known:
        state = state.model_copy(update={place: changed})
    return state, "duplicate", "the same version was here"


def _older(raw: RawUpdate, state: State) -> tuple[State, Stage, str]:
    """An older version shows nothing; it may tell that words which hold are older than they seemed."""
    for place in ("held", "current"):
        known: Version | None = getattr(state, place)
        if known is None:
            continue
        changes = {}
        if known.raw.headline == raw.headline and raw.received_at < known.headline_since:
            changes["headline_since"] = raw.received_at
        if known.raw.body_html == raw.body_html and raw.received_at < known.body_since:
            changes["body_since"] = raw.received_at
        if changes:
            state = state.model_copy(update={place: known.model_copy(update=changes)})
    return state, "superseded", "a newer version was here"


def _same_words(one: RawUpdate, other: RawUpdate) -> bool:
    return (one.headline, one.body_html, one.summary) == (other.headline, other.body_html, other.summary)


def _opened(state: State, moment: datetime) -> tuple[State, Version | None]:
    """The held version becomes the current one where its time had come at that moment; the version that did."""
    if state.held is None or state.held_until is None or state.held_until > moment:
        return state, None
    return state.model_copy(update={"current": state.held, "held": None, "held_until": None}), state.held


def _order(order: Order, state: State) -> Decision:  # noqa: PLR0911 -- a table of cases
    at = _aware(order.ordered_at)
    if order.order in ("kill", "takedown"):
        final: Final = "taken-down" if order.order == "takedown" else "killed"
        return _end(state, final, by=order.by, reason=order.reason, at=at)
    if state.final is not None:
        return Decision(state, "suppressed", f"the update is {state.final}", state.final)
    ruling = Ruling(order=order.order, at=at, by=order.by, reason=order.reason)
    match order.order:
        case "correct":
            return _correct(order, ruling, state)
        case "pin" | "unpin":
            return _rule(ruling, "pinned", state)
        case "key-event":
            return _rule(ruling, "key_event", state)
        case "close":
            return _rule(ruling, "closed", state)
        case _:
            return _rule(ruling, "sight", state)


def _correct(order: Order, ruling: Ruling, before: State) -> Decision:
    rulings = dict(before.rulings)
    sides = {"headline": order.headline, "body": order.body_html, "correction": ""}
    moved = False
    for side, text in sides.items():
        if text is None:
            continue
        new = ruling.model_copy(update={"text": text})
        if _later(new, rulings.get(side)):
            rulings[side] = new
            moved = True
    if not moved:
        return Decision(before, "duplicate", "this correction, or a later one, was here", sight_of(before))
    state = before.model_copy(update={"rulings": rulings})
    forced = rulings.get("correction") is not None and rulings["correction"].at == ruling.at
    return _conclude(
        before, state,
        reason=f"corrected by {order.by}", forced=forced, correction=True, said=order.reason, at=ruling.at,
    )  # fmt: skip


def _rule(ruling: Ruling, side: str, before: State, fingerprint: str = "") -> Decision:
    """Take in the newest ruling on one side of an update."""
    if not _later(ruling, before.rulings.get(side)):
        return Decision(
            before, "duplicate", "this order, or a later one, was here", sight_of(before), fingerprint=fingerprint
        )
    state = before.model_copy(update={"rulings": {**before.rulings, side: ruling}})
    return _conclude(
        before, state,
        reason=f"{ruling.order} by {ruling.by}", said=ruling.reason, at=ruling.at, fingerprint=fingerprint,
    )  # fmt: skip


def _later(new: Ruling, known: Ruling | None) -> bool:
    """Two orders of one moment must end the same way in whatever order they come."""
    return known is None or (new.at, new.order, new.text, new.by, new.reason) > (
        known.at, known.order, known.text, known.by, known.reason,
    )  # fmt: skip


def _wordless_ruling(raw: RawUpdate) -> Ruling:
    assert raw.signal is not None  # noqa: S101
    return Ruling(
        order=raw.signal,
        at=raw.received_at,
        by=raw.source,
        reason=raw.correction_reason or raw.editors_note,
        text=raw.editors_note,
    )


def _end(
    state: State,
    final: Final,
    *,
    by: str,
    reason: str,
    at: datetime,
    fingerprint: str = "",
    raw: RawUpdate | None = None,
) -> Decision:
    """A kill or a takedown. A takedown after a kill says more, a kill after a takedown less; the words go at once."""
    if state.final in (final, "taken-down"):
        return Decision(state, "suppressed", f"the update is {state.final}", state.final, fingerprint=fingerprint)
    known = raw or (state.current.raw if state.current else None) or (state.held.raw if state.held else None)
    kept = None
    if known is not None:
        bare = RawUpdate(
            update_id=known.update_id, source=known.source, guid=known.guid,
            version=known.version, version_created=known.version_created, received_at=known.received_at,
        )  # fmt: skip
        at_ = known.received_at
        kept = Version(raw=bare, fingerprint=fingerprint, since=at_, headline_since=at_, body_since=at_)
    ended = state.model_copy(
        update={
            "turn": state.turn + 1,
            "current": kept, "held": None, "held_until": None, "rulings": {},
            "final": final, "final_by": by, "final_reason": reason, "final_at": at,
        }
    )  # fmt: skip
    return Decision(
        ended,
        "enriched",
        f"{final} by {by}",
        final,
        emit=True,
        forced=True,
        said=reason,
        at=at,
        fingerprint=fingerprint,
    )


def _release(release: Release, before: State) -> Decision:
    """The moment that a release carries has come, whenever it is read: what waits for a later one goes on waiting."""
    if before.final is not None:
        return Decision(before, None, f"the update is {before.final}", before.final)
    moment = _aware(release.due_at)
    state, opened = _opened(before, moment)
    if (state.current is not None or state.held is not None) and (
        before.released_until is None or before.released_until < moment
    ):
        state = state.model_copy(update={"released_until": moment})
    return _conclude(
        before,
        state,
        reason=f"the moment of its {release.reason} has come",
        outcome=None if opened or release.reason == "expiry" else "held",
        forced=opened is not None,
        correction=opened is not None and opened.raw.signal == "correction",
        said=_reason_of(opened.raw) if opened is not None else "",
        at=moment,
        fingerprint=state.current.fingerprint if state.current else "",
        quiet=opened is None,
    )


def _refresh(refresh: Refresh, before: State) -> Decision:
    if before.final is not None:
        return Decision(before, None, f"the update is {before.final}", before.final)
    return _conclude(
        before, before,
        reason=f"made again because of {refresh.cause}", at=_aware(refresh.requested_at), quiet=True,
    )  # fmt: skip


def _conclude(
    before: State,
    state: State,
    *,
    reason: str,
    outcome: Stage | None = None,
    forced: bool = False,
    correction: bool = False,
    said: str = "",
    at: datetime | None = None,
    fingerprint: str = "",
    quiet: bool = False,
) -> Decision:
    """Compare what readers should have with what they have."""
    sight = sight_of(state)
    if state is not before:
        state = state.model_copy(update={"turn": before.turn + 1})
    replaced: tuple[str, ...] = ()
    if sight == "visible":
        # A state that did not move has nothing to add, unless what is attached to it may have changed (a refresh).
        emit = forced or not state.is_public or state is not before or quiet
        forced = forced or not state.is_public
        if emit and state.current is not None:
            raw = state.current.raw
            replaced = tuple(update_id_for(raw.source, guid) for guid in raw.replaces if guid != raw.guid)
    else:
        emit = forced = state.is_public
    if outcome is None and not quiet:
        outcome = "enriched" if emit else "held"
        reason = reason if emit else f"{reason}; not to be seen: {sight}"
    return Decision(state, outcome, reason, sight, emit, forced, correction, said, at, fingerprint, replaced)


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

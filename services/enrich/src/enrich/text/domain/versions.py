"""The order of an update's versions, and where a version goes: it is the current one, held, or nothing new."""

from datetime import datetime, timedelta

from enrich.text.domain.holding.why import hold_of
from enrich.text.domain.state import State, Version, VersionOrder
from shared.messages import Hold, RawUpdate, Stage

LONGEST_NUMBER = 40
"""Digits: a longer version is no number that anyone counts with."""


def version_order(raw: RawUpdate, fingerprint: str = "") -> VersionOrder:
    """The key by which versions of one update are ordered, whatever the order of their arrival."""
    version = (raw.version or "").strip()
    number = int(version) if version.isascii() and version.isdigit() and len(version) <= LONGEST_NUMBER else -1
    made_at = raw.version_created or raw.counts_from or raw.received_at
    return (made_at, number, raw.received_at, fingerprint or raw.fingerprint())


def embargo_end(raw: RawUpdate, margin_s: float = 0.0) -> datetime | None:
    """Until when a version is held, as of its receipt; None where it never had to be."""
    if raw.embargo_until is None or raw.status not in ("usable", "held"):
        return None
    until = raw.embargo_until + timedelta(seconds=margin_s)
    return until if until > raw.received_at else None


def visible_from(raw: RawUpdate, margin_s: float = 0.0, released_at: datetime | None = None) -> datetime:
    """The moment from which a version could be seen: its receipt, the end of its embargo, or its release by a desk."""
    moment = embargo_end(raw, margin_s) or raw.received_at
    return moment if released_at is None else max(moment, released_at)


def place_version(raw: RawUpdate, fingerprint: str, state: State, margin_s: float) -> tuple[State, Stage | None, str]:
    """Put a version where its order says; an outcome of None is a version that is now the current one."""
    for slot in ("held", "current"):
        known: Version | None = getattr(state, slot)
        if known is not None and known.fingerprint == fingerprint:
            return _repeated(raw, known, slot, state)
    raw = _behind_known(raw, state)
    order = version_order(raw, fingerprint)
    until, hold = embargo_end(raw, margin_s), hold_of(raw, state)
    is_older_than_current = state.current is not None and order < _order_of(state.current)
    is_older_than_held = state.held is not None and order < _order_of(state.held)
    embargoed_when_held_came = until is not None and state.held is not None and until > state.held.raw.received_at
    waits = hold is not None or (state.hold is not None and not state.is_public)
    if is_older_than_current or (is_older_than_held and (embargoed_when_held_came or waits)):
        return _older(raw, state)
    if is_older_than_held:
        return state.model_copy(update={"current": _newer(raw, fingerprint, state.current)}), None, "an open version"
    newest = state.held or state.current
    if raw.signal == "repeat" and newest is not None and _same_words(raw, newest.raw):
        slot = "held" if state.held is not None else "current"
        moved = newest.model_copy(update={"raw": raw, "fingerprint": fingerprint})
        return state.model_copy(update={slot: moved}), "duplicate", "the source repeats what it said"
    version = _newer(raw, fingerprint, newest)
    if hold is not None or until is not None:
        embargo = f"embargoed until {until.isoformat()}" if until is not None else ""
        reason = f"held for a desk: {hold.because or hold.kind}" if hold is not None else embargo
        return with_held(state, version, until, hold), "held", reason
    return with_held(state, None).model_copy(update={"current": version}), None, "a newer version"


def with_held(state: State, version: Version | None, until: datetime | None = None, hold: Hold | None = None) -> State:
    """The state with this version in the place of the held one.

    A spike is a decision about what was seen: a version that is held for another reason is to be looked at.
    """
    spiked, since = False, None
    if version is not None and hold is not None:
        spiked = state.spiked and hold == state.hold and hold == version.raw.hold
        since = None if spiked else state.hold_since or version.raw.received_at
    changes = {"held": version, "held_until": until, "hold": hold, "hold_since": since, "spiked": spiked}
    return state.model_copy(update=changes)


def opened(state: State, moment: datetime) -> tuple[State, Version | None]:
    """The held version becomes the current one if its embargo had ended at that moment; and the version that did.

    One that waits for a desk goes on waiting.
    """
    if state.held is None or state.hold is not None or state.held_until is None or state.held_until > moment:
        return state, None
    return state.model_copy(update={"current": state.held, "held": None, "held_until": None}), state.held


def _behind_known(raw: RawUpdate, state: State) -> RawUpdate:
    """A version whose own time was not believed, not before what was received before it.

    Ingest says so already, unless its database has lost what came before.
    """
    if raw.counts_from is None:
        return raw
    known = [
        each for each in (state.current, state.held) if each is not None and each.raw.received_at < raw.received_at
    ]
    latest = max((_order_of(each)[0] for each in known), default=raw.counts_from)
    return raw.model_copy(update={"counts_from": latest}) if latest > raw.counts_from else raw


def _order_of(version: Version) -> VersionOrder:
    return version_order(version.raw, version.fingerprint)


def _newer(raw: RawUpdate, fingerprint: str, before: Version | None) -> Version:
    at = raw.received_at
    return Version(
        raw=raw,
        fingerprint=fingerprint,
        since=at,
        headline_since=min(before.headline_since, at) if before and before.raw.headline == raw.headline else at,
        body_since=min(before.body_since, at) if before and before.raw.body_html == raw.body_html else at,
    )


def _repeated(raw: RawUpdate, known: Version, slot: str, state: State) -> tuple[State, Stage, str]:
    """The same version again: nothing new to anyone, but its order and its beginning may move."""
    changed = known.model_copy(
        update={
            "raw": raw if version_order(raw, known.fingerprint) > _order_of(known) else known.raw,
            "since": min(known.since, raw.received_at),
            "headline_since": min(known.headline_since, raw.received_at),
            "body_since": min(known.body_since, raw.received_at),
        }
    )
    if changed != known:
        state = state.model_copy(update={slot: changed})
    return state, "duplicate", "the same version was here"


def _older(raw: RawUpdate, state: State) -> tuple[State, Stage, str]:
    """An older version is not published; it may show that the words of a newer one are older than they seemed."""
    for slot in ("held", "current"):
        known: Version | None = getattr(state, slot)
        if known is None:
            continue
        changes = {}
        if known.raw.headline == raw.headline and raw.received_at < known.headline_since:
            changes["headline_since"] = raw.received_at
        if known.raw.body_html == raw.body_html and raw.received_at < known.body_since:
            changes["body_since"] = raw.received_at
        if changes:
            state = state.model_copy(update={slot: known.model_copy(update=changes)})
    return state, "superseded", "a newer version was here"


def _same_words(one: RawUpdate, other: RawUpdate) -> bool:
    return (one.headline, one.body_html, one.summary) == (other.headline, other.body_html, other.summary)

"""Whether a version of an update is new to us, and when it counts as received. Pure.

Only what Kafka has acknowledged counts as known: what was read and lost before it was sent is taken again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.messages import RawUpdate

LONGEST_NUMBER = 40
"""Digits of a version that counts as a number."""
TICK = timedelta(microseconds=1)
"""The least difference between the times of two versions of which one came after the other."""


@dataclass(frozen=True, slots=True)
class LatestVersion:
    """The version that was received last, among versions of which only the time of receipt decides which is newer."""

    fingerprint: str
    version: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class EmittedHistory:
    """What we have emitted of one update, as far as it matters to one version of it."""

    seen: bool
    """This very text of this very version was emitted at some time."""
    latest: LatestVersion | None
    """The latest with the same version and time of creation; for an update without such a time, the latest of all."""
    unacknowledged_at: datetime | None = None
    """When the latest version was received that Kafka may have without our knowing."""
    offered_at: datetime | None = None
    """When this very version was first received, if that came to no end: Kafka may have it, and it is sent again."""
    newest_at: datetime | None = None
    """The newest time of making among the latest versions, of those without one that of their receipt."""


NOTHING = EmittedHistory(seen=False, latest=None)


@dataclass(frozen=True, slots=True)
class DedupResult:
    """What to do with one version."""

    duplicate: bool
    received_at: datetime
    """When it counts as received: after everything that was received before it, whatever the clocks of several replicas say."""
    is_return: bool
    """It is new although the very same was emitted before: the source has gone back to it."""
    counts_from: datetime | None = None
    """From when it counts, where the time that it gives is not believed."""


def classify(
    updates: Iterable[tuple[RawUpdate, str]],
    history: Mapping[tuple[str, str], EmittedHistory],
    *,
    seen_suffices: bool = False,
) -> list[DedupResult]:
    """Which updates of a document are duplicates. They are given in their order, each with its fingerprint.

    `history`, by (update id, fingerprint), is what was emitted before this document. A repeat of the latest wording of a
    version is a duplicate. A source may go back to an earlier wording of the same version, as when it withholds an item and
    restores it; but an old version that comes again after another is a duplicate. With `seen_suffices` whatever was emitted
    at any time is one.
    """
    results: list[DedupResult] = []
    pairs = list(updates)
    last_place = {group: place for place, (update, _) in enumerate(pairs) for group in (_group(update), _whole(update))}
    latest: dict[tuple[object, ...], LatestVersion] = {}
    new: set[tuple[str, str]] = set()
    newest: dict[str, datetime] = {}
    for place, (update, fingerprint) in enumerate(pairs):
        key, group = (update.update_id, fingerprint), _group(update)
        before = history.get(key, NOTHING)
        last = latest.get(group, before.latest)
        seen = before.seen or key in new
        # The same document again would otherwise go through all of its wordings once more.
        superseded = before.seen and place != last_place[group]
        if seen and (seen_suffices or superseded or not _may_return(update, fingerprint, last)):
            results.append(DedupResult(duplicate=True, received_at=update.received_at, is_return=False))
            continue
        at = update.received_at if seen_suffices else _received_at(update, fingerprint, last, before)
        counts_from = update.counts_from
        if counts_from is not None:
            counts_from = max(filter(None, (counts_from, before.newest_at, newest.get(update.update_id))))
        results.append(DedupResult(duplicate=False, received_at=at, is_return=seen, counts_from=counts_from))
        made_at = update.version_created or counts_from or at
        newest[update.update_id] = max(newest.get(update.update_id, made_at), made_at)
        latest[group] = latest[_whole(update)] = LatestVersion(fingerprint, update.version, at)
        new.add(key)
    return results


def overtaken_at(
    updates: Iterable[tuple[RawUpdate, str]], history: Mapping[tuple[str, str], EmittedHistory]
) -> datetime | None:
    """When the last version was received that one of these would pass for newer than, by time of receipt alone, though by its
    number it is older; None without any. Had it been written down that it came before, it would be a duplicate."""
    found = []
    for update, fingerprint in updates:
        known = history.get((update.update_id, fingerprint), NOTHING)
        if known.latest is not None and not known.seen and _is_overtaken(update, fingerprint, known.latest):
            found.append(known.latest.received_at)
    return max(found, default=None)


def offered(
    history: Mapping[tuple[str, str], EmittedHistory], at: datetime | None
) -> dict[tuple[str, str], EmittedHistory]:
    """The history of a document that was first received at a time, which came to no end."""
    if at is None:
        return dict(history)
    return {
        key: each if each.seen else replace(each, offered_at=min(filter(None, (each.offered_at, at))))
        for key, each in history.items()
    }


def _group(update: RawUpdate) -> tuple[object, ...]:
    """Versions of one group are ordered by time of receipt, those of different groups by what they say of themselves."""
    if update.version_created is None:
        return _whole(update)
    return (update.update_id, update.version_created, update.version)


def _whole(update: RawUpdate) -> tuple[object, ...]:
    return (update.update_id,)


def _may_return(update: RawUpdate, fingerprint: str, last: LatestVersion | None) -> bool:
    if last is None or last.fingerprint == fingerprint:
        return False
    return update.version is None or update.version == last.version


def _received_at(update: RawUpdate, fingerprint: str, last: LatestVersion | None, before: EmittedHistory) -> datetime:
    """After everything that was received before it. One that is sent again, since it came to no end, was received when it first
    came, unless its source may have gone back to it."""
    offered_at = before.offered_at
    if last is None or offered_at is None or offered_at >= last.received_at:
        return _after(update, last, before.unacknowledged_at)
    if _is_overtaken(update, fingerprint, last):
        return offered_at
    return _after(update, last, before.unacknowledged_at)


def _is_overtaken(update: RawUpdate, fingerprint: str, last: LatestVersion) -> bool:
    """Whether the last version is another one, and not one before it by number."""
    if last.fingerprint == fingerprint or _may_return(update, fingerprint, last):
        return False
    own, other = _number(update.version), _number(last.version)
    return own is None or other is None or own <= other


def _number(version: str | None) -> int | None:
    return (
        int(version) if version and version.isascii() and version.isdigit() and len(version) <= LONGEST_NUMBER else None
    )


def _after(update: RawUpdate, last: LatestVersion | None, unacknowledged_at: datetime | None) -> datetime:
    at = update.received_at
    numbered = last is not None and None not in (update.version, last.version) and update.version != last.version
    later = at
    if last is not None and not (last.received_at < at or (last.received_at == at and numbered)):
        later = last.received_at + TICK
    if unacknowledged_at is not None and unacknowledged_at >= later:
        later = unacknowledged_at + TICK
    # Never past the end of an embargo, which would then count as over already.
    return at if update.embargo_until is not None and at < update.embargo_until <= later else later

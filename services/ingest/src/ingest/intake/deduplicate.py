"""Whether a version of an update is news to us, and when it counts as received. Pure.

Only what Kafka has acknowledged counts as known: what was read, and lost before it was sent, is taken again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.messages import RawUpdate

Verdict = Literal["new", "duplicate"]

TICK = timedelta(microseconds=1)
"""By how much what is said later counts as received later, where the clock has not moved."""


@dataclass(frozen=True, slots=True)
class LatestVersion:
    """What was received last of those versions among which only the time of receipt decides."""

    fingerprint: str
    version: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class EmittedHistory:
    """What we have emitted of one update, as far as it bears on one version of it."""

    seen: bool
    """This very text of this very version was emitted at some time."""
    newest: LatestVersion | None
    """The newest with the same version and time of creation; for an update without such a time, the newest of all."""
    unacknowledged_at: datetime | None = None
    """When the latest version was received that Kafka may have without our knowing."""


UNKNOWN = EmittedHistory(seen=False, newest=None)


@dataclass(frozen=True, slots=True)
class DedupResult:
    """What is to be done with one version."""

    verdict: Verdict
    received_at: datetime
    """When it counts as received: after all that it was said after, whatever the clocks of several replicas show."""
    returns: bool
    """It is news although the very same was emitted before: the source has gone back to it."""


def classify(
    updates: Iterable[tuple[RawUpdate, str]],
    known: Mapping[tuple[str, str], EmittedHistory],
    *,
    seen_suffices: bool = False,
) -> list[DedupResult]:
    """Judge the updates of one document, in their order, each with its fingerprint.

    `known` is by (update id, fingerprint) and tells of what came before the document. What repeats the newest that was
    said of its version is a duplicate. A source may go back to what it said before of the same version, as one that
    withholds an item and restores it; but an old version that comes again after another has nothing to say.
    With `seen_suffices` whatever was emitted at any time is a duplicate.
    """
    judged: list[DedupResult] = []
    pairs = list(updates)
    last_word = {group: place for place, (update, _) in enumerate(pairs) for group in (_group(update), _whole(update))}
    newest: dict[tuple[object, ...], LatestVersion] = {}
    told: set[tuple[str, str]] = set()
    for place, (update, fingerprint) in enumerate(pairs):
        key, group = (update.update_id, fingerprint), _group(update)
        before = known.get(key, UNKNOWN)
        last = newest.get(group, before.newest)
        seen = before.seen or key in told
        # The same document again would otherwise go through all of its wordings once more.
        passing = before.seen and place != last_word[group]
        if seen and (seen_suffices or passing or not _may_return(update, fingerprint, last)):
            judged.append(DedupResult("duplicate", update.received_at, returns=False))
            continue
        at = update.received_at if seen_suffices else _after(update, last, before.unacknowledged_at)
        judged.append(DedupResult("new", at, returns=seen))
        newest[group] = newest[_whole(update)] = LatestVersion(fingerprint, update.version, at)
        told.add(key)
    return judged


def _group(update: RawUpdate) -> tuple[object, ...]:
    """Versions of one group are ordered by when they were received, those of different ones by what they say."""
    if update.version_created is None:
        return _whole(update)
    return (update.update_id, update.version_created, update.version)


def _whole(update: RawUpdate) -> tuple[object, ...]:
    return (update.update_id,)


def _may_return(update: RawUpdate, fingerprint: str, last: LatestVersion | None) -> bool:
    if last is None or last.fingerprint == fingerprint:
        return False
    return update.version is None or update.version == last.version


def _after(update: RawUpdate, last: LatestVersion | None, unacknowledged_at: datetime | None) -> datetime:
    at = update.received_at
    numbered = last is not None and None not in (update.version, last.version) and update.version != last.version
    later = at
    if last is not None and not (last.received_at < at or (last.received_at == at and numbered)):
        later = last.received_at + TICK
    if unacknowledged_at is not None and unacknowledged_at >= later:
        later = unacknowledged_at + TICK
    # Never past the moment of an embargo: it would count as one that was over already.
    return at if update.embargo_until is not None and at < update.embargo_until <= later else later

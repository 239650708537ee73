"""Whether a version of an update is news to us. Pure.

Only what Kafka has acknowledged counts as known: what was read, and lost before it was sent, is taken again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.messages import RawUpdate

Verdict = Literal["new", "duplicate"]


@dataclass(frozen=True, slots=True)
class Known:
    """What we have emitted of one update, as far as it bears on one version of it."""

    seen: bool
    """This very version was emitted at some time."""
    latest: bool
    """It is what was emitted last."""


UNKNOWN = Known(seen=False, latest=False)


def is_versioned(update: RawUpdate) -> bool:
    """Whether the source tells its versions apart, so that a version that comes again can only be a repeat."""
    return update.version is not None or update.version_created is not None


def verdict(update: RawUpdate, known: Known, *, seen_suffices: bool = False) -> Verdict:
    """A repeat is a duplicate; without versions, a text that returns to an older wording is a new version of it."""
    repeated = known.seen if seen_suffices or is_versioned(update) else known.latest
    return "duplicate" if repeated else "new"


def judge(
    updates: Iterable[tuple[RawUpdate, str]], known: Mapping[tuple[str, str], Known], *, seen_suffices: bool = False
) -> list[Verdict]:
    """The verdicts over the updates of one document, in their order, each with its fingerprint.

    `known` is by (update id, fingerprint) and tells of what came before the document; what stands twice in the document
    is taken once. With `seen_suffices` whatever was emitted at any time is a duplicate, versions or not.
    """
    seen: set[tuple[str, str]] = set()
    latest: dict[str, str] = {}
    verdicts: list[Verdict] = []
    for update, fingerprint in updates:
        before = known.get((update.update_id, fingerprint), UNKNOWN)
        last = latest.get(update.update_id)
        decided = verdict(
            update,
            Known(
                seen=before.seen or (update.update_id, fingerprint) in seen,
                latest=before.latest if last is None else last == fingerprint,
            ),
            seen_suffices=seen_suffices,
        )
        verdicts.append(decided)
        if decided == "new":
            seen.add((update.update_id, fingerprint))
            latest[update.update_id] = fingerprint
    return verdicts

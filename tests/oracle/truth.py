"""What was published: the log `updates.enriched`, of which the first record of each number of an update counts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oracle.differences import Differences
from oracle.model import Model, Shown, Update, shown_of
from shared.settings import Connections
from shared.streams import ENRICHED
from support.topics import everything_in


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the log."""

    offset: int
    update_id: str
    revision: int
    kind: str
    shown: Shown
    pictures: int = 0
    pending: bool = False
    authors: tuple[tuple[str, str], ...] = ()
    """Of each its id and role, as the directory gave them."""


@dataclass
class Truth:
    """The log, folded."""

    records: Sequence[Record]
    first: dict[tuple[str, int], Record] = field(default_factory=dict)
    by_offset: dict[int, Record] = field(default_factory=dict)
    """First records only."""
    of_update: dict[str, list[Record]] = field(default_factory=dict)
    repeats: int = 0
    other_repeats: int = 0
    """Repeats of a number with other words: harmless as long as nobody shows them."""

    def __post_init__(self) -> None:
        """Fold it."""
        for record in self.records:
            known = self.first.get((record.update_id, record.revision))
            if known is not None:
                self.repeats += 1
                self.other_repeats += known.shown != record.shown
                continue
            self.first[record.update_id, record.revision] = record
            self.by_offset[record.offset] = record
            self.of_update.setdefault(record.update_id, []).append(record)

    def last(self, update_id: str) -> Record | None:
        """What of an update was published last."""
        return max(self.of_update.get(update_id, ()), key=lambda each: each.revision, default=None)

    def position(self, update_id: str) -> int | None:
        """The offset at which an update was first visible."""
        return next((each.offset for each in self.of_update.get(update_id, ()) if not each.shown.removal), None)

    def removed_after(self, record: Record) -> bool:
        """Whether an update was out of sight at some time after a record, so that its words may have been left out."""
        return any(each.shown.removal for each in self.of_update[record.update_id] if each.offset > record.offset)

    def visible(self) -> list[Record]:
        """What must be visible, newest position first."""
        last = [record for update_id in self.of_update if (record := self.last(update_id)) and not record.shown.removal]
        return sorted(last, key=lambda each: self.position(each.update_id) or 0, reverse=True)


async def read_truth(settings: Connections) -> Truth:
    """Read the whole log."""
    records = []
    for each in await everything_in(settings, ENRICHED):
        value: Mapping[str, Any] = json.loads(each.value or b"{}")
        records.append(
            Record(
                each.offset, value["update_id"], int(value["revision"]), value["kind"], shown_of(value),
                pictures=len(value.get("media", ())), pending=bool(value.get("media_pending")),
                authors=tuple((one.get("id") or "", one.get("role") or "") for one in value.get("authors", ())),
            )
        )  # fmt: skip
    return Truth(records)


def settled(model: Model, truth: Truth) -> list[str]:
    """The updates whose last revision is not what the model says; empty once all has arrived."""
    waiting = []
    for update in model.updates.values():
        if update.unsure:
            continue
        last = truth.last(update.update_id)
        published = last.shown if last is not None else None
        wanted = None if update.shown.hidden else update.shown
        if published != wanted and not (wanted is None and last is None):
            waiting.append(update.update_id)
    return waiting


def compare_with_model(model: Model, truth: Truth, differences: Differences) -> int:
    """Whether what was published is what was to be, in its order; returns how many updates were not judged."""
    unsure = 0
    for update in model.updates.values():
        if update.unsure:
            unsure += 1
            continue
        _compare_update(update, truth, differences)
    for update_id in truth.of_update.keys() - model.updates.keys():
        differences.add("log", "an update that nobody sent", update_id, expected="nothing", got=truth.last(update_id))
    for source in model.order:
        _compare_order(model, truth, source, differences)
    return unsure


def _compare_update(update: Update, truth: Truth, differences: Differences) -> None:
    """Each revision is one of the states, none goes back, and none is left out but those that may be."""
    records = sorted(truth.of_update.get(update.update_id, ()), key=lambda each: each.revision)
    about = f"{update.update_id} ({update.guid})"
    numbers = [each.revision for each in records]
    if numbers != list(range(1, len(numbers) + 1)):
        differences.add("log", "numbers with gaps", about, expected="1, 2, …", got=numbers)
    if [each.offset for each in records] != sorted(each.offset for each in records):
        differences.add("log", "numbers out of order", about, expected="in order", got=records)
    at = 0
    for record in records:
        fitting = [i for i in range(at, len(update.states)) if update.states[i].shown == record.shown]
        if not fitting:
            earlier = any(state.shown == record.shown for state in update.states[:at])
            kind = "went back to what was before" if earlier else "words that were never to be"
            differences.add(
                "log", kind, f"{about} revision {record.revision}",
                expected=_brief(update, at), got=record.shown,
            )  # fmt: skip
            return
        skipped = [state for state in update.states[at + 1 : fitting[0]] if not state.skippable]
        if skipped:
            differences.add(
                "log", "left out", f"{about} revision {record.revision}", expected=skipped, got=record.shown
            )  # fmt: skip
        at = fitting[0]
    rest = [state for state in update.states[at + 1 :] if not state.shown.hidden]
    if rest:
        got = records[-1].shown if records else "nothing"
        differences.add("log", "not published", about, expected=f"{rest} of {_brief(update, at)}", got=got)


def _brief(update: Update, at: int) -> str:
    kinds = ", ".join(f"{kind}@{sent:.2f}-{answered:.2f}" for sent, answered, kind in update.inputs)
    return f"one of {[state.shown for state in update.states[at:]]} after [{kinds}]"


def _compare_order(model: Model, truth: Truth, source: str, differences: Differences) -> None:
    """What one source sends is published in the order in which it was accepted."""
    placed = [(each, truth.position(each.update_id)) for each in model.placed(source)]
    judged = [(each, position) for each, position in placed if position is not None]
    highest = None
    for each, position in judged:
        if (
            highest is not None
            and position < highest[1]
            and not (each.request == highest[0].request and -1 in (each.index, highest[0].index))
        ):
            kind = "order within a request" if each.request == highest[0].request else "order of requests"
            differences.add(
                "log", kind, f"{source}: {each.update_id} (request {each.request}, item {each.index})",
                expected=f"after {highest[0].update_id} (request {highest[0].request}, item {highest[0].index}) at {highest[1]}",
                got=f"at {position}",
            )  # fmt: skip
        if highest is None or position > highest[1]:
            highest = (each, position)

"""Compares what each observer was told, event by event, with the log."""

from collections.abc import Sequence

from oracle.differences import Differences
from oracle.model import Model
from oracle.observers.seen import Log, Seen, place_of
from oracle.truth import Record, Truth
from oracle.wire import unique_words

CLOCK_S = 0.02
"""Between the clock by which a service ends an embargo and ours, which is the same."""


def compare_words(model: Model, log: Log, differences: Differences) -> None:
    """Nobody was told what was never to be seen, or not yet."""
    for seen in log.seen:
        for word in unique_words(f"{seen.shown.headline} {seen.shown.text}"):
            may_from = model.words_from.get(word)
            if may_from is not None and seen.at < may_from - CLOCK_S:
                differences.add(
                    log.name, "seen before its embargo ended", seen.update_id,
                    expected=f"not before {may_from:.3f}", got=f"{word} at {seen.at:.3f}: {seen.shown}",
                )  # fmt: skip


def compare_stream(truth: Truth, log: Log, differences: Differences, *, complete: bool = True) -> None:
    """Ids never go backwards, each event is the record of its place, none is missing, and nothing follows a kill."""
    last: tuple[int, int] | None = None
    final: set[str] = set()
    run: list[Seen] = []
    for seen in log.seen:
        place = place_of(seen.id)
        if last is not None and place <= last and not (seen.event == "reset" and place == last):
            kind = "an id twice" if place == last else "ids go backwards"
            differences.add(log.name, kind, seen.update_id, expected=f"after {last[0]}-{last[1]}", got=seen)
        last = max(last, place) if last is not None else place
        if seen.event == "reset":
            if complete:
                _compare_complete(truth, log.name, run, differences)
            run = []
            continue
        _compare_event(truth, log.name, seen, differences)
        if seen.update_id in final and not seen.shown.removal:
            differences.add(log.name, "words after a kill", seen.update_id, expected="nothing", got=seen)
        if seen.shown.removal in ("killed", "taken-down"):
            final.add(seen.update_id)
        run.append(seen)
    if complete:
        _compare_complete(truth, log.name, run, differences)


def _compare_event(truth: Truth, name: str, seen: Seen, differences: Differences) -> None:
    record = truth.by_offset.get(place_of(seen.id)[1])
    if record is None:
        first = truth.first.get((seen.update_id, seen.revision))
        differences.add(name, "not the first of its number", seen.update_id, expected=first, got=seen)
    elif (record.update_id, record.revision, record.shown) != (seen.update_id, seen.revision, seen.shown):
        differences.add(name, "another event than the log has", seen.update_id, expected=record, got=seen)


def _compare_complete(truth: Truth, name: str, run: Sequence[Seen], differences: Differences) -> None:
    """Between the first and the last event of a stretch without a reset, nothing is missing but what was removed meanwhile."""
    if not run:
        return
    places = {place_of(seen.id)[1] for seen in run}
    for record in truth.records:
        if min(places) < record.offset < max(places) and record.offset not in places and _must_come(truth, record):
            differences.add(
                name, "an event is missing", record.update_id, expected=record, got=f"{run[0].id} … {run[-1].id}"
            )


def _must_come(truth: Truth, record: Record) -> bool:
    if record.offset not in truth.by_offset or truth.position(record.update_id) is None:
        return False
    return not truth.removed_after(record) if not record.shown.removal else _is_new_removal(truth, record)


def _is_new_removal(truth: Truth, record: Record) -> bool:
    """Whether there was something to remove."""
    before = [each for each in truth.of_update[record.update_id] if each.offset < record.offset]
    return any(not each.shown.removal for each in before)


def compare_deliveries(truth: Truth, log: Log, differences: Differences) -> None:
    """Webhooks: each revision as it is in the log, an update's in their order, the last one delivered, nothing after a kill."""
    newest: dict[str, Seen] = {}
    told: set[tuple[str, int]] = set()
    for seen in log.seen:
        record = truth.first.get((seen.update_id, seen.revision))
        if record is None or record.shown != seen.shown:
            differences.add(log.name, "another revision than the log has", seen.update_id, expected=record, got=seen)
        before = newest.get(seen.update_id)
        if before is not None and before.shown.removal in ("killed", "taken-down") and not seen.shown.removal:
            differences.add(log.name, "words after a kill", seen.update_id, expected="nothing", got=seen)
        elif before is not None and seen.revision < before.revision and (seen.update_id, seen.revision) not in told:
            differences.add(log.name, "out of order", seen.update_id, expected=f"after {before.revision}", got=seen)
        told.add((seen.update_id, seen.revision))
        if before is None or seen.revision >= before.revision:
            newest[seen.update_id] = seen
    for update_id in truth.of_update:
        last = truth.last(update_id)
        assert last is not None
        got = newest.get(update_id)
        if truth.position(update_id) is not None and (got is None or got.revision != last.revision):
            differences.add(log.name, "not delivered", update_id, expected=last, got=got)

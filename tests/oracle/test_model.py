"""The model by itself, and that the comparison sees what it is there to see."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from oracle.differences import Differences
from oracle.eventlogs import compare_deliveries, compare_stream, compare_words
from oracle.model import Input, Model, Placed, Shown, Update, Version, Words, update_id_of
from oracle.observers.seen import Log, Seen
from oracle.truth import Record, Truth, compare_with_model
from oracle.wire import Wire, unique_words
from shared.messages import update_id_for

WORDS = Words("Headline zq0000001.", ("One zq0000002.", "Two zq0000003.", "Three zq0000004."))


def taken(*inputs: tuple[Input, float]) -> Update:
    """An update after inputs, each at its time."""
    update = Update("north", "a")
    for given, at in inputs:
        update.take(given, at, at + 0.1)
    return update


def version(number: int = 1, words: Words = WORDS, **fields: object) -> Input:
    """A version."""
    return Input("version", Version(number, words, **fields))  # type: ignore[arg-type]


def test_ids_are_those_of_the_contract() -> None:
    """The model computes them by itself."""
    assert update_id_of("north", "a é") == update_id_for("north", "a é")


def test_a_kill_is_final() -> None:
    """Whatever comes after it; a takedown says more."""
    update = taken((version(), 1), (Input("kill"), 2), (version(2), 3), (Input("restore"), 4))
    assert update.shown == Shown(removal="killed")
    assert taken((version(), 1), (Input("kill"), 2), (Input("takedown"), 3)).shown.removal == "taken-down"
    assert taken((Input("kill"), 1), (version(), 2)).shown.removal == "killed"


def test_an_embargo_ends_by_itself_and_an_expiry_comes() -> None:
    """Between them the words are shown; killed meanwhile, never."""
    update = taken((version(embargo_until=10.0, expires_at=20.0), 1))
    assert update.shown.hidden
    update.pass_time(10.0)
    assert update.shown.headline == WORDS.headline
    update.pass_time(20.0)
    assert update.shown.removal == "expired"
    killed = taken((version(embargo_until=10.0), 1), (Input("kill"), 5))
    killed.pass_time(30.0)
    assert [state.shown.headline for state in killed.states] == ["", ""]


def test_what_a_desk_restores_after_it_expired_stays() -> None:
    """Until the source's next version; restored before, it expires as it was to."""
    late = taken((version(expires_at=20.0), 1), (Input("withdraw"), 5), (Input("restore"), 30))
    late.pass_time(40.0)
    assert late.shown.headline == WORDS.headline
    early = taken((version(expires_at=20.0), 1), (Input("withdraw"), 5), (Input("restore"), 10))
    early.pass_time(40.0)
    assert early.shown.removal == "expired"


def test_what_is_under_way_while_a_moment_comes_is_not_judged() -> None:
    """Nobody knows which was first."""
    assert taken((version(expires_at=2.0), 1), (Input("pin"), 1.9)).unsure
    assert not taken((version(expires_at=9.0), 1), (Input("pin"), 1.9)).unsure


def test_a_correction_stands_and_the_rest_is_merged() -> None:
    """The source's next version with the old sentence and another one changed has the desk's, and the change."""
    edited = WORDS.with_part(1, "Two zq0000009.")
    update = taken((version(), 1), (Input("correct", part=0, text="One zq0000008."), 2), (version(2, edited), 3))
    assert update.shown.text == "One zq0000008. Two zq0000009. Three zq0000004."


def test_a_source_is_drawn_by_its_seed() -> None:
    """The same seed sends the same, another one something else; every word that matters occurs once."""

    def drawn(seed: int) -> list[object]:
        model = Model()
        wire = Wire(model, "north", 0, seed=seed)
        bodies = []
        for _ in range(60):
            request = wire.next()
            for update, given in request.items:
                update.take(given, 1.0, 1.0)
            bodies.append((request.path, request.places and request.places[0].guid))
        return bodies

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert unique_words("Ferry zq0000123. ZQ0000124 tram") == ["zq0000123", "zq0000124"]


FIRST, SECOND, KILLED = Shown("First"), Shown("Second"), Shown(removal="killed")
RECORDS = (
    Record(0, "a", 1, "publish", FIRST), Record(1, "b", 1, "publish", FIRST), Record(2, "a", 2, "update", SECOND),
    Record(3, "a", 2, "update", Shown("Made again")), Record(4, "c", 1, "publish", FIRST), Record(5, "b", 2, "kill", KILLED),
    Record(6, "d", 1, "publish", FIRST),
)  # fmt: skip
TRUTH = Truth(RECORDS)


def seen(offset: int, **other: object) -> Seen:
    """An event as the log has it, or nearly."""
    record = RECORDS[offset]
    return replace(Seen(1.0, record.kind, f"1-{offset}", record.update_id, record.revision, record.shown), **other)  # type: ignore[arg-type]


ALL = [seen(offset) for offset in (0, 1, 2, 4, 5, 6)]


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        (ALL, ""),
        ([*ALL[:2], *ALL[3:]], "an event is missing"),
        ([ALL[0], *ALL[2:]], ""),  # its words were removed meanwhile
        ([ALL[0], ALL[0], *ALL[1:]], "an id twice"),
        ([*ALL[:3], ALL[1], *ALL[3:]], "ids go backwards"),
        ([*ALL[:3], seen(3), *ALL[3:]], "not the first of its number"),
        ([*ALL[:2], seen(2, shown=FIRST), *ALL[3:]], "another event than the log has"),
        ([*ALL[:5], seen(6, update_id="b")], "words after a kill"),
    ],
)
def test_what_a_reader_of_the_stream_was_told_is_compared(events: Sequence[Seen], kind: str) -> None:
    """Event by event, with the first records of the log."""
    differences = Differences()
    compare_stream(TRUTH, Log("reader", list(events)), differences)
    assert (f"reader: {kind}" in differences.counts) if kind else not differences.total


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        (ALL, ""),
        ([*ALL, ALL[0]], ""),  # a delivery may come twice
        ([*ALL[:5]], "not delivered"),
        ([ALL[2], ALL[0], ALL[1], *ALL[3:]], "out of order"),
        ([*ALL, seen(1)], "words after a kill"),
        ([*ALL, seen(3, shown=Shown("Made again"))], "another revision than the log has"),
    ],
)
def test_what_was_delivered_is_compared(events: Sequence[Seen], kind: str) -> None:
    """Each revision at least once, in order, the last one too."""
    differences = Differences()
    compare_deliveries(TRUTH, Log("hook", list(events)), differences)
    assert (f"hook: {kind}" in differences.counts) if kind else not differences.total


def test_words_that_are_seen_too_early_are_told() -> None:
    """By the clock of whoever saw them."""
    model, differences = Model(words_from={"zq0000001": 5.0}), Differences()
    early = Log("reader", [seen(0, at=4.0, shown=Shown(WORDS.headline))])
    compare_words(model, early, differences)
    compare_words(model, Log("reader", [seen(0, at=5.0, shown=Shown(WORDS.headline))]), differences)
    assert differences.counts == {"reader: seen before its embargo ended": 1}


def published(*shown: Shown, model: Model | None = None) -> Differences:
    """What the model says of a log that has these revisions of update `a`, whose versions were two."""
    model = model or Model()
    update = model.update("north", "a")
    update.take(version(), 1.0, 1.0)
    update.take(version(2, WORDS.with_part("headline", "Headline zq0000005.")), 2.0, 2.0)
    records = [Record(n, update.update_id, n + 1, "update", each) for n, each in enumerate(shown)]
    differences = Differences()
    compare_with_model(model, Truth(records), differences)
    return differences


def test_what_was_published_is_compared_with_what_was_to_be() -> None:
    """Each state in its turn, none left out, none of old."""
    one, two = Shown(WORDS.headline, " ".join(WORDS.sentences)), Shown("Headline zq0000005.", " ".join(WORDS.sentences))
    assert not published(one, two).total
    assert not published(one, one, two, two).total
    assert published(one).counts == {"log: not published": 1}
    assert published(two).counts == {"log: left out": 1}
    assert published(one, two, one).counts == {"log: went back to what was before": 1}
    assert published(one, Shown("Nobody's"), two).counts == {"log: words that were never to be": 1}


def test_the_order_of_a_source_is_compared() -> None:
    """Within a request unless it was repeated, and between requests."""
    shown = Shown(WORDS.headline, " ".join(WORDS.sentences))
    for indices, kinds in (((0, 1), {"log: order within a request": 1}), ((-1, -1), {})):
        model = Model()
        ids = [model.update("north", guid).update_id for guid in "ab"]
        for update in model.updates.values():
            update.take(version(), 1.0, 1.0)
        model.order["north"] = [Placed(1, index, update_id) for index, update_id in zip(indices, ids, strict=True)]
        differences = Differences()
        compare_with_model(
            model, Truth([Record(n, each, 1, "publish", shown) for n, each in enumerate(reversed(ids))]), differences
        )
        assert differences.counts == kinds

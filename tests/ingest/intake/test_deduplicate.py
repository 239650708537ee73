"""What counts as news."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.text.domain.lifecycle import decide
from enrich.text.domain.state import State
from enrich.text.domain.versions import version_order
from ingest.formats.finish import BEFORE_ANYTHING
from ingest.intake.deduplicate import (
    DedupResult,
    EmittedHistory,
    LatestVersion,
    classify,
    offered,
    overtaken_at,
)
from shared.messages import RawUpdate, update_id_for
from support.topics import raw_update

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

Fingerprinted = tuple[RawUpdate, str]


def version_of(guid: str, headline: str, version: str | None = None, seconds: float = 0, **said: Any) -> Fingerprinted:
    """A version, received so many seconds after noon, and its fingerprint."""
    received_at = NOON + timedelta(seconds=seconds)
    update = raw_update(guid, headline=headline, version=version, received_at=received_at, **said)
    return update, update.fingerprint()


class Emitted:
    """What has been emitted, as Postgres keeps it."""

    def __init__(self) -> None:
        self.messages: list[RawUpdate] = []

    def known(self, items: Sequence[Fingerprinted]) -> dict[tuple[str, str], EmittedHistory]:
        """What `items.history` answers."""
        return {(update.update_id, fingerprint): self._known(update, fingerprint) for update, fingerprint in items}

    def _known(self, update: RawUpdate, fingerprint: str) -> EmittedHistory:
        own = [each for each in self.messages if each.update_id == update.update_id]
        place = (update.version_created, update.version)
        group = [each for each in own if not update.version_created or (each.version_created, each.version) == place]
        latest = max(group, key=lambda each: (each.received_at, each.fingerprint()), default=None)
        made = [each.version_created or each.received_at for each in own if each.received_at < update.received_at]
        return EmittedHistory(
            seen=any(each.fingerprint() == fingerprint for each in own),
            latest=LatestVersion(latest.fingerprint(), latest.version, latest.received_at) if latest else None,
            newest_at=max(made, default=None),
        )

    def take(self, *items: Fingerprinted, again: bool = False) -> list[str]:
        """What becomes of the updates of a document; the new ones are emitted."""
        results = classify(items, self.known(items), seen_suffices=again)
        self.messages += news(items, results)
        return ["duplicate" if each.duplicate else "new" for each in results]

    def outcome(self) -> RawUpdate | None:
        """The version that enrich is left with."""
        state = State(update_id=update_id_for("test", "a"))
        for message in self.messages:
            state = decide(message, state).state
        return state.current.raw if state.current else None


def news(items: Sequence[Fingerprinted], results: Sequence[DedupResult]) -> list[RawUpdate]:
    """What is emitted."""
    return [
        update.model_copy(update={"received_at": result.received_at, "counts_from": result.counts_from})
        for (update, _), result in zip(items, results, strict=True)
        if not result.duplicate
    ]


def classified(*items: Fingerprinted) -> list[str]:
    """What becomes of the updates of the first document of all."""
    return Emitted().take(*items)


def test_what_stands_twice_in_a_document_is_taken_once() -> None:
    """A repeat within one document is a duplicate."""
    assert classified(version_of("a", "x"), version_of("a", "x")) == ["new", "duplicate"]


def test_a_text_without_versions_may_return_to_an_older_wording() -> None:
    """Without versions only what equals the latest is a repeat, so that a reverted edit reaches readers."""
    assert classified(version_of("a", "x"), version_of("a", "y"), version_of("a", "x")) == ["new", "new", "new"]


def test_an_old_version_that_comes_again_late_is_a_repeat() -> None:
    """A version that was overtaken by another has nothing to say when it is delivered again, with a time or without."""
    assert classified(version_of("a", "x", "1"), version_of("a", "y", "2"), version_of("a", "x", "1")) == [
        "new",
        "new",
        "duplicate",
    ]
    timed = [
        version_of("a", text, version_created=NOON + timedelta(minutes=at))
        for text, at in (("x", 1), ("y", 2), ("x", 1))
    ]
    assert classified(*timed) == ["new", "new", "duplicate"]


def test_a_whole_history_that_is_delivered_again_is_a_repeat() -> None:
    """What a source without times redelivers from the beginning sets nothing back, the edits of one version included."""
    emitted = Emitted()
    history = [("x", "1"), ("y", "1"), ("z", "2")]
    assert [emitted.take(version_of("a", *each, seconds=at)) for at, each in enumerate(history)] == [["new"]] * 3
    assert [emitted.take(version_of("a", *each, seconds=9 + at)) for at, each in enumerate(history)] == [
        ["duplicate"]
    ] * 3


def test_what_is_withheld_and_restored_under_one_version_flips_each_time() -> None:
    """A source may go back and forth between two things that it says of one version; each is taken once."""
    for versions in ({"version": "7"}, {"version_created": NOON}, {"version": "7", "version_created": NOON}):
        emitted = Emitted()
        for at, status in enumerate(("usable", "withheld", "usable", "withheld", "usable")):
            item = version_of("a", "x", seconds=10 * at, status=status, **versions)
            assert emitted.take(item) == ["new"]
            assert emitted.take(version_of("a", "x", seconds=10 * at + 5, status=status, **versions)) == ["duplicate"]
            outcome = emitted.outcome()
            assert outcome is not None
            assert outcome.status == status


def test_the_same_document_again_is_a_repeat_whatever_it_says_back_and_forth() -> None:
    """A document with several wordings of one version ends with the last of them, and brings nothing the second time."""
    for versions in ({}, {"version": "7"}, {"version_created": NOON}):
        emitted = Emitted()
        first = [version_of("a", text, **versions) for text in "xyxz"]
        assert emitted.take(*first) == ["new"] * 4
        outcome = emitted.outcome()
        assert outcome is not None
        assert outcome.headline == "z"
        assert emitted.take(*[version_of("a", text, seconds=60, **versions) for text in "xyxz"]) == ["duplicate"] * 4


def test_what_is_said_later_counts_as_received_later_whatever_the_clocks_show() -> None:
    """A replica whose clock is behind does not make a source's newest words older than those before."""
    emitted = Emitted()
    for text, clock in (("x", 100), ("y", 60), ("z", 60), ("x", 50)):
        assert emitted.take(version_of("a", text, "7", seconds=clock)) == ["new"]
        outcome = emitted.outcome()
        assert outcome is not None
        assert outcome.headline == text


def test_a_moved_time_does_not_open_an_embargo() -> None:
    """What is embargoed until after its receipt stays so."""
    emitted = Emitted()
    emitted.take(version_of("a", "x", seconds=100))
    emitted.take(version_of("a", "y", seconds=60, embargo_until=NOON + timedelta(seconds=90)))
    assert emitted.messages[-1].received_at == NOON + timedelta(seconds=60)


def test_an_original_that_is_read_again_keeps_its_time() -> None:
    """What a newer reader makes of an old original stands where the original stood, and never passes for a return."""
    emitted = Emitted()
    for at, text in enumerate("xy"):
        emitted.take(version_of("a", text, seconds=at))
    assert emitted.take(version_of("a", "x"), again=True) == ["duplicate"]
    assert emitted.take(version_of("a", "x", credit="North"), again=True) == ["new"]
    outcome = emitted.outcome()
    assert outcome is not None
    assert outcome.headline == "y"


VERSIONS = st.sampled_from([(None, None), ("1", None), (None, 1), (None, 2), ("1", 1), ("2", 1), ("2", 2)])
WORDINGS = st.sampled_from([("x", "usable"), ("y", "usable"), ("x", "withheld")])


@st.composite
def sayings(draw: st.DrawFn) -> list[list[Fingerprinted]]:
    """What a source says of one update: documents, each with a few versions, in ways that may change between them."""
    documents = []
    for number in range(draw(st.integers(1, 8))):
        items = []
        for _ in range(draw(st.integers(1, 3))):
            (version, created), (text, status) = draw(VERSIONS), draw(WORDINGS)
            moment = NOON + timedelta(hours=created) if created else None
            items.append(version_of("a", text, version, seconds=10 * number, version_created=moment, status=status))
        documents.append(items)
    return documents


@given(sayings())
def test_a_document_again_brings_nothing(documents: list[list[Fingerprinted]]) -> None:
    """Whatever was said before, the document that was taken last is a duplicate when it comes once more."""
    emitted = Emitted()
    for document in documents:
        emitted.take(*document)
    assert set(emitted.take(*documents[-1])) == {"duplicate"}


@given(sayings())
def test_readers_are_left_with_the_last_word_on_the_newest_version(documents: list[list[Fingerprinted]]) -> None:
    """Where versions have a time, enrich ends with what was said last of the newest, one document or many, with repeats."""
    emitted, one_by_one, shown = Emitted(), Emitted(), None
    flat = [item for document in documents for item in document if item[0].version_created is not None]
    for document in documents:
        timed = [item for item in document if item[0].version_created is not None]
        emitted.take(*timed)
        emitted.take(*timed)
    for item in flat:
        one_by_one.take(item)
        one_by_one.take(item)
    if flat:
        newest = max(version_order(update)[:2] for update, _ in flat)
        shown = [update for update, _ in flat if version_order(update)[:2] == newest][-1].fingerprint()
    for each in (emitted, one_by_one):
        outcome = each.outcome()
        assert (outcome.fingerprint() if outcome else None) == shown


@given(sayings(), st.randoms(use_true_random=False))
def test_what_was_emitted_ends_in_one_state_in_every_order(documents: list[list[Fingerprinted]], random: Any) -> None:
    """Two replicas that emit at once leave enrich with one state, and the next judgement agrees with it."""
    emitted = Emitted()
    for document in documents:
        emitted.take(*[item for item in document if item[0].version_created is not None])
    before = emitted.outcome()
    random.shuffle(emitted.messages)
    after = emitted.outcome()
    assert (after.fingerprint() if after else None) == (before.fingerprint() if before else None)
    if before is not None:
        late = before.model_copy(update={"received_at": NOON + timedelta(days=1)})
        assert emitted.take((late, late.fingerprint())) == ["duplicate"]


def test_what_follows_a_text_that_kafka_may_have_counts_as_received_after_it() -> None:
    """A correction is not overtaken by its sender's own older text that was answered 503 and came out late, though the clock
    of the replica that takes the correction is behind; an embargo's end is not passed for that."""
    doubtful, fingerprint = version_of("a", "refused", seconds=5)
    for said, later in (({}, True), ({"embargo_until": NOON + timedelta(seconds=4)}, False)):
        correction = version_of("a", "correction", seconds=3, **said)
        key = (correction[0].update_id, correction[1])
        [result] = classify(
            [correction], {key: EmittedHistory(seen=False, latest=None, unacknowledged_at=doubtful.received_at)}
        )
        assert (result.received_at > doubtful.received_at) == later
        taken = correction[0].model_copy(update={"received_at": result.received_at})
        assert not later or version_order(taken, correction[1]) > version_order(doubtful, fingerprint)


def dated(text: str, made: float, received: float, version: str | None = None) -> Fingerprinted:
    """A version with the time that its source gives it, so many seconds after noon."""
    return version_of("a", text, version, seconds=received, version_created=NOON + timedelta(seconds=made))


def disbelieved(text: str, received: float, version: str | None = None) -> Fingerprinted:
    """A version that was dated in the future by mistake, as readers of formats leave it."""
    return version_of("a", text, version, seconds=received, counts_from=BEFORE_ANYTHING)


@pytest.mark.parametrize("numbers", [(None, None, None), ("1", "2", "3")])
@pytest.mark.parametrize("before", [True, False])
def test_a_wrong_date_beats_nothing_that_its_source_says_next(before: bool, numbers: tuple[str | None, ...]) -> None:
    """What comes next was made before the wrong one was received; what came before is older, whatever enrich gets first."""
    one, two, three = numbers
    said = [dated("first", 0, 4, one)] if before else []
    said += [disbelieved("wrong", 7, two), dated("next", 5, 9, three)]
    for count in range(1, len(said) + 1):
        emitted = Emitted()
        for each in said[:count]:
            assert emitted.take(each) == ["new"]
        for order in permutations(emitted.messages):
            emitted.messages = list(order)
            outcome = emitted.outcome()
            # Without a number among those that have one, only the date or the receipt tells versions of one moment apart.
            if count < 3 or numbers != ("1", None, "3"):
                assert outcome is not None
                assert outcome.headline == said[count - 1][0].headline


def test_wrong_dates_of_one_source_in_a_row_follow_one_another() -> None:
    """A clock that is a day ahead, and then set right; in one document or in many."""
    said = [dated("first", 0, 4), disbelieved("second", 70), disbelieved("third", 130), dated("right", 125, 190)]
    for documents in ([[each] for each in said], [said]):
        emitted = Emitted()
        for count, document in enumerate(documents, 1):
            emitted.take(*document)
            outcome = emitted.outcome()
            assert outcome is not None
            assert outcome.headline == (said[count - 1] if len(documents) > 1 else said[-1])[0].headline


def test_what_came_to_no_end_is_ordered_by_its_first_receipt() -> None:
    """It is sent again after another version: it was there before that, whether Kafka has had it or not."""
    emitted = Emitted()
    emitted.take(version_of("a", "second", "2", seconds=20))
    again = version_of("a", "first", "1", seconds=30)
    history = emitted.known([again])
    assert overtaken_at([again], history) == NOON + timedelta(seconds=20)
    for offered_s, received_s in ((10, 10), (25, 30)):
        [result] = classify([again], offered(history, NOON + timedelta(seconds=offered_s)))
        assert (result.duplicate, result.received_at) == (False, NOON + timedelta(seconds=received_s))
    assert classify([again], offered(history, None)) == classify([again], history)
    assert overtaken_at([version_of("b", "alone")], {}) is None


@pytest.mark.parametrize("version", [None, "2", "3"])
def test_what_its_source_may_have_gone_back_to_is_the_newest(version: str | None) -> None:
    """Without a number, or with the same, a source may say again what it was once refused; a higher number is newer anyway."""
    emitted = Emitted()
    emitted.take(version_of("a", "between", "2", seconds=20))
    again = version_of("a", "again", version, seconds=30)
    history = emitted.known([again])
    assert overtaken_at([again], history) is None
    [result] = classify([again], offered(history, NOON + timedelta(seconds=10)))
    assert result.received_at == NOON + timedelta(seconds=30)

"""What recovery decides of records of the log: pure."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.text.published.ahead import Ahead, due_at
from enrich.text.published.follower import Counts
from enrich.text.published.records import Cause, PublishedRecord, counting, read_cause


def record(
    revision: int, cause: str = "", *, offset: int | None = None, writer: str = "w", update: str = "u"
) -> PublishedRecord:
    """A record of the log, made from `cause`."""
    return PublishedRecord(
        update, revision, revision if offset is None else offset, read_cause(cause), writer, 0, b""
    )  # fmt: skip


@pytest.mark.parametrize(
    ("records", "revision", "before", "repeated", "is_later"),
    [
        # Rows have everything.
        ([record(1, "0:8")], 1, [], [], False),
        # Handled again: what it was made into is adopted, whatever is computed now.
        ([record(2, "0:10")], 1, [], [2], False),
        # Two of one raw record: the second followed on what was adopted.
        ([record(2, "0:10"), record(3, "0:10")], 1, [], [2, 3], False),
        # The first time, it emitted nothing: later ones of the update exist.
        ([record(2, "0:11")], 1, [], [], True),
        ([record(2, "0:10"), record(3, "0:12")], 1, [], [2], True),
        # Made from what is not read again, by another partition's raw record, or by a release that said nothing.
        ([record(2, "0:9")], 1, [2], [], False),
        ([record(2, "3:12")], 1, [2], [], False),
        ([record(2)], 1, [2], [], False),
        # Between the two kinds, in the log's order.
        ([record(2, "0:9"), record(3, "0:10"), record(4, "0:7"), record(5, "0:11")], 1, [2], [3, 4], True),
        # The row has the first, and the raw record is handled again for what follows.
        ([record(2, "0:10"), record(3, "0:10")], 2, [], [3], False),
    ],
)
def test_what_is_due_when_the_raw_record_at_10_is_handled(
    records: Sequence[PublishedRecord], revision: int, before: list[int], repeated: list[int], is_later: bool
) -> None:
    """Of an update whose state knows `revision`."""
    due = due_at(records, revision, Cause(0, 10))
    assert [each.revision for each in due.before] == before
    assert [each.revision for each in due.repeated] == repeated
    assert due.is_later == is_later


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), max_size=8), st.integers(0, 8), st.integers(0, 6))
def test_whoever_reads_on_adopts_everything_in_the_order_of_the_log(
    causes: list[tuple[int, int]], revision: int, resume: int
) -> None:
    """From any offset, with records of any cause: each raw record of the partition is handled once, and all is adopted."""
    records = [record(number, f"{partition}:{offset}") for number, (partition, offset) in enumerate(causes, 1)]
    adopted, known = [], revision
    for offset in range(resume, 8):
        due = due_at(records, known, Cause(0, offset))
        adopted += [each.revision for each in due.adopted]
        known = adopted[-1] if adopted else revision
        assert all(each.cause is not None and each.cause >= Cause(0, offset) for each in due.repeated[:1])  # type: ignore[operator]
        if not due.is_later:
            assert known >= len(records) or not records
    assert adopted == list(range(revision + 1, len(records) + 1))


def test_only_what_is_higher_than_all_before_it_counts() -> None:
    """As readers see it: a late writer's repeat, and what it builds on one, count only where they are ahead."""
    newest: dict[str, int] = {}
    counted = counting(
        [record(1), record(2), record(2), record(1), record(4), record(3), record(1, update="v")], newest
    )
    assert [(each.update_id, each.revision) for each in counted] == [("u", 1), ("u", 2), ("u", 4), ("v", 1)]
    assert newest == {"u": 4, "v": 1}


def test_rows_that_catch_up_leave_nothing_ahead() -> None:
    """The settled place may move on then."""
    ahead = Ahead([record(2, offset=20), record(3, offset=30), record(1, update="v", offset=25)])
    assert (len(ahead), ahead.first_offset()) == (3, 20)
    ahead.settle({"u": 2, "w": 9})
    assert (len(ahead), ahead.first_offset()) == (2, 25)
    ahead.settle({"u": 3, "v": 1})
    assert (len(ahead), ahead.first_offset()) == (0, None)


class TestCounts:
    """Who was first, as the follower sees the log go by."""

    def test_a_revision_of_ours_behind_anothers_is_lost(self) -> None:
        """And what is higher and ours as well does not make it first."""
        counts = Counts()
        assert counts.take(record(1, writer="other"), "me")
        assert not counts.take(record(1, writer="me"), "me")
        assert not counts.take(record(2, writer="me"), "me")
        assert counts.is_taken("u", 1, "me")
        assert not counts.is_taken("u", 2, "me")

    def test_what_kafkas_client_repeats_is_not_lost(self) -> None:
        """Without idempotence a batch may be in the log twice."""
        counts = Counts()
        for number in (1, 2, 1, 2):
            assert not counts.take(record(number, writer="me"), "me")
        assert not counts.is_taken("u", 1, "me")
        assert not counts.is_taken("u", 2, "me")

    def test_a_number_that_another_took_is_known_before_it_is_sent(self) -> None:
        """Also a higher one."""
        counts = Counts()
        counts.take(record(3, writer="other"), "me")
        assert counts.is_taken("u", 2, "me")
        assert counts.is_taken("u", 3, "me")
        assert not counts.is_taken("u", 4, "me")

    def test_an_id_of_ours_before_a_recovery_is_anothers(self) -> None:
        """What a failed batch sent comes into the log late: it is seen as what it is."""
        counts = Counts()
        assert counts.take(record(1, writer="me before"), "me")


@pytest.mark.parametrize("text", ["", "0", ":", "1:", ":1", "1:x", "-1:2", "1:-2", "1:2:3", "٣:١", "1:" + "9" * 60])
def test_a_cause_that_is_none_is_none(text: str) -> None:
    """Anybody's bytes."""
    assert read_cause(text) is None


def test_a_cause_is_read_as_it_is_written() -> None:
    """`partition:offset`."""
    assert read_cause(str(Cause(11, 12345678901))) == Cause(11, 12345678901)

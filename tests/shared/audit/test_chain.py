"""The chain of an audit log, without Postgres."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest

from shared.access.holder import KeyHolder
from shared.audit.entry import GENESIS, Entry, Row, canonical, chained, sealed
from shared.audit.verify import Verification

AT = datetime(2026, 11, 28, 20, tzinfo=UTC)
ANN = KeyHolder("key_1", "desk", "Ann Lee", frozenset({"orders"}))


def rows(count: int) -> list[Row]:
    made: list[Row] = []
    previous = GENESIS
    for seq in range(1, count + 1):
        entry = Entry(ANN, "order-kill", f"update {seq}", None, {"order": "kill", "n": seq}, "not true", "192.0.2.1")
        covered, erasable = sealed(entry, "ingest", AT)
        made.append(Row(seq, covered, erasable, previous, chained(previous, seq, covered)))
        previous = made[-1].hash
    return made


def faults(given: list[Row]) -> list[str]:
    check = Verification("ingest")
    for row in given:
        check.add(row)
    return check.faults


def test_a_whole_chain_has_no_fault() -> None:
    """And says who, what, when, from where and why."""
    chain = rows(3)
    assert faults(chain) == []
    shown = chain[1].shown()
    assert (shown["person"], shown["address"], shown["reason"]) == ("Ann Lee", "192.0.2.1", "not true")
    assert (shown["after"], shown["at"]) == ({"n": 2, "order": "kill"}, AT.isoformat())


def changed(row: Row, **fields: object) -> Row:
    return replace(row, entry=canonical({**orjson.loads(row.entry), **fields}))


@pytest.mark.parametrize(
    ("tampered", "fault"),
    [
        (lambda c: [c[0], c[2]], "3: entries 2 to 2 are missing"),
        (lambda c: [c[0], changed(c[1], action="order-pin"), c[2]], "2: what it says is not what was written"),
        (lambda c: [c[0], replace(c[1], erasable={**c[1].erasable, "reason": {"salt": "", "value": "x"}})], "2: its reason"),
        (lambda c: [changed(c[0], service="publish")], "1: is of 'publish'"),
        (lambda c: [c[0], replace(c[1], previous=c[2].hash)], "2: does not follow entry 1"),
        (lambda c: [replace(c[0], entry="{")], "1: is no JSON"),
    ],
)  # fmt: skip
def test_what_was_tampered_with_is_named(tampered, fault) -> None:  # type: ignore[no-untyped-def]
    """By the number of the entry."""
    assert any(found.startswith(fault) for found in faults(tampered(rows(3))))


def test_an_end_that_was_cut_off_is_seen_by_a_head_that_was_noted() -> None:
    """And so is a chain that was made anew."""
    chain = rows(3)
    noted = (3, chain[2].hash)
    check = Verification("ingest")
    check.check_heads([noted], {row.seq: row.hash for row in chain[:2]})
    assert check.faults == ["3: the head that was noted is not there any more"]
    check = Verification("ingest")
    check.check_heads([noted], {row.seq: row.hash for row in chain})
    assert check.faults == []


def test_a_person_can_be_erased_and_the_chain_stays_whole() -> None:
    """What was erased is told as such, and cannot be guessed from its digest, which is salted."""
    chain = rows(2)
    kept = {name: value for name, value in chain[0].erasable.items() if name != "person"}
    erased = replace(chain[0], erasable=kept)
    assert faults([erased, chain[1]]) == []
    shown = erased.shown()
    assert shown["person"] is None
    assert list(orjson.loads(orjson.dumps(shown["erased"]))) == ["person"]
    assert shown["erased"] != chain[1].shown().get("erased")
    first, second = (orjson.loads(row.entry)["person"] for row in chain)
    assert first != second
    assert "Ann" not in canonical(shown)


def test_values_are_canonical_and_bounded() -> None:
    """Sorted, without space; sets as lists; bytes never as such; NUL and what is no text cannot stop an entry."""
    assert canonical({"b": {"y", "x"}, "a": b"secret"}).startswith('{"a":"sha256:')
    assert canonical({"b": {"y", "x"}}) == '{"b":["x","y"]}'
    _, erasable = sealed(Entry(ANN, "x", "y", "a" * 200_000, None, "nul\x00"), "ingest", AT)
    assert len(erasable["before"]["value"]) < 200
    assert erasable["reason"]["value"] == "nul\N{REPLACEMENT CHARACTER}"

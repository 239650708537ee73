"""Which keys a process knows, and for how long."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.access.authentication import WrongKeys
from shared.access.holder import KeyHolder
from shared.access.key import Key, digest_of, new_key
from shared.access.ring import KeyRing
from shared.access.store import KeyTable, UnknownScope
from shared.http.problem import Problem
from shared.http.proxies import TrustedProxies

TABLE = KeyTable("ingest.keys", {"send": "push"}, ("source",), old_scopes=frozenset({"send"}))
NOW = datetime(2026, 11, 28, 20, tzinfo=UTC)


def key(key_id: str = "key_1", **fields: object) -> Key:
    made = Key(key_id, "source", "north", "Ann", frozenset({"send"}), "", NOW)
    return replace(made, **fields)  # type: ignore[arg-type]


def ring(*keys: tuple[str, Key], at: list[float] | None = None) -> KeyRing:
    clock = at or [NOW.timestamp()]
    return KeyRing(TABLE, fixed={digest_of(text): each for text, each in keys}, clock=lambda: clock[0])


def test_a_key_is_found_by_its_text_and_nothing_else() -> None:
    """Its holder is told, and never the key."""
    text = new_key()
    found = ring((text, key())).cached(text)
    assert found is not None
    assert found.by == KeyHolder("key_1", "north", "Ann", frozenset({"send"}))
    assert text not in repr(found)
    known = ring((text, key()))
    assert [known.cached(each) for each in (text[:-1], text + "a", "", "\ud800")] == [None] * 4


def test_a_key_ends_when_it_expires_though_postgres_is_away() -> None:
    """Nothing has to be read for that."""
    at = [NOW.timestamp()]
    known = ring(("text", key(expires_at=NOW + timedelta(seconds=10))), at=at)
    assert known.cached("text") is not None
    at[0] += 10
    assert known.cached("text") is None


def test_keys_without_scopes_are_older_than_scopes() -> None:
    """They open what a source may do, and not what an operator may."""
    old = key(scopes=frozenset({"send"}))
    assert (old.may("send"), old.may("operate"), key(scopes=frozenset({"operate"})).may("send")) == (True, False, True)
    with pytest.raises(UnknownScope, match=r"'kill' is no scope; there are operate, send"):
        TABLE.checked(["kill"])
    with pytest.raises(UnknownScope, match="needs a scope"):
        TABLE.checked([])


def wrong_keys(at: list[float]) -> WrongKeys:
    return WrongKeys(TrustedProxies(), per_minute=3, clock=lambda: at[0])


def test_wrong_keys_are_limited_by_address() -> None:
    """Past the limit even a right key is not told from a wrong one, unless its address has shown it before."""
    at = [0.0]
    wrong = wrong_keys(at)
    wrong.accept("10.0.0.1", key())
    for _ in range(3):
        wrong.refuse("10.0.0.1")
    with pytest.raises(Problem) as refused:
        wrong.refuse("10.0.0.1")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "20")
    wrong.accept("10.0.0.1", key())
    with pytest.raises(Problem):
        wrong.accept("10.0.0.1", key("key_2"))
    wrong.accept("10.0.0.2", key("key_2"))
    at[0] = 20.0
    wrong.accept("10.0.0.1", key("key_2"))


async def test_use_is_noted_beside_the_request_and_not_lost_in_an_outage() -> None:
    """What could not be written is written the next time."""

    class Away:
        async def execute(self, *_: object) -> str:
            raise ConnectionError

    class There:
        def __init__(self) -> None:
            self.values: tuple[object, ...] = ()

        async def execute(self, _: str, *values: object) -> str:
            self.values = values
            return ""

    known = ring(("text", key()))
    known.cached("text")
    with pytest.raises(ConnectionError):
        await known.note_use(Away())  # type: ignore[arg-type]
    there = There()
    await known.note_use(there)  # type: ignore[arg-type]
    assert there.values[:2] == (["key_1"], [NOW])
    there.values = ()
    await known.note_use(there)  # type: ignore[arg-type]
    assert there.values == ()


async def test_who_tries_keys_does_not_keep_postgres_busy() -> None:
    """Any number of unknown keys at once is one look, or two: who asks while it is under way needs the next."""
    looks = 0

    class Postgres:
        async def fetch(self, *_: object) -> list[object]:
            nonlocal looks
            looks += 1
            return []

    known = KeyRing(TABLE)
    assert not known.loaded
    found = await asyncio.gather(*(known.find(f"guess {number}", Postgres()) for number in range(50)))  # type: ignore[arg-type]
    assert (set(found), looks, known.loaded) == ({None}, 2, True)

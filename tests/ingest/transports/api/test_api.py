"""What a sender may rely on."""

import asyncio
import contextlib
import gzip
import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Never

import httpx
import pytest

from ingest.intake import items
from ingest.settings import Settings
from ingest.sources import keys, store
from ingest.sources.source import Source
from shared.access.key import digest_of
from shared.audit.author import of_command
from shared.kafka.producer import Producer, new_producer
from shared.messages import Outcome, RawUpdate, update_id_for
from shared.postgres.dedicated_connection import DedicatedConnection
from shared.postgres.pool import Pool
from shared.settings import Connections
from shared.streams import RAW
from support.ingest_api import Wire, started
from support.topics import everything_in

pytestmark = pytest.mark.integration


async def test_an_update_is_acknowledged_once_kafka_has_it(wire: Wire) -> None:
    """202 names original, update and where to ask; the message is on `updates.raw` under the source's name by then."""
    answer = await wire.push({"guid": "a", "headline": "Bridge closed"})
    assert answer.status_code == 202
    [result] = answer.json()["results"]
    assert result == {
        "index": 0,
        "status": "accepted",
        "id": update_id_for("north", "a"),
        "guid": "a",
        "status_url": f"/v1/items/{update_id_for('north', 'a')}",
    }
    [record] = await everything_in(wire.settings, RAW)
    headers = dict(record.headers)
    assert record.key == b"north"
    assert headers["ce_type"] == b"slugline.update.received"
    assert headers["ce_id"].startswith(result["id"].encode() + b":")
    assert json.loads(record.value or b"")["headline"] == "Bridge closed"


async def test_no_answer_repeats_the_host_of_a_request(newsroom: Connections) -> None:
    """Where to ask is a path, or below the address that is set; a hostile Host is in no answer."""
    async with started(newsroom, ingest_public_url="https://wire.example.org/") as public:
        for client, expected in ((public, "https://wire.example.org/v1/items/"),):
            answer = await client.push({"guid": "b", "headline": "x"}, Host="evil.example")
            assert answer.json()["results"][0]["status_url"].startswith(expected)
    async with started(newsroom) as plain:
        for path in ("/v1/updates", "/v1/updates/", "/v1/items/", "//evil.example/"):
            for method in ("GET", "POST"):
                answer = await plain.client.request(
                    method, path, content=b'{"guid":"c","headline":"x"}',
                    headers={"X-API-Key": "north-key", "Host": "evil.example"},
                )  # fmt: skip
                assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("POST", "/v1/updates?source=south", "source"),
        ("POST", "/v1/wire/north?format=nitf", "format"),
        ("GET", "/v1/items?guid=a&limit=1", "limit"),
        ("GET", "/v1/items?guid=a&guid=b", "guid"),
        ("GET", "/v1/items/aaaaaaaaaaaaaaaaaaaaaaaaaa?x", "x"),
        ("GET", "/v1/originals/x?y=1", "y"),
        ("POST", "/v1/updates/aaaaaaaaaaaaaaaaaaaaaaaaaa/orders?dry=1", "dry"),
        ("GET", "/openapi.json?v=2", "v"),
    ],
)
async def test_a_parameter_that_is_not_known_is_refused(wire: Wire, method: str, path: str, field: str) -> None:
    """A sender who writes `?dry=1` must not learn by its effect that there is no such thing."""
    answer = await wire.client.request(method, path, content=b"{}", headers={"X-API-Key": "north-key"})
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_senders_trace_goes_on(wire: Wire) -> None:
    """A traceparent travels with the message; without one, or with nonsense, a fresh one does."""
    given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for number, sent in enumerate((given, "nonsense", "")):
        await wire.push({"guid": str(number), "headline": "x"}, **({"traceparent": sent} if sent else {}))
    found = {
        json.loads(record.value or b"")["guid"]: dict(record.headers)["traceparent"].decode()
        for record in await everything_in(wire.settings, RAW)
    }
    assert found["0"] == given
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", each) for each in found.values())
    assert len(set(found.values())) == 3


async def test_the_original_is_kept_as_received(wire: Wire) -> None:
    """The bytes of a push are in Postgres with checksum, source and time, even when nothing can be read from them."""
    good = await wire.push({"guid": "a", "headline": "Bridge closed"})
    bad = await wire.push(b'{"guid": "b", ')
    for answer, body in ((good, b'{"guid":"a","headline":"Bridge closed"}'), (bad, b'{"guid": "b", ')):
        row = await wire.pool.fetchrow(
            "SELECT source, body, sha256, transport FROM ingest.originals WHERE id = $1",
            uuid.UUID(answer.json()["original"]),
        )
        assert (row["source"], bytes(row["body"]), row["transport"]) == ("north", body, "api")
        assert len(row["sha256"]) == 64


async def test_a_repeat_is_a_duplicate_and_is_not_emitted(wire: Wire) -> None:
    """The same item again is told to be a duplicate and brings no second message."""
    await wire.push({"guid": "a", "headline": "x"})
    again = await wire.push({"guid": "a", "headline": "x"})
    assert (again.status_code, again.json()["results"][0]["status"]) == (202, "duplicate")
    assert len(await wire.raw()) == 1


async def test_a_text_without_version_that_returns_is_news(wire: Wire) -> None:
    """Old wording, new wording, old wording again: three messages."""
    statuses = [(await wire.push({"guid": "a", "headline": text})).json()["results"][0]["status"] for text in "xyxx"]
    assert statuses == ["accepted", "accepted", "accepted", "duplicate"]


async def test_an_old_version_that_comes_again_is_a_duplicate(wire: Wire) -> None:
    """A redelivered older version does not count as news."""
    said = [("x", "1"), ("y", "2"), ("x", "1")]
    answers = [await wire.push({"guid": "a", "headline": text, "version": version}) for text, version in said]
    assert [answer.json()["results"][0]["status"] for answer in answers] == ["accepted", "accepted", "duplicate"]


@pytest.mark.parametrize("version", [{"version": "7"}, {"version_created": "2026-01-01T12:00:00Z"}])
async def test_what_is_withheld_and_restored_under_one_version_flips(wire: Wire, version: dict[str, str]) -> None:
    """Each change of mind is emitted once, as an event of its own, in order; its repeat is a duplicate."""
    said = ["usable", "withheld", "usable", "withheld", "usable"]
    for status in said:
        statuses = [
            await status_of(wire, {"guid": "a", "headline": "x", "status": status, **version}) for _ in range(2)
        ]
        assert statuses == ["accepted", "duplicate"]
    records = await everything_in(wire.settings, RAW)
    messages = [RawUpdate.model_validate_json(record.value or b"") for record in records]
    assert [message.status for message in messages] == said
    assert [message.received_at for message in messages] == sorted({message.received_at for message in messages})
    assert len({dict(record.headers)["ce_id"] for record in records}) == len(said)


async def test_two_replicas_keep_one_order(wire: Wire, newsroom: Connections) -> None:
    """Sent at once to two replicas, what ingest takes for the newest is what the order of versions ends with."""
    async with started(newsroom) as other:
        for _ in range(3):
            said = [
                status_of(replica, {"guid": "a", "headline": text, "version": "7"})
                for text in "xyz"
                for replica in (wire, other)
            ]
            await asyncio.gather(*said)
        messages = [RawUpdate.model_validate(message) for message in await wire.raw()]
        newest = max(messages, key=lambda each: (each.received_at, each.fingerprint()))
        for replica in (wire, other):
            again = {"guid": "a", "headline": newest.headline, "version": "7"}
            assert await status_of(replica, again) == "duplicate"
        for text in "abab":
            update = {"guid": "a", "headline": text, "version": "7"}
            assert [await status_of(replica, update) for replica in (wire, other)] == ["accepted", "duplicate"]


async def status_of(wire: Wire, update: dict[str, str]) -> str:
    """What a sender is answered to one update."""
    answer = await wire.push(update)
    assert answer.status_code == 202, answer.text
    status: str = answer.json()["results"][0]["status"]
    return status


async def test_what_was_never_acknowledged_is_taken_again(wire: Wire) -> None:
    """A process killed between reading and Kafka's answer leaves nothing that makes the repeat a duplicate."""
    await wire.push({"guid": "a", "headline": "x"})
    await wire.pool.execute("UPDATE ingest.items SET emitted_at = NULL")
    again = await wire.push({"guid": "a", "headline": "x"})
    assert again.json()["results"][0]["status"] == "accepted"
    assert len(await wire.raw()) == 2


async def test_a_bad_item_does_not_lose_the_good_ones_beside_it(wire: Wire) -> None:
    """A mixed batch is 207: each item is told of, with the pointer to what is wrong, and the good ones are emitted."""
    batch: list[Any] = [{"guid": f"g{number}", "headline": "x"} for number in range(100)]
    batch[50] = {"headline": "no guid"}
    answer = await wire.push(batch)
    assert answer.status_code == 207
    told = answer.json()["results"]
    assert [result["status"] for result in told].count("accepted") == 99
    assert (told[50]["status"], told[50]["pointer"]) == ("invalid", "/50/guid")
    assert len(await wire.raw()) == 99


HOSTILE = [
    (b"", 400),
    (b"   ", 400),
    (b"{", 400),
    (b"[" * 100_000, 400),
    (b'{"guid":"a","headline":NaN}', 422),
    (b'{"guid":"a","headline":"x","urgency":Infinity}', 422),
    (b'{"guid":"a\\u0000b","headline":"x"}', 422),
    (b'{"guid":"a","guid":"b","headline":"x"}', 422),
    (b'{"guid":"a","headline":"\\ud800"}', 422),
    (b'{"guid":"a","headline":"\xff\xfe"}', 422),
    (b'"just text"', 400),
    (b"[1, 2]", 422),
    (b'{"guid":"a","headline":"x","version_created":"yesterday"}', 422),
    (b'{"guid":"a","headline":{"deep":' + b"[" * 500 + b"]" * 500 + b"}}", 400),
    (b"\x00\x01\x02\x03", 400),
]


async def test_hostile_json_is_refused_with_a_reason(wire: Wire) -> None:
    """What cannot be taken is a problem naming the reason and the place, never an error of ours."""
    for body, status in HOSTILE:
        answer = await wire.push(body)
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json", body[:50]
        assert problem["code"], body[:50]
        assert problem["detail"], body[:50]
        assert answer.status_code == status, (body[:50], problem)
    assert await wire.raw() == []


async def test_hostile_xml_is_refused(wire: Wire) -> None:
    """A document that declares entities is refused and opens nothing."""
    bomb = b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><channel/></rss>'
    answer = await wire.wire(bomb, "application/rss+xml")
    assert 400 <= answer.status_code < 500
    assert answer.json()["detail"]


async def test_an_item_too_large_for_kafka_is_told_so(wire: Wire) -> None:
    """An item that no message can carry is invalid, and the one beside it is taken."""
    answer = await wire.push(
        [{"guid": "big", "headline": "x", "body_html": "y" * 4_500_000}, {"guid": "a", "headline": "x"}]
    )
    assert answer.status_code == 207
    assert [result["status"] for result in answer.json()["results"]] == ["invalid", "accepted"]


async def test_who_may_send(wire: Wire) -> None:
    """No key, a wrong key, another's source and an unknown source are told apart; a paused source is refused."""

    async def status(path: str, **headers: str) -> tuple[int, str]:
        answer = await wire.client.post(path, content=b'{"guid":"a","headline":"x"}', headers=headers)
        return answer.status_code, answer.json()["code"]

    assert await status("/v1/updates") == (401, "key-missing")
    assert await status("/v1/updates", Authorization="Bearer nonsense") == (401, "key-wrong")
    assert await status("/v1/updates", Authorization="Basic bm9ydGg6a2V5") == (401, "key-missing")
    assert await status("/v1/wire/south", Authorization="Bearer north-key") == (403, "other-source")
    assert await status("/v1/wire/nobody", Authorization="Bearer north-key") == (404, "unknown-source")
    await store.pause(wire.pool, "north", "contract ended")
    await wire.registry.load(wire.pool)
    assert await status("/v1/updates", Authorization="Bearer north-key") == (403, "source-paused")
    assert await wire.raw() == []


async def test_two_keys_live_during_rotation(wire: Wire) -> None:
    """A new key works at once, the one before it too, the one before that no longer."""
    shown = ["north-key"]
    for _ in ("second", "third"):
        async with wire.pool.acquire() as connection, connection.transaction():
            shown.append((await keys.make_key(connection, "north", of_command()))[1])
    await wire.registry.load(wire.pool)
    statuses = [(await wire.push({"guid": "a", "headline": "x"}, key)).status_code for key in shown]
    assert statuses == [401, 202, 202]


async def test_a_key_that_is_new_is_known_at_once(wire: Wire) -> None:
    """A process that has not heard of a key looks before it refuses."""
    await keys.set_keys(wire.pool, "north", [digest_of("fresh")])
    assert (await wire.push({"guid": "a", "headline": "x"}, "fresh")).status_code == 202


async def test_keys_are_not_kept(wire: Wire) -> None:
    """Postgres holds digests and nothing that opens the door."""
    async with wire.pool.acquire() as connection, connection.transaction():
        _, key, _ = await keys.make_key(connection, "south", of_command())
    dump = await wire.pool.fetch("SELECT k::text FROM ingest.keys k UNION ALL SELECT a::text FROM ingest.audit a")
    assert dump
    assert all(key not in row[0] for row in dump)


async def test_a_sender_that_is_too_fast_is_told_when_to_come_again(wire: Wire) -> None:
    """Beyond its rate a source is answered 429 with Retry-After, and nothing is taken."""
    await store.save(wire.pool, Source(name="north", rate_per_s=0.01, burst=2))
    await wire.registry.load(wire.pool)
    answers = [await wire.push({"guid": str(number), "headline": "x"}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 100
    assert len(await wire.raw()) == 2


async def test_a_body_over_the_limit_is_refused_while_it_comes(wire: Wire) -> None:
    """A body that grows past the source's limit ends in 413 without its rest being read."""
    await store.save(wire.pool, Source(name="north", max_body_bytes=10_000))
    await wire.registry.load(wire.pool)
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 10_000_000:
            sent += 1000
            yield b"x" * 1000

    answer = await wire.client.post(
        "/v1/updates", content=endless(), headers={"X-API-Key": "north-key", "Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


async def test_a_decompression_bomb_is_refused(wire: Wire) -> None:
    """A small gzip body that grows past the limit is 413; a broken one is 400."""
    bomb = gzip.compress(b" " * 50_000_000)
    assert (await wire.push(bomb, **{"Content-Encoding": "gzip"})).status_code == 413
    cut = gzip.compress(b'{"guid":"a","headline":"x"}')[:-6]
    assert (await wire.push(cut, **{"Content-Encoding": "gzip"})).json()["code"] == "truncated"
    assert (await wire.push(b"not gzip", **{"Content-Encoding": "gzip"})).json()["code"] == "bad-encoding"
    assert (await wire.push(b"{}", **{"Content-Encoding": "br"})).status_code == 415


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Encoding": "gzip, gzip"}, 415),
        ({"Content-Encoding": "gzip, identity"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=a"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json; charset=utf-7"}, 400),
    ],
    ids=lambda value: next(iter(value.values())) if isinstance(value, dict) else None,
)
async def test_a_body_in_another_wrapping_is_refused(wire: Wire, headers: dict[str, str], status: int) -> None:
    """Codings on top of each other, and what the form of a stranger's page can send; no item is made of it."""
    answer = await wire.push(gzip.compress(gzip.compress(b'{"guid":"w","headline":"x"}')), **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert await everything_in(wire.settings, RAW) == []


async def test_a_compressed_body_is_understood(wire: Wire) -> None:
    """gzip, in one member or several, is read like the plain body."""
    body = gzip.compress(b'{"guid":"a",') + gzip.compress(b'"headline":"x"}')
    assert (await wire.push(body, **{"Content-Encoding": "gzip"})).status_code == 202


async def test_native_json_needs_a_json_type(wire: Wire) -> None:
    """Another type than JSON is 415 and names the way for wires."""
    answer = await wire.push({"guid": "a"}, **{"Content-Type": "application/xml"})
    assert answer.status_code == 415
    assert "/v1/wire/north" in answer.json()["detail"]


async def test_kafka_away_is_503(newsroom: Connections) -> None:
    """Without Kafka nothing is accepted, the sender hears so and when to come again, and may repeat."""
    async with started(newsroom) as wire:
        away = new_producer(Connections(kafka_servers="127.0.0.1:1"), "tests")
        kafka_producer = wire.intake.producer
        wire.intake.timeout_s = Settings().ingest_dependency_timeout_s
        wire.intake.producer = None
        refused = await wire.push({"guid": "a", "headline": "x"})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        wire.intake.producer = Producer(away, source="slugline/ingest")
        async with asyncio.timeout(30):
            assert (await wire.push({"guid": "a", "headline": "x"})).status_code == 503
        wire.intake.producer = kafka_producer
        again = await wire.push({"guid": "a", "headline": "x"})
        assert again.json()["results"][0]["status"] == "accepted"
        assert len(await wire.raw()) == 1


async def test_postgres_away_is_503(newsroom: Connections) -> None:
    """Without Postgres nothing reaches Kafka; a known key hears 503, not that it is wrong."""
    async with started(newsroom) as wire:
        wire.intake.timeout_s = Settings().ingest_dependency_timeout_s
        await wire.pool.execute("SELECT 1")
        real, wire.intake.pool = wire.intake.pool, _SilentPool()
        async with asyncio.timeout(30):
            answer = await wire.push({"guid": "a", "headline": "x"})
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        wire.intake.pool = real
        assert await wire.raw() == []


class _SilentPool(Pool):
    """The pool of a Postgres that is gone without having closed its connections."""

    def __init__(self) -> None:
        """Nothing is connected."""

    def dedicated(self, _: object = None) -> DedicatedConnection:
        """A connection whose server never answers."""
        return DedicatedConnection(_never)


async def _never() -> Never:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_number_of_more_than_64_bits_in_a_member_of_the_vendor_s_loses_no_item(wire: Wire) -> None:
    """What nobody reads does not stop what everybody should."""
    item = b'{"uri": "urn:a", "headline": "x", "body_text": "y", "mine": {"n": 123456789012345678901234567890}}'
    answer = await wire.client.post(
        "/v1/wire/north", content=item, headers={"X-API-Key": "north-key", "Content-Type": "application/json"}
    )
    assert answer.status_code == 202, answer.text
    assert [each["headline"] for each in await wire.raw()] == ["x"]


async def test_a_sender_can_ask_where_its_item_is(wire: Wire) -> None:
    """The stages of an item and their times, whatever the order in which they are heard of; others see nothing."""
    pushed = (await wire.push({"guid": "a", "headline": "x"})).json()["results"][0]
    path = f"/v1/items/{pushed['id']}"

    async def state(key: str = "north-key") -> httpx.Response:
        return await wire.client.get(path, headers={"X-API-Key": key})

    assert (await state()).json()["state"] == "received"
    fingerprint = (await state()).json()["versions"][0]["fingerprint"]

    def outcome(stage: Any, **fields: Any) -> Outcome:
        return Outcome(update_id=pushed["id"], fingerprint=fingerprint, stage=stage, at=datetime.now(UTC), **fields)

    await items.record_outcomes(wire.pool, [outcome("published", position="1-7", revision=1)])
    await items.record_outcomes(wire.pool, [outcome("enriched", revision=1), outcome("duplicate", reason="again")])
    told = (await state()).json()
    assert told["state"] == "published"
    version = told["versions"][0]
    assert (version["revision"], version["position"]) == (1, "1-7")
    assert version["enriched_at"]
    assert version["emitted_at"] <= version["published_at"]
    assert (await state("south-key")).status_code == 404
    assert (await state("desk-key")).status_code == 200
    by_guid = await wire.client.get("/v1/items", params={"guid": "a"}, headers={"X-API-Key": "north-key"})
    assert by_guid.json() == told


async def test_an_outcome_may_be_heard_before_the_row_is_there(wire: Wire) -> None:
    """What a later stage told first is not lost when the item's own row is written."""
    update = {"guid": "early", "headline": "x"}
    first = (await wire.push(update)).json()["results"][0]
    fingerprint = await wire.pool.fetchval("SELECT fingerprint FROM ingest.items")
    await wire.pool.execute("DELETE FROM ingest.items")
    heard = Outcome(update_id=first["id"], fingerprint=fingerprint, stage="enriched", at=datetime.now(UTC), revision=1)
    await items.record_outcomes(wire.pool, [heard])
    assert (await wire.client.get(f"/v1/items/{first['id']}", headers={"X-API-Key": "north-key"})).status_code == 404
    assert (await wire.push(update)).json()["results"][0]["status"] == "accepted"
    told = (await wire.client.get(f"/v1/items/{first['id']}", headers={"X-API-Key": "north-key"})).json()
    assert told["state"] == "enriched"


async def test_orders_are_a_desks_or_about_ones_own(wire: Wire) -> None:
    """A desk orders about every update, a source about its own, as far as it may and in its own name; the order is on
    `updates.raw` behind the update's versions, signed by its key, and whoever asks about the update is told of it."""
    update_id = (await wire.push({"guid": "a", "headline": "x"})).json()["results"][0]["id"]

    async def order(key: str, body: dict[str, Any]) -> int:
        answer = await wire.client.post(f"/v1/updates/{update_id}/orders", json=body, headers={"X-API-Key": key})
        return answer.status_code

    assert await order("south-key", {"order": "kill", "reason": "wrong"}) == 403
    assert await order("desk-key", {"order": "kill"}) == 422
    assert await order("desk-key", {"order": "explode", "reason": "x"}) == 422
    for refused in (
        {"order": "pin"}, {"order": "key-event"}, {"order": "close"}, {"order": "release"}, {"order": "spike"}, {"order": "hold"},
        {"order": "keep-correction"}, {"order": "expire", "by": "Night editor"},
    ):  # fmt: skip
        assert await order("north-key", refused) == 403
    assert await order("north-key", {"order": "expire"}) == 202
    assert await order("desk-key", {"order": "kill", "reason": "wrong man", "by": "Night editor"}) == 202
    records = [record for record in await everything_in(wire.settings, RAW) if record.key == b"north"]
    assert [dict(record.headers)["ce_type"] for record in records] == [
        b"slugline.update.received",
        b"slugline.update.order",
        b"slugline.update.order",
    ]
    given = json.loads(records[2].value or b"")
    key_id = given["signed_by"].pop("key_id")
    assert given["by"] == "Night editor"
    assert given["signed_by"] == {"holder": "desk", "person": "Night editor"}
    assert key_id
    assert "desk-key" not in (records[2].value or b"").decode()
    kept = await wire.pool.fetchrow("SELECT key_id, holder, person FROM ingest.orders WHERE name = 'kill'")
    assert dict(kept or {}) == {"key_id": key_id, "holder": "desk", "person": "Night editor"}
    told = (await wire.client.get(f"/v1/items/{update_id}", headers={"X-API-Key": "north-key"})).json()
    assert [(each["order"], each["by"]) for each in told["orders"]] == [("kill", "Night editor"), ("expire", "north")]


class SilentPostgres:
    """Takes whatever it is asked and never answers."""

    async def never(self, *_: object) -> None:
        await asyncio.Event().wait()

    fetchval = execute = never

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[None]:
        """No connection ever."""
        await self.never()
        yield


async def test_an_order_is_given_though_postgres_is_silent(wire: Wire) -> None:
    """Behind its update's versions where this process has sent them, else under the update's id; within a second or so."""
    update_id = (await wire.push({"guid": "a", "headline": "x"})).json()["results"][0]["id"]
    unknown = update_id_for("north", "unknown")
    silent: Any = SilentPostgres()
    pool, wire.intake.pool = wire.intake.pool, silent
    started = time.monotonic()
    for each in (update_id, unknown):
        answer = await wire.client.post(
            f"/v1/updates/{each}/orders", json={"order": "kill", "reason": "wrong"}, headers={"X-API-Key": "desk-key"}
        )
        assert answer.status_code == 202, answer.text
    assert time.monotonic() - started < 4
    wire.intake.pool = pool
    records = await everything_in(wire.settings, RAW)
    assert {record.key for record in records} == {b"north", unknown.encode()}
    assert [dict(record.headers)["ce_type"] for record in records if record.key == b"north"] == [
        b"slugline.update.received",
        b"slugline.update.order",
    ]


async def test_a_source_is_counted(wire: Wire) -> None:
    """Accepted, duplicate and rejected are counted for each source, across restarts."""
    await wire.push({"guid": "a", "headline": "x"})
    await wire.push({"guid": "a", "headline": "x"})
    await wire.push([{"headline": "y"}])
    await wire.intake.statistics.flush(wire.pool)
    row = await wire.pool.fetchrow("SELECT * FROM ingest.activity WHERE source = 'north'")
    assert (row["accepted"], row["duplicate"], row["rejected"]) == (1, 1, 1)
    assert row["last_accepted_at"] <= row["last_heard_at"]

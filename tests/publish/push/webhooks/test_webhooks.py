"""Webhooks from the log to local endpoints, on real Kafka and Postgres."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from standardwebhooks import Webhook

from publish.push.delivery import attempts, worker
from publish.push.process import serve
from publish.push.settings import PushSettings
from publish.push.webhooks import message
from publish.push.webhooks.endpoints import Endpoints, NewEndpoint
from shared.kafka.topics import apply_topics
from shared.messages import EnrichedUpdate, Passport
from shared.postgres.pool import Pool
from shared.streams import ENRICHED
from support import push_keys as keys
from support.revisions import emit, revision, running
from support.waiting import eventually

pytestmark = pytest.mark.integration


def fresh(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
    """A revision of just now."""
    now = datetime.now(UTC)
    return revision(guid, number, passport=Passport(received_at=now, enriched_at=now), **fields)


def said(got: Any) -> list[tuple[str, Any]]:
    """What messages say: type and headline."""
    messages = [orjson.loads(each.body) for each in got]
    return [(message["type"], message["data"].get("headline")) for message in messages]


async def test_a_message_is_signed_in_order_and_delivered_once(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, key: keys.Key
) -> None:
    """The library's own verification takes each message; a story's revisions come in order, a repeat on the log not at all."""
    endpoint = await Endpoints(pool, allow_private=True).add(NewEndpoint(url=f"{recipients.url}/a"), key)
    async with running(lambda stop: serve(settings, stop)):
        updates = [
            fresh("a", 1),
            fresh("a", 2, kind="correct"),
            fresh("a", 1),
            fresh("a", 3, removal="withdrawn"),
            fresh("a", 4),
        ]
        await emit(settings, updates)
        got = await eventually(lambda: recipients.at("/a"), lambda got: len(got) >= 4)
    assert [message[0] for message in said(got)] == ["update.publish", "update.correct", "update.kill", "update.update"]
    for each in got:
        Webhook(endpoint["secret"]).verify(each.body, each.headers)
    assert len({each.headers["webhook-id"] for each in got}) == 4
    assert await pool.fetchval("SELECT count(*) FROM publish.deliveries WHERE state = 'waiting'") == 0


async def test_updates_that_are_too_much_at_once_are_delivered_one_after_the_other(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, key: keys.Key
) -> None:
    """Neither are more of them made at once than there is room for, nor more sent: all come, once, and a removal waits for none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(message, "MOST_AT_ONCE", 1)
        patch.setattr(worker, "MOST_BYTES", 1)
        patch.setattr(attempts, "POSTPONED_S", 0.05)
        held = recipients.closing.wait

        async def behave(got: Any, number: int) -> int:
            if got.path == "/slow" and number == 1:
                await held()
            return 204

        recipients.behave |= {"/slow": behave, "/b": behave}
        for path in ("/slow", "/b"):
            await Endpoints(pool, allow_private=True).add(NewEndpoint(url=f"{recipients.url}{path}"), key)
        async with running(lambda stop: serve(settings, stop)):
            await emit(settings, [fresh("first", 1)])
            await eventually(lambda: recipients.at("/slow"), lambda got: len(got) == 1)
            # While an endpoint has not answered, others' texts wait, but no removal.
            await emit(settings, [fresh("first", 2, removal="killed")])
            await eventually(
                lambda: recipients.at("/b"), lambda got: said(got)[-1:] and said(got)[-1][0] == "update.kill"
            )
            recipients.closing.set()
            await emit(settings, [fresh(name, 1) for name in "abcdef"])
            wanted = {("update.publish", f"{name} 1") for name in "abcdef"}
            for path in ("/slow", "/b"):
                got = await eventually(lambda path=path: recipients.at(path), lambda got: wanted <= {*said(got)})  # type: ignore[misc]
                assert len({each.headers["webhook-id"] for each in got}) == len(got)


async def test_filters_let_through_what_was_asked_for_and_every_removal(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, key: keys.Key
) -> None:
    """Channel, kind, urgency and the time of subscription filter texts; who is entitled to a tag only gets no other; a removal passes."""
    endpoints = Endpoints(pool, allow_private=True)
    _, token = await keys.add(pool, "sports desk", ["webhooks"], ["tag:sport"])
    sports = await keys.find(pool, token)
    assert sports is not None
    await endpoints.add(NewEndpoint(url=f"{recipients.url}/urgent", max_urgency=3), key)
    await endpoints.add(NewEndpoint(url=f"{recipients.url}/corrections", kinds=("correct",)), key)
    await endpoints.add(NewEndpoint(url=f"{recipients.url}/sport"), sports)
    await endpoints.add(NewEndpoint(url=f"{recipients.url}/tag", channels=("tag:sport",)), key)
    async with running(lambda stop: serve(settings, stop)):
        await emit(
            settings,
            [
                fresh("a", 1, urgency=5),
                fresh("b", 1, urgency=1, tags=["sport"]),
                fresh("b", 2, urgency=5, tags=["sport"], kind="correct"),
            ],
        )
        names = ("urgent", "corrections", "sport", "tag")
        await eventually(lambda: [len(recipients.at(f"/{name}")) for name in names], lambda seen: seen == [1, 1, 2, 2])
        # By its time it was before anybody subscribed, and it is told all the same; a text of then is not.
        before = Passport(received_at=datetime.now(UTC) - timedelta(hours=1))
        await emit(settings, [revision("c", 1, urgency=1, tags=["sport"], passport=before)])
        await emit(settings, [revision("b", 3, removal="killed", passport=before)])
        await eventually(lambda: [len(recipients.at(f"/{name}")) for name in names], lambda seen: seen == [2, 2, 3, 3])


async def test_a_kill_takes_waiting_text_out_of_the_queue(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, key: keys.Key
) -> None:
    """An endpoint that was away gets the kill and none of the text that waited for it."""
    up = asyncio.Event()
    recipients.behave["/a"] = lambda got, n: 204 if up.is_set() else 503
    await Endpoints(pool, allow_private=True).add(NewEndpoint(url=f"{recipients.url}/a"), key)
    slow = settings.model_copy(update={"publish_push_schedule_s": ",".join(["0.5"] * 200)})
    async with running(lambda stop: serve(slow, stop)):
        await emit(settings, [fresh("a", 1, text="secret")])
        await eventually(lambda: recipients.at("/a"))
        recipients.got.clear()
        await emit(settings, [fresh("a", 2, text="secret"), fresh("a", 3, removal="killed")])
        await eventually(lambda: pool.fetchval("SELECT max(revision) FROM publish.pushed"), lambda newest: newest == 3)
        recipients.got.clear()
        up.set()
        got = await eventually(lambda: recipients.at("/a"))
        await eventually(
            lambda: pool.fetchval("SELECT count(*) FROM publish.deliveries WHERE state = 'waiting'"),
            lambda count: count == 0,
        )
    assert said(got) == [("update.kill", None)]


async def test_an_endpoint_that_hangs_or_fails_delays_nobody_else(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, key: keys.Key
) -> None:
    """While one endpoint hangs and one fails, a third has everything; the failing one gets all, in order, once it is back."""
    back = asyncio.Event()

    async def hang(got: Any, n: int) -> int:
        await recipients.closing.wait()
        return 204

    recipients.behave["/hangs"] = hang
    recipients.behave["/fails"] = lambda got, n: 204 if back.is_set() else 500
    for name in ("hangs", "fails", "well"):
        await Endpoints(pool, allow_private=True).add(NewEndpoint(url=f"{recipients.url}/{name}"), key)
    quick = settings.model_copy(update={"publish_push_schedule_s": ",".join(["0.2"] * 400)})
    async with running(lambda stop: serve(quick, stop)):
        await emit(settings, [fresh("a", n, story="s") for n in range(1, 11)])
        got = await eventually(lambda: recipients.at("/well"), lambda got: len(got) == 10)
        assert [message[1] for message in said(got)] == [f"a {n}" for n in range(1, 11)]
        await eventually(lambda: recipients.at("/fails"), lambda got: len(got) >= 2)
        assert {message[1] for message in said(recipients.at("/fails"))} == {"a 1"}, "no later one overtakes"
        back.set()
        recipients.got.clear()
        got = await eventually(lambda: recipients.at("/fails"), lambda got: len(got) == 10)
        assert [message[1] for message in said(got)] == [f"a {n}" for n in range(1, 11)]


async def test_gone_disables_at_once_and_the_owner_is_notified_at_another_endpoint(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, key: keys.Key
) -> None:
    """410 ends an endpoint; its owner's other endpoint is notified, and nothing more is sent to the first."""
    recipients.behave["/gone"] = lambda got, n: 410
    endpoints = Endpoints(pool, allow_private=True)
    gone = await endpoints.add(NewEndpoint(url=f"{recipients.url}/gone"), key)
    await endpoints.add(NewEndpoint(url=f"{recipients.url}/other"), key)
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("a", 1)])
        await eventually(
            lambda: [kind for kind, _ in said(recipients.at("/other"))], lambda kinds: "endpoint.disabled" in kinds
        )
        shown = await endpoints.one(gone["id"], key)
        assert (shown["state"], shown["disabled_reason"]) == ("disabled", "it answered 410 Gone")
        await emit(settings, [fresh("b", 1)])
        await eventually(lambda: recipients.at("/other"), lambda got: len(got) == 3)
        assert len(recipients.at("/gone")) == 1


async def test_long_failure_disables_and_recovery_brings_what_was_missed(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, key: keys.Key
) -> None:
    """After nothing but failures for the set time an endpoint is disabled; activated again, it recovers what it missed."""
    down = asyncio.Event()
    down.set()
    recipients.behave["/a"] = lambda got, n: 500 if down.is_set() else 204
    endpoints = Endpoints(pool, allow_private=True)
    made = await endpoints.add(NewEndpoint(url=f"{recipients.url}/a"), key)
    await pool.execute("UPDATE publish.endpoints SET failing_since = now() - interval '200 hours', failures = 9")
    since = datetime.now(UTC) - timedelta(minutes=1)
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("a", 1)])
        await eventually(lambda: endpoints.one(made["id"], key), lambda shown: shown["state"] == "disabled")
        await emit(settings, [fresh("b", 1), fresh("c", 1)])
        await eventually(lambda: pool.fetchval("SELECT count(*) FROM publish.pushed"), lambda count: count == 3)
        down.clear()
        recipients.got.clear()
        base = f"http://127.0.0.1:{settings.health_port}/v1/push/endpoints/{made['id']}"
        _, token = await keys.add(pool, "operator", ["operate"], ["news"])
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
            assert (await client.post(f"{base}/recover", json={"since": since.isoformat()})).status_code == 409
            assert (await client.patch(base, json={"state": "active"})).json()["state"] == "active"
            assert (await client.post(f"{base}/recover", json={"since": since.isoformat()})).json() == {"queued": 2}
        got = await eventually(lambda: recipients.at("/a"), lambda got: len(got) == 3)
    assert sorted(message[1] for message in said(got)) == ["a 1", "b 1", "c 1"]


async def test_consumers_serve_themselves(settings: PushSettings, pool: Pool, site: Any, recipients: Any) -> None:
    """With a key, a consumer subscribes, tests, reads the log, rotates the secret with overlap and redelivers; without one, nothing."""
    _, token = await keys.add(pool, "consumer", ["webhooks"], ["news"])
    _, stranger = await keys.add(pool, "stranger", ["webhooks"], ["news"])
    async with running(lambda stop: serve(settings, stop)):
        base = f"http://127.0.0.1:{settings.health_port}/v1/push/endpoints"
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
            await eventually(lambda: _listening(client, base))
            assert (await client.get(base, headers={"Authorization": "Bearer no"})).status_code == 401
            described = (await client.get(base.removesuffix("/v1/push/endpoints") + "/openapi.json")).json()
            wanted = described["paths"]["/v1/push/endpoints"]["post"]["requestBody"]["content"]["application/json"]
            assert "url" in described["components"]["schemas"][wanted["schema"]["$ref"].rsplit("/", 1)[1]]["properties"]
            made = (await client.post(base, json={"url": f"{recipients.url}/a"})).json()
            one = f"{base}/{made['id']}"
            assert (await client.get(one, headers={"Authorization": f"Bearer {stranger}"})).status_code == 404
            rotated = (await client.post(f"{one}/secret/rotate")).json()
            assert (await client.post(f"{one}/test")).status_code == 202
            got = (await eventually(lambda: recipients.at("/a")))[0]
            for secret in (made["secret"], rotated["secret"]):
                assert Webhook(secret).verify(got.body, got.headers)["type"] == "endpoint.test"
            log = await eventually(
                lambda: _deliveries(client, one), lambda log: bool(log) and log[0]["state"] == "delivered"
            )
            assert log[0]["log"][0]["status"] == 204
            assert (await client.post(f"{one}/deliveries/{log[0]['id']}/redeliver")).status_code == 202
            again = (await eventually(lambda: recipients.at("/a"), lambda got: len(got) == 2))[1]
            assert again.headers["webhook-id"] == got.headers["webhook-id"]
            assert "secret" not in (await client.get(one)).json()
            for bad, field in (
                ({"url": "http://10.0.0.1/", "kinds": ["x"]}, "/kinds"),
                ({"url": "ftp://x"}, "/url"),
                ({"url": 7}, "/url"),
            ):
                refused = await client.post(base, json=bad)
                assert (refused.status_code, refused.json()["field"]) == (422, field)
            assert (await client.post(base, content=b"[" * 100_000)).status_code in (400, 413)
            assert (await client.delete(one)).status_code == 204


async def _listening(client: httpx.AsyncClient, base: str) -> bool:
    try:
        return (await client.get(base)).status_code == 200
    except httpx.TransportError as error:
        raise OSError(str(error)) from error


async def _deliveries(client: httpx.AsyncClient, one: str) -> Any:
    return (await client.get(f"{one}/deliveries")).json()["deliveries"]


async def test_nothing_is_sent_before_it_is_readable_but_after_the_deadline_webhooks_are(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, key: keys.Key
) -> None:
    """While a web replica does not have the revision no webhook leaves; a replica that never does holds it up to the deadline."""
    await Endpoints(pool, allow_private=True).add(NewEndpoint(url=f"{recipients.url}/a"), key)
    site.held_at = "1-0"
    patient = settings.model_copy(update={"publish_push_readable_s": 60.0})
    async with running(lambda stop: serve(patient, stop)):
        await emit(settings, [fresh("z", 1), fresh("a", 1)])
        await eventually(lambda: site.asked, lambda asked: asked > 5)
        assert recipients.at("/a") == []
        site.held_at = None
        await eventually(lambda: recipients.at("/a"), lambda got: len(got) == 2)
        site.held_at = "1-0"
    hasty = settings.model_copy(update={"publish_push_readable_s": 0.3})
    async with running(lambda stop: serve(hasty, stop)):
        await emit(settings, [fresh("b", 1)])
        await eventually(lambda: recipients.at("/a"), lambda got: len(got) == 3)
        assert await pool.fetchval("SELECT count(*) FROM publish.pushed WHERE NOT readable") == 1


@pytest.mark.needs("a controller")
async def test_what_is_on_a_log_that_was_made_again_is_pushed_too(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, key: keys.Key
) -> None:
    """The topic is lost and made again under running processes: a new epoch begins and its revisions are delivered."""
    await Endpoints(pool, allow_private=True).add(NewEndpoint(url=f"{recipients.url}/a"), key)
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh(f"old {n}") for n in range(3)])
        await eventually(lambda: recipients.at("/a"), lambda got: len(got) == 3)
        topic = settings.topic_prefix + ENRICHED.name
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
        await admin.start()
        await admin.delete_topics([topic])
        await eventually(admin.list_topics, lambda names: topic not in names)
        await admin.close()
        await apply_topics(settings)
        await eventually(lambda: _emitted(settings, fresh("new")), within_s=40)
        await eventually(
            lambda: said(recipients.at("/a")), lambda seen: ("update.publish", "new 1") in seen, within_s=60
        )
        assert await pool.fetchval("SELECT max(epoch) FROM publish.epochs") == 2


async def _emitted(settings: PushSettings, update: EnrichedUpdate) -> bool:
    try:
        await emit(settings, [update])
    except KafkaError as error:
        raise OSError(str(error)) from error
    return True

"""Web Push: encryption against published vectors, and alerts from the log to a browser's keys."""

import base64
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import http_ece
import httpx
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from publish.push.alerts.routes import PER_MINUTE
from py_vapid import Vapid02
from starlette.responses import Response

from publish.push.alerts.providers.web import MAX_PAYLOAD_BYTES, Vapid, encrypt, new_vapid_key
from publish.push.alerts.rules import Rules
from publish.push.alerts.subscriptions import Browser, BrowserKeys, NewSubscription, Subscriptions
from publish.push.delivery import keys
from publish.push.process import serve
from publish.settings import Settings
from shared.messages import EnrichedUpdate, Passport
from shared.postgres.pool import Pool
from shared.settings import Connections
from support.places import conformance
from support.processes import Processes, processes
from support.revisions import emit, revision, running
from support.waiting import eventually

__all__ = ["processes"]


def b64(value: str) -> bytes:
    """base64url without padding."""
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


def _private(value: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(b64(value), "big"), ec.SECP256R1())


@pytest.mark.conformance
def test_encryption_gives_the_bytes_of_the_published_vector() -> None:
    """With the vector's salt and key, the message is RFC 8291's own, byte for byte."""
    vector = json.loads(conformance("webpush/vectors.json").read_text())["rfc8291"][0]
    sealed = encrypt(
        vector["plaintext"].encode(), b64(vector["ua_public"]), b64(vector["auth_secret"]),
        salt=b64(vector["salt"]), key=_private(vector["as_private"]),
    )  # fmt: skip
    assert sealed == b64(vector["message"])


@dataclass
class Device:
    """A browser: it has keys, and reads what comes."""

    private: ec.EllipticCurvePrivateKey
    auth: bytes
    url: str

    @classmethod
    def new(cls, url: str) -> "Device":
        """A browser that subscribed."""
        return cls(ec.generate_private_key(ec.SECP256R1()), os.urandom(16), url)

    @property
    def public(self) -> bytes:
        """p256dh."""
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def subscription(self) -> Browser:
        """What `toJSON()` gives."""
        encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (self.public, self.auth)]
        return Browser(endpoint=self.url, keys=BrowserKeys(p256dh=encoded[0], auth=encoded[1]))

    def read(self, got: Any) -> dict[str, Any]:
        """The JSON of a message that came."""
        plain = http_ece.decrypt(got.body, private_key=self.private, auth_secret=self.auth, version="aes128gcm")
        value: dict[str, Any] = json.loads(plain)
        return value


def test_a_payload_of_the_greatest_size_fits_what_push_services_must_take() -> None:
    """The longest payload makes a message of 4,096 bytes, which a device reads."""
    device = Device.new("https://push.example/x")
    sealed = encrypt(b"x" * MAX_PAYLOAD_BYTES, device.public, device.auth)
    assert len(sealed) == 4096
    assert http_ece.decrypt(sealed, private_key=device.private, auth_secret=device.auth) == b"x" * MAX_PAYLOAD_BYTES


def test_the_token_names_the_push_service_and_is_kept() -> None:
    """The VAPID token verifies, is for the endpoint's origin, and is not made anew for each message."""
    vapid = Vapid(new_vapid_key(), "mailto:desk@example.org")
    header = vapid.authorization("https://push.example:8443/abc")
    assert Vapid02.verify(header)
    claims = json.loads(b64(header.split("t=")[1].split(",")[0].split(".")[1]))
    assert claims["aud"] == "https://push.example:8443"
    assert header == vapid.authorization("https://push.example:8443/other")
    assert header.endswith(f"k={vapid.public_key}")


def fresh(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
    """A revision of just now."""
    now = datetime.now(UTC)
    return revision(guid, number, passport=Passport(received_at=now, enriched_at=now), **fields)


async def subscribe(pool: Pool, device: Device, **wishes: Any) -> dict[str, Any]:
    """Subscribe a device."""
    wanted = NewSubscription(subscription=device.subscription, **wishes)
    return await Subscriptions(pool, Rules(), allow_private=True).add(wanted)


@pytest.mark.integration
async def test_an_alert_is_replaced_by_a_correction_and_withdrawn_by_a_kill(
    settings: Settings, pool: Pool, site: Any, recipients: Any
) -> None:
    """A reader gets the alert, its correction under the same topic, and the withdrawal; who did not have it gets neither."""
    device, other = Device.new(f"{recipients.url}/device"), Device.new(f"{recipients.url}/other")
    await subscribe(pool, device)
    await subscribe(pool, other, channels=("tag:sport",))
    async with running(lambda stop: serve(settings, stop)):
        update = fresh("a", 1, urgency=2, summary="What is known.")
        await emit(settings, [update, fresh("b", 1, urgency=5)])
        got = (await eventually(lambda: recipients.at("/device")))[0]
        assert device.read(got) | {"timestamp": 0, "alert_id": ""} == {
            "kind": "alert", "alert_id": "", "update_id": update.update_id, "revision": 1, "tag": update.update_id,
            "url": settings.publish_site_url + update.path, "level": 2, "timestamp": 0, "title": "a 1",
            "body": "What is known.",
        }  # fmt: skip
        assert (got.headers["topic"], got.headers["urgency"], got.headers["ttl"]) == (
            update.update_id,
            "normal",
            "14400",
        )
        assert Vapid02.verify(got.headers["authorization"])
        await emit(settings, [fresh("a", 2, urgency=2, kind="correct"), fresh("a", 3, urgency=2, kind="enrich")])
        second = (await eventually(lambda: recipients.at("/device"), lambda got: len(got) == 2))[1]
        assert (device.read(second)["kind"], device.read(second)["title"]) == ("replace", "a 2")
        await emit(settings, [fresh("a", 4, removal="killed")])
        third = (await eventually(lambda: recipients.at("/device"), lambda got: len(got) == 3))[2]
        assert device.read(third)["kind"] == "withdraw"
        assert "title" not in device.read(third)
        assert {each.headers["topic"] for each in recipients.at("/device")} == {update.update_id}
    assert recipients.at("/other") == []


@pytest.mark.integration
async def test_push_services_answers_are_heeded(settings: Settings, pool: Pool, site: Any, recipients: Any) -> None:
    """410 ends a subscription, 429 is tried again after its pause, 503 without one soon and then less and less often, 400 is a failure with its reason; each is counted."""
    recipients.behave["/gone"] = lambda got, n: 410
    recipients.behave["/busy"] = lambda got, n: Response(None, 429, {"Retry-After": "1"}) if n == 1 else 201
    recipients.behave["/refuses"] = lambda got, n: Response(b"bad token", 400)
    recipients.behave["/down"] = lambda got, n: 503
    for name in ("gone", "busy", "refuses", "well", "down"):
        await subscribe(pool, Device.new(f"{recipients.url}/{name}"))
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("a", 1, urgency=2)])
        await eventually(lambda: recipients.at("/busy"), lambda got: len(got) == 2)

        async def results() -> dict[str, int]:
            rows = await pool.fetch("SELECT result, count(*) AS n FROM publish.alert_results GROUP BY result")
            return {row["result"]: row["n"] for row in rows}

        await eventually(results, lambda seen: seen == {"gone": 1, "failed": 1, "sent": 2, "later": 1})
        assert await pool.fetchval("SELECT count(*) FROM publish.subscriptions") == 4
        pause = "SELECT extract(epoch FROM retry_at - at)::float8 FROM publish.alert_results WHERE result = 'later' AND attempts = $1"
        assert await pool.fetchval(pause, 1) == pytest.approx(5, rel=0.21)
        await pool.execute("UPDATE publish.alert_results SET retry_at = now() WHERE result = 'later'")
        assert await eventually(lambda: pool.fetchval(pause, 2)) == pytest.approx(10, rel=0.21)
        await eventually(lambda: pool.fetchval("SELECT state FROM publish.alerts"), lambda state: state == "sent")


@pytest.mark.integration
async def test_what_is_not_an_alert_now_has_its_reason(
    settings: Settings, pool: Pool, site: Any, recipients: Any
) -> None:
    """One alert for a story unless the level rises; what is old is none; each suppressed one says why."""
    device = Device.new(f"{recipients.url}/device")
    await subscribe(pool, device, break_through=0)
    old = datetime.now(UTC) - timedelta(hours=2)
    async with running(lambda stop: serve(settings, stop)):
        await emit(
            settings,
            [
                fresh("a", 1, urgency=2, story="s"),
                fresh("b", 1, urgency=2, story="s"),
                revision("c", 1, urgency=2, passport=Passport(received_at=old, enriched_at=old)),
                fresh("d", 1, flags={"key_event": True}, story="s2"),
                fresh("e", 1, urgency=2, story="s2"),
            ],
        )
        await eventually(lambda: recipients.at("/device"), lambda got: len(got) == 3)
        rows = await pool.fetch("SELECT update_id, reason FROM publish.alerts WHERE state = 'suppressed'")
        reasons = {row["update_id"]: row["reason"] for row in rows}
        assert reasons.keys() == {revision("b").update_id, revision("c").update_id}
        assert "its story was alerted already" in reasons[revision("b").update_id]
        assert "too old" in reasons[revision("c").update_id]


@pytest.mark.integration
async def test_the_budget_keeps_for_the_digest_and_drops_nothing(
    settings: Settings, pool: Pool, site: Any, recipients: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the hour's cap and in quiet hours alerts are kept with the reason, and come in one digest, without what was killed."""
    monkeypatch.setattr("publish.push.fanout.DIGEST_INTERVAL_S", 0.2)
    now = datetime.now(UTC)
    capped, asleep = Device.new(f"{recipients.url}/capped"), Device.new(f"{recipients.url}/asleep")
    await subscribe(pool, capped, per_hour=1)
    quiet = {
        "quiet_from": (now - timedelta(hours=1)).time().replace(microsecond=0),
        "quiet_to": (now + timedelta(hours=1)).time().replace(microsecond=0),
    }
    await subscribe(pool, asleep, **quiet)
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("a", 1, urgency=2)])
        await eventually(lambda: recipients.at("/capped"))
        await emit(settings, [fresh("b", 1, urgency=2), fresh("c", 1, urgency=2)])

        async def kept() -> list[tuple[str, int]]:
            rows = await pool.fetch(
                "SELECT reason, count(*) AS n FROM publish.alert_results WHERE result = 'digest' GROUP BY reason ORDER BY reason"
            )
            return [(row["reason"], row["n"]) for row in rows]

        await eventually(kept, lambda seen: seen == [("cap of 1 an hour", 2), ("quiet hours", 3)])
        await emit(settings, [fresh("c", 2, removal="killed")])
        await eventually(
            lambda: pool.fetchval("SELECT visible FROM publish.updates WHERE update_id = $1", revision("c").update_id),
            lambda seen: seen is False,
        )
        assert (len(recipients.at("/capped")), recipients.at("/asleep")) == (1, [])
        await pool.execute("UPDATE publish.subscriptions SET quiet_from = NULL")
        digest = asleep.read((await eventually(lambda: recipients.at("/asleep")))[0])
        assert digest["kind"] == "digest"
        assert set(digest["updates"]) == {revision("a").update_id, revision("b").update_id}
        assert "c 1" not in digest["body"]


async def _ready(settings: Settings) -> bool:
    try:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"http://127.0.0.1:{settings.health_port}/readyz")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.integration
async def test_the_top_level_needs_two_people_and_an_editors_word_is_previewed(
    settings: Settings, pool: Pool, site: Any, recipients: Any
) -> None:
    """A top alert leaves only with the yes of two people to the words that leave; the preview says who would get it and sends nothing."""
    device = Device.new(f"{recipients.url}/device")
    await subscribe(pool, device)
    tokens = [(await keys.add(pool, name, ["alerts"], ["news"]))[1] for name in ("Ann", "Ben")]
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("a", 1, urgency=1)])
        base = f"http://127.0.0.1:{settings.health_port}/v1/push/alerts"
        async with httpx.AsyncClient() as client:
            ann, ben = ({"Authorization": f"Bearer {token}"} for token in tokens)

            await eventually(lambda: _ready(settings))

            async def waiting() -> Any:
                return (await client.get(base, params={"state": "awaiting-approval"}, headers=ann)).json()["alerts"]

            alert = (await eventually(waiting))[0]
            assert recipients.at("/device") == []
            wanted = {"update_id": revision("a").update_id, "level": 2, "title": "In our words"}
            preview = (await client.post(f"{base}/preview", json=wanted, headers=ann)).json()
            assert (preview["audience"], preview["now"], preview["message"]["title"]) == (1, 1, "In our words")
            assert preview["headers"]["Topic"] == wanted["update_id"]
            assert (await client.post(f"{base}/{alert['id']}/approve", headers=ann)).json()[
                "state"
            ] == "awaiting-approval"
            assert (await client.post(f"{base}/{alert['id']}/approve", headers=ann)).json()[
                "state"
            ] == "awaiting-approval"
            await emit(settings, [fresh("a", 2, urgency=1, kind="correct", headline="Corrected")])
            corrected = (await eventually(waiting, lambda seen: seen[0]["title"] == "Corrected"))[0]
            assert corrected["approved_by"] == [], "nobody has approved these words"
            assert (await client.post(f"{base}/{alert['id']}/approve", headers=ben)).json()["approved_by"] != []
            assert recipients.at("/device") == []
            assert (await client.post(f"{base}/{alert['id']}/approve", headers=ann)).status_code == 200
            got = (await eventually(lambda: recipients.at("/device")))[0]
            assert (device.read(got)["level"], device.read(got)["title"]) == (1, "Corrected")
            assert got.headers["urgency"] == "high"
            assert (await client.post(f"{base}/{alert['id']}/approve", headers=ben)).status_code == 409
            assert (await client.post(base, json=wanted)).status_code == 401
            assert (await client.post(base, json=wanted | {"level": 9}, headers=ann)).json()["field"] == "/level"


@pytest.mark.integration
async def test_an_editors_words_stay_until_the_update_says_something_else(
    settings: Settings, pool: Pool, site: Any, recipients: Any
) -> None:
    """A revision that changes neither headline nor summary corrects nothing of an ordered alert; one that does takes its place."""
    device = Device.new(f"{recipients.url}/device")
    await subscribe(pool, device)
    _, token = await keys.add(pool, "Ann", ["alerts"], ["news"])
    same = {"urgency": 5, "headline": "Bridge shut", "summary": "For a day."}
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("a", 1, **same)])
        await eventually(lambda: pool.fetchval("SELECT count(*) FROM publish.pushed"))
        await eventually(lambda: _ready(settings))
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
            order = {"update_id": revision("a").update_id, "level": 2, "title": "In our words"}
            url = f"http://127.0.0.1:{settings.health_port}/v1/push/alerts"
            assert (await client.post(url, json=order)).status_code == 202
        await eventually(lambda: recipients.at("/device"))
        await emit(settings, [fresh("a", 2, text="More.", **same), fresh("a", 3, **same | {"headline": "Bridge open"})])
        got = await eventually(lambda: recipients.at("/device"), lambda got: len(got) == 2)
    assert [(device.read(each)["kind"], device.read(each)["title"]) for each in got] == [
        ("alert", "In our words"),
        ("replace", "Bridge open"),
    ]


@pytest.mark.integration
async def test_a_reader_subscribes_tests_and_leaves(settings: Settings, pool: Pool, site: Any, recipients: Any) -> None:
    """From the site's origin, without a key: subscribe, test, change, unsubscribe; only with the token told to this reader."""
    device = Device.new(f"{recipients.url}/device")
    async with running(lambda stop: serve(settings, stop)):
        base = f"http://127.0.0.1:{settings.health_port}/v1/push"
        async with httpx.AsyncClient() as client:
            await eventually(lambda: _ready(settings))
            answer = await client.get(f"{base}/key")
            assert len(b64(answer.json()["public_key"])) == 65
            assert answer.headers["access-control-allow-origin"] == settings.publish_site_url
            assert (await client.options(f"{base}/subscriptions")).status_code == 204
            wanted = {
                "subscription": device.subscription.model_dump(),
                "channels": ["news"],
                "time_zone": "Europe/Kyiv",
            }
            made = (await client.post(f"{base}/subscriptions", json=wanted)).json()
            own = {"Authorization": f"Bearer {made['token']}"}
            one = f"{base}/subscriptions/{made['id']}"
            assert (await client.post(f"{one}/test", headers=own)).json()["result"] == "sent"
            assert device.read(recipients.at("/device")[0])["kind"] == "test"
            assert (
                await client.patch(
                    one, json={"channels": ["tag:x"], "quiet_from": "22:00", "quiet_to": "07:00"}, headers=own
                )
            ).json()["quiet_from"] == "22:00"
            assert (await client.get(one, headers={"Authorization": "Bearer no"})).status_code == 404
            for change, field in (
                ({"time_zone": "Mars/Base"}, "/time_zone"),
                ({"channels": ["x"]}, "/channels"),
                (
                    {"subscription": wanted["subscription"] | {"keys": {"p256dh": "AAAA", "auth": "AAAA"}}},
                    "/subscription/keys",
                ),  # type: ignore[operator]
                ({"subscription": wanted["subscription"] | {"endpoint": "ftp://x"}}, "/subscription/endpoint"),  # type: ignore[operator]
            ):
                refused = await client.post(f"{base}/subscriptions", json=wanted | change)
                assert (refused.status_code, refused.json()["field"]) == (422, field)
            assert (await client.delete(one, headers=own)).status_code == 204
            assert await pool.fetchval("SELECT count(*) FROM publish.subscriptions") == 0


@pytest.mark.integration
@pytest.mark.usefixtures("pool", "site")
async def test_readers_behind_one_proxy_do_not_share_a_rate(settings: Settings) -> None:
    """The rate is of the address that our proxy names last; what a reader writes of itself takes it out of no count."""
    async with running(lambda stop: serve(settings, stop)):
        base = f"http://127.0.0.1:{settings.health_port}"
        async with httpx.AsyncClient(base_url=base) as client:
            await eventually(lambda: _ready(settings))

            async def statuses(path: str, times: int, **fields: str) -> set[int]:
                headers = {name.replace("_", "-"): value for name, value in fields.items()}
                return {(await client.post(path, content=b"x", headers=headers)).status_code for _ in range(times)}

            for path, rate in (("/v1/push/subscriptions", PER_MINUTE), ("/websub", 60)):
                assert 429 not in await statuses(path, rate, X_Forwarded_For="198.51.100.1")
                for written in ("203.0.113.9", "198.51.100.77", "unknown", "::1", "2001:db8::1"):
                    assert await statuses(path, 1, X_Forwarded_For=f"{written}, 198.51.100.1") == {429}
                    assert 429 not in await statuses(path, 1, X_Forwarded_For=f"198.51.100.1, {written}x, 198.51.100.2")
                assert await statuses(path, 1, X_Forwarded_For="198.51.100.1", Forwarded="for=192.0.2.1") == {429}
                assert 429 in await statuses(path, rate + 5, Forwarded="for=192.0.2.1")
            for path, field in (
                ("/v1/push/subscriptions?a=1", "a"),
                ("/v1/push/key?b", "b"),
                ("/v1/push/alerts?state=x&stat=y", "stat"),
                ("/v1/push/endpoints?limit=1", "limit"),
                ("/v1/push/mutes?ended=true&ended=false", "ended"),
                ("/openapi.json?x=1", "x"),
            ):
                method = "POST" if "subscriptions" in path else "GET"
                answer = await client.request(method, path)
                assert (answer.status_code, answer.json().get("field")) == (400, field), path
            assert (await client.get("/v1/push/alerts/", headers={"Host": "evil.example"})).headers[
                "location"
            ] == "/v1/push/alerts"


@pytest.mark.integration
async def test_a_crash_in_the_middle_of_a_fan_out_loses_nobody_and_repeats_next_to_nothing(
    settings: Settings, pool: Pool, site: Any, recipients: Any, processes: Processes
) -> None:
    """kill -9 of the process: every reader gets the alert, and no more than were under way get it twice."""
    readers = 2000
    device = Device.new("")
    await pool.execute(
        "INSERT INTO publish.subscriptions (service, target, target_hash, p256dh, auth, token_sha256, channels, per_hour, "
        "per_day) SELECT 'web', $1 || n, sha256(n::text::bytea), $2, $3, '', '{news}', 9, 9 FROM generate_series(1, $4) n",
        f"{recipients.url}/r/", device.public, device.auth, readers,
    )  # fmt: skip
    given = settings.model_dump(include={name for name in Settings.model_fields if name.startswith("publish_push_")})
    env = {name.upper(): str(value) for name, value in given.items() if value is not None}
    connections = Connections(**settings.model_dump())
    process = processes.start(connections, "publish", "push", **env)
    await process.ready()
    await emit(settings, [fresh("a", 1, urgency=2)])
    await eventually(lambda: len(recipients.got), lambda count: count > readers / 4)
    process.child.kill()
    assert len(recipients.got) < readers
    await processes.start(connections, "publish", "push", **env).ready()
    await eventually(
        lambda: pool.fetchval("SELECT state FROM publish.alerts"), lambda state: state == "sent", within_s=60
    )
    assert len({got.path for got in recipients.got}) == readers
    assert len(recipients.got) - readers <= 8
    assert device.read(recipients.got[0])["title"] == "a 1"


def test_the_longest_alert_fits_into_one_message() -> None:
    """Title and body are cut so that even text of four bytes a character fits."""
    from publish.push.alerts.decisions import message_of, words_of  # noqa: PLC0415

    long = revision("a", 1, headline="𝕬" * 500, summary="𝕬" * 5000)
    title, body = words_of(long)
    alert = {
        "id": "x" * 60,
        "kind": "alert",
        "update_id": long.update_id,
        "revision": 1,
        "level": 1,
        "title": title,
        "body": body,
        "path": "/updates/" + "s" * 200,
        "created_at": datetime.now(UTC),
    }
    assert len(message_of(alert, "https://" + "h" * 200, 60).payload) <= MAX_PAYLOAD_BYTES
    assert orjson.loads(message_of(alert, "https://h", 60).payload)["title"].endswith("…")

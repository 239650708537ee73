"""One reader, or one alert, that cannot be handled holds up no other; nor does a push service that hangs."""

from datetime import UTC, datetime
from typing import Any

import pytest

from publish.push.alerts.providers.provider import Notification, SendResult, Target
from publish.push.alerts.rules import AlertRules
from publish.push.alerts.sending.batch import PushBatch
from publish.push.alerts.sending.digests import Digests
from publish.push.alerts.sending.release import AlertRelease
from publish.push.alerts.sending.results import ReaderResult, ResultRecorder
from publish.push.alerts.sending.sender import AlertSender
from publish.push.process import serve
from publish.push.readiness import ReadinessChecks
from publish.push.settings import PushSettings
from publish.representation.reader_update import ReaderUpdate
from shared.postgres.pool import Pool
from shared.postgres.set_aside import listed
from support.push import Device, fresh, subscribe
from support.revisions import emit, revision, running
from support.waiting import eventually

pytestmark = pytest.mark.integration


class Services:
    """Takes everything, but for `silent.example`, which never answers."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, target: Target, notification: Notification) -> SendResult:
        """One notification."""
        self.sent.append(target.address)
        if "silent.example" in target.address:
            return SendResult("later", None, "no response within 10 s")
        if "talkative" in target.address:
            return SendResult("failed", 400, "a reason with \x00 in it")
        return SendResult("sent", 201)


async def alert_with_readers(pool: Pool, addresses: list[str]) -> None:
    """An alert that is on its way to these."""
    await pool.execute(
        "INSERT INTO publish.alerts (id, update_id, revision, kind, level, channels, title, body, path, state, reason, proposed_by) "
        "VALUES ('a', 'u', 1, 'test', 2, '{news}', 't', 'b', '/', 'sending', '', 'rules')"
    )
    device = Device.new("")
    for number, address in enumerate(addresses):
        await pool.execute(
            "INSERT INTO publish.subscriptions (service, target, target_hash, p256dh, auth, token_sha256, channels, per_hour, "
            "per_day) VALUES ('web', $1, sha256($2::text::bytea), $3, $4, '', '{news}', 9, 9)",
            address, str(number), device.public, device.auth,
        )  # fmt: skip


async def test_a_batch_is_not_held_up_by_a_service_that_is_silent_nor_by_what_a_service_says(pool: Pool) -> None:
    """The silent service is asked a few times, not once for each of its readers; all others get theirs."""
    quiet = [f"https://silent.example/{number}" for number in range(100)]
    others = [f"https://push.example/{number}" for number in range(50)] + ["https://push.example/talkative"]
    await alert_with_readers(
        pool, [address for pair in zip(quiet, quiet[::-1], strict=True) for address in pair][:100] + others
    )
    services = Services()
    sender = AlertSender(pool, {"web": services}, AlertRules(), site_url="https://news.example")
    await sender._batch(PushBatch(alert_id="a", number=0, first=0, last=10**9, slots=8))
    assert set(others) <= set(services.sent)
    assert sum("silent.example" in address for address in services.sent) <= 5 + 8
    rows = await pool.fetch("SELECT result, count(*) AS n FROM publish.alert_results GROUP BY result")
    assert {row["result"]: row["n"] for row in rows} == {"sent": 50, "failed": 1, "later": 100}


async def test_a_result_that_cannot_be_written_takes_no_other_with_it(pool: Pool) -> None:
    """It is listed, and the reader counts as failed, so that the alert does not come again and again."""
    await alert_with_readers(pool, ["https://push.example/1", "https://push.example/2"])
    ids = [row["id"] for row in await pool.fetch("SELECT id FROM publish.subscriptions ORDER BY id")]
    await ResultRecorder(pool).put_all(
        [ReaderResult("a", ids[0], "no such result"), ReaderResult("a", ids[1], "sent", status=201)]
    )
    rows = await pool.fetch("SELECT subscription_id, result FROM publish.alert_results ORDER BY subscription_id")
    assert [tuple(row) for row in rows] == [(ids[0], "failed"), (ids[1], "sent")]
    (entry,) = await listed(pool, "publish", "results of alerts")
    assert entry.key == f"a {ids[0]}"


async def test_a_reader_whose_preferences_cannot_be_read_costs_no_other_a_digest(pool: Pool) -> None:
    """Its time zone is no longer one: it is set aside and listed, whoever comes after it gets theirs."""
    await alert_with_readers(pool, ["https://push.example/bad", "https://push.example/good"])
    await pool.execute(
        "UPDATE publish.subscriptions SET time_zone = 'Mars/Olympus', quiet_from = '22:00', quiet_to = '06:00' "
        "WHERE target LIKE '%bad'"
    )
    await pool.execute(
        "INSERT INTO publish.alert_results (alert_id, subscription_id, result) SELECT 'a', id, 'digest' FROM publish.subscriptions"
    )
    services = Services()
    sender = AlertSender(pool, {"web": services}, AlertRules(), site_url="https://news.example")
    digests = Digests(pool, sender, AlertRules(), site_url="https://news.example", site_name="News")
    await digests.send_due(datetime.now(UTC))
    (entry,) = await listed(pool, "publish", "digests")
    assert "Mars/Olympus" in entry.reason
    results = {row["subscription_id"]: row["result"] for row in await pool.fetch("SELECT * FROM publish.alert_results")}
    assert sorted(results.values()) == ["digest", "suppressed"], "the update of the test's alert is out of sight"
    await digests.send_due(datetime.now(UTC))
    assert (await listed(pool, "publish", "digests"))[0].attempts == 1


async def test_alerts_that_wait_or_fail_hold_up_none_behind_them(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than are looked at in one turn lead to pages that are not there, and one cannot be released."""
    release = AlertRelease._release_one

    async def with_a_bug(self: AlertRelease, connection: Any, alert: Any, found: Any) -> None:
        if alert.id.startswith("bad"):
            await connection.execute("SELECT 1 / 0")
        await release(self, connection, alert, found)

    async def missing(_: ReadinessChecks, update: ReaderUpdate) -> list[str]:
        return ["page"] if update.update_id == revision("hidden").update_id else []

    monkeypatch.setattr(ReadinessChecks, "missing", missing)
    monkeypatch.setattr(AlertRelease, "_release_one", with_a_bug)
    monkeypatch.setattr("publish.push.alerts.sending.release.LOOKED_AT_AGAIN_S", 30.0)
    await subscribe(pool, Device.new(f"{recipients.url}/reader"))
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("hidden", 1)])
        await eventually(lambda: pool.fetchval("SELECT update_id FROM publish.updates"), what="archived")
        await pool.execute(
            "INSERT INTO publish.alerts (id, update_id, revision, kind, level, channels, title, body, path, state, reason, "
            "proposed_by) SELECT p || n, u.update_id, 9, 'alert', 2, '{news}', 't', 'b', '/', 'unreadable', '', 'rules' "
            "FROM publish.updates u, generate_series(1, 25) n, unnest(ARRAY['bad', 'early']) p"
        )
        await emit(settings, [fresh("a", 1, urgency=2)])
        await eventually(lambda: recipients.at("/reader"), what="the alert behind them")
        entries = await eventually(
            lambda: listed(pool, "publish", "alerts"),
            lambda entries: len(entries) == 25,
            what="all that fail are listed",
        )
    assert len(recipients.at("/reader")) == 1
    assert {entry.key for entry in entries} == {f"bad{number}" for number in range(1, 26)}

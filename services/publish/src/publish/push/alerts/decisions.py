"""Alerts in Postgres: from a notice or an editor's word to batches on Kafka, with the reason for everything that stays."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import orjson
import structlog
from prometheus_client import Counter, Histogram

from publish.archive import queries
from publish.push.alerts.mutes import muted
from publish.push.alerts.providers import Message, Urgency
from publish.push.alerts.rules import TOP, Decision, Earlier, Rules, decide
from publish.push.delivery.endpoints import readable
from publish.push.notify import Notice
from publish.push.readiness import Sinks
from publish.representation.position import channels_of
from publish.representation.reader_update import ReaderUpdate
from shared import messages
from shared.background import keep_running
from shared.failures.transient import is_transient
from shared.http.problem import Problem
from shared.kafka.clients import Emitter, acknowledged
from shared.postgres.pool import Connection, Pool
from shared.streams import ALERTS

log = structlog.get_logger(__name__)

STATES = ("unreadable", "awaiting-approval", "sending", "sent", "suppressed")
BATCH = 500
IDLE_S = 1.0
TITLE_LENGTH = 120
BODY_LENGTH = 240
LOOKED_THROUGH = 20
"""Times the characters that are shown: text that is blank beyond them is shown shorter."""
REPEATABLE_SHARE = 0.001
LEAST_SLOTS = 8

DECIDED = Counter("slugline_push_alerts", "Alerts by what was decided", ["kind", "state"])
RELEASED = Histogram(
    "slugline_push_alert_released_seconds",
    "From enriched until the batches of an alert are on Kafka",
    buckets=(0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 10, 30, 60),
)


class PushBatch(messages.Message):
    """Subscriptions with ids from `first` to `last` get an alert, those of them that are meant."""

    ce_type: ClassVar[str] = "slugline.push.batch"

    alert_id: str
    number: int
    first: int
    last: int
    slots: int
    """How many may be under way at a time: after a crash no more than these are repeated."""


def _cut(text: str, length: int) -> str:
    # What a screen shows stands at the beginning, however long the rest.
    text = " ".join(text.lstrip()[: LOOKED_THROUGH * length].replace("\x00", "").split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def words_of(update: ReaderUpdate) -> tuple[str, str]:
    """The title and the body of the alert of an update."""
    title = _cut(update.headline or update.text, TITLE_LENGTH)
    return title, _cut(update.summary or update.excerpt or update.text, BODY_LENGTH)


def ordered_words(update: ReaderUpdate, title: str | None, body: str | None) -> tuple[str, str]:
    """An editor's words where there are some, cut to what a screen shows; those of the update else."""
    own = words_of(update)
    return (_cut(title, TITLE_LENGTH) if title else "") or own[0], (_cut(body, BODY_LENGTH) if body else "") or own[1]


def message_of(alert: Mapping[str, Any], site_url: str, ttl_s: int) -> Message:
    """What is brought to devices: the service worker shows it, replaces it or takes it away, by its tag."""
    withdraws = alert["kind"] == "withdraw"
    url = f"{site_url}{alert['path']}"
    payload: dict[str, Any] = {
        "kind": alert["kind"],
        "alert_id": alert["id"],
        "update_id": alert["update_id"],
        "revision": alert["revision"],
        "tag": alert["update_id"] or alert["id"],
        "url": url,
        "level": alert["level"],
        "timestamp": int(alert["created_at"].timestamp() * 1000),
    }
    if not withdraws:
        payload |= {"title": alert["title"], "body": alert["body"]}
    urgency: Urgency = "high" if alert["level"] <= TOP else ("normal" if alert["level"] == TOP + 1 else "low")
    return Message(
        payload=orjson.dumps(payload),
        title=alert["title"],
        body=alert["body"],
        url=url,
        topic=(alert["update_id"] or alert["id"])[:32],
        ttl_s=ttl_s,
        urgency="high" if withdraws else urgency,
        withdraws=withdraws,
    )


INSERT = """
INSERT INTO publish.alerts (id, update_id, revision, kind, level, story, channels, title, body, path, state, reason,
                            proposed_by, approved_by, of_alert, enriched_at, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
        CASE WHEN $11 = 'suppressed' THEN now() END)
ON CONFLICT DO NOTHING
"""


class Alerts:
    """Decides on alerts and puts those that leave on Kafka."""

    def __init__(self, pool: Pool, rules: Rules, emitter: Emitter, sinks: Sinks) -> None:
        self._pool = pool
        self._rules = rules
        self._emitter = emitter
        self._sinks = sinks
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something was decided."""
        self._wake.set()

    async def queue(self, connection: Connection, notices: Sequence[Notice]) -> None:
        """Decide on each notice; see `notify.Queue`."""
        for notice in notices:
            update = notice.update
            found = self._rules.level_of(update)
            if found is None and update.revision == 1:
                continue
            earlier = await self._earlier(connection, update)
            own = [each for each in earlier if each["update_id"] == update.update_id]
            if own:
                await self._follow(connection, notice, own)
            if (
                found is not None
                and not update.is_removal
                and (not own or found[0] < min(each["level"] for each in own))
            ):
                await self._propose(connection, notice, found, earlier)

    async def _earlier(self, connection: Connection, update: ReaderUpdate) -> list[Any]:
        rows = await connection.fetch(
            "SELECT id, update_id, revision, story, level, title, body, state, created_at FROM publish.alerts "
            "WHERE kind = 'alert' AND state <> 'suppressed' AND (update_id = $1 OR (story = $2 AND created_at > $3)) "
            "ORDER BY created_at",
            update.update_id, _clean(update.story), datetime.now(UTC) - timedelta(hours=self._rules.story_hours),
        )  # fmt: skip
        return list(rows)

    async def _propose(
        self, connection: Connection, notice: Notice, found: tuple[int, str], earlier: Sequence[Any]
    ) -> None:
        level, why = found
        update = notice.update
        known = [Earlier(each["update_id"], each["story"], each["level"], each["created_at"]) for each in earlier]
        decision = decide(
            update, level, why,
            rules=self._rules, earlier=known, people=0, readable=notice.readable, now=datetime.now(UTC),
            muted=await muted(connection, _channels(update)),
        )  # fmt: skip
        await self._insert(
            connection, f"{update.update_id}.{update.revision}", update,
            kind="alert", level=level, decision=decision, proposed_by="rules",
        )  # fmt: skip

    async def _follow(self, connection: Connection, notice: Notice, own: Sequence[Any]) -> None:
        """A removal takes back what was alerted, a correction of its words replaces it, at those who had it."""
        update = notice.update
        if update.is_removal:
            await connection.execute(
                "UPDATE publish.alerts SET state = 'suppressed', ended_at = now(), reason = $2 "
                "WHERE update_id = $1 AND kind IN ('alert', 'replace') AND state IN ('unreadable', 'awaiting-approval')",
                update.update_id, f"the update is {update.removal}",
            )  # fmt: skip
        title, body = words_of(update)
        newest = own[-1]
        sending = [each for each in own if each["state"] in ("sending", "sent")]
        same = update.kind in ("enrich", "pin") or await self._words_before(connection, newest) == (title, body)
        if same and not update.is_removal:
            return
        kind = "withdraw" if update.is_removal else "replace"
        if kind == "replace":
            # Who has not had it yet gets the new words at once; who has approved the old ones has not approved these.
            await connection.execute(
                "UPDATE publish.alerts SET title = $2, body = $3, revision = $4, "
                "approved_by = CASE WHEN state = 'awaiting-approval' THEN '{}' ELSE approved_by END WHERE id = ANY($1)",
                [each["id"] for each in own], title, body, update.revision,
            )  # fmt: skip
        decision = Decision("sending", f"the update was {update.removal or 'changed'} after it was alerted")
        for each in sending:
            await self._insert(
                connection, f"{each['id']}.{kind}.{update.revision}", update,
                kind=kind, level=each["level"], decision=decision, proposed_by="rules", of_alert=each["id"],
            )  # fmt: skip

    async def _words_before(self, connection: Connection, alert: Any) -> tuple[str, str]:
        """What the update said when it was alerted. An editor's own words are not those: what did not change is no correction of them."""
        key = (alert["update_id"], alert["revision"])
        archived = (await queries.servable(connection, {key})).get(key)
        return words_of(archived.update) if archived is not None else (alert["title"], alert["body"])

    async def _insert(
        self,
        connection: Connection,
        alert_id: str,
        update: ReaderUpdate,
        *,
        kind: str,
        level: int,
        decision: Decision,
        proposed_by: str,
        of_alert: str | None = None,
        approved_by: Sequence[str] = (),
        words: tuple[str, str] | None = None,
    ) -> None:
        title, body = words or words_of(update)
        await connection.execute(
            INSERT, alert_id, update.update_id, update.revision, kind, level, _clean(update.story),
            sorted(channel for channel in _channels(update)), title, body,
            f"/updates/{update.update_id}" if update.is_removal else update.path, decision.state, decision.reason, proposed_by,
            list(approved_by), of_alert, update.passport.enriched_at or update.passport.received_at,
        )  # fmt: skip
        DECIDED.labels(kind, decision.state).inc()
        log.info("alert", alert=alert_id, kind=kind, level=level, state=decision.state, reason=decision.reason)

    async def candidate(self, update_id: str) -> ReaderUpdate:
        """The visible update that an editor means."""
        found = await queries.one(self._pool, update_id)
        if found is None or found.update.is_removal:
            raise Problem(404, "no-such-update", "there is no visible update of that id")
        return found.update

    async def order(
        self, update_id: str, level: int, person: str, *, words: tuple[str | None, str | None]
    ) -> dict[str, Any]:
        """An editor's word: an alert whatever the rules say. The top level waits for a second person."""
        update = await self.candidate(update_id)
        alert_id = f"{update.update_id}.{update.revision}.{secrets.token_hex(4)}"
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await self._earlier(connection, update)
            earlier = [Earlier(each["update_id"], each["story"], each["level"], each["created_at"]) for each in rows]
            decision = decide(
                update, level, f"ordered by {person}",
                rules=self._rules, earlier=earlier, people=1, readable=False, now=datetime.now(UTC),
                muted=await muted(connection, _channels(update)),
            )  # fmt: skip
            await self._insert(
                connection,
                alert_id,
                update,
                kind="alert",
                level=level,
                decision=decision,
                proposed_by=person,
                approved_by=[person],
                words=ordered_words(update, *words),
            )
        self.wake()
        return await shown(self._pool, alert_id)

    async def would(self, update: ReaderUpdate, level: int) -> dict[str, str]:
        """What an editor's order of this level would become."""
        rows = await self._earlier(self._pool, update)
        earlier = [Earlier(each["update_id"], each["story"], each["level"], each["created_at"]) for each in rows]
        decision = decide(
            update, level, "ordered",
            rules=self._rules, earlier=earlier, people=1, readable=False, now=datetime.now(UTC),
            muted=await muted(self._pool, _channels(update)),
        )  # fmt: skip
        return {"state": decision.state, "reason": decision.reason}

    async def approve(self, alert_id: str, person: str) -> dict[str, Any]:
        """One more person's yes; enough of them, and it leaves."""
        row = await self._pool.fetchrow(
            "UPDATE publish.alerts SET approved_by = CASE WHEN $2 = ANY(approved_by) THEN approved_by "
            "ELSE approved_by || $2::text END, state = CASE WHEN cardinality(approved_by) + CASE WHEN $2 = ANY(approved_by) "
            "THEN 0 ELSE 1 END >= $3 THEN 'unreadable' ELSE state END "
            "WHERE id = $1 AND state = 'awaiting-approval' RETURNING id",
            alert_id, person, self._rules.top_level_people,
        )  # fmt: skip
        if row is None:
            raise Problem(409, "not-waiting", "this alert does not wait for approval")
        self.wake()
        return await shown(self._pool, alert_id)

    async def reject(self, alert_id: str, person: str) -> dict[str, Any]:
        """One person's no ends it."""
        row = await self._pool.fetchrow(
            "UPDATE publish.alerts SET state = 'suppressed', reason = $2, ended_at = now() "
            "WHERE id = $1 AND state IN ('awaiting-approval', 'unreadable') RETURNING id",
            alert_id, f"rejected by {person}",
        )  # fmt: skip
        if row is None:
            raise Problem(409, "not-waiting", "this alert has left already, or was suppressed")
        return await shown(self._pool, alert_id)

    async def keep_releasing(self) -> None:
        """Put alerts that may leave on Kafka, until cancelled."""
        await keep_running("alerts", self._release, every_s=IDLE_S, wake=self._wake)

    async def _release(self) -> None:
        await self._pool.execute(
            "UPDATE publish.alerts SET state = 'suppressed', ended_at = now(), reason = reason || '; not approved in time' "
            "WHERE state = 'awaiting-approval' AND created_at < now() - make_interval(secs => $1)",
            self._rules.approval_s,
        )
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(
                "SELECT * FROM publish.alerts WHERE (state = 'unreadable' OR state = 'sending') AND released_at IS NULL "
                "ORDER BY created_at LIMIT 20 FOR UPDATE SKIP LOCKED"
            )
            for row in rows:
                await self._release_or_end(connection, row)
        await self._pool.execute(
            "UPDATE publish.alerts a SET state = 'sent', ended_at = now() WHERE state = 'sending' AND released_at IS NOT NULL "
            "AND batches <= (SELECT count(*) FROM publish.alert_batches b WHERE b.alert_id = a.id)"
        )

    async def _release_or_end(self, connection: Connection, alert: Any) -> None:
        """Release an alert; one that cannot be released ends, and the others go on."""
        try:
            async with connection.transaction():
                await self._release_one(connection, alert)
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("an alert cannot be released", alert=alert["id"])
            await self._end(
                connection, alert, "suppressed", f"it cannot be released: {type(error).__name__}: {error}"[:500]
            )

    async def _release_one(self, connection: Connection, alert: Any) -> None:
        archived = (await queries.some(connection, [alert["update_id"]])).get(alert["update_id"])
        if archived is None or (archived.update.is_removal and alert["kind"] != "withdraw"):
            return await self._end(connection, alert, "suppressed", "the update is out of sight")
        if alert["kind"] == "alert" and (reason := await muted(connection, alert["channels"])) is not None:
            return await self._end(connection, alert, "suppressed", reason)
        lacking = await self._sinks.lack(archived.update)
        if lacking and alert["kind"] != "withdraw":
            age_s = (datetime.now(UTC) - alert["created_at"]).total_seconds()
            if age_s > self._rules.max_age_s:
                return await self._end(connection, alert, "suppressed", f"not readable in time: {', '.join(lacking)}")
            await connection.execute("UPDATE publish.alerts SET state = 'unreadable' WHERE id = $1", alert["id"])
            return None
        ids = await audience(connection, alert)
        if not ids:
            return await self._end(connection, alert, "sent", alert["reason"])
        slots = max(LEAST_SLOTS, int(len(ids) * REPEATABLE_SHARE))
        batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
        futures = [
            await self._emitter.send(
                ALERTS,
                PushBatch(alert_id=alert["id"], number=number, first=batch[0], last=batch[-1], slots=slots),
                key=f"{alert['id']}:{number}",
                event_id=f"{alert['id']}:{number}",
            )
            for number, batch in enumerate(batches)
        ]
        await acknowledged(futures)
        # A crash before this is written puts the batches on Kafka again; those that had it already are known by then.
        await connection.execute(
            "UPDATE publish.alerts SET state = 'sending', released_at = now(), audience = $2, batches = $3 WHERE id = $1",
            alert["id"], len(ids), len(batches),
        )  # fmt: skip
        if alert["enriched_at"] is not None:
            RELEASED.observe(max((datetime.now(UTC) - alert["enriched_at"]).total_seconds(), 0))
        log.info("alert released", alert=alert["id"], audience=len(ids), batches=len(batches))
        return None

    async def _end(self, connection: Connection, alert: Any, state: str, reason: str) -> None:
        await connection.execute(
            "UPDATE publish.alerts SET state = $2, reason = $3, released_at = now(), ended_at = now() WHERE id = $1",
            alert["id"], state, reason,
        )  # fmt: skip
        DECIDED.labels(alert["kind"], state).inc()
        log.info("alert ended", alert=alert["id"], state=state, reason=reason)


async def shown(pool: Pool, alert_id: str) -> dict[str, Any]:
    """An alert, its progress, and what became of it at its readers, by result and reason."""
    row = await pool.fetchrow("SELECT * FROM publish.alerts WHERE id = $1", alert_id.replace("\x00", ""))
    if row is None:
        raise Problem(404, "no-such-alert", "there is no such alert")
    results = await pool.fetch(
        "SELECT result, reason, count(*) AS readers FROM publish.alert_results WHERE alert_id = $1 "
        "GROUP BY result, reason ORDER BY readers DESC LIMIT 50",
        row["id"],
    )
    done = await pool.fetchval("SELECT count(*) FROM publish.alert_batches WHERE alert_id = $1", row["id"])
    return readable(row) | {"batches_done": done, "results": [dict(each) for each in results]}


async def newest(pool: Pool, state: str | None, limit: int) -> list[dict[str, Any]]:
    """Alerts, newest first; the suppressed ones with their reason."""
    rows = await pool.fetch(
        "SELECT * FROM publish.alerts WHERE ($1::text IS NULL OR state = $1) ORDER BY created_at DESC LIMIT $2",
        state, limit,
    )  # fmt: skip
    return [readable(row) for row in rows]


def _clean(text: str | None) -> str | None:
    return text.replace("\x00", "") if text else None


def _channels(update: ReaderUpdate) -> frozenset[str]:
    return frozenset(channel.replace("\x00", "") for channel in channels_of(update))


async def audience(connection: Connection, alert: Mapping[str, Any]) -> list[int]:
    """The ids of the subscriptions that an alert is for, in order: by channel, or those who had what it follows."""
    if alert["of_alert"] is not None:
        rows = await connection.fetch(
            "SELECT subscription_id AS id FROM publish.alert_results r JOIN publish.subscriptions s ON s.id = r.subscription_id "
            "WHERE r.alert_id = $1 AND r.result IN ('sent', 'later', 'digested') ORDER BY 1",
            alert["of_alert"],
        )
    else:
        rows = await connection.fetch(
            "SELECT id FROM publish.subscriptions WHERE channels && $1 AND (expires_at IS NULL OR expires_at > now()) "
            "ORDER BY id",
            alert["channels"],
        )
    return [row["id"] for row in rows]

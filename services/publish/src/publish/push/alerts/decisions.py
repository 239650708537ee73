"""Which alerts there are: from a revision by the rules, or by an editor's order, each with the reason for its state."""

import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from prometheus_client import Counter

from publish.archive import queries
from publish.push.alerts.alert import SELECT, Alert, with_results
from publish.push.alerts.mutes import muted
from publish.push.alerts.notification import ordered_wording, wording
from publish.push.alerts.rules import AlertDecision, AlertRules, EarlierAlert, decide_alert
from publish.push.delivery.notice import Notice
from publish.representation.position import channels_of
from publish.representation.reader_update import ReaderUpdate
from shared.audit.author import Author
from shared.audit.entry import Entry
from shared.audit.log import append
from shared.http.problem import Problem
from shared.postgres.clock import Clock, wall_clock
from shared.postgres.pool import Connection, Pool, Queryable, Row
from shared.postgres.rows import typed

log = structlog.get_logger(__name__)

DECIDED = Counter("slugline_push_alerts", "Alerts by what was decided", ["kind", "state"])

INSERT = """
INSERT INTO publish.alerts (id, update_id, revision, kind, level, story, channels, title, body, path, state, reason,
                            proposed_by, approved_by, of_alert, enriched_at, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
        CASE WHEN $11 = 'suppressed' THEN now() END)
ON CONFLICT DO NOTHING
"""


class AlertDecisions:
    """Decides on alerts and writes the decisions down; `decided` is called when some may be released."""

    def __init__(
        self, pool: Pool, rules: AlertRules, decided: Callable[[], None], *, clock: Clock = wall_clock
    ) -> None:
        self._pool = pool
        self._rules = rules
        self._decided = decided
        self._clock = clock

    async def queue(self, connection: Connection, notices: Sequence[Notice]) -> None:
        """Decide on each notice; see `notice.QueueDeliveries`."""
        for notice in notices:
            update = notice.update
            found = self._rules.level_of(update, trusts_urgency=notice.archived.may_alert)
            if found is None and update.revision == 1:
                continue
            earlier = await self._earlier(connection, update)
            own = [each for each in earlier if each.update_id == update.update_id]
            if own:
                await self._follow_up(connection, notice, own)
            if found is not None and not update.is_removal and (not own or found[0] < min(each.level for each in own)):
                await self._propose(connection, notice, found, earlier)

    async def _earlier(self, connection: Queryable, update: ReaderUpdate) -> list[Alert]:
        rows = await connection.fetch(
            SELECT
            + "WHERE kind = 'alert' AND state <> 'suppressed' AND (update_id = $1 OR (story = $2 AND created_at > $3)) "
            "ORDER BY created_at",
            update.update_id, _clean(update.story), self._clock() - timedelta(hours=self._rules.story_hours),
        )  # fmt: skip
        return typed(Alert, rows)

    async def _decide(
        self,
        connection: Queryable,
        update: ReaderUpdate,
        level: int,
        reason: str,
        earlier: Sequence[Alert],
        *,
        people: int,
        readable: bool = False,
    ) -> AlertDecision:
        return decide_alert(
            update, level, reason,
            rules=self._rules,
            earlier=[EarlierAlert(each.update_id, each.story, each.level, each.created_at) for each in earlier],
            people=people, readable=readable, now=self._clock(),
            muted=await muted(connection, _channels(update)),
        )  # fmt: skip

    async def _propose(
        self, connection: Connection, notice: Notice, found: tuple[int, str], earlier: Sequence[Alert]
    ) -> None:
        level, reason = found
        update = notice.update
        decision = await self._decide(connection, update, level, reason, earlier, people=0, readable=notice.readable)
        await self._insert(
            connection, f"{update.update_id}.{update.revision}", update,
            kind="alert", level=level, decision=decision, proposed_by="rules",
        )  # fmt: skip

    async def _follow_up(self, connection: Connection, notice: Notice, own: Sequence[Alert]) -> None:
        """For those who had an alert: a removal withdraws it, a correction of its words replaces it."""
        update = notice.update
        if update.is_removal:
            await connection.execute(
                "UPDATE publish.alerts SET state = 'suppressed', ended_at = now(), reason = $2 "
                "WHERE update_id = $1 AND kind IN ('alert', 'replace') AND state IN ('unreadable', 'awaiting-approval')",
                update.update_id, f"the update is {update.removal}",
            )  # fmt: skip
        title, body = wording(update)
        newest = own[-1]
        sending = [each for each in own if each.state in ("sending", "sent")]
        same = update.kind in ("enrich", "pin") or await self._wording_before(connection, newest) == (title, body)
        if same and not update.is_removal:
            return
        kind = "withdraw" if update.is_removal else "replace"
        if kind == "replace":
            # Readers who have not had it yet get the new words at once. Approvals of the old words do not hold for these.
            await connection.execute(
                "UPDATE publish.alerts SET title = $2, body = $3, revision = $4, "
                "approved_by = CASE WHEN state = 'awaiting-approval' THEN '{}' ELSE approved_by END WHERE id = ANY($1)",
                [each.id for each in own], title, body, update.revision,
            )  # fmt: skip
        decision = AlertDecision("sending", f"the update was {update.removal or 'changed'} after it was alerted")
        for each in sending:
            await self._insert(
                connection, f"{each.id}.{kind}.{update.revision}", update,
                kind=kind, level=each.level, decision=decision, proposed_by="rules", of_alert=each.id,
            )  # fmt: skip

    async def _wording_before(self, connection: Connection, alert: Alert) -> tuple[str, str]:
        """The update's own wording when it was alerted, which an editor's order may have replaced: only a change of it is a correction."""
        key = (alert.update_id, alert.revision)
        archived = (await queries.servable(connection, {key})).get(key)
        return wording(archived.update) if archived is not None else (alert.title, alert.body)

    async def _insert(
        self,
        connection: Connection,
        alert_id: str,
        update: ReaderUpdate,
        *,
        kind: str,
        level: int,
        decision: AlertDecision,
        proposed_by: str,
        of_alert: str | None = None,
        approved_by: Sequence[str] = (),
        words: tuple[str, str] | None = None,
    ) -> None:
        title, body = words or wording(update)
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
        self,
        update_id: str,
        level: int,
        person: str,
        *,
        words: tuple[str | None, str | None],
        author: Author | None = None,
    ) -> dict[str, object]:
        """An editor's order: an alert whatever the rules say. The top level waits for a second person."""
        update = await self.candidate(update_id)
        alert_id = f"{update.update_id}.{update.revision}.{secrets.token_hex(4)}"
        async with self._pool.acquire() as connection, connection.transaction():
            earlier = await self._earlier(connection, update)
            decision = await self._decide(connection, update, level, f"ordered by {person}", earlier, people=1)
            await self._insert(
                connection,
                alert_id,
                update,
                kind="alert",
                level=level,
                decision=decision,
                proposed_by=person,
                approved_by=[person],
                words=ordered_wording(update, *words),
            )
            if author is not None:
                after = {"update_id": update_id, "level": level, "state": decision.state, "reason": decision.reason}
                await append(connection, author.entry("alert-ordered", alert_id, None, after))
        self._decided()
        return await with_results(self._pool, alert_id)

    async def preview(self, update: ReaderUpdate, level: int) -> AlertDecision:
        """What an editor's order of this level would become."""
        earlier = await self._earlier(self._pool, update)
        return await self._decide(self._pool, update, level, "ordered", earlier, people=1)

    async def approve(self, alert_id: str, person: str, author: Author | None = None) -> dict[str, object]:
        """One more person's yes; enough of them, and it leaves."""
        row = await self._changed(
            None if author is None else author.entry("alert-approved", alert_id),
            "UPDATE publish.alerts SET approved_by = CASE WHEN $2 = ANY(approved_by) THEN approved_by "
            "ELSE approved_by || $2::text END, state = CASE WHEN cardinality(approved_by) + CASE WHEN $2 = ANY(approved_by) "
            "THEN 0 ELSE 1 END >= $3 THEN 'unreadable' ELSE state END "
            "WHERE id = $1 AND state = 'awaiting-approval' RETURNING id",
            alert_id, person, self._rules.top_level_people,
        )  # fmt: skip
        if row is None:
            await with_results(self._pool, alert_id)  # 404 where there is none
            raise Problem(409, "not-waiting", "this alert does not wait for approval")
        self._decided()
        return await with_results(self._pool, alert_id)

    async def reject(self, alert_id: str, person: str, author: Author | None = None) -> dict[str, object]:
        """One person's no ends it."""
        row = await self._changed(
            None if author is None else author.entry("alert-rejected", alert_id),
            "UPDATE publish.alerts SET state = 'suppressed', reason = $2, ended_at = now() "
            "WHERE id = $1 AND state IN ('awaiting-approval', 'unreadable') RETURNING id",
            alert_id, f"rejected by {person}",
        )  # fmt: skip
        if row is None:
            await with_results(self._pool, alert_id)  # 404 where there is none
            raise Problem(409, "not-waiting", "this alert has left already, or was suppressed")
        return await with_results(self._pool, alert_id)

    async def _changed(self, entry: Entry | None, statement: str, *values: object) -> Row | None:
        """The row that a statement changed, with the entry in the audit log."""
        async with self._pool.acquire() as connection, connection.transaction():
            row: Row | None = await connection.fetchrow(statement, *values)
            if row is not None and entry is not None:
                await append(connection, entry)
        return row


def _clean(text: str | None) -> str | None:
    return text.replace("\x00", "") if text else None


def _channels(update: ReaderUpdate) -> frozenset[str]:
    return frozenset(channel.replace("\x00", "") for channel in channels_of(update))

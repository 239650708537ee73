"""Queues in tables: a row that is due belongs to one worker at a time, until it is done or its lease ends.

Workers take rows with `FOR UPDATE SKIP LOCKED`, so that none waits for another and no two get the same row. They hold them in
one of two ways:

- `claim`: under a lease, for work that outlasts a transaction. A slow worker renews its leases. The leases of a worker that
  died end, and the next claim takes its rows back; nothing else has to notice the death.
- `lock`: for the caller's own transaction, for work of a moment. Postgres releases the rows when the session ends.

What ends a lease early is the statement that records the result: it deletes the row, takes it out of the queue's condition, or
sets the due time of the next attempt, together with whatever else the result changes.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.failures.backoff import Backoff
from shared.failures.transient import is_transient
from shared.postgres.pool import Queryable, Row
from shared.postgres.set_aside import SetAside

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FairShare:
    """Claims take at most so many rows of each group (a host, say), less those that the worker holds already.

    For queues without a column of leases of their own.
    """

    group: str
    """The column that names the group."""
    window: int = 500
    """How many due rows a claim looks at, in order, those of groups that have their share left out."""


@dataclass(frozen=True, kw_only=True)
class LeaseQueue(Generic[T]):
    """The queue that a table holds. All SQL given here is the program's own; it calls the table `q`."""

    table: str
    key: Mapping[str, str]
    """The columns that identify a row, with their types."""
    due: str
    """The column that says from when a row may be claimed. Without `lease`, a claim moves it to the end of the lease."""
    read: Callable[[Row], T]
    """Makes a value of a row that was claimed or locked."""
    columns: str = "q.*"
    """What `read` reads."""
    waiting: str = "true"
    """The condition on rows that are in the queue."""
    lease: str = ""
    """The column of the lease's end, where that is not `due`."""
    owner: str = ""
    """The column that names the worker. A lease that has ended is still renewed then, unless somebody else has the row."""
    attempts: str = ""
    """The column to which a claim adds one."""
    before: str = ""
    """Expressions on the row before the claim; `columns` finds them in `due`."""
    on_claim: str = ""
    """Further assignments of a claim."""
    held: str = "true"
    """The condition for renewing a lease."""
    backoff: Backoff | None = None
    aside: SetAside | None = None
    """Where a row is set aside that `read` cannot read; without it, the failure is raised. The key's columns are then among
    `columns`, and what is set aside is not claimed until its pause is over."""
    selection: FairShare | str = ""
    """How a claim selects its rows: by `due` in order, by a fair share, or by common table expressions of the queue's own. Of
    these the last is called `due`, has the keys and locks the rows; their parameters begin at $3."""

    async def claim(self, database: Queryable, limit: int, lease_s: float, *values: object) -> list[T]:
        """Take at most `limit` due rows under a lease. Their order is not defined.

        `values` are the owner where the queue has one, or what its `selection` takes.
        """
        return await self._read_all(database, await database.fetch(self.claim_sql, limit, lease_s, *values))

    async def claim_fairly(
        self, database: Queryable, limit: int, lease_s: float, *, held: Mapping[str, int], share: int
    ) -> list[T]:
        """Take at most `limit` due rows, and of each group at most its `share` less what this worker holds of it."""
        full = [group for group, count in held.items() if count >= share]
        return await self.claim(database, limit, lease_s, full, list(held), list(held.values()), share)

    async def lock(self, transaction: Queryable, limit: int, *values: object) -> list[T]:
        """Take at most `limit` due rows, in order, for as long as the transaction lasts; `waiting` may take `values` from $2."""
        return await self._read_all(transaction, await transaction.fetch(self.lock_sql, limit, *values))

    async def _read_all(self, database: Queryable, rows: Sequence[Row]) -> list[T]:
        """The rows as values. One that cannot be read takes no other with it."""
        found = []
        for row in rows:
            try:
                found.append(self.read(row))
            except Exception as error:
                if self.aside is None or is_transient(error):
                    raise
                await self.aside.put(database, "/".join(str(row[column]) for column in self.key), error)
        return found

    async def renew(
        self, database: Queryable, keys: Sequence[Sequence[object]], lease_s: float, owner: str | None = None
    ) -> None:
        """Let the leases of these rows end `lease_s` from now, of those that the worker still holds."""
        columns = [list(column) for column in zip(*keys, strict=True)]
        if columns:
            await database.execute(self.renew_sql, lease_s, *([] if owner is None else [owner]), *columns)

    @functools.cached_property
    def claim_sql(self) -> str:
        """The statement of `claim`: $1 is the limit, $2 the lease in seconds."""
        assignments = [
            f"{self.lease or self.due} = now() + make_interval(secs => {self._lease_s})",
            f"{self.owner} = $3" if self.owner else "",
            f"{self.attempts} = q.{self.attempts} + 1" if self.attempts else "",
            self.on_claim,
        ]
        return (
            f"{self._selection}\nUPDATE {self.table} q SET {', '.join(filter(None, assignments))} FROM due "
            f"WHERE {self._same_row('due')} RETURNING {self.columns}"
        )

    @functools.cached_property
    def lock_sql(self) -> str:
        """The statement of `lock`: $1 is the limit."""
        return self._first_due(self.columns)

    @functools.cached_property
    def renew_sql(self) -> str:
        """The statement of `renew`: $1 is the lease in seconds, then the owner where there is one, then an array for each key."""
        lease = self.lease or self.due
        keys = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(self.key.values(), 2 + bool(self.owner)))
        still_held = f"q.{self.owner} = $2" if self.owner else f"q.{lease} > now()"
        return (
            f"UPDATE {self.table} q SET {lease} = now() + make_interval(secs => $1) "
            f"FROM unnest({keys}) AS mine ({', '.join(self.key)}) "
            f"WHERE {self._same_row('mine')} AND {still_held} AND {self.held}"
        )

    @property
    def _is_waiting(self) -> str:
        if self.aside is None:
            return self.waiting
        key = " || '/' || ".join(f"q.{column}::text" for column in self.key)
        return f"{self.waiting} AND {self.aside.is_free(key)}"

    @property
    def _lease_s(self) -> str:
        if self.backoff is None:
            return "$2"
        # The exponent is bounded, so that the power of any number of attempts is a number.
        growing = f"$2::float8 * {self.backoff.factor}::float8 ^ least(q.{self.attempts}, 20)"
        return f"least({growing}, {self.backoff.longest_s}) * (1 + {self.backoff.jitter} * (2 * random() - 1))"

    @property
    def _selection(self) -> str:
        if isinstance(self.selection, FairShare):
            return self._fair(self.selection)
        return self.selection or f"WITH due AS ({self._first_due(self._keys_and_before)})"

    @property
    def _keys_and_before(self) -> str:
        return ", ".join([*(f"q.{column}" for column in self.key), *filter(None, [self.before])])

    def _same_row(self, other: str) -> str:
        return " AND ".join(f"q.{column} = {other}.{column}" for column in self.key)

    def _first_due(self, columns: str) -> str:
        free = f" AND (q.{self.lease} IS NULL OR q.{self.lease} < now())" if self.lease else ""
        return (
            f"SELECT {columns} FROM {self.table} q WHERE {self._is_waiting} AND q.{self.due} <= now(){free} "
            f"ORDER BY q.{self.due} LIMIT $1 FOR UPDATE OF q SKIP LOCKED"
        )

    def _fair(self, share: FairShare) -> str:
        """Groups that have their share ($3), how many rows the worker holds of each ($4, $5), and how large a share is ($6)."""
        keys = ", ".join(self.key)
        # Rows are locked one by one and by key. Postgres would otherwise join the tables and read everything that is due; for the
        # same reason no index serves the second look at the due time.
        return f"""
WITH first AS (
    SELECT {keys}, {share.group}, {self.due} FROM {self.table} q
    WHERE {self._is_waiting} AND {self.due} <= now() AND {share.group} <> ALL ($3::text[])
    ORDER BY {self.due} LIMIT {share.window}
), ranked AS (
    SELECT {keys}, {self.due},
           row_number() OVER (PARTITION BY {share.group} ORDER BY {self.due}) + coalesce(busy.held, 0) AS place
    FROM first LEFT JOIN unnest($4::text[], $5::int[]) AS busy ({share.group}, held) USING ({share.group})
), due AS (
    SELECT locked.* FROM (SELECT * FROM ranked WHERE place <= $6 ORDER BY {self.due}) ranked
    CROSS JOIN LATERAL (
        SELECT {self._keys_and_before} FROM {self.table} q
        WHERE {self._same_row("ranked")} AND {self._is_waiting} AND coalesce(q.{self.due} <= now(), false)
        FOR UPDATE OF q SKIP LOCKED
    ) locked
    LIMIT $1
)"""

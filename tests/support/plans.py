"""What a service asks of Postgres, noted while it runs, and whether a plan of it reads a large table from end to end."""

import contextlib
from collections.abc import AsyncIterator, Collection
from typing import Any

import orjson

from shared.postgres.pool import Pool

Sent = dict[str, tuple[tuple[str, ...], tuple[object, ...]]]
"""Statements, each with the settings of its transaction and the values that it was first sent with."""
STATEMENTS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")


class Recorder:
    """A pool or a connection that notes what it is asked."""

    def __init__(self, inner: Any, sent: Sent) -> None:
        self._inner = inner
        self._sent = sent
        self._local: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name in ("fetch", "fetchrow", "fetchval", "execute", "cursor"):

            def noting(query: str, *values: object, **options: object) -> Any:
                if query.startswith("SET LOCAL "):
                    self._local = (*self._local, query)
                else:
                    self._sent.setdefault(query, (self._local, values))
                return found(query, *values, **options)

            return noting
        return found

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator["Recorder"]:
        """A connection that notes too."""
        async with self._inner.acquire() as connection:
            yield Recorder(connection, self._sent)


def _scans(plan: dict[str, Any], large: Collection[str]) -> list[str]:
    found = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in large else []
    return found + [each for part in plan.get("Plans", ()) for each in _scans(part, large)]


async def scanned(pool: Pool, sent: Sent, large: Collection[str], exempt: Collection[str] = ()) -> list[str]:
    """The statements that read one of these tables from end to end, as Postgres plans them for their values and for any.

    Those that contain one of `exempt` are left out, and so is what is no statement on tables.
    """
    wrong: list[str] = []
    async with pool.acquire() as connection:
        for mode in ("force_custom_plan", "force_generic_plan"):
            await connection.execute(f"SET plan_cache_mode = {mode}")
            for query, (settings, values) in sent.items():
                if any(part in query for part in exempt) or not query.lstrip().startswith(STATEMENTS):
                    continue
                async with connection.transaction():
                    for setting in settings:
                        await connection.execute(setting)
                    explained = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *values)
                (whole,) = explained if isinstance(explained, list) else orjson.loads(explained)
                wrong += [f"{mode}: {table}: {query}" for table in _scans(whole["Plan"], large)]
        await connection.execute("RESET plan_cache_mode")
    return wrong

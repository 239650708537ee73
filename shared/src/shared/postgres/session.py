"""Settings of a session: what limits its statements, and how they are planned."""

import asyncpg

from shared.settings import Connections

BY_KEYS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
"""One plan for every call, by the indexes. A generic plan made while a table is empty would otherwise read the whole table for
as long as the plan is kept. A statement that no index serves looks so costly that Postgres would compile it first, hence `jit`."""
BY_INDEX = {**BY_KEYS, "enable_bitmapscan": "off", "enable_sort": "off", "enable_incremental_sort": "off"}
"""The same for statements that read the first few rows in an index's order: whatever the statistics, Postgres does not read all
rows to sort them."""

MISCONFIGURED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
"""The account or the database of `POSTGRES_DSN` is wrong: a process that starts fails instead of waiting."""
COMMAND_TIMEOUT_S, COMMAND_IDLE_S = 3600.0, 600.0
LEADER_IDLE_S = 12.0
"""A session that holds an advisory lock beyond a transaction ends after so long without a statement."""
CONNECT_TIMEOUT_S = 5.0
CLIENT_MARGIN_S = 5.0
"""How much longer the client waits for a statement than Postgres does, so that Postgres is the one to cancel it."""


def session_settings(settings: Connections, *, for_command: bool = False) -> dict[str, str]:
    """The limits of each session, so that a process or a machine that freezes does not block others for long.

    A command that a person started may run long statements and pause between them. With keepalives and `tcp_user_timeout`
    Postgres notices a client that is gone; they do nothing on a Unix socket.
    """
    every_s = max(settings.postgres_dead_after_s // 3, 1)
    statement_s = COMMAND_TIMEOUT_S if for_command else settings.postgres_statement_timeout_s
    idle_s = COMMAND_IDLE_S if for_command else settings.postgres_idle_in_transaction_s
    return {
        "statement_timeout": milliseconds(statement_s),
        "lock_timeout": milliseconds(settings.postgres_lock_timeout_s),
        "idle_in_transaction_session_timeout": milliseconds(idle_s),
        "tcp_keepalives_idle": str(every_s),
        "tcp_keepalives_interval": str(every_s),
        "tcp_keepalives_count": "2",
        "tcp_user_timeout": milliseconds(settings.postgres_dead_after_s),
    }


def milliseconds(seconds: float) -> str:
    """A duration as Postgres reads one without a unit."""
    return str(int(seconds * 1000))

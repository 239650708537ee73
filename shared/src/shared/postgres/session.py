"""What bounds and plans the statements of a session."""

import asyncpg

from shared.settings import Connections

BY_KEYS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
"""One plan for every call, by the indexes: made on an empty table, it would read the whole table for as long as it is kept.
What no index serves then looks so costly that it would be compiled first."""
BY_INDEX = {**BY_KEYS, "enable_bitmapscan": "off", "enable_sort": "off", "enable_incremental_sort": "off"}
"""The same for statements that read the first few rows in the order of an index: no statistics make Postgres read all rows to
sort them."""

REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
"""At the start of a process: the account or the database of `POSTGRES_DSN` is wrong, which somebody must be told."""
COMMAND_TIMEOUT_S, COMMAND_IDLE_S = 3600.0, 600.0
LEADER_IDLE_S = 12.0
"""A session that holds a lock of its process for longer than a transaction ends when it says nothing for so long."""
CONNECT_TIMEOUT_S = 5.0
CLIENT_MARGIN_S = 5.0
"""How much longer we wait for a statement than Postgres does, so that it is Postgres that ends it."""


def session_settings(settings: Connections, *, for_command: bool = False) -> dict[str, str]:
    """What bounds each session, so that a process or a machine that freezes holds nobody up for long.

    A command that somebody started may run long statements, and think between them. Keepalives and `tcp_user_timeout` are Postgres's own, for a client that is gone; they do nothing on a Unix socket.
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
    """As Postgres takes a time without a unit."""
    return str(int(seconds * 1000))

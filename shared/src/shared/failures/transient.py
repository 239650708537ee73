"""Which errors are transient: a server is away, restarts, fails over or has no room. The one list for all consumers, loops and handlers.

Postgres ends sessions in several ways: a restart announces it (57P01), a failover leaves a read-only server (25006), a crash
cuts the connection; and asyncpg reports each differently, depending on what it was doing. Mistakes of ours (a column that
does not exist, a value that a column cannot hold) are not transient: they fail again.
"""

import asyncio

import asyncpg
from aiokafka.errors import (
    InvalidMessageError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnsupportedCodecError,
)
from redis.exceptions import DataError as RedisDataError
from redis.exceptions import RedisError

from shared.failures import Transient, Unanswered

POSTGRES: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.ObjectInUseError,
    # The account or the database is being changed or restored. When a process starts, it is an error; see `connect`.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    # A migration has changed the result of a prepared statement; the retry prepares it again.
    asyncpg.InvalidCachedStatementError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""SQLSTATE classes 08, 28, 3D, 40, 53, 57 and 58 and some of 0A, 25 and 55 (PostgreSQL, appendix A), and asyncpg's own errors."""

TRANSIENT: tuple[type[Exception], ...] = (
    Transient,
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    KafkaError,
    RedisError,
    *POSTGRES,
)
"""For `except` clauses that retry. To decide about a message or a response, use `is_transient`, which is exact."""

_OF_THE_MESSAGE = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidMessageError,
    UnsupportedCodecError,
    RedisDataError,
    asyncpg.UnsupportedClientFeatureError,
    asyncpg.UnsupportedServerFeatureError,
)
_MISUSE = ("the server expects", "the number of query arguments")
"""How an InterfaceError of asyncpg begins where a statement was called wrongly, which has no class of its own."""


def is_transient(error: BaseException) -> bool:
    """Whether the same may succeed later without a change of ours."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_transient(each) for each in error.exceptions)
    if not isinstance(error, TRANSIENT) or isinstance(error, _OF_THE_MESSAGE):
        return False
    if isinstance(error, asyncpg.InterfaceError):
        # Values that asyncpg cannot encode, and settings that it does not know, are also ValueErrors.
        return not isinstance(error, ValueError) and not str(error).startswith(_MISUSE)
    return True


def reason_of(error: BaseException) -> str:
    """An error in a few words, for logs and readiness checks; its kind once, which Kafka's client repeats in its words."""
    kind, words = type(error).__name__, str(error)
    if isinstance(error, Unanswered) and words:  # What the server did is its words already.
        return words
    while words.startswith(f"{kind}: "):
        words = words.removeprefix(f"{kind}: ")
    return f"{kind}: {words}" if words and words != kind else kind

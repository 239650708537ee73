"""What is transient: a server that is away, restarts, fails over or has no room. The one list, for every consumer, loop and handler.

A server ends its sessions in more ways than one: a restart says goodbye (57P01), a failover leaves a primary that only
reads (25006), a crash cuts the connection, and asyncpg notices each in its own way, depending on what it was doing. A
mistake of ours (a column that does not exist, a value that a column cannot hold) is none of these: it comes again.
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

from shared.failures import Transient

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
    # The account or the database is being changed or restored; at the start of a process it is an error, see `connect`.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    # A migration has changed what a prepared statement gives; the repeat prepares it anew.
    asyncpg.InvalidCachedStatementError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""SQLSTATE classes 08, 28, 3D, 40, 53, 57 and 58 and some of 0A, 25 and 55 (PostgreSQL, appendix A), and what asyncpg says by itself."""

TRANSIENT: tuple[type[Exception], ...] = (
    Transient,
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    KafkaError,
    RedisError,
    *POSTGRES,
)
"""For `except` where whatever is caught is tried again. What judges a message or an answer asks `is_transient`, which is exact."""

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
"""How asyncpg's InterfaceError begins where a statement was called wrongly; it has no class of its own."""


def is_transient(error: BaseException) -> bool:
    """Whether the same may well succeed later, with nothing changed but the servers."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_transient(each) for each in error.exceptions)
    if not isinstance(error, TRANSIENT) or isinstance(error, _OF_THE_MESSAGE):
        return False
    if isinstance(error, asyncpg.InterfaceError):
        # A value that asyncpg cannot encode, or a setting that it does not understand, is also a ValueError.
        return not isinstance(error, ValueError) and not str(error).startswith(_MISUSE)
    return True


def reason_of(error: BaseException) -> str:
    """An error in a few words, for a log line or a readiness check."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

"""What is transient, and what is not."""

import asyncio

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError, NotLeaderForPartitionError
from redis.exceptions import BusyLoadingError, ReadOnlyError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError as RedisDataError

from shared.failures import Invalid, Permanent, Transient, Unanswered
from shared.failures.transient import TRANSIENT, is_transient, reason_of

AWAY = [
    Transient("the archive has not seen the log yet"),
    ConnectionRefusedError(111, "Connection refused"),
    TimeoutError(),
    asyncio.IncompleteReadError(b"", 5),
    # A restart, a failover, a crash; while it starts; when there is no room.
    asyncpg.AdminShutdownError("terminating connection due to administrator command"),
    asyncpg.CrashShutdownError("terminating connection because of crash of another server process"),
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction"),
    asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    asyncpg.TooManyConnectionsError("sorry, too many clients already"),
    asyncpg.DiskFullError("could not extend file"),
    asyncpg.PostgresIOError("could not read block"),
    # What bounds a session.
    asyncpg.IdleInTransactionSessionTimeoutError("terminating connection due to idle-in-transaction timeout"),
    asyncpg.IdleSessionTimeoutError("terminating connection due to idle-session timeout"),
    asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
    asyncpg.LockNotAvailableError("canceling statement due to lock timeout"),
    asyncpg.DeadlockDetectedError("deadlock detected"),
    asyncpg.SerializationError("could not serialize access"),
    # The account or the database is being changed.
    asyncpg.InvalidPasswordError("password authentication failed"),
    asyncpg.InvalidCatalogNameError("database does not exist"),
    asyncpg.InvalidCachedStatementError("cached statement plan is invalid"),
    # What asyncpg says by itself of a session that has ended.
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
    asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress"),
    asyncpg.TargetServerAttributeNotMatched("None of the hosts match the target attribute requirement"),
    KafkaConnectionError("Unable to bootstrap"),
    NotLeaderForPartitionError(),
    RedisConnectionError("Error 111"),
    BusyLoadingError("loading the dataset"),
    ReadOnlyError("You can't write against a read only replica"),
    ExceptionGroup("two", [OSError("one"), asyncpg.AdminShutdownError("the other")]),
]
OURS = [
    Invalid("no headline"),
    Permanent("too large"),
    KeyError("headline"),
    ValueError("no number"),
    asyncpg.UndefinedColumnError('column "x" does not exist'),
    asyncpg.UndefinedTableError('relation "x" does not exist'),
    asyncpg.PostgresSyntaxError("syntax error"),
    asyncpg.InsufficientPrivilegeError("permission denied for table"),
    asyncpg.UniqueViolationError("duplicate key"),
    asyncpg.DataError("invalid byte sequence"),
    asyncpg.NumericValueOutOfRangeError("integer out of range"),
    asyncpg.InterfaceError("the server expects 2 arguments for this query, 1 was passed"),
    asyncpg.ClientConfigurationError("invalid DSN"),
    asyncpg.UnsupportedClientFeatureError("not supported"),
    MessageSizeTooLargeError("too large"),
    RedisDataError("Invalid input of type"),
    ExceptionGroup("two", [OSError("one"), KeyError("the other")]),
]


def names(error: Exception) -> str:
    """For the id of a case."""
    return reason_of(error)[:60]


@pytest.mark.parametrize("error", AWAY, ids=names)
def test_a_server_that_is_away_is_transient(error: Exception) -> None:
    """The same succeeds once the server is back, so it is tried again and nothing is set aside."""
    assert is_transient(error)


@pytest.mark.parametrize("error", OURS, ids=names)
def test_a_mistake_of_ours_is_not_transient(error: Exception) -> None:
    """It would come again for ever."""
    assert not is_transient(error)


@pytest.mark.parametrize("error", [each for each in AWAY if not isinstance(each, ExceptionGroup)], ids=names)
def test_the_list_for_except_has_all_that_is_transient(error: Exception) -> None:
    """A loop that catches the list misses nothing that the judge calls transient."""
    assert isinstance(error, TRANSIENT)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KafkaConnectionError("Unable to bootstrap from [('10.0.0.1', 9092, <AddressFamily.AF_INET: 2>)]"), "KafkaConnectionError: no broker answers at 10.0.0.1:9092"),
        (Transient("it is a standby"), "it is a standby"),
        (Unanswered("ConnectionRefusedError: refused"), "ConnectionRefusedError: refused"),
        (TimeoutError(), "TimeoutError"),
        (OSError("gone"), "OSError: gone"),
    ],
    ids=str,
)  # fmt: skip
def test_a_reason_is_what_a_person_can_read(error: Exception, words: str) -> None:
    """Neither how a client prints its lists, nor a name of ours before words that say it all, nor a name twice."""
    assert reason_of(error) == words

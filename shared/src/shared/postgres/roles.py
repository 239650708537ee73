"""A database role for each service: it owns its schema and nothing else, and is no superuser.

Roles are the server's, not the database's: newsrooms that share a server have roles of their own, by the newsroom's name, and
nobody else's may enter its database.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from shared.postgres.session import CONNECT_TIMEOUT_S

SERVICES = ("ingest", "enrich", "publish")

_OWNED = """
SELECT format('ALTER %s %s OWNER TO %I', what, name, $2::text) AS statement FROM (
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS what,
        format('%I.%I', $1::text, relname) AS name
    FROM pg_class AS c WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
    UNION ALL
    SELECT 'ROUTINE', oid::regprocedure::text FROM pg_proc WHERE pronamespace = to_regnamespace($1)
    UNION ALL
    SELECT 'TYPE', format('%I.%I', $1::text, typname) FROM pg_type AS t
    WHERE typnamespace = to_regnamespace($1) AND typtype IN ('e', 'd')
) AS owned
"""
"""What a schema holds but for what goes with it: sequences of columns, and types of tables."""


def role_of(service: str, newsroom: str = "") -> str:
    """The name of a service's role; of one newsroom of several on the server."""
    return f"slugline_{newsroom}_{service}" if newsroom else f"slugline_{service}"


def dsn_of(service: str, password: str, dsn: str, newsroom: str = "") -> str:
    """The address of the same database for a service's role."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role_of(service, newsroom)}:{quote(password, safe='')}@{host}"))


async def apply_roles(
    dsn: str, passwords: Mapping[str, str], *, newsroom: str = "", connections: int | None = None
) -> list[str]:
    """Make the roles of services by an administrator's `dsn`, and give each its schema with all that is in it: their names.

    May be repeated: a password that is another is changed, and what a release before has left to the administrator is handed over.
    With a newsroom, its roles alone may enter the database; `connections` is how many they may have at once.
    """
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    try:
        async with connection.transaction():
            for service, password in passwords.items():
                await _apply(connection, service, role_of(service, newsroom), password)
            if newsroom:
                await _close(connection, [role_of(service, newsroom) for service in passwords], connections)
    finally:
        await connection.close()
    return [role_of(service, newsroom) for service in passwords]


async def _close(connection: "asyncpg.Connection[asyncpg.Record]", roles: Sequence[str], limit: int | None) -> None:
    """Let nobody but these roles into the database, and those who are above roles."""
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    for role in roles:
        await connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {role}")
    if limit is not None:
        await connection.execute(f"ALTER DATABASE {name} CONNECTION LIMIT {limit}")


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", service: str, role: str, password: str) -> None:
    known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
    statement = await connection.fetchval(
        "SELECT format($1, $2::text, $3::text)",
        ("ALTER" if known else "CREATE")
        + " ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L",
        role,
        password,
    )
    await connection.execute(statement)
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {service}")
    await connection.execute(f"ALTER SCHEMA {service} OWNER TO {role}")
    await connection.execute(f"REVOKE ALL ON SCHEMA {service} FROM PUBLIC")
    for row in await connection.fetch(_OWNED, service, role):
        await connection.execute(row["statement"])

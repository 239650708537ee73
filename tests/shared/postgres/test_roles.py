"""Roles of services: what they may, and what they may not."""

import asyncio

import asyncpg
import click
import pytest

from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.postgres.roles import apply_roles, dsn_of, role_of
from shared.settings import Connections
from slugline.doctor import postgres_check
from slugline.servers import postgres, run
from slugline.status import tables

pytestmark = pytest.mark.integration

PASSWORDS = {"ingest": "in/gest:p@ss", "publish": "pub'lish"}


async def denied(settings: Connections) -> None:
    """A question that the role may not ask."""
    async with postgres(settings) as reading:
        await reading.fetch("SELECT 1 FROM ingest.sources")


async def test_a_service_has_its_schema_and_nothing_else(newsroom: Connections) -> None:
    """On a database that an administrator's processes have filled, and on a new schema; migrations go on under the role."""
    admin = await connect(newsroom, schema="ingest", max_size=2)
    await migrate(admin, "ingest")
    await admin.execute("INSERT INTO ingest.sources (name, kind) VALUES ('north', 'api')")
    before = await admin.fetchval(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'ingest'::regnamespace AND relkind = 'r'"
    )
    for _ in range(2):
        assert await apply_roles(newsroom.postgres_dsn, PASSWORDS) == ["slugline_ingest", "slugline_publish"]
    own = {
        service: newsroom.model_copy(update={"postgres_dsn": dsn_of(service, password, newsroom.postgres_dsn)})
        for service, password in PASSWORDS.items()
    }
    pools = {service: await connect(settings, schema=service, max_size=2) for service, settings in own.items()}
    for service, pool in pools.items():
        assert (
            await pool.fetchval(
                "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
            )
            is False
        )
        await migrate(pool, service)
        await pool.execute("CREATE TABLE more (id bigint)")
    assert await pools["ingest"].fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'ingest'::regnamespace AND relkind = 'r'") == int(str(before)) + 1  # fmt: skip
    assert await pools["ingest"].fetchval("SELECT name FROM sources") == "north"
    for statement in (
        "SELECT count(*) FROM ingest.sources",
        "CREATE TABLE ingest.mine (id bigint)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "ALTER ROLE slugline_ingest PASSWORD 'mine'",
        "COPY publish.audit TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "DELETE FROM publish.audit",
    ):
        if statement == "DELETE FROM publish.audit":
            await pools["publish"].execute("INSERT INTO publish.audit VALUES (1, '{}', '{}', sha256(''), sha256(''))")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pools["publish"].execute(statement)
    for pool in (*pools.values(), admin):
        await pool.close()
    # What an operator is told in the container of one service: no fault of what it may not see.
    told = await postgres_check.check(own["publish"])
    assert [each.what for each in told if each.severity and "no schema enrich" not in each.what] == []
    assert any("schemas ingest are not looked at: slugline_publish" in each.what for each in told)
    async with postgres(own["publish"]) as reading:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tables.sources(reading)
    with pytest.raises(
        click.ClickException, match=r"permission denied for schema ingest(?s:.*)docker compose run --rm tools"
    ):
        await asyncio.to_thread(run, denied(own["publish"]))
    # Roles are the server's, and stay when the newsroom's database goes.
    last = await asyncpg.connect(newsroom.postgres_dsn)
    for service in PASSWORDS:
        await last.execute(f"DROP OWNED BY {role_of(service)} CASCADE")
        await last.execute(f"DROP ROLE {role_of(service)}")
    await last.close()

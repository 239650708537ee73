"""The audit log in Postgres: who may change it, what many writers at once make of it, and the commands."""

import asyncio
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import orjson
import pytest
from click.testing import CliRunner

from shared.access.holder import KeyHolder
from shared.audit.author import Author
from shared.audit.entry import Entry
from shared.audit.log import append, append_if_changed
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.settings import Connections
from slugline.__main__ import cli

pytestmark = pytest.mark.integration

ANN = KeyHolder("key_1", "desk", "Ann Lee")


async def slugline(newsroom: Connections, *arguments: str) -> tuple[int, str]:
    environment = {"POSTGRES_DSN": newsroom.postgres_dsn}
    result = await asyncio.to_thread(CliRunner().invoke, cli, ["audit", *arguments], env=environment)
    return result.exit_code, result.stdout


def as_role(dsn: str, role: str) -> str:
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=f"{role}:secret@{parts.netloc.rpartition('@')[2]}"))


async def test_an_audit_log(newsroom: Connections, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Written by many at once, it is one chain; the services' role cannot change it, an owner who does is found out."""
    pool = await connect(newsroom, schema="ingest", max_size=8)
    await migrate(pool, "ingest")

    async def write(number: int) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await append(
                connection, Entry(ANN, "order-pin", f"update {number}", None, {"n": number}, "why", "192.0.2.1")
            )

    async def fail() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await append(connection, Entry(ANN, "order-kill", "undone"))
            raise ZeroDivisionError

    results = await asyncio.gather(*map(write, range(30)), fail(), return_exceptions=True)
    assert [type(each) for each in results if each is not None] == [ZeroDivisionError]
    code, text = await slugline(newsroom, "verify", "--service", "ingest")
    assert (code, text.split(",")[0]) == (0, "whole    30 entries")
    head = text.split()[-1]

    # As the role that owns the tables, and as one with all rights of a service and nothing more.
    await pool.execute(
        "DO $$ BEGIN CREATE ROLE slugline_audit_test LOGIN PASSWORD 'secret'; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    await pool.execute("GRANT USAGE ON SCHEMA ingest TO slugline_audit_test")
    await pool.execute("GRANT ALL ON ALL TABLES IN SCHEMA ingest TO slugline_audit_test")
    own = newsroom.model_copy(update={"postgres_dsn": as_role(newsroom.postgres_dsn, "slugline_audit_test")})
    service = await connect(own, schema="ingest", max_size=2)
    for writer in (pool, service):
        for statement in (
            "DELETE FROM ingest.audit WHERE seq = 30",
            "UPDATE ingest.audit SET entry = replace(entry, 'pin', 'kill') WHERE seq = 3",
            "UPDATE ingest.audit SET erasable = jsonb_set(erasable, '{person,value}', '\"Bob\"') WHERE seq = 3",
            "TRUNCATE ingest.audit",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await writer.execute(statement)
    for statement in ("ALTER TABLE ingest.audit DISABLE TRIGGER ALL", "DROP TABLE ingest.audit"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute(statement)
    async with service.acquire() as connection, connection.transaction():
        await append(connection, Entry(ANN, "order-unpin", "update 1"))
    await service.close()

    by = Author(KeyHolder("process", "ingest"), "host")
    for rules, told in (({"level": 1}, True), ({"level": 1}, False), ({"level": 2}, True)):
        async with pool.acquire() as connection, connection.transaction():
            assert await append_if_changed(connection, by.entry("rules-set", "rules", None, rules)) is told
    assert (await slugline(newsroom, "verify", "--service", "ingest", "--head", head))[0] == 0
    listed = (await slugline(newsroom, "list", "--json", "--subject", "update 7", "--person", "Ann Lee"))[1]
    [entry] = map(orjson.loads, listed.splitlines())
    assert (entry["action"], entry["after"], entry["key_id"]) == ("order-pin", {"n": 7}, "key_1")
    assert (
        "order-unpin update 1  by Ann Lee (desk, key_1)"
        in (await slugline(newsroom, "list", "--action", "order-unpin"))[1]
    )

    assert (await slugline(newsroom, "erase", "Ann Lee", "--yes", "--also", "reason"))[0] == 0
    exported = (await slugline(newsroom, "export"))[1]
    assert "Ann Lee" not in exported
    assert "192.0.2.1" not in exported
    (tmp_path / "log.jsonl").write_text(exported)
    code, text = await slugline(newsroom, "verify", "--file", str(tmp_path / "log.jsonl"), "--head", head)
    assert (code, "34 entries, 91 values erased" in text) == (0, True)

    # The owner may switch the trigger off; the chain tells, and the head that was noted tells of what was cut off.
    await pool.execute("ALTER TABLE ingest.audit DISABLE TRIGGER ALL")
    await pool.execute("UPDATE ingest.audit SET entry = replace(entry, 'order-pin', 'order-kill') WHERE seq = 3")
    code, text = await slugline(newsroom, "verify", "--service", "ingest")
    assert (code, "3: what it says is not what was written" in text) == (1, True)
    await pool.execute("DELETE FROM ingest.audit WHERE seq >= 3")
    assert (await slugline(newsroom, "verify", "--service", "ingest"))[0] == 0
    assert (await slugline(newsroom, "verify", "--service", "ingest", "--head", head))[0] == 1
    await pool.execute("DROP OWNED BY slugline_audit_test")
    await pool.close()

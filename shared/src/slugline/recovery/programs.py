"""pg_dump and pg_restore: found, compared with the server, and run."""

import asyncio
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMAS = ("ingest", "enrich", "publish")


class NotPossible(Exception):
    """It cannot be done as things are; says why, and what to do."""


def program(name: str, folder: Path | None) -> str:
    """The path of a program: in `folder` (PG_BIN), else on PATH. Raises NotPossible."""
    found = shutil.which(name, path=str(folder) if folder else None)
    if found is None:
        where = f"not in {folder}" if folder else "not on PATH"
        raise NotPossible(
            f"{name} is {where}: install the client of your Postgres (Debian: postgresql-client), set PG_BIN to its folder, "
            "or run the image slugline-tools"
        )
    return found


def environment_of(dsn: str) -> dict[str, str]:
    """The server and the account of a DSN as libpq's variables: a password does not belong in a list of processes."""
    parts = urlsplit(dsn)
    given = {
        "PGHOST": unquote(parts.hostname or "") or None,
        "PGPORT": str(parts.port) if parts.port else None,
        "PGUSER": unquote(parts.username) if parts.username else None,
        "PGPASSWORD": unquote(parts.password) if parts.password else None,
        "PGDATABASE": unquote(parts.path.lstrip("/")) or None,
    }
    # urlsplit lowers the case of a host, which a folder of sockets has.
    host = re.match(r"^[^/]+//(?:[^@/]*@)?([^:/?]+)", dsn)
    if host is not None:
        given["PGHOST"] = unquote(host[1])
    options = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
    options |= {"target_session_attrs": "PGTARGETSESSIONATTRS", "host": "PGHOST", "port": "PGPORT"}
    for name, value in parse_qsl(parts.query):
        if name in options:
            given[options[name]] = value
    return {name: value for name, value in given.items() if value is not None}


async def run(arguments: Sequence[str], dsn: str) -> str:
    """Run a program to its end; what it said. Raises NotPossible with its last words where it failed."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        env=os.environ | environment_of(dsn),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    said = output.decode("utf-8", "replace").strip()
    if process.returncode:
        raise NotPossible(f"{Path(arguments[0]).name} failed ({process.returncode}): {said[-600:]}")
    return said


async def check_version(path: str, server_version: int, dsn: str) -> None:
    """Refuse a client that is older than the server; `server_version` as `server_version_num` has it."""
    said = await run([path, "--version"], dsn)
    match = re.search(r"PostgreSQL\)\s+(\d+)", said)
    own = int(match[1]) if match else 0
    if own < server_version // 10_000:
        raise NotPossible(
            f"{path} is of Postgres {own}, the server of {server_version // 10_000}: set PG_BIN to a newer client"
        )

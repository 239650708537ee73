"""Postgres: schemas, rights of the role, room, and its clock."""

import hashlib
import importlib.util
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from urllib.parse import urlsplit

from shared.settings import Connections
from slugline.doctor.finding import Finding, look, well, wrong
from slugline.doctor.settings_check import is_here
from slugline.servers import ReadConnection, postgres

AREA = "Postgres"
SCHEMAS = ("ingest", "enrich", "publish")
CLOCKS_DIFFER_S = 1.0


def packaged(schema: str) -> dict[str, str] | None:
    """The migrations of a service that is installed here, each with its hash; None where it is not."""
    if importlib.util.find_spec(schema) is None:
        return None
    folder = files(schema) / "migrations"
    return {
        each.name: hashlib.sha256(each.read_text("utf-8").encode()).hexdigest()
        for each in folder.iterdir()
        if each.name.endswith(".sql")
    }


def of_schema(schema: str, applied: Mapping[str, str] | None, ours: Mapping[str, str] | None) -> list[Finding]:
    """What is applied, against what is installed."""
    migrate = f"python -m {schema} migrate, or start its newest release: it migrates by itself"
    if applied is None:
        return [wrong(AREA, f"there is no schema {schema}", migrate)]
    if ours is None:
        return [
            well(
                AREA,
                f"schema {schema} is there; which release it is for is not looked at: {schema} is not installed here",
            )
        ]
    missing = sorted(ours.keys() - applied.keys())
    newer = sorted(applied.keys() - ours.keys())
    changed = sorted(name for name in ours.keys() & applied.keys() if ours[name] != applied[name])
    found = []
    if missing:
        found.append(wrong(AREA, f"schema {schema} lacks {', '.join(missing)}", migrate))
    if newer:
        found.append(look(AREA, f"schema {schema} is of a newer release: {', '.join(newer)}", "upgrade what runs here"))
    if changed:
        found.append(
            wrong(
                AREA,
                f"{', '.join(changed)} of {schema} are not what was applied",
                "install a release as it was published",
            )
        )
    return found or [well(AREA, f"schema {schema} is up to date: {len(ours)} migrations")]


async def check(settings: Connections) -> list[Finding]:
    """All of it; raises where Postgres does not answer."""
    async with postgres(settings) as database:
        found = [
            *await _schemas(database),
            *await _rights(database, here=is_here(urlsplit(settings.postgres_dsn).hostname)),
            *await _room(database),
        ]
        before = time.time()
        there: datetime = await database.fetchval("SELECT clock_timestamp()")
        after = time.time()
    found.append(of_clock(AREA, there.timestamp(), before, after))
    return found


def of_clock(whose: str, there: float, before: float, after: float) -> Finding:
    """A clock that was asked between two moments of ours, as epochs in s."""
    ahead_s = there - after if there > after else min(there - before, 0.0)
    if abs(ahead_s) > CLOCKS_DIFFER_S:
        what = f"its clock is {abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this one"
        return look(whose, what, "run NTP on every machine: embargoes and the order of versions follow the clocks")
    return well(whose, f"its clock agrees with this one within {max(after - before, abs(ahead_s)):.2f} s")


async def _closed(database: ReadConnection) -> list[str]:
    """Schemas that this role may not enter, as the role of one service may not enter those of the others."""
    rows = await database.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname = ANY($1::text[]) AND NOT has_schema_privilege(oid, 'USAGE') ORDER BY 1",
        list(SCHEMAS),
    )
    return [str(row["nspname"]) for row in rows]


def of_closed(role: str, closed: Sequence[str]) -> list[Finding]:
    """In order for the role of a service; a role that may enter none of them is nobody's."""
    if not closed:
        return []
    names = ", ".join(closed)
    if len(closed) == len(SCHEMAS):
        return [
            wrong(
                AREA,
                f"the role {role} may enter none of {names}",
                "python -m shared roles apply; then a POSTGRES_DSN of its roles",
            )
        ]
    return [well(AREA, f"schemas {names} are not looked at: {role} is the role of one service, and may not enter them")]


async def _schemas(database: ReadConnection) -> list[Finding]:
    closed = await _closed(database)
    found = of_closed(str(await database.fetchval("SELECT current_user")), closed)
    for schema in (each for each in SCHEMAS if each not in closed):
        applied: dict[str, str] | None = None
        if await database.fetchval("SELECT to_regclass($1)", f"{schema}.migrations") is not None:
            rows = await database.fetch(f'SELECT name, sha256 FROM "{schema}".migrations')  # noqa: S608 -- ours
            applied = {row["name"]: row["sha256"] for row in rows}
        found += of_schema(schema, applied, packaged(schema))
    return found


async def _rights(database: ReadConnection, *, here: bool) -> list[Finding]:
    rows = await database.fetch(
        "SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = ANY($1::text[]) AND c.relkind IN ('r', 'p') "
        "AND has_schema_privilege(n.oid, 'USAGE') AND NOT has_table_privilege(c.oid, 'SELECT') ORDER BY 1 LIMIT 20",
        list(SCHEMAS),
    )
    found = []
    if rows:
        names = ", ".join(row["name"] for row in rows)
        found.append(wrong(AREA, f"this role may not read {names}", "GRANT it what the services' roles have"))
    # That an operator comes as a superuser is in order; that a service does is not.
    owners = await database.fetch(
        "SELECT n.nspname AS schema, r.rolname AS name FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner "
        "WHERE n.nspname = ANY($1::text[]) AND r.rolsuper ORDER BY 1",
        list(SCHEMAS),
    )
    if owners and not here:
        schemas = ", ".join(row["schema"] for row in owners)
        what = f"{owners[0]['name']}, a superuser, owns the schemas {schemas}"
        found.append(
            look(AREA, what, "python -m shared roles apply: a role for each service, which owns its schema only")
        )
    return found


async def _room(database: ReadConnection) -> list[Finding]:
    row = await database.fetchrow(
        "SELECT current_setting('max_connections')::int AS most, (SELECT count(*)::int FROM pg_stat_activity "
        "WHERE backend_type = 'client backend') AS open, pg_is_in_recovery() AS standby, "
        "pg_database_size(current_database()) AS size, current_setting('server_version') AS version"
    )
    if row is None:
        return []
    found = [well(AREA, f"{row['version']}, {row['size'] / 2**20:.0f} MiB, {row['open']} of {row['most']} connections")]
    if row["standby"]:
        found.append(wrong(AREA, "it is a standby, which takes no writes", "point POSTGRES_DSN at the primary"))
    if row["open"] > 0.8 * row["most"]:
        found.append(look(AREA, f"{row['open']} of {row['most']} connections are in use", "raise max_connections"))
    return found

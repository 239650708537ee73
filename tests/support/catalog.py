"""What a schema promises the statements of the release before: read from Postgres, and compared."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import asyncpg

SCHEMAS = ("ingest", "enrich", "publish")
COLUMNS = """
SELECT c.table_schema || '.' || c.table_name AS of, c.column_name AS name, format_type(a.atttypid, a.atttypmod) AS type,
       c.is_nullable = 'YES' AS nullable, c.column_default IS NOT NULL OR c.is_identity = 'YES' OR c.is_generated = 'ALWAYS' AS filled
FROM information_schema.columns c
JOIN pg_attribute a ON a.attrelid = format('%I.%I', c.table_schema, c.table_name)::regclass AND a.attname = c.column_name
WHERE c.table_schema = ANY($1)
"""
UNIQUE = """
SELECT i.indrelid::regclass::text AS of, regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', '') AS definition
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisunique AND n.nspname = ANY($1)
"""
CHECKS = """
SELECT o.conrelid::regclass::text AS of, pg_get_constraintdef(o.oid) AS definition
FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE o.contype IN ('c', 'f', 'x') AND n.nspname = ANY($1)
"""
FUNCTIONS = """
SELECT p.oid::regprocedure::text AS name, pg_get_function_result(p.oid) AS result
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY($1)
"""


@dataclass(frozen=True)
class Column:
    """One column: `filled` says that an INSERT may leave it out."""

    type: str
    nullable: bool
    filled: bool


@dataclass
class Table:
    """What statements can lean on, or run into."""

    columns: dict[str, Column] = field(default_factory=dict)
    unique: list[str] = field(default_factory=list)
    """What ON CONFLICT can name."""
    checks: list[str] = field(default_factory=list)
    """What a row can be refused by: CHECK, foreign keys, exclusions."""


@dataclass
class Catalog:
    """Tables, views among them, and functions, with what they give."""

    tables: dict[str, Table] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Catalog":
        """As `as_json` wrote it."""
        tables = {
            name: Table({column: Column(**each) for column, each in table["columns"].items()}, table["unique"], table["checks"])
            for name, table in value["tables"].items()
        }  # fmt: skip
        return cls(tables, dict(value["functions"]))

    def as_json(self) -> dict[str, Any]:
        """To be kept."""
        return asdict(self)


async def read_catalog(connection: "asyncpg.Connection[asyncpg.Record]") -> Catalog:
    """The catalog of the services' schemas."""
    found = Catalog()
    for row in sorted(await connection.fetch(COLUMNS, SCHEMAS), key=lambda each: (each["of"], each["name"])):
        table = found.tables.setdefault(row["of"], Table())
        table.columns[row["name"]] = Column(row["type"], row["nullable"], row["filled"])
    for row in await connection.fetch(UNIQUE, SCHEMAS):
        found.tables[row["of"]].unique.append(row["definition"])
    for row in await connection.fetch(CHECKS, SCHEMAS):
        found.tables[row["of"]].checks.append(row["definition"])
    for table in found.tables.values():
        table.unique.sort()
        table.checks.sort()
    found.functions = {row["name"]: row["result"] for row in await connection.fetch(FUNCTIONS, SCHEMAS)}
    return found


def broken(old: Catalog, new: Catalog) -> list[str]:
    """What a statement of the old release may miss, or be refused by, under the new schema."""
    found = [f"{name} is gone" for name in old.tables.keys() - new.tables.keys()]
    found += [f"{name} is gone" for name in old.functions.keys() - new.functions.keys()]
    for name, result in old.functions.items():
        if new.functions.get(name, result) != result:
            found.append(f"{name} gives {new.functions[name]} and not {result}")
    for name in old.tables.keys() & new.tables.keys():
        found += [f"{name}{each}" for each in _broken_table(old.tables[name], new.tables[name])]
    return sorted(found)


def _broken_table(old: Table, new: Table) -> Sequence[str]:
    found = [f".{name} is gone" for name in old.columns.keys() - new.columns.keys()]
    for name, now in new.columns.items():
        was = old.columns.get(name)
        if was is None:
            if not now.nullable and not now.filled:
                found.append(f".{name} is new, and an INSERT that does not know it is refused")
            continue
        if was.type != now.type:
            found.append(f".{name} is {now.type} and not {was.type}")
        if was.nullable and not now.nullable:
            found.append(f".{name} does not take NULL any more")
        if was.filled and not now.filled and not now.nullable:
            found.append(f".{name} has no default any more")
    found += [f": ON CONFLICT finds no {each} any more" for each in old.unique if each not in new.unique]
    # A key of a new column binds nobody who does not know the column, unless all their rows have the same in it.
    found += [f": rows may be refused by UNIQUE {each}" for each in new.unique if each not in old.unique]
    found += [f": rows may be refused by {each}" for each in new.checks if each not in old.checks]
    return found

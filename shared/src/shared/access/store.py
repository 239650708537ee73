"""Keys in Postgres. Each service has a table of its own, with the same columns and the same statements."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.access.holder import OPERATE
from shared.access.key import HolderKind, Key, digest_of, new_key, new_key_id
from shared.postgres.pool import Queryable, Row

OVERLAP = timedelta(days=1)
"""For how long a key that was rotated goes on working, unless something else is said."""
LONGEST_OVERLAP = timedelta(days=90)
USED_PAUSE = timedelta(minutes=1)


class UnknownScope(ValueError):
    """A scope that the table does not have; says which there are."""


@dataclass(frozen=True, slots=True)
class KeyTable:
    """One service's table of keys."""

    name: str
    """With its schema."""
    scopes: Mapping[str, str]
    """What there is to open, with what it opens; all keys that open everything have `operate`."""
    kinds: tuple[HolderKind, ...]
    """Whom keys are for; the first is that of keys made before there were kinds."""
    holder: str = "holder"
    """The column of the holder."""
    holder_of_old: str = ""
    """The column in which older releases keep the holder, where that is another."""
    old_scopes: frozenset[str] = frozenset()
    """What a key of an older release opens, whose scopes are empty."""
    more: tuple[str, ...] = ()
    """Further columns."""

    @property
    def schema(self) -> str:
        """The service's schema."""
        return self.name.partition(".")[0]

    @property
    def columns(self) -> str:
        """What is read."""
        holder = f"coalesce({self.holder}, {self.holder_of_old})" if self.holder_of_old else self.holder
        more = "".join(f", {name}" for name in self.more)
        return (
            f"id, kind, {holder} AS holder, person, scopes, label, created_at AS made_at, expires_at, last_used_at, "
            f"revoked_at, coalesce(lineage, id) AS lineage{more}"
        )

    def key(self, row: Row) -> Key:
        """A row as a key."""
        return Key(
            id=row["id"],
            kind=row["kind"],
            holder=row["holder"],
            person=row["person"],
            scopes=frozenset(row["scopes"]) or self.old_scopes,
            label=row["label"],
            made_at=row["made_at"],
            expires_at=row["expires_at"],
            last_used_at=row["last_used_at"],
            revoked_at=row["revoked_at"],
            lineage=row["lineage"],
            more={name: row[name] for name in self.more},
        )

    def checked(self, scopes: Collection[str]) -> frozenset[str]:
        """Scopes of the table; raises `UnknownScope` for another, and for none."""
        known = {*self.scopes, OPERATE}
        if not scopes or (strange := set(scopes) - known):
            what = f"{min(strange)!r} is no scope" if scopes else "a key needs a scope"
            raise UnknownScope(f"{what}; there are {', '.join(sorted(known))}")
        return frozenset(scopes)


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key is made of."""

    kind: HolderKind
    holder: str
    scopes: frozenset[str]
    person: str = ""
    label: str = ""
    expires_at: datetime | None = None
    more: Mapping[str, object] = field(default_factory=dict)
    """The values of the table's further columns, and of its column of old."""
    lineage: str | None = None
    """That of the key whose place it takes."""


async def live_keys(queryable: Queryable, table: KeyTable) -> dict[bytes, Key]:
    """The keys that work, by their digests."""
    rows = await queryable.fetch(
        f"SELECT sha256, {table.columns} FROM {table.name} "
        "WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"
    )
    return {bytes(row["sha256"]): table.key(row) for row in rows}


async def listed(queryable: Queryable, table: KeyTable, *, holder: str = "", ended: bool = False) -> list[Key]:
    """The keys of a holder, or of all; with `ended` those that work no longer, too. The oldest first."""
    rows = await queryable.fetch(
        f"SELECT * FROM (SELECT {table.columns} FROM {table.name}) AS keys "
        "WHERE ($1 = '' OR holder = $1) AND ($2 OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()))) "
        "ORDER BY made_at, id",
        holder,
        ended,
    )
    return [table.key(row) for row in rows]


async def one(queryable: Queryable, table: KeyTable, key_id: str) -> Key | None:
    """The key of an id, whether it works or not."""
    row = await queryable.fetchrow(f"SELECT {table.columns} FROM {table.name} WHERE id = $1", key_id)
    return None if row is None else table.key(row)


async def add(queryable: Queryable, table: KeyTable, new: NewKey) -> tuple[Key, str]:
    """Make a key: what is known of it, and the key itself, which is stored nowhere."""
    token = new_key()
    columns: dict[str, object] = {
        "id": new_key_id(), "sha256": digest_of(token), "kind": new.kind, table.holder: new.holder,
        "person": new.person, "scopes": sorted(table.checked(new.scopes)), "label": new.label,
        "expires_at": new.expires_at, "lineage": new.lineage, **new.more,
    }  # fmt: skip
    row = await queryable.fetchrow(
        f"INSERT INTO {table.name} ({', '.join(columns)}) "
        f"VALUES ({', '.join(f'${number}' for number in range(1, len(columns) + 1))}) RETURNING {table.columns}",
        *columns.values(),
    )
    assert row is not None  # noqa: S101 -- an INSERT returns its row or raises
    return table.key(row), token


async def rotate(
    queryable: Queryable, table: KeyTable, key_id: str, overlap: timedelta = OVERLAP
) -> tuple[Key, Key, str] | None:
    """Make a key like that of an id, which goes on working for `overlap`: the old one, the new one, and the new key itself.

    None where no key of that id works. A key that would have ended before goes on no longer for it; the new one ends when
    the old one would have.
    """
    old = await one(queryable, table, key_id)
    if old is None or not old.is_live():
        return None
    more = dict(old.more)
    if table.holder_of_old:
        more[table.holder_of_old] = await queryable.fetchval(
            f"SELECT {table.holder_of_old} FROM {table.name} WHERE id = $1", key_id
        )
    made, token = await add(
        queryable,
        table,
        NewKey(old.kind, old.holder, old.scopes, old.person, old.label, old.expires_at, more, old.lineage),
    )
    ends_at = datetime.now(UTC) + min(max(overlap, timedelta()), LONGEST_OVERLAP)
    row = await queryable.fetchrow(
        f"UPDATE {table.name} SET expires_at = least(expires_at, $2) WHERE id = $1 RETURNING {table.columns}",
        key_id,
        ends_at,
    )
    return (table.key(row) if row is not None else old), made, token


async def revoke(queryable: Queryable, table: KeyTable, key_id: str) -> Key | None:
    """End a key now; None where no key of that id works."""
    row = await queryable.fetchrow(
        f"UPDATE {table.name} SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL "
        f"AND (expires_at IS NULL OR expires_at > now()) RETURNING {table.columns}",
        key_id,
    )
    return None if row is None else table.key(row)


async def note_used(queryable: Queryable, table: KeyTable, used: Mapping[str, datetime]) -> None:
    """Write when keys were used last, of each once a minute at the most, however many processes saw it."""
    await queryable.execute(
        f"UPDATE {table.name} AS keys SET last_used_at = used.at FROM unnest($1::text[], $2::timestamptz[]) AS used (id, at) "
        "WHERE keys.id = used.id AND (last_used_at IS NULL OR last_used_at < used.at - $3::interval)",
        list(used),
        list(used.values()),
        USED_PAUSE,
    )

"""The declarative file of sources: TOML, one `[[source]]` table each.

    [[source]]
    name = "north-wire"
    kind = "api"                      # api, poll, watch or websub
    key_sha256 = ["9f86d0…"]          # at most two; or
    key_env = "NORTH_WIRE_KEY"        # a variable, or a list of them, that holds the key
    rate_per_s = 50
    silence_after_s = 600
    [source.profile]
    language = "en"

What else a table may hold are the fields of `Source`.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from ingest.sources.keys import LIVE_KEYS
from ingest.sources.source import Source, complaint
from ingest.sources.store import STATE
from shared.access.key import digest_of


class InvalidFile(Exception):
    """The file cannot be applied; nothing of it is."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One source of a file. Where the file names no keys, `keys` is None and they stay as they are."""

    source: Source
    keys: tuple[bytes, ...] | None
    paused: bool | None


def parse(text: str, environment: Mapping[str, str]) -> list[Declared]:
    """The sources of a file; raises `InvalidFile` naming the table and the field at fault."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidFile(f"not TOML: {error}") from error
    tables = document.pop("source", [])
    if document:
        raise InvalidFile(f"unknown table {next(iter(document))!r}; sources are [[source]] tables")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InvalidFile("sources are [[source]] tables")
    declared = [_declared(table, number, environment) for number, table in enumerate(tables, 1)]
    names = [each.source.name for each in declared]
    if twice := {name for name in names if names.count(name) > 1}:
        raise InvalidFile(f"source {min(twice)!r} is there twice")
    owners: dict[bytes, str] = {}
    for each in declared:
        for digest in each.keys or ():
            if owners.setdefault(digest, each.source.name) != each.source.name:
                raise InvalidFile(f"sources {owners[digest]!r} and {each.source.name!r} have the same key")
    return declared


def _declared(table: dict[str, object], number: int, environment: Mapping[str, str]) -> Declared:
    where = f"source {table.get('name', number)!r}"
    table = dict(table)
    keys = _keys(table, where, environment)
    paused = table.pop("paused", None)
    if paused is not None and not isinstance(paused, bool):
        raise InvalidFile(f"{where}: paused is true or false")
    for field in STATE:
        if field in table:
            raise InvalidFile(f"{where}: {field} is not set in a file")
    try:
        source = Source.model_validate(table)
    except ValidationError as error:
        raise InvalidFile(f"{where}: {complaint(error)}") from error
    return Declared(source, keys, paused)


def _keys(table: dict[str, object], where: str, environment: Mapping[str, str]) -> tuple[bytes, ...] | None:
    if "key" in table:
        raise InvalidFile(f"{where}: a file holds no keys; give key_sha256 or key_env")
    if "key_sha256" not in table and "key_env" not in table:
        return None
    digests: list[bytes] = []
    for text in _as_list(table.pop("key_sha256", [])):
        try:
            digest = bytes.fromhex(text) if isinstance(text, str) else b""
        except ValueError:
            digest = b""
        if len(digest) != 32:
            raise InvalidFile(f"{where}: key_sha256 is 64 hexadecimal digits")
        digests.append(digest)
    for name in _as_list(table.pop("key_env", [])):
        key = environment.get(str(name))
        if not key:
            raise InvalidFile(f"{where}: the environment has no {name}")
        digests.append(digest_of(key))
    if len(digests) > LIVE_KEYS:
        raise InvalidFile(f"{where}: {len(digests)} keys, at most {LIVE_KEYS} live at once")
    return tuple(digests)


def _as_list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]

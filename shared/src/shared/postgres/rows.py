"""Rows as values of Python types, and Python values as rows of a statement."""

import functools
from collections.abc import Iterable, Sequence
from typing import TypeVar

from shared.postgres.pool import Row

T = TypeVar("T")


def typed(row_type: type[T], records: Iterable[Row]) -> list[T]:
    """Records as `row_type`, whose fields are the columns of the statement by name."""
    return [row_type(**record) for record in records]


def typed_or_none(row_type: type[T], record: Row | None) -> T | None:
    """The record of `fetchrow` as `row_type`."""
    return None if record is None else row_type(**record)


def narrowed(kind: type[T], value: object) -> T:
    """The value of `fetchval`, which is of type `kind`."""
    if not isinstance(value, kind):
        raise TypeError(f"Postgres returned {type(value).__name__}, not {kind.__name__}")
    return value


def table(types: str, rows: Sequence[Sequence[object]], first: int = 1) -> tuple[str, list[object]]:
    """Rows as a table for a statement's FROM, with its parameters, numbered from `first`; the statement names the columns.

    `types` are the columns' types, separated by spaces. Several rows are passed as one array a column, so that the statement
    is the same for any number of them. A single row is passed as it is: packing and unpacking arrays takes longer than
    finding or writing one row.
    """
    if len(rows) == 1:
        return _one_row(types, first), list(rows[0])
    columns: list[object] = (
        [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in types.split()]
    )
    return _many_rows(types, first), columns


@functools.cache
def _one_row(types: str, first: int) -> str:
    return f"(VALUES ({', '.join(f'${number}::{name}' for number, name in enumerate(types.split(), first))}))"


@functools.cache
def _many_rows(types: str, first: int) -> str:
    return f"unnest({', '.join(f'${number}::{name}[]' for number, name in enumerate(types.split(), first))})"

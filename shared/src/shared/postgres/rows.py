"""Rows on their way into a statement, and out of it."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def typed(row_type: Callable[..., T], records: Iterable[Mapping[str, object]]) -> list[T]:
    """Records as `row_type`, whose fields are the columns of the statement by name."""
    return [row_type(**record) for record in records]


def table(types: str, rows: Sequence[Sequence[object]], first: int = 1) -> tuple[str, list[object]]:
    """Rows as a table in a statement's FROM, and its parameters, numbered from `first`; the statement names the columns.

    `types` are those of the columns, parted by spaces. Rows go as an array for each column, so that there is one statement
    for any number of them; one row goes as it is, since to pack and unpack arrays takes longer than to find or write it.
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

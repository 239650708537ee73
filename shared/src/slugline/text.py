"""How commands print: tables, ages, and JSON with every time in ISO 8601."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime

import click
import orjson


def as_json(value: object) -> str:
    """Indented JSON of dataclasses, times and what they hold."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=_plain).decode()


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """Columns side by side, the last one as long as it is."""
    cells = [[*heads], *([*row] for row in rows)]
    widths = [max(len(row[number]) for row in cells) for number in range(len(heads))]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def section(title: str, body: str) -> str:
    """A part of a screen."""
    return f"{click.style(title, bold=True)}\n{body}"


def duration(seconds: float) -> str:
    """`12 s`, `5 min`, `3 h`, `2 d`: the largest unit that says enough."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def age(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago something was."""
    if moment is None:
        return "never"
    return f"{duration(max(((now or datetime.now(UTC)) - moment).total_seconds(), 0))} ago"

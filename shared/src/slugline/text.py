"""How commands print: tables and ages."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click


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

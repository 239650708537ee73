"""What operators may write for a time or a speed; for `click.option(type=…)`."""

import re
from datetime import UTC, datetime, timedelta

import click

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(value: str) -> datetime:
    """A time: RFC 3339, a day, or how long ago (`90m`, `2h`, `3d`); in UTC where no offset is given."""
    if (ago := re.fullmatch(r"(\d+)([smhd])", value)) is not None:
        return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        reason = f"{value!r} is no time: 2026-01-31, 2026-01-31T12:00:00Z, or 2h for two hours ago"
        raise click.BadParameter(reason) from None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def speed(value: str) -> float:
    """How much faster than it was: `1x`, `10x`, `0.5x`, or `max` for no pauses (infinite)."""
    if value == "max":
        return float("inf")
    if re.fullmatch(r"\d+(\.\d+)?x?", value) is None or float(value.rstrip("x")) == 0:
        raise click.BadParameter(f"{value!r} is no speed: 1x, 10x, 0.5x or max")
    return float(value.rstrip("x"))

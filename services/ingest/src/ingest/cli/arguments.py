"""What an operator may write for a time, a speed or a key."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Moment(click.ParamType[datetime]):
    """A time: RFC 3339, a day, or so long ago (`90m`, `2h`, `3d`)."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, in UTC where no offset is given."""
        if isinstance(value, datetime):
            return value
        if (ago := re.fullmatch(r"(\d+)([smhd])", value)) is not None:
            return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time: 2026-01-31, 2026-01-31T12:00:00Z, or 2h for two hours ago", param, ctx)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


class Speed(click.ParamType[float]):
    """How much faster than it was: `1x`, `10x`, `0.5x`, or `max` for without waiting."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The factor; infinite for `max`."""
        if isinstance(value, float):
            return value
        if value == "max":
            return float("inf")
        if re.fullmatch(r"\d+(\.\d+)?x?", value) is None or float(value.rstrip("x")) == 0:
            self.fail(f"{value!r} is no speed: 1x, 10x, 0.5x or max", param, ctx)
        return float(value.rstrip("x"))

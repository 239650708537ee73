"""Types of arguments: times and speeds."""

import re
from datetime import UTC, datetime, timedelta

import click

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Moment(click.ParamType[datetime]):
    """A time: RFC 3339, a day, or how long ago (`90m`, `2h`, `3d`)."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, in UTC where no offset is given."""
        if isinstance(value, datetime):
            return value
        if (ago := re.fullmatch(r"(\d+)([smhd])", text := str(value))) is not None:
            return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is no time: 2026-01-31, 2026-01-31T12:00:00Z, or 2h for two hours ago", param, ctx)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


class Speed(click.ParamType[float]):
    """How much faster than it was: `1x`, `10x`, `0.5x`, or `max` for no pauses."""

    name = "speed"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The factor; infinite for `max`."""
        if isinstance(value, float):
            return value
        text = str(value)
        if text == "max":
            return float("inf")
        if re.fullmatch(r"\d+(\.\d+)?x?", text) is None or float(text.rstrip("x")) == 0:
            self.fail(f"{text!r} is no speed: 1x, 10x, 0.5x or max", param, ctx)
        return float(text.rstrip("x"))

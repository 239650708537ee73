"""The options by which letters are chosen."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import ParamSpec

import click

from slugline.deadletters.letters import CONSUMED, LetterId

P = ParamSpec("P")

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def moment(text: str, now: datetime) -> datetime:
    """`2h`, `30m` or `3d` before now, or a time in ISO 8601, in UTC where it names no zone; ValueError otherwise."""
    if text[-1:] in UNITS and text[:-1].isascii() and text[:-1].isdigit() and len(text) < 10:
        return now - timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def as_moment(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """For click: a moment on a command line."""
    if value is None:
        return None
    try:
        return moment(value, datetime.now(UTC))
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{value!r} is neither 2h, 30m, 3d nor a time in ISO 8601") from None


def as_letters(_: click.Context, __: click.Parameter, values: Sequence[str]) -> tuple[LetterId, ...]:
    """For click: ids of letters."""
    try:
        return tuple(LetterId.parse(each) for each in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def filter_options(command: Callable[P, None]) -> Callable[P, None]:
    """The options that choose letters, for a command that takes them by the names of `Filters`."""
    options = (
        click.option("--topic", "topics", multiple=True, type=click.Choice(sorted(CONSUMED)), help="Only of this topic; may be given again."),
        click.option("--stage", default="", help="Only those that this stage set aside, such as enrich.text."),
        click.option("--reason", default="", metavar="TEXT", help="Only those whose field or reason has this in it."),
        click.option("--source", default="", help="Only of this source's updates."),
        click.option("--update", "update_id", default="", metavar="ID", help="Only of this update."),
        click.option("--since", callback=as_moment, metavar="WHEN", help="Only those that failed since: 2h, 30m, 3d, or a time in ISO 8601."),
        click.option("--until", callback=as_moment, metavar="WHEN", help="Only those that failed before."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command

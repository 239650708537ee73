"""`python -m publish keys`: keys of partners, desks and operators."""

import click

from publish.keys import PublishKeys
from publish.representation.position import NEWS
from shared.access.commands import key_commands

keys = key_commands(
    PublishKeys(),
    click.Option(
        ["--channel", "channels"], multiple=True, default=[NEWS], callback=lambda _, __, value: list(value),
        help="What its webhooks may have. [default: news]",
    ),
    click.Option(
        ["--per-minute"], type=click.IntRange(1, 1_000_000), help="Requests to the API a minute; the default for partners when left out."
    ),
)  # fmt: skip

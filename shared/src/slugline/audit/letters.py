"""What was done with dead letters, in the audit log of the services whose stages had set them aside."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import click

from shared.audit.author import of_command
from shared.audit.log import append_after
from shared.postgres.pool import connect
from shared.settings import Connections

NOTE_S = 10.0


class SetAside(Protocol):
    """A message that a stage set aside."""

    @property
    def id(self) -> object:
        """Where its letter is."""

    @property
    def stage(self) -> str:
        """Which stage: `enrich.text`."""

    @property
    def reason(self) -> str:
        """Why."""


async def note_letters(letters: Sequence[SetAside], action: str, by: str, because: str = "") -> None:
    """Write what was done with letters, an entry for each service; that Postgres is away undoes nothing, and is told."""
    by_service: dict[str, list[SetAside]] = {}
    for each in letters:
        by_service.setdefault(each.stage.partition(".")[0], []).append(each)
    author = of_command(because)
    author = replace(author, actor=replace(author.actor, person=by))
    for service, its_letters in by_service.items():
        after = {"letters": [f"{each.id} {each.stage}: {each.reason}" for each in its_letters]}
        try:
            async with asyncio.timeout(NOTE_S):
                pool = await connect(Connections(), schema=service, max_size=1, for_command=True)
        except TimeoutError:
            click.echo(f"not in the audit log of {service}: Postgres does not answer", err=True)
            continue
        try:
            await append_after(pool, author.entry(action, "dead-letters", None, after))
        finally:
            await pool.close()

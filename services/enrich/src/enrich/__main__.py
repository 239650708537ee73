"""`python -m enrich`: the processes of the service, and what editors and operators do with it."""

import click

from shared.commands import Commands, migration, set_aside

COMMANDS = {
    "media": "enrich.admin.cli.media:media",
    "media-remove": "enrich.admin.cli.media:media_remove",
    "media-report": "enrich.admin.cli.media:media_report",
    "media-retry": "enrich.admin.cli.media:media_retry",
    "media-allow": "enrich.admin.cli.media:media_allow",
    "media-rights": "enrich.admin.cli.media:media_rights",
    "render": "enrich.admin.cli.media:render",
    "authors": "enrich.admin.cli.authors:authors",
    "tags": "enrich.admin.cli.tags:tags",
    "stories": "enrich.admin.cli.stories:stories",
    "corrections": "enrich.admin.cli.corrections:corrections",
    "keys": "enrich.admin.cli.keys:keys",
    "prune": "enrich.retention:prune",
    "held": "enrich.admin.cli.held:held",
    "explain": "enrich.admin.cli.explain:explain",
    "republish": "enrich.admin.cli.republish:republish",
}
"""Where each command lives."""


@click.group(cls=Commands, places=COMMANDS)
def cli() -> None:
    """Attaches authors, tags, media and stories, and decides what readers get."""


cli.add_command(migration("enrich"))
cli.add_command(set_aside("enrich"))


@cli.command()
def text() -> None:
    """Enrich updates: from updates.raw to updates.enriched."""
    from enrich.admin.api import newsroom_routes  # noqa: PLC0415
    from enrich.settings import Settings  # noqa: PLC0415
    from enrich.text.process import serve_text  # noqa: PLC0415
    from shared.process import run  # noqa: PLC0415

    settings = Settings()
    run(settings, "enrich.text", lambda stop: serve_text(settings, stop, newsroom_routes))


@cli.command()
def gather() -> None:
    """Gather updates of several agencies that report one event into stories."""
    from enrich.settings import Settings  # noqa: PLC0415
    from enrich.stories.process import STAGE, serve  # noqa: PLC0415
    from shared.process import run  # noqa: PLC0415

    settings = Settings()
    run(settings, STAGE, lambda stop: serve(settings, stop))


if __name__ == "__main__":
    cli(prog_name="python -m enrich")

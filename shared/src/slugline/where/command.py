"""`slugline where`: the command line."""

import sys
from collections.abc import Sequence

import click

from shared.commands import to_json
from slugline.servers import run
from slugline.settings import OperatorSettings
from slugline.status.report import Severity
from slugline.status.screen import COLOURS
from slugline.text import section, table
from slugline.where.find import Meant, meant, trail
from slugline.where.trail import Event, Place, Trail, judge


@click.command()
@click.argument("reference")
@click.option("--source", default="", help="Whose name for it REFERENCE is; every source is tried when left out.")
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")
def where(reference: str, source: str, json_wanted: bool) -> None:
    """Where is an update, and why is it not where it should be?

    REFERENCE is its id, the address of its page, what its source calls it (its guid), or the id of a document as it was
    received, which the sender was answered with. Told are receipt, reading, enrichment, archive, every web replica, the cache,
    webhooks, alerts and takedowns, with times and reasons, and what was refused, held, superseded or set aside.

    Exit code 0: it is where it should be. 1: it is held, refused, set aside, or nothing is known of it. 2: readers lack what
    they should have, or get what they should not.
    """
    settings = OperatorSettings()

    async def look() -> tuple[Meant, list[Trail]]:
        found = await meant(settings, reference, source)
        return found, [await trail(settings, each) for each in found.update_ids]

    found, trails = run(look())
    verdicts = [judge(each) for each in trails]
    document = found.document
    known_before = document is not None and not trails and bool(document.items) and not document.refused
    worst = max((each.severity for each in verdicts), default=Severity.WELL if known_before else Severity.LOOK)
    if document is not None and document.refused:
        worst = max(worst, Severity.LOOK)
    if json_wanted:
        click.echo(
            to_json(
                {
                    "document": document,
                    "updates": [{"verdict": each, **_members(one)} for each, one in zip(verdicts, trails, strict=True)],
                },
                indented=True,
            )
        )
        sys.exit(int(worst))
    if document is not None:
        click.echo(section("Document", _events(document.events)))
        for line in document.refused:
            click.echo(f"  !  {line}")
    if not trails:
        unknown = f"nothing is known of {reference!r}: no source has sent an item of that name"
        click.echo(document.outcome if document is not None else unknown)
    for one in trails:
        click.echo(_screen(one))
    sys.exit(int(worst))


def _members(one: Trail) -> dict[str, object]:
    return {name: getattr(one, name) for name in Trail.__slots__}


def _screen(one: Trail) -> str:
    verdict = judge(one)
    head = click.style(verdict.text, fg=COLOURS[verdict.severity], bold=True)
    named = f" ({one.source}: {one.guid})" if one.source else ""
    parts = [f"{one.update_id}{named}\n{head}"]
    if one.in_the_way:
        parts.append(section("In the way", "\n".join(f"  !  {each}" for each in one.in_the_way)))
    parts.append(section("Readers", _places(one.places)))
    if one.events:
        parts.append(section("What happened", _events(one.events)))
    if one.unknown:
        parts.append(section("Not known", "\n".join(f"  {what}: {why}" for what, why in one.unknown.items())))
    return "\n\n".join(parts)


def _places(places: Sequence[Place]) -> str:
    rows = [
        (each.name, each.error or ("shows it" if each.shows else "does not show it"), str(each.revision or "-"))
        for each in places
    ]
    return table(rows, ("PLACE", "STATE", "REVISION")) if rows else "  no web replica and no cache was found"


def _events(events: Sequence[Event]) -> str:
    rows = []
    before = None
    for each in events:
        after = f"+{(each.at - before.at).total_seconds():.3f} s" if before is not None else ""
        rows.append((f"{each.at:%Y-%m-%d %H:%M:%S.%f}"[:-3], after, each.room, each.what, each.detail))
        before = each
    return table(rows, ("AT (UTC)", "", "ROOM", "WHAT", ""))

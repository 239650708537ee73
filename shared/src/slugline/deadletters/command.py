"""`slugline deadletters`: the command line."""

import base64
import contextlib
import getpass
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import TypedDict, Unpack

import click
import orjson

from shared.commands import to_json
from shared.kafka.producer import Producer, new_producer
from shared.settings import Connections
from shared.terminal import drawable
from slugline.audit.letters import note_letters
from slugline.deadletters.arguments import as_letters, filter_options
from slugline.deadletters.letters import CONSUMED, Filters, Found, Letter, LetterId, find, read_one
from slugline.deadletters.replay import Done, close, replay
from slugline.servers import CLIENT_ID, kafka_reader, run
from slugline.text import age, table


class Chosen(TypedDict):
    """What `filter_options` gives a command."""

    topics: Sequence[str]
    stage: str
    reason: str
    source: str
    update_id: str
    since: datetime | None
    until: datetime | None


@click.group()
def deadletters() -> None:
    """Messages that could never be handled: see, send again, or close.

    Each was set aside with the reason, and everything behind it went on. After a fix, replay them: a letter that was replayed
    or dropped is closed, and is neither listed nor replayed again unless --closed asks for it. What a replay repeats changes
    nothing, since every effect is keyed by the message's id; a version that is older than what is published stays superseded.
    """


def filters_of(chosen: Chosen, ids: Sequence[LetterId] = (), *, closed: bool = False) -> Filters:
    """The filters of a command line."""
    return Filters(
        topics=tuple(chosen["topics"]) or tuple(CONSUMED),
        ids=frozenset(ids),
        stage=chosen["stage"],
        reason=chosen["reason"],
        source=chosen["source"],
        update_id=chosen["update_id"],
        since=chosen["since"],
        until=chosen["until"],
        closed=closed,
    )


async def _find(filters: Filters) -> Found:
    settings = Connections()
    async with kafka_reader(settings) as reader:
        return await find(settings, reader, filters)


@contextlib.asynccontextmanager
async def _sending(settings: Connections) -> AsyncIterator[Producer]:
    kafka = new_producer(settings, CLIENT_ID)
    try:
        await kafka.start()
        yield Producer(kafka, source="slugline/operator", topic_prefix=settings.topic_prefix)
    finally:
        await kafka.stop()


def _line(letter: Letter) -> tuple[str, ...]:
    where = f"{letter.field}: {letter.reason}" if letter.field else letter.reason
    state = f"{letter.closed.how} {age(letter.closed.at)}" if letter.closed else "open"
    return (str(letter.id), age(letter.failed_at), letter.stage, letter.source, letter.update_id, state, where[:160])


@deadletters.command("list")
@filter_options
@click.option("--closed", is_flag=True, help="Those that were replayed or dropped, too.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many of the newest.")
@click.option("--json", "json_wanted", is_flag=True, help="One JSON object a line.")
def list_command(closed: bool, limit: int, json_wanted: bool, **chosen: Unpack[Chosen]) -> None:
    """Print dead letters, the newest last; exit code 1 if there are any."""
    found = run(_find(filters_of(chosen, closed=closed)))
    newest = sorted(found.letters, key=lambda each: each.failed_at)[-limit:]
    if json_wanted:
        for letter in newest:
            click.echo(to_json({"letter": str(letter.id), **_members(letter)}))
    elif newest:
        click.echo(
            table(
                [_line(each) for each in newest], ("LETTER", "SET ASIDE", "STAGE", "SOURCE", "UPDATE", "STATE", "WHY")
            )
        )
    if len(found.letters) > len(newest):
        click.echo(f"and {len(found.letters) - len(newest)} older ones: --limit shows more", err=True)
    if found.unreadable:
        click.echo(f"{found.unreadable} records of these topics cannot be read", err=True)
    if not found.letters:
        click.echo("no dead letters", err=True)
    sys.exit(1 if found.letters else 0)


def _members(letter: Letter) -> dict[str, object]:
    """Of a letter for a machine; who closed it is said as it is on the log."""
    members: dict[str, object] = orjson.loads(to_json(letter))
    members.pop("id")
    members["closed"] = letter.closed.model_dump(mode="json", exclude={"offsets"}) if letter.closed else None
    return members


@deadletters.command("show")
@click.argument("letters", callback=as_letters, nargs=-1, required=True)
@click.option("--payload", is_flag=True, help="Print the message's bytes and nothing else.")
def show(letters: Sequence[LetterId], payload: bool) -> None:
    """Print LETTERS (as `list` names them) whole: reason, headers, and the message in plain text."""

    async def read() -> list[tuple[LetterId, dict[str, object], bytes]]:
        settings = Connections()
        async with kafka_reader(settings) as reader:
            found = []
            for each in letters:
                letter = await read_one(settings, reader, each)
                if letter is None:
                    raise click.ClickException(f"there is no dead letter {each} any more")
                body = base64.b64decode(letter.payload)
                said = letter.model_dump(mode="json")
                said["headers"] = {
                    name: base64.b64decode(value).decode("utf-8", "replace") for name, value in letter.headers
                }
                said["payload"] = body.decode("utf-8", "replace")
                found.append((each, said, body))
            return found

    for letter_id, said, body in run(read()):
        if payload:
            sys.stdout.buffer.write(body)
        else:
            click.echo(to_json({"letter": str(letter_id), **said}, indented=True))


def _choose(chosen: Chosen, ids: Sequence[LetterId], *, everything: bool, closed: bool) -> Sequence[Letter]:
    """The letters of a command that changes something: it wants to be told which."""
    if not (ids or everything or any(chosen.values())):
        raise click.UsageError("name letters, choose some by --topic, --reason, --source, ..., or say --all")
    letters = run(_find(filters_of(chosen, ids, closed=closed))).letters
    missing = [str(each) for each in ids if each not in {letter.id for letter in letters}]
    if missing:
        raise click.ClickException(f"not there, or closed already (--closed takes those, too): {', '.join(missing)}")
    return letters


def _preview(letters: Sequence[Letter], verb: str, json_wanted: bool) -> None:
    if json_wanted:
        click.echo(to_json({"dry_run": True, "letters": [str(each.id) for each in letters]}, indented=True))
        return
    reasons: dict[tuple[str, str], int] = {}
    for each in letters:
        reasons[each.id.topic, each.reason[:120]] = reasons.get((each.id.topic, each.reason[:120]), 0) + 1
    for (topic, reason), count in sorted(reasons.items(), key=lambda each: -each[1]):
        click.echo(f"  {count:6} of {topic}: {reason}")
    click.echo(f"would {verb} {len(letters)}")


@deadletters.command("replay")
@click.argument("letters", callback=as_letters, nargs=-1)
@filter_options
@click.option("--all", "everything", is_flag=True, help="All that are open.")
@click.option("--closed", is_flag=True, help="Those that were replayed or dropped before, too.")
@click.option(
    "--rate", type=click.FloatRange(0.1, 5_000), default=50.0, show_default=True, help="So many a second at most."
)
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--by", default=getpass.getuser, show_default="your user name", help="Who does it.")
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")
def replay_command(
    *,
    letters: Sequence[LetterId], everything: bool, closed: bool, rate: float, dry_run: bool, by: str, json_wanted: bool,
    **chosen: Unpack[Chosen],
) -> None:  # fmt: skip
    """Send LETTERS, or those that the options choose, back to where they came from; exit code 1 if one could not be sent."""
    meant = _choose(chosen, letters, everything=everything, closed=closed)
    if dry_run:
        _preview(meant, "send", json_wanted)
        return

    async def send() -> Done:
        settings = Connections()
        async with kafka_reader(settings) as reader, _sending(settings) as producer:
            with click.progressbar(length=len(meant), label="replaying", file=drawable(sys.stderr)) as bar:
                return await replay(
                    settings, reader, producer, meant,
                    per_s=rate, by=by, at=lambda: datetime.now(UTC), on_progress=lambda: bar.update(1),
                )  # fmt: skip

    done = run(send())
    sent = set(done.sent)
    run(note_letters([each for each in meant if each.id in sent], "dead-letters-replayed", by))
    if json_wanted:
        click.echo(to_json({"sent": [str(each) for each in done.sent], "refused": done.refused}, indented=True))
    else:
        for letter_id, why in done.refused.items():
            click.echo(f"{letter_id} not sent: {why}", err=True)
        click.echo(f"sent {len(done.sent)} back")
    sys.exit(1 if done.refused else 0)


@deadletters.command("drop")
@click.argument("letters", callback=as_letters, nargs=-1)
@filter_options
@click.option("--all", "everything", is_flag=True, help="All that are open.")
@click.option("--because", required=True, metavar="TEXT", help="Why nobody needs them; kept with the mark.")
@click.option("--dry-run", is_flag=True, help="Say what would be closed, and close nothing.")
@click.option("--by", default=getpass.getuser, show_default="your user name", help="Who does it.")
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")
def drop(
    *,
    letters: Sequence[LetterId], everything: bool, because: str, dry_run: bool, by: str, json_wanted: bool,
    **chosen: Unpack[Chosen],
) -> None:  # fmt: skip
    """Close LETTERS, or those that the options choose, without sending them. They stay on their topic until its 90 days are over."""
    meant = _choose(chosen, letters, everything=everything, closed=False)
    if dry_run:
        _preview(meant, "close", json_wanted)
        return

    async def mark() -> None:
        async with _sending(Connections()) as producer:
            await close(producer, meant, how="dropped", by=by, at=datetime.now(UTC), reason=because)

    run(mark())
    run(note_letters(meant, "dead-letters-dropped", by, because))
    click.echo(
        to_json({"dropped": [str(each.id) for each in meant]}, indented=True) if json_wanted else f"closed {len(meant)}"
    )

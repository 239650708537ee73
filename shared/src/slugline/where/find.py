"""From what a person has in hand to the updates that are meant, and all that is known of one."""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import asyncpg

from shared.failures.transient import reason_of
from slugline.deadletters.letters import Filters, find
from slugline.servers import AWAY, ReadConnection, answer_of, kafka_reader, postgres
from slugline.settings import OperatorSettings
from slugline.where import tables
from slugline.where.places import places
from slugline.where.trail import Event, Trail

T = TypeVar("T")

UPDATE_ID = re.compile(r"[a-z2-7]{26}")
IN_ADDRESS = re.compile(r"/updates/([a-z2-7]{26})(?:[/?#]|$)")
MOST_MEANT = 20
LETTERS_READ = 20_000


@dataclass(frozen=True, slots=True)
class Meant:
    """What a reference stands for."""

    update_ids: Sequence[str]
    events: Sequence[Event] = ()
    """Of a document, what happened to it."""
    refused: Sequence[str] = ()


async def meant(settings: OperatorSettings, reference: str, source: str) -> Meant:
    """An id of an update, an address with one in it, the id of a document as it was received, or what a source calls its item."""
    if found := (UPDATE_ID.fullmatch(reference) or IN_ADDRESS.search(reference)):
        return Meant([found[found.re.groups]])
    async with postgres(settings) as database:
        if (original := _uuid(reference)) is not None:
            events, update_ids, refused = await tables.of_original(database, original)
            if events:
                return Meant(update_ids[:MOST_MEANT], events, refused)
        of_guid = await tables.of_guid(database, reference, source)
    return Meant([update_id for update_id, _ in of_guid[:MOST_MEANT]])


def _uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


async def trail(settings: OperatorSettings, update_id: str) -> Trail:
    """Everything that is known of one update. What cannot be asked is named, and the rest told all the same."""
    unknown: dict[str, str] = {}
    async with asyncio.TaskGroup() as group:
        seen = group.create_task(places(settings, update_id))
        dead = group.create_task(answer_of(_dead_letters(settings, update_id), 20))
        told = group.create_task(_of_postgres(settings, update_id, unknown))
    known, letters = told.result(), dead.result()
    if isinstance(letters, str):
        unknown["dead letters"] = letters
        letters = []
    return Trail(
        update_id,
        source=known.source,
        guid=known.guid,
        versions=known.versions,
        state=known.state,
        archived=known.archived,
        removal=known.removal,
        places=seen.result(),
        events=sorted(known.events, key=lambda each: each.at),
        in_the_way=[*letters, *known.in_the_way],
        unknown=unknown,
    )


async def _dead_letters(settings: OperatorSettings, update_id: str) -> list[str]:
    async with kafka_reader(settings) as reader:
        found = await find(settings, reader, Filters(update_id=update_id), most_records=LETTERS_READ)
    return [
        f"dead letter {each.id} of {each.stage}: {each.field + ': ' if each.field else ''}{each.reason}"
        for each in found.letters
    ]


async def _of_postgres(settings: OperatorSettings, update_id: str, unknown: dict[str, str]) -> Trail:
    try:
        async with postgres(settings) as database:
            return await _read(database, update_id, unknown)
    except AWAY as error:
        unknown["Postgres"] = reason_of(error)
        return Trail(update_id)


class _Asking:
    """Asks one thing after another; a schema that is older than this command spoils the answer that needs it, and no other."""

    def __init__(self, database: ReadConnection, update_id: str, unknown: dict[str, str]) -> None:
        self._database = database
        self._update_id = update_id
        self._unknown = unknown

    async def of(self, what: str, ask: Callable[[ReadConnection, str], Awaitable[T]]) -> T | None:
        """One answer; None where it was refused."""
        try:
            return await ask(self._database, self._update_id)
        except asyncpg.PostgresError as error:
            self._unknown[what] = reason_of(error)
            return None


async def _read(database: ReadConnection, update_id: str, unknown: dict[str, str]) -> Trail:
    asking = _Asking(database, update_id, unknown)
    sent = await asking.of("versions", tables.versions) or tables.Sent()
    documents = await asking.of("documents", lambda reading, _: tables.originals(reading, sent.originals))
    state = await asking.of("enrich text", tables.state)
    archive = await asking.of("archive", tables.archive) or tables.Stands()
    ordered = await asking.of("orders", tables.orders)
    pushed = await asking.of("deliveries", tables.pushes)
    taken_down = await asking.of("takedowns", tables.takedowns)
    aside = await asking.of("what is set aside", tables.set_aside)
    parts = [part for part in (documents, pushed, taken_down) if part is not None]
    return Trail(
        update_id,
        source=sent.source,
        guid=sent.guid,
        versions=sent.versions,
        state=state[0] if state else None,
        archived=archive.revision,
        removal=archive.removal,
        events=[
            *sent.events,
            *archive.events,
            *(state[1] if state else ()),
            *(ordered or ()),
            *(event for events, _ in parts for event in events),
        ],
        in_the_way=[*(line for _, lines in parts for line in lines), *(aside or ())],
    )

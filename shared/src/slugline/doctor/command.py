"""`slugline doctor`: the command line."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Sequence
from email.utils import parsedate_to_datetime
from importlib.metadata import entry_points

import aiohttp
import click
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from shared.commands import to_json
from shared.redis_client import open_redis
from slugline.doctor import kafka_check, machine_check, postgres_check, settings_check
from slugline.doctor.finding import Finding, look, well, wrong
from slugline.servers import ANSWERS_WITHIN_S, answer_of, run
from slugline.settings import OperatorSettings
from slugline.status.processes import ask_processes
from slugline.status.report import Process, Severity
from slugline.status.screen import COLOURS

ENTRY_POINTS = "slugline.settings"
SECTION_S = 20.0
MARKS = {Severity.WELL: "ok", Severity.LOOK: "! ", Severity.MISSED: "!!"}


def installed_settings() -> dict[str, type[BaseSettings]]:
    """The settings of each service that is installed here, and the command's own."""
    return {"": OperatorSettings, **{entry.name: entry.load() for entry in entry_points(group=ENTRY_POINTS)}}


async def _redis(settings: OperatorSettings) -> list[Finding]:
    if "redis_url" not in settings.model_fields_set:
        return [well("Redis", "REDIS_URL is not set here, so it is not looked at")]
    async with open_redis(settings, timeout_s=ANSWERS_WITHIN_S) as redis:
        info = await redis.info("memory")
    used, most, policy = int(info["used_memory"]), int(info["maxmemory"]), str(info["maxmemory_policy"])
    found = []
    if most and used > 0.9 * most:
        found.append(
            look(
                "Redis",
                f"{used / 2**20:.0f} of {most / 2**20:.0f} MiB are in use",
                "raise maxmemory, or lower PUBLISH_CACHE_DAYS",
            )
        )
    if most and policy == "noeviction":
        found.append(
            look(
                "Redis",
                "once full it refuses every write",
                "--maxmemory-policy volatile-ttl: what changed longest ago leaves",
            )
        )
    return found or [
        well("Redis", f"{used / 2**20:.0f} MiB in use{f' of {most / 2**20:.0f}' if most else ''}, {policy}")
    ]


async def _processes(settings: OperatorSettings) -> list[Finding]:
    processes = await ask_processes(settings.addresses)
    away = [each for each in processes if each.state == "away"]
    found = [
        wrong("processes", f"{each.name} at {each.address} does not answer: {'; '.join(each.reasons.values())}",
              "start it, or correct SLUGLINE_PROCESSES")
        for each in away
    ]  # fmt: skip
    here = [each for each in processes if each.state != "away"]
    versions = sorted({each.version for each in here})
    if len(versions) > 1:
        found.append(
            look(
                "processes",
                f"they are of several releases: {', '.join(versions)}",
                "in order during an upgrade, and not after it",
            )
        )
    found.append(well("processes", f"{len(here)} of {len(processes)} answer"))
    return found + [each for each in await asyncio.gather(*map(_clock, here)) if each.severity]


async def _clock(process: Process) -> Finding:
    """The clock of a process, by the Date of an answer, which has whole seconds."""
    place = process.address.partition("(")[2].rstrip(")") or process.address
    before = time.time()
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S)) as session,
            session.get(f"http://{place}/livez") as answer,
        ):
            there = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (aiohttp.ClientError, OSError, TimeoutError, KeyError, ValueError) as error:
        return look("processes", f"{process.name} did not tell its time: {type(error).__name__}", "ask again")
    return postgres_check.of_clock(f"processes: {process.name}", there, before - 1, time.time())


async def examine() -> list[Finding]:
    """Everything, in the order in which it is mended."""
    models = installed_settings()
    try:
        loaded = [model() for model in models.values()]
    except ValidationError:
        # What is wrong is among the findings; without settings there is nobody to ask.
        return settings_check.check(os.environ, models, {})
    values = {name.upper(): getattr(each, name) for each in loaded for name in type(each).model_fields}
    found = settings_check.check(os.environ, models, values)
    settings = OperatorSettings()

    async def ask(area: str, asked: Awaitable[list[Finding]], where: str) -> Sequence[Finding]:
        answer = await answer_of(asked, SECTION_S)
        if isinstance(answer, str):
            return [wrong(area, f"does not answer: {answer}", f"is it running, and is {where} right?")]
        return answer

    asked = await asyncio.gather(
        ask("Kafka", kafka_check.check(settings), "KAFKA_SERVERS"),
        ask("Postgres", postgres_check.check(settings), "POSTGRES_DSN"),
        ask("Redis", _redis(settings), "REDIS_URL"),
        ask("processes", _processes(settings), "SLUGLINE_PROCESSES"),
    )
    return [*found, *(each for some in asked for each in some), *machine_check.check(values)]


@click.command()
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")
def doctor(json_wanted: bool) -> None:
    """Is the installation set up as it should be? What is wrong, and how to mend it.

    Looked at are settings (unknown names, bad values, defaults that are not for the open), whether Kafka, Postgres, Redis and
    the processes answer, topics and their configuration, schemas, rights, clocks (of Postgres and the processes; Kafka tells
    no time), folders, room and limits of this machine. Nothing is changed. Run it where the processes run: in a container
    it sees that container's settings and folders.

    Exit code 0: all well. 1: somebody should look. 2: readers or senders miss something, or soon will.
    """
    found = run(examine())
    worst = max((each.severity for each in found), default=Severity.WELL)
    if json_wanted:
        click.echo(to_json({"verdict": int(worst), "findings": found}, indented=True))
        sys.exit(int(worst))
    for each in found:
        click.echo(f"{click.style(MARKS[each.severity], fg=COLOURS[each.severity])} {each.area}: {each.what}")
        if each.mend:
            click.echo(f"     -> {each.mend}")
    sys.exit(int(worst))

"""`python -m publish takedown UPDATE_ID`: proves a kill to a person, a script or a court; and checks such a proof."""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

import click

from publish.settings import Settings
from publish.takedown.proof import prove
from publish.takedown.report import Report, as_json, as_page, as_text
from publish.takedown.signing import NotSigned, ReportKey, key_id, report_key, verify
from publish.takedown.sinks.every import open_sinks
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect

T = TypeVar("T")

UPDATE_ID = re.compile(r"[a-z2-7]{26}")


def _update_id(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    """Nothing is waited for of what cannot be an update."""
    if UPDATE_ID.fullmatch(text) is None:
        raise click.BadParameter(
            "26 characters of a-z and 2-7 are needed; `slugline where` tells the id of a guid or URL"
        )
    return text


def _with_pool(settings: Settings, act: Callable[[Pool], Awaitable[T]]) -> T:
    async def body() -> T:
        pool = await connect(settings, schema="publish", max_size=4, for_command=True)
        try:
            await migrate(pool, "publish")
            return await act(pool)
        finally:
            await pool.close()

    return asyncio.run(body())


@click.command()
@click.argument("update_id", callback=_update_id)
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")
@click.option("--signed", is_flag=True, help="Print the report as a JWS, signed with Ed25519.")
@click.option(
    "--page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page that prints, signed, to a file."
)
@click.option("--within", "within_s", type=float, default=15.0, show_default=True, help="Seconds to wait for it.")
def takedown(update_id: str, json_wanted: bool, signed: bool, page: Path | None, within_s: float) -> None:
    """Prove that UPDATE_ID is gone from every sink; exit 1 where it is not, 2 where it was not killed."""
    settings = Settings()
    click.echo(f"looking at every place, for at most {within_s:g} s ...", err=True)

    async def act(pool: Pool) -> tuple[Report | None, ReportKey]:
        async with open_sinks(settings, pool) as sinks:
            found = await prove(pool, sinks, update_id, within_s=within_s)
        return found, await report_key(pool, settings.publish_takedown_key)

    found, key = _with_pool(settings, act)
    if found is None:
        click.echo(
            f"{update_id} is not killed and not taken down, as far as the archive knows after {within_s:g} s\n"
            f"     -> slugline where {update_id}; slugline orders kill {update_id} --reason TEXT",
            err=True,
        )
        sys.exit(2)
    now = datetime.now(UTC)
    document = json.dumps(key.sign(as_json(found, now)))
    if page is not None:
        page.write_text(as_page(found, now, document), encoding="utf-8")
    if signed:
        click.echo(document)
    else:
        click.echo(json.dumps(as_json(found, now), indent=2) if json_wanted else as_text(found))
    sys.exit(0 if found.clean else 1)


@click.command()
def takedown_key() -> None:
    """Print the public key of reports as a JWK (RFC 8037): give it to whoever verifies them."""
    settings = Settings()
    key = _with_pool(settings, lambda pool: report_key(pool, settings.publish_takedown_key))
    click.echo(json.dumps({"kty": "OKP", "crv": "Ed25519", "x": key.public_key, "kid": key_id(key.public_key)}))


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--key", "public_key", required=True, help="The public key: the `x` that `takedown-key` printed.")
def takedown_verify(file: BinaryIO, public_key: str) -> None:
    """Print the report in FILE (- for standard input) if its signature is right; exit 1 where it is not. Asks no server."""
    try:
        report = verify(file.read(), public_key)
    except NotSigned as error:
        click.echo(f"not proven: {error}", err=True)
        sys.exit(1)
    click.echo(json.dumps(report, indent=2))

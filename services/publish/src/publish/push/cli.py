"""What operators do with push: keys, endpoints, alerts, a VAPID key."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import click
from pydantic import ValidationError

from publish.keys import KEYS, SCOPES, PublishKeys
from publish.push.alerts.alert import STATES, newest, with_results
from publish.push.alerts.mutes import Mutes, NewMute
from publish.push.alerts.providers.web.vapid import Vapid, new_vapid_key
from publish.push.delivery.keys import Key, live
from publish.push.settings import PushSettings
from publish.push.webhooks.endpoints import ChangedEndpoint, Endpoints, NewEndpoint
from shared.access import key as access
from shared.access.commands import in_transaction
from shared.access.holder import OPERATE
from shared.access.key import HolderKind
from shared.access.store import NewKey, listed
from shared.audit.author import of_command
from shared.commands import to_json
from shared.http.problem import Problem
from shared.postgres.migrations import migrate
from shared.postgres.pool import Connection, Pool, connect

T = TypeVar("T")


def _operator() -> Key:
    """Who runs a command, who may do everything."""
    return Key("operator", "operator", frozenset({"operate"}), frozenset({"news"}), of_command())


def _with_pool(act: Callable[[Pool], Awaitable[T]]) -> T:
    async def body() -> T:
        pool = await connect(PushSettings(), schema="publish", max_size=2, for_command=True)
        try:
            await migrate(pool, "publish")
            return await act(pool)
        finally:
            await pool.close()

    try:
        return asyncio.run(body())
    except Problem as problem:
        raise click.ClickException(problem.detail) from None


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return f"{'/'.join(map(str, first['loc']))}: {first['msg']}"


def _print(value: object) -> None:
    click.echo(to_json(value))


@click.group("keys")
def key_commands() -> None:
    """Keys of those who subscribe endpoints or order alerts; `python -m publish keys` does more."""


@key_commands.command("add")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice([*SCOPES, OPERATE]), default=("webhooks",), show_default=True
)
@click.option(
    "--channel", "channels", multiple=True, default=("news",), help="What the holder may have. [default: news]"
)
@click.option("--person", default="", help="Whose it is: two people approve an alert of the top level.")
def keys_add(name: str, scopes: tuple[str, ...], channels: tuple[str, ...], person: str) -> None:
    """Make a key for NAME and print it: it is shown only now."""

    async def act(connection: Connection) -> tuple[access.Key, str]:
        kind: HolderKind = "operator" if OPERATE in scopes else "desk" if "alerts" in scopes else "partner"
        new = NewKey(kind, name, frozenset(scopes), person)
        return await PublishKeys(channels=channels).make(connection, new, of_command())

    made, token = in_transaction("publish", act)
    _print({"id": made.id, "key": token})


@key_commands.command("revoke")
@click.argument("key_id")
def keys_revoke(key_id: str) -> None:
    """End the key KEY_ID; its endpoints are disabled."""
    if in_transaction("publish", lambda connection: PublishKeys().revoke(connection, key_id, of_command())) is None:
        raise click.ClickException(f"there is no live key {key_id}")
    click.echo("revoked")


@key_commands.command("list")
def keys_list() -> None:
    """Print all keys, one JSON object a line."""
    for key in in_transaction("publish", lambda connection: listed(connection, KEYS, ended=True)):
        _print({"name": key.holder, **key.shown()})


@click.group("endpoints")
def endpoint_commands() -> None:
    """Webhook endpoints of all keys."""


def _endpoints(pool: Pool) -> Endpoints:
    return Endpoints(pool, allow_private=PushSettings().publish_push_allow_private)


@endpoint_commands.command("add")
@click.argument("key_id")
@click.argument("url")
@click.option(
    "--channel", "channels", multiple=True, default=("news",), help="Updates of these channels. [default: news]"
)
@click.option("--kind", "kinds", multiple=True, help="Only these kinds of revision; removals come always.")
@click.option("--max-urgency", type=click.IntRange(1, 9), help="Only updates of this urgency or a more pressing one.")
def endpoints_add(
    key_id: str, url: str, channels: tuple[str, ...], kinds: tuple[str, ...], max_urgency: int | None
) -> None:
    """Subscribe URL for the holder of KEY_ID; prints the endpoint with its secret."""
    try:
        wanted = NewEndpoint(url=url, channels=channels, kinds=kinds, max_urgency=max_urgency)
    except ValidationError as error:
        raise click.ClickException(_first(error)) from None

    async def act(pool: Pool) -> dict[str, object]:
        key = await live(pool, key_id, of_command())
        if key is None:
            raise click.ClickException(f"there is no live key {key_id}")
        return await _endpoints(pool).add(wanted, key)

    _print(_with_pool(act))


@endpoint_commands.command("list")
def endpoints_list() -> None:
    """Print all endpoints and their health, one JSON object a line."""
    for endpoint in _with_pool(lambda pool: _endpoints(pool).all(_operator())):
        _print(endpoint)


@endpoint_commands.command("test")
@click.argument("endpoint_id")
def endpoints_test(endpoint_id: str) -> None:
    """Queue a test event to ENDPOINT_ID."""
    _print(_with_pool(lambda pool: _endpoints(pool).test(endpoint_id, _operator())))


@endpoint_commands.command("deliveries")
@click.argument("endpoint_id")
@click.option("--limit", default=20, show_default=True, help="How many of the newest.")
def endpoints_deliveries(endpoint_id: str, limit: int) -> None:
    """Print the delivery log of ENDPOINT_ID, newest first, one JSON object a line."""
    found = _with_pool(
        lambda pool: _endpoints(pool).deliveries(endpoint_id, _operator(), before=None, state=None, limit=limit)
    )
    for delivery in found:
        _print(delivery)


@endpoint_commands.command("redeliver")
@click.argument("endpoint_id")
@click.argument("delivery_id", type=click.IntRange(1, 2**62))
def endpoints_redeliver(endpoint_id: str, delivery_id: int) -> None:
    """Queue the message of DELIVERY_ID again, under its own id."""
    _print(_with_pool(lambda pool: _endpoints(pool).redeliver(endpoint_id, delivery_id, _operator())))


@endpoint_commands.command("recover")
@click.argument("endpoint_id")
@click.option("--hours", type=click.FloatRange(0, 744, min_open=True), default=24.0, show_default=True)
def endpoints_recover(endpoint_id: str, hours: float) -> None:
    """Queue again, in order, what ENDPOINT_ID has missed within the last hours."""
    since = datetime.now(UTC) - timedelta(hours=hours)
    _print(_with_pool(lambda pool: _endpoints(pool).recover(endpoint_id, since, _operator())))


@endpoint_commands.command("rotate")
@click.argument("endpoint_id")
def endpoints_rotate(endpoint_id: str) -> None:
    """Print a new secret of ENDPOINT_ID; the old one signs beside it for a day."""
    _print(_with_pool(lambda pool: _endpoints(pool).rotate(endpoint_id, _operator())))


@endpoint_commands.command("activate")
@click.argument("endpoint_id")
def endpoints_activate(endpoint_id: str) -> None:
    """Deliver to ENDPOINT_ID again, from its first attempt on."""
    changes = ChangedEndpoint(state="active")
    _print(_with_pool(lambda pool: _endpoints(pool).change(endpoint_id, changes, _operator())))


@endpoint_commands.command("disable")
@click.argument("endpoint_id")
def endpoints_disable(endpoint_id: str) -> None:
    """Deliver nothing to ENDPOINT_ID until it is activated."""
    changes = ChangedEndpoint(state="disabled")
    _print(_with_pool(lambda pool: _endpoints(pool).change(endpoint_id, changes, _operator())))


@endpoint_commands.command("remove")
@click.argument("endpoint_id")
def endpoints_remove(endpoint_id: str) -> None:
    """End ENDPOINT_ID and its log."""
    _with_pool(lambda pool: _endpoints(pool).remove(endpoint_id, _operator()))
    click.echo("removed")


@click.command("alerts")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--limit", default=20, show_default=True, help="How many of the newest.")
def alert_list(state: str | None, limit: int) -> None:
    """Print alerts, newest first, one JSON object a line: state, reason, audience."""
    for alert in _with_pool(lambda pool: newest(pool, state, limit)):
        _print(alert)


@click.command("alert")
@click.argument("alert_id")
def alert_one(alert_id: str) -> None:
    """Print ALERT_ID with its progress and results."""
    _print(_with_pool(lambda pool: with_results(pool, alert_id)))


def _person() -> str:
    return f"{getpass.getuser()} (command)"


@click.group("mutes")
def mute_commands() -> None:
    """Hold back the alerts of a story, or of another channel, before there are any."""


@mute_commands.command("add")
@click.argument("channel")
@click.option("--reason", required=True, help="Why; every alert that is held back says it.")
@click.option("--hours", type=click.FloatRange(0, 744, min_open=True), default=12.0, show_default=True)
@click.option("--by", default=_person, help="Who says so. [default: the user of this command]")
def mutes_add(channel: str, reason: str, hours: float, by: str) -> None:
    """Mute CHANNEL: story:ID, tag:CODE, source:NAME, update:ID or news."""
    try:
        wanted = NewMute(channel=channel, reason=reason, until=datetime.now(UTC) + timedelta(hours=hours))
    except ValidationError as error:
        raise click.ClickException(_first(error)) from None
    _print(_with_pool(lambda pool: Mutes(pool).add(wanted, by, of_command())))


@mute_commands.command("list")
@click.option("--ended", is_flag=True, help="With those that have ended.")
@click.option("--limit", default=50, show_default=True, help="How many of the newest.")
def mutes_list(ended: bool, limit: int) -> None:
    """Print the mutes that hold, newest first, one JSON object a line."""
    for mute in _with_pool(lambda pool: Mutes(pool).all(ended=ended, limit=limit)):
        _print(mute)


@mute_commands.command("lift")
@click.argument("mute_id", type=int)
@click.option("--by", default=_person, help="Who says so. [default: the user of this command]")
def mutes_lift(mute_id: int, by: str) -> None:
    """End the mute MUTE_ID before its time."""
    _print(_with_pool(lambda pool: Mutes(pool).lift(mute_id, by, of_command())))


@click.command("vapid")
def vapid_key() -> None:
    """Make a VAPID key.

    Prints the private one, for PUBLISH_PUSH_VAPID_KEY, and its public one. Nothing is stored.
    """
    private = new_vapid_key()
    _print({"private": private, "public": Vapid(private, "mailto:nobody@example.org").public_key})

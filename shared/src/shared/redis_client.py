"""The client of Redis: of one server, or of the master that Sentinels name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.connection import ConnectKwargs, parse_url
from redis.asyncio.sentinel import Sentinel

from shared.settings import Connections

CONNECT_S = 3.0


@asynccontextmanager
async def open_redis(settings: Connections, *, timeout_s: float) -> AsyncIterator[Redis]:
    """A client, which connects when it is first asked. `timeout_s` is for each command; connecting has three seconds at most."""
    connect_s = min(timeout_s, CONNECT_S)
    if not settings.redis_sentinels:
        redis = Redis.from_url(settings.redis_url, socket_timeout=timeout_s, socket_connect_timeout=connect_s)
        try:
            yield redis
        finally:
            await redis.aclose()
        return
    sentinel = _sentinel(settings, timeout_s, connect_s)
    redis = sentinel.master_for(settings.redis_sentinel_master)
    try:
        yield redis
    finally:
        await redis.aclose()
        for each in sentinel.sentinels:
            await each.aclose()


def _sentinel(settings: Connections, timeout_s: float, connect_s: float) -> Sentinel:
    """The URL says how the master is spoken to (login, database, TLS); Sentinels say where it is."""
    of_master: ConnectKwargs = parse_url(settings.redis_url)
    speaks_tls = settings.redis_url.startswith("rediss:")
    options = {name: value for name, value in of_master.items() if name not in ("host", "port", "connection_class")}
    tls = {name: value for name, value in options.items() if name.startswith("ssl_")} | {"ssl": speaks_tls}
    limits = {"socket_timeout": timeout_s, "socket_connect_timeout": connect_s}
    password = settings.redis_sentinel_password.get_secret_value() or None
    return Sentinel(  # type: ignore[no-untyped-call]
        settings.sentinel_addresses,
        sentinel_kwargs={**tls, **limits, "password": password},
        **options,
        **tls,
        **limits,
    )

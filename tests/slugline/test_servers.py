"""The servers of a command: one that is silent ends it within seconds, and by its name."""

import asyncio
import time

import click
import pytest

from shared.settings import Connections
from slugline import servers


async def test_a_broker_that_says_nothing_is_given_up_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that hangs takes connections still; Kafka's client would wait 40 s in silence."""
    monkeypatch.setattr(servers, "ANSWERS_WITHIN_S", 0.2)
    connected: list[asyncio.StreamWriter] = []
    async with await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        settings = Connections(kafka_servers=f"127.0.0.1:{port}")

        async def read() -> None:
            async with servers.kafka_reader(settings):
                pytest.fail("nobody answered")

        before = time.monotonic()
        with pytest.raises(click.ClickException, match=r"Kafka does not answer.*no answer within 0.2 s"):
            await asyncio.to_thread(servers.run, read())
        assert time.monotonic() - before < 20
        assert connected
        for writer in connected:
            writer.close()

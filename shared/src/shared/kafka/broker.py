"""The FastStream broker and application of a process that consumes."""

from typing import Protocol

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker

from shared.kafka.security import broker_security
from shared.settings import Connections


class Subscribes(Protocol):
    """What consumes over a broker."""

    def subscribe(self, broker: KafkaBroker) -> None:
        """Declare the subscriber; the broker has not started."""

    async def drain(self) -> None:
        """Let the running work end; the broker stops after it."""


def new_broker(settings: Connections, client_id: str) -> KafkaBroker:
    """A broker that consumes only: sending goes through `Producer`, whose acknowledgements are awaited in bulk.

    Nothing is committed but by `Consumer` (`AckPolicy.MANUAL`): FastStream's own policies commit what was delivered,
    not what was done.
    """
    return KafkaBroker(
        settings.bootstrap_servers,
        client_id=client_id,
        security=broker_security(settings),
        consumer_only=True,
        ack_policy=AckPolicy.MANUAL,
        allow_auto_create_topics=False,
        graceful_timeout=20.0,
        logger=None,
        # A handler takes the records as they are: there is no parameter to look up or convert.
        apply_types=False,
    )


def new_app(broker: KafkaBroker, *consumers: Subscribes) -> FastStream:
    """The application of a process: its consumers are drained before the broker stops."""
    for consumer in consumers:
        consumer.subscribe(broker)
    return FastStream(broker, logger=None, on_shutdown=[consumer.drain for consumer in consumers])

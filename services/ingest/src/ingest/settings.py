"""The settings of the ingest service."""

from pydantic import Field

from shared.settings import Connections


class Settings(Connections):
    """Read from the environment, as `Connections` is."""

    ingest_port: int = Field(default=8081, description="Port of `ingest api`")
    ingest_max_body_bytes: int = Field(
        default=10_485_760, gt=0, description="Largest body of one push, feed or file, decompressed, in bytes"
    )
    ingest_body_timeout_s: float = Field(
        default=20.0, gt=0, description="Seconds in which a body must arrive whole; a slower one is refused"
    )
    ingest_read_timeout_s: float = Field(
        default=20.0,
        gt=0,
        description="Seconds in which a document of more than 64 KiB must be read; else it is refused",
    )
    ingest_dependency_timeout_s: float = Field(
        default=1.4,
        gt=0,
        description="Seconds that a push waits for Kafka and Postgres together before it is answered with 503",
    )
    ingest_public_url: str = Field(
        default="",
        description="Where senders and hubs reach `ingest api`, such as https://wire.example.org; if empty, answers name paths alone and no hub is subscribed to",
    )
    ingest_signing_secret: str = Field(
        default="",
        repr=False,
        description="Secret from which the signing secrets of sources are derived; if empty, signed pushes are not taken",
    )
    ingest_poll_concurrency: int = Field(default=20, gt=0, description="Feeds that one replica polls at once")
    ingest_poll_min_interval_s: float = Field(
        default=10.0, gt=0, description="Least seconds between two polls of a feed that brings copy"
    )
    ingest_poll_max_interval_s: float = Field(
        default=120.0, gt=0, description="Most seconds between two polls of a feed that brings nothing new"
    )
    ingest_watch_settle_s: float = Field(
        default=1.0, gt=0, description="Seconds without a change of size or time after which a dropped file is whole"
    )
    ingest_outgoing_allow_private: bool = Field(
        default=False, description="Poll sources at private and loopback addresses too, for local use"
    )

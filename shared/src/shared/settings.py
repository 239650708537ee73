"""Where the servers are: the settings that every process has."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Connections(BaseSettings):
    """Read from the environment without a prefix, since compose and Kubernetes give all services the same."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    kafka_servers: str = Field(default="127.0.0.1:9092", description="Kafka bootstrap servers, comma-separated")
    postgres_dsn: str = Field(
        default="postgresql://slugline:slugline@127.0.0.1:5432/slugline", description="Postgres, as a URL"
    )
    postgres_statement_timeout_s: float = Field(
        default=30.0,
        gt=0,
        description="Postgres ends a statement of a service that runs longer, in s; migrations have an hour",
    )
    postgres_lock_timeout_s: float = Field(
        default=10.0,
        gt=0,
        description="Postgres ends a statement that waits longer for a lock, in s; it is tried again",
    )
    postgres_idle_in_transaction_s: float = Field(
        default=12.0,
        gt=0,
        description="Postgres ends the session of a process that froze within a transaction after so many s, so that another takes over",
    )
    postgres_dead_after_s: int = Field(
        default=15,
        ge=3,
        description="Postgres ends the session of a machine that is gone after about so many s (TCP keepalives)",
    )
    redis_url: str = Field(default="redis://127.0.0.1:6379/0", description="Redis, as a URL")
    topic_prefix: str = Field(
        default="", description="Put before every topic and consumer group: one cluster, several newsrooms"
    )
    media_store: str = Field(
        default="file:///var/lib/slugline/media",
        description="Object store of renditions: file:///folder, s3://bucket/prefix, ...",
    )
    replication_factor: int = Field(default=1, description="Replicas of each topic when it is created")
    kafka_compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        default="none",
        description="What messages are compressed with on the way to Kafka; zstd saves disk and network",
    )
    kafka_fetch_wait_ms: int = Field(
        default=500,
        ge=10,
        description="How long Kafka may hold a question for news, in ms; news is told at once, and fewer questions cost less when idle",
    )
    health_port: int = Field(
        default=0,
        description="Port of /livez, /readyz and /metrics of a process without HTTP; 0 takes the process's own",
    )
    watchdog_s: float = Field(
        default=60.0,
        ge=1.0,
        description="A process whose event loop has not turned for so many seconds prints what it is at and ends, to be started again",
    )
    bind_host: str = Field(default="0.0.0.0", description="Address that HTTP listens on")  # noqa: S104 -- containers publish it
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged"
    )
    log_format: Literal["json", "text"] = Field(default="json", description="json for machines, text for a terminal")
    otlp_endpoint: str = Field(
        default="", description="OpenTelemetry collector (OTLP over HTTP); empty sends no traces"
    )
    instance: str = Field(default="", description="Name of this replica; the host name when empty")

"""Where the servers are, and what HTTP ports take: the settings that every process has."""

import ipaddress
import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

SECRETS_DIR = "/run/secrets"
"""Where compose and Kubernetes put secrets as files."""


class Connections(BaseSettings):
    """Read from the environment without a prefix, since compose and Kubernetes give all services the same."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    kafka_servers: str = Field(default="127.0.0.1:9092", description="Kafka bootstrap servers, comma-separated")
    kafka_security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = Field(
        default="plaintext", description="How Kafka is spoken to: with TLS, with a login, or both"
    )
    kafka_ca_file: str = Field(
        default="", description="Certificates that Kafka's is trusted by, PEM; the system's when empty"
    )
    kafka_certificate_file: str = Field(default="", description="Our own certificate for Kafka (mTLS), PEM")
    kafka_key_file: str = Field(default="", description="Its key, PEM; in the file of the certificate when empty")
    kafka_sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        default="SCRAM-SHA-512", description="How we log in at Kafka"
    )
    kafka_user: str = Field(default="", description="User of Kafka")
    kafka_password: SecretStr = Field(default=SecretStr(""), description="Its password")
    postgres_dsn: str = Field(
        default="postgresql://slugline:slugline@127.0.0.1:5432/slugline",
        description="Postgres, as a URL; may name several hosts, with ?target_session_attrs=read-write, sslmode=verify-full and sslrootcert=FILE",
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
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0", description="Redis, as a URL; rediss: with TLS, ?ssl_ca_certs=FILE"
    )
    redis_sentinels: str = Field(
        default="",
        description="Addresses of Sentinels, comma-separated, which know where the master is; then only login, database and TLS of the URL count",
    )
    redis_sentinel_master: str = Field(default="slugline", description="Name by which the Sentinels know the master")
    redis_sentinel_password: SecretStr = Field(default=SecretStr(""), description="Password of the Sentinels")
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
    kafka_session_timeout_s: float = Field(
        default=10.0,
        ge=1,
        description="Kafka gives the partitions of a process that died or froze to another after so many s; a broker allows 6 and more unless told otherwise",
    )
    health_port: int = Field(
        default=0,
        description="Port of /livez, /readyz and /metrics of a process without HTTP; 0 takes the process's own",
    )
    internal_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of /metrics, /livez and /readyz of a process that serves senders or readers, whose own port then says by "
        "/readyz whether it is ready and nothing else; 0 leaves them on that port",
    )
    watchdog_s: float = Field(
        default=60.0,
        ge=1.0,
        description="A process whose event loop has not turned for so many seconds prints what it is at and ends, to be started again",
    )
    bind_host: str = Field(default="0.0.0.0", description="Address that HTTP listens on")  # noqa: S104 -- containers publish it
    http_connections: int = Field(
        default=1_000, ge=16, description="Connections to one HTTP port; past it, those that ask for nothing are closed"
    )
    http_connections_per_address: int = Field(
        default=256,
        ge=0,
        description="Connections from one address that is no trusted proxy (of IPv6: from one /64), more are answered 429; 0 for no such limit",
    )
    http_head_bytes: int = Field(
        default=32_768, ge=1024, description="Most bytes of a request's head, more are answered 431"
    )
    http_head_fields: int = Field(
        default=100, ge=10, description="Most header fields of a request, more are answered 431"
    )
    http_head_s: float = Field(
        default=10.0, gt=0, description="Seconds from its first byte in which a request's head must be whole"
    )
    http_body_s: float = Field(default=60.0, gt=0, description="Seconds in which a request's body must be whole")
    http_body_bytes_per_s: int = Field(
        default=500, ge=0, description="Least speed of a request's body, after the first five seconds"
    )
    http_keep_alive_s: int = Field(
        default=5, ge=1, description="Seconds after an answer for which a connection waits for the next request"
    )
    http_write_s: float = Field(
        default=30.0, gt=0, description="Seconds for which a reader may take less than 1 kB/s of an answer"
    )
    http_unsent_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024 * 1024,
        description="Bytes of answers that wait for slow readers of one port; past it the one that took nothing for longest is cut off",
    )
    trusted_proxies: str = Field(
        default="127.0.0.0/8,::1/128",
        description="Networks of the proxies in front of us, comma-separated; only what they say of a client's address is believed",
    )
    client_address_header: Literal["x-forwarded-for", "forwarded"] = Field(
        default="x-forwarded-for",
        description="The one header in which they say it, x-forwarded-for or forwarded (RFC 7239); the other is ignored",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged"
    )
    log_format: Literal["json", "text"] = Field(default="json", description="json for machines, text for a terminal")
    otlp_endpoint: str = Field(
        default="", description="OpenTelemetry collector (OTLP over HTTP); empty sends no traces"
    )
    otlp_sample: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of documents whose way is traced; what comes with a sampled traceparent always is",
    )
    instance: str = Field(default="", description="Name of this replica; the host name when empty")

    @property
    def bootstrap_servers(self) -> list[str]:
        """The addresses of `kafka_servers`: any that answers tells of the others."""
        return [address for each in self.kafka_servers.split(",") if (address := each.strip())]

    @property
    def sentinel_addresses(self) -> list[tuple[str, int]]:
        """The hosts and ports of `redis_sentinels`."""
        parts = [each.strip().rpartition(":") for each in self.redis_sentinels.split(",") if each.strip()]
        return [(host.strip("[]"), int(port)) for host, _, port in parts]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then files: any setting may be a file of its name in `SECRETS_DIR`, where secrets do not show in a process's environment."""
        folder = Path(os.environ.get("SECRETS_DIR", SECRETS_DIR))
        files = [SecretsSettingsSource(settings_cls, secrets_dir=folder)] if folder.is_dir() else []
        return (init_settings, env_settings, dotenv_settings, file_secret_settings, *files)

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        if self.kafka_security.startswith("sasl") and not self.kafka_user:
            raise ValueError("KAFKA_USER is needed where KAFKA_SECURITY says sasl")
        return self

    @field_validator("redis_sentinels")
    @classmethod
    def _only_addresses(cls, value: str) -> str:
        for each in filter(None, (each.strip() for each in value.split(","))):
            host, _, port = each.rpartition(":")
            if not host or not port.isdigit():
                raise ValueError(f"{each!r} is not host:port")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _only_networks(cls, value: str) -> str:
        for part in filter(None, (each.strip() for each in value.split(","))):
            ipaddress.ip_network(part)
        return value

    @field_validator("client_address_header", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

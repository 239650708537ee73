"""Limits of an HTTP port, so that no client keeps others from being answered."""

from dataclasses import dataclass, field

from shared.http.proxies import LOOPBACK, TrustedProxies, networks
from shared.settings import Connections


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Counts, bytes and seconds. The defaults are those of the settings of the same name (`HTTP_...`)."""

    head_bytes: int = 32_768
    head_fields: int = 100
    head_s: float = 10.0
    body_s: float = 60.0
    body_bytes_per_s: int = 500
    keep_alive_s: int = 5
    write_s: float = 30.0
    unsent_bytes: int = 64 * 1024 * 1024
    connections: int = 1_000
    per_address: int = 256
    proxies: TrustedProxies = field(default_factory=lambda: TrustedProxies(networks(LOOPBACK)))
    """Their connections carry many clients and are not counted by address."""

    target_bytes: int = 8_192
    """Of a request's target (RFC 9110, section 4.1, asks for 8,000 at least)."""
    pipelined: int = 32
    """Requests that wait on one connection for an earlier one."""
    chunk_overhead: int = 8
    """Bytes of chunk sizes, extensions and trailers for each byte of a body, besides `head_bytes`."""
    body_grace_s: float = 5.0
    """Before that, a body may be slower."""
    linger_s: float = 2.0
    """For a client to read why its connection ends, and to send the rest of a request that was answered early."""
    linger_bytes: int = 1024 * 1024

    @property
    def incomplete(self) -> int:
        """Connections whose request head is incomplete."""
        return max(self.connections // 4, 16)

    @classmethod
    def of(cls, settings: Connections, connections: int | None = None) -> "ServerLimits":
        """From the settings; `connections` where a port has its own setting for them."""
        return cls(
            head_bytes=settings.http_head_bytes,
            head_fields=settings.http_head_fields,
            head_s=settings.http_head_s,
            body_s=settings.http_body_s,
            body_bytes_per_s=settings.http_body_bytes_per_s,
            keep_alive_s=settings.http_keep_alive_s,
            write_s=settings.http_write_s,
            unsent_bytes=settings.http_unsent_bytes,
            connections=connections or settings.http_connections,
            per_address=settings.http_connections_per_address,
            proxies=TrustedProxies.of(settings),
        )

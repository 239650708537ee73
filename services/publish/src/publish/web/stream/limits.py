"""The bounds of the stream."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from publish.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PRIVATE = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7"


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a comma-separated list; ValueError names the one that is none."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts, bytes and seconds that the hub keeps to. 0 connections for each address means no such limit."""

    most_connections: int = 15_000
    per_address: int = 256
    trusted: Sequence[Network] = networks(PRIVATE)
    window_events: int = 10_000
    window_bytes: int = 64 * 1024 * 1024
    buffer_bytes: int = 512 * 1024
    replay_events: int = 2_000
    heartbeat_s: int = 15
    retry_ms: int = 3_000
    catch_up_s: float = 5.0
    snapshot: str = "/v1/updates"

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """As the environment says."""
        return cls(
            most_connections=settings.publish_stream_connections,
            per_address=settings.publish_stream_per_address,
            trusted=networks(settings.publish_stream_trusted_proxies),
            window_events=settings.publish_stream_window_events,
            window_bytes=settings.publish_stream_window_bytes,
            buffer_bytes=settings.publish_stream_buffer_bytes,
            replay_events=settings.publish_stream_replay_events,
            heartbeat_s=settings.publish_stream_heartbeat_s,
            retry_ms=settings.publish_stream_retry_ms,
        )

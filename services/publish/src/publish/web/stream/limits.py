"""The bounds of the stream."""

from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import quote

from publish.representation.position import NEWS
from publish.settings import Settings
from shared.http.proxies import LOOPBACK, TrustedProxies, networks


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Counts, bytes and seconds that the hub keeps to. 0 connections for each address means no such limit."""

    most_connections: int = 15_000
    per_address: int = 256
    proxies: TrustedProxies = field(default_factory=lambda: TrustedProxies(networks(LOOPBACK)))
    window_events: int = 10_000
    window_bytes: int = 64 * 1024 * 1024
    buffer_bytes: int = 512 * 1024
    behind_bytes: int = 256 * 1024 * 1024
    slow_s: float = 5.0
    stalled_s: float = 20.0
    replay_events: int = 2_000
    heartbeat_s: int = 15
    retry_ms: int = 3_000
    catch_up_s: float = 5.0
    fill_s: float = 5.0
    snapshot: str = "/v1/updates"

    def snapshots(self, channels: Collection[str]) -> tuple[str, ...]:
        """Where the snapshots of these channels are."""
        if NEWS in channels or not channels:
            return (self.snapshot,)
        return tuple(f"{self.snapshot}?channel={quote(channel, safe=':')}" for channel in sorted(channels))

    @classmethod
    def of(cls, settings: Settings) -> "StreamLimits":
        """As the environment says."""
        return cls(
            most_connections=settings.publish_stream_connections,
            per_address=settings.publish_stream_per_address,
            proxies=TrustedProxies.of(settings),
            window_events=settings.publish_stream_window_events,
            window_bytes=settings.publish_stream_window_bytes,
            buffer_bytes=settings.publish_stream_buffer_bytes,
            behind_bytes=settings.publish_stream_behind_bytes,
            stalled_s=settings.publish_stream_stalled_s,
            replay_events=settings.publish_stream_replay_events,
            heartbeat_s=settings.publish_stream_heartbeat_s,
            retry_ms=settings.publish_stream_retry_ms,
        )

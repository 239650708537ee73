"""The bounds of the stream."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from publish.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_KNOWN = 10_000

_FOR = re.compile(r'for="?(?:\[([0-9a-fA-F:.]+)\]|([0-9a-fA-F:.]+))', re.IGNORECASE)

PRIVATE = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7"


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a comma-separated list; ValueError names the one that is none."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


class Proxies:
    """The networks whose word about a reader's address is believed."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted
        self._known: dict[str, bool] = {}

    def client(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The address that a request is counted for; None where it is not to be counted.

        A trusted peer speaks for others: the last address in `Forwarded` (RFC 7239) or `X-Forwarded-For` that is not
        trusted itself is the reader's. A trusted peer that names nobody, and one on a Unix socket, is not counted.
        """
        if not peer:
            return None
        if not self._is_trusted(peer):
            return peer
        named: list[str] = []
        for name, value in headers:
            if name == b"x-forwarded-for":
                named.extend(part.strip() for part in value.decode("latin-1").split(","))
            elif name == b"forwarded":
                named.extend(v6 or v4 for v6, v4 in _FOR.findall(value.decode("latin-1")))
        return next((text for text in reversed(named) if not self._is_trusted(text)), None)

    def _is_trusted(self, text: str) -> bool:
        known = self._known.get(text)
        if known is None:
            try:
                address = ipaddress.ip_address(text)
            except ValueError:
                known = False
            else:
                address = getattr(address, "ipv4_mapped", None) or address
                known = any(address in network for network in self._trusted if network.version == address.version)
            if len(self._known) > MOST_KNOWN:
                self._known.clear()
            self._known[text] = known
        return known


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts, bytes and seconds that the hub keeps to. 0 connections for each address means no such limit."""

    most_connections: int = 15_000
    per_address: int = 256
    proxies: Proxies = field(default_factory=lambda: Proxies(networks(PRIVATE)))
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
    snapshot: str = "/v1/updates"

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """As the environment says."""
        return cls(
            most_connections=settings.publish_stream_connections,
            per_address=settings.publish_stream_per_address,
            proxies=Proxies(networks(settings.publish_stream_trusted_proxies)),
            window_events=settings.publish_stream_window_events,
            window_bytes=settings.publish_stream_window_bytes,
            buffer_bytes=settings.publish_stream_buffer_bytes,
            behind_bytes=settings.publish_stream_behind_bytes,
            stalled_s=settings.publish_stream_stalled_s,
            replay_events=settings.publish_stream_replay_events,
            heartbeat_s=settings.publish_stream_heartbeat_s,
            retry_ms=settings.publish_stream_retry_ms,
        )

"""What a reader asks of the stream, and where the request comes from. All of it is hostile until read."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from publish.story import NEWS
from publish.web.stream.event import VIEWS, parse_cursor
from publish.web.stream.limits import Network
from shared.problem import Problem

MOST_CHANNELS = 32
MOST_CHARACTERS = 200

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FOR = re.compile(r'for="?(?:\[([0-9a-fA-F:.]+)\]|([0-9a-fA-F:.]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The channels and the view that a reader follows, and the cursor as given: empty for none."""

    channels: frozenset[str]
    view: str
    cursor: str


def wanted(query: str, last_event_id: str = "") -> Wanted:
    """Read `channels` (comma-separated), `channel` (each as it is), `view` and `cursor`. `Last-Event-ID` wins over `cursor` unless the latter is the newer.

    A browser that reconnects repeats the address it began with, so its cursor there is the older; a page that opens a
    new connection with a fresh cursor has no `Last-Event-ID`.
    """
    try:
        fields = parse_qs(query, max_num_fields=64, errors="replace") if query else {}
    except ValueError as error:
        raise Problem(400, "bad-query", "query: too many fields") from error
    names = [name.strip() for value in fields.get("channels", ()) for name in value.split(",")]
    names.extend(fields.get("channel", ()))
    channels = frozenset(name for name in names if name) or frozenset({NEWS})
    if len(channels) > MOST_CHANNELS:
        raise Problem(400, "too-many-channels", f"channels: at most {MOST_CHANNELS} in one connection")
    if any(len(name) > MOST_CHARACTERS or _CONTROL.search(name) for name in channels):
        raise Problem(400, "bad-channel", f"channels: a name has at most {MOST_CHARACTERS} characters, none of control")
    view = fields.get("view", ["json"])[-1]
    if view not in VIEWS:
        raise Problem(400, "bad-view", f"view: one of {', '.join(VIEWS)}")
    return Wanted(channels, view, _newer(last_event_id, fields.get("cursor", [""])[-1]))


def _newer(header: str, query: str) -> str:
    if not header or not query:
        return header or query
    try:
        return max(header, query, key=parse_cursor)
    except ValueError:
        return header


def client_address(peer: str | None, headers: Iterable[tuple[bytes, bytes]], trusted: Sequence[Network]) -> str | None:
    """The address that a request is counted for; None where it is not to be counted.

    A peer in a trusted network speaks for others: the last address in `Forwarded` or `X-Forwarded-For` that is not
    itself trusted is the reader's. One that names nobody, or a peer on a Unix socket, is not counted.
    """
    if not peer:
        return None
    address = _address(peer)
    if address is None or not _within(address, trusted):
        return peer
    named: list[str] = []
    for name, value in headers:
        if name == b"x-forwarded-for":
            named.extend(part.strip() for part in value.decode("latin-1").split(","))
        elif name == b"forwarded":
            named.extend(v6 or v4 for v6, v4 in _FOR.findall(value.decode("latin-1")))
    for text in reversed(named):
        address = _address(text)
        if address is None:
            return None
        if not _within(address, trusted):
            return str(address)
    return None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted if network.version == address.version)

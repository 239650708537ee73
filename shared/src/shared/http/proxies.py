"""Whose request it is: the client's address, as far as trusted proxies name it.

One header is read, `X-Forwarded-For` or `Forwarded` (RFC 7239), never both: a proxy writes one of them, and a client may have
written the other. In that header, too, only what our own proxies added is trusted, and they add at the end.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from shared.settings import Connections

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

HeaderName = Literal["x-forwarded-for", "forwarded"]

LOOPBACK = "127.0.0.0/8,::1/128"
IPV6_PREFIX = 64
"""A subscriber has at least a /64 (RFC 6177), and may use a new address for each request."""
MAX_CACHED = 10_000
LONGEST_CACHED = 200
"""Bytes of a header whose meaning is kept: of what proxies write; anybody may send more."""

# RFC 7239, section 4. Ports and IPv6 addresses outside of quotes are not allowed there, but are what many proxies write.
_PAIR = re.compile(
    r"""[ \t]*(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s",;]*))[ \t]*""",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<v4>[0-9.]+))(?::[0-9A-Za-z._-]*)?")


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a comma-separated list. ValueError names the invalid one."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def address_of(text: str) -> Address | None:
    """An address as proxies and sockets write it: with or without port, brackets or zone; None for anything else."""
    text = text.strip()
    match = _WITH_PORT.fullmatch(text)
    if match:
        text = match["v6"] or match["v4"] or ""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def count_key(address: Address) -> str:
    """The key under which an address is counted: an IPv4 address itself, an IPv6 address by its /64."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


class TrustedProxies:
    """The networks of our proxies, and the header in which they name the client."""

    def __init__(self, trusted: Sequence[Network] = (), header: HeaderName = "x-forwarded-for") -> None:
        self._trusted = trusted
        self._header = header.encode()
        self._read = _forwarded if header == "forwarded" else _x_forwarded_for
        self._cache: dict[str, tuple[bool, str]] = {}
        self._named: dict[tuple[str, tuple[bytes, ...]], str | None] = {}

    @classmethod
    def of(cls, settings: Connections) -> "TrustedProxies":
        """From the settings."""
        return cls(networks(settings.trusted_proxies), settings.client_address_header)

    def trusts(self, peer: str) -> bool:
        """Whether a peer is one of our proxies. A peer on a Unix socket, which has no address, is."""
        return not peer or self._lookup(peer)[0]

    def peer(self, peer: str) -> str:
        """The key under which a peer's own connections are counted."""
        return self._lookup(peer)[1]

    def named(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The key under which a request is counted; None where a trusted peer names no client.

        The header is read from its end, as long as addresses are those of trusted proxies; the first other address is the
        client's. Where an entry is no address (`unknown`, a pseudonym, garbage), the request counts for the proxy that wrote
        it. So nothing that a client writes exempts it, or makes it count for somebody else.
        """
        if not self.trusts(peer):
            return self.peer(peer)
        values = [value for name, value in headers if name == self._header]
        if not values:
            return None
        key = (peer, tuple(values))
        if key in self._named:
            return self._named[key]
        client = self._client_of(peer, [value.decode("latin-1") for value in values])
        if sum(map(len, values)) <= LONGEST_CACHED:
            if len(self._named) >= MAX_CACHED:
                self._named.clear()
            self._named[key] = client
        return client

    def _client_of(self, peer: str, values: Sequence[str]) -> str | None:
        hop: Address | None = address_of(peer)
        found_any = False
        for text in self._read(values):
            address = address_of(text)
            found_any = True
            if address is None:
                break
            hop = address
            if not self._trusts(address):
                break
        if not found_any:
            return None
        return count_key(hop) if hop is not None else ""

    def client(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """As `named`, but a trusted peer that names no client counts for itself."""
        named = self.named(peer, headers)
        return self.peer(peer) if named is None else named

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted if network.version == address.version)

    def _lookup(self, peer: str) -> tuple[bool, str]:
        known = self._cache.get(peer)
        if known is None:
            address = address_of(peer)
            known = (False, peer) if address is None else (self._trusts(address), count_key(address))
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            self._cache[peer] = known
        return known


def _x_forwarded_for(values: Sequence[str]) -> Iterator[str]:
    """The addresses of `X-Forwarded-For`, the last first; several fields are one list (RFC 9110, section 5.3)."""
    for value in reversed(values):
        rest, comma = value, ","
        while comma:
            rest, comma, last = rest.rpartition(",")
            if last.strip():
                yield last.strip()


def _forwarded(values: Sequence[str]) -> Iterator[str]:
    """The `for` of each element of `Forwarded`, the last first; empty where an element has none or cannot be read."""
    for value in reversed(values):
        yield from reversed(_elements(value))


def _elements(value: str) -> list[str]:
    found: list[str] = []
    node: str | None = None
    at, started = 0, False
    while at < len(value):
        if value[at] in " \t" or value[at] == ";":
            at += 1
        elif value[at] == ",":
            if started:
                found.append(node or "")
            node, started = None, False
            at += 1
        else:
            pair = _PAIR.match(value, at)
            if pair is None or (pair.end() < len(value) and value[pair.end()] not in ",;"):
                # Where this element ends is unclear, so nothing in this field can be relied on.
                return [""]
            if pair["name"].lower() == "for":
                quoted = pair["quoted"]
                value_given = pair["plain"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
                # A parameter comes once (section 4); of two, either may be the client's.
                node = value_given if node is None else ""
            at, started = pair.end(), True
    if started:
        found.append(node or "")
    return found

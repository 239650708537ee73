"""Whose request it is: the client's address, as far as the proxies in front of us can be believed.

One header is read, `X-Forwarded-For` or `Forwarded` (RFC 7239), never both: a proxy writes one of them, and the other is
whatever the client wrote. In that header too only what our own proxies added is believed, and they add at the end.
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
"""One subscriber's line has at least so many bits for itself (RFC 6177), and may take a new address for each request."""
MOST_KNOWN = 10_000

# RFC 7239, section 4. Ports and IPv6 addresses outside of quotes are not allowed there, but are what many proxies write.
_PAIR = re.compile(
    r"""[ \t]*(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s",;]*))[ \t]*""",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<v4>[0-9.]+))(?::[0-9A-Za-z._-]*)?")


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a comma-separated list; ValueError names the one that is none."""
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


def counted_as(address: Address) -> str:
    """What requests from an address are counted under: an IPv4 address itself, of an IPv6 address its /64."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


class TrustedProxies:
    """The networks of the proxies in front of us, and the header in which they name whom they speak for."""

    def __init__(self, trusted: Sequence[Network] = (), header: HeaderName = "x-forwarded-for") -> None:
        self._trusted = trusted
        self._header = header.encode()
        self._read = _forwarded if header == "forwarded" else _x_forwarded_for
        self._known: dict[str, tuple[bool, str]] = {}

    @classmethod
    def of(cls, settings: Connections) -> "TrustedProxies":
        """As the environment says."""
        return cls(networks(settings.trusted_proxies), settings.client_address_header)

    def trusts(self, peer: str) -> bool:
        """Whether a peer is a proxy of ours. One on a Unix socket, which has no address, is."""
        return not peer or self._look_up(peer)[0]

    def peer(self, peer: str) -> str:
        """What a peer's own connections are counted under."""
        return self._look_up(peer)[1]

    def named(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """What a request is counted under; None where a trusted peer speaks for nobody.

        The header is walked from its end as long as it is a trusted proxy that speaks: the first address that is none is the
        client's. Where the walk meets what is no address (`unknown`, a pseudonym, garbage), the request is counted for the
        proxy that wrote it, so that nothing that a client can write takes it out of the count or into another's.
        """
        if not self.trusts(peer):
            return self.peer(peer)
        values = [value.decode("latin-1") for name, value in headers if name == self._header]
        hop: Address | None = address_of(peer)
        somebody = False
        for text in self._read(values):
            address = address_of(text)
            somebody = True
            if address is None:
                break
            hop = address
            if not self._trusts(address):
                break
        if not somebody:
            return None
        return counted_as(hop) if hop is not None else ""

    def client(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """As `named`, but a trusted peer that speaks for nobody is counted for itself."""
        named = self.named(peer, headers)
        return self.peer(peer) if named is None else named

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted if network.version == address.version)

    def _look_up(self, peer: str) -> tuple[bool, str]:
        known = self._known.get(peer)
        if known is None:
            address = address_of(peer)
            known = (False, peer) if address is None else (self._trusts(address), counted_as(address))
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[peer] = known
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
    at, begun = 0, False
    while at < len(value):
        if value[at] in " \t" or value[at] == ";":
            at += 1
        elif value[at] == ",":
            if begun:
                found.append(node or "")
            node, begun = None, False
            at += 1
        else:
            pair = _PAIR.match(value, at)
            if pair is None or (pair.end() < len(value) and value[pair.end()] not in ",;"):
                # Where an element ends is not known any more, so nothing of this field is.
                return [""]
            if pair["name"].lower() == "for":
                quoted = pair["quoted"]
                said = pair["plain"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
                # A parameter comes once (section 4); of two it is not known which our proxy wrote.
                node = said if node is None else ""
            at, begun = pair.end(), True
    if begun:
        found.append(node or "")
    return found

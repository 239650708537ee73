"""Which addresses may be connected to, judged by the address itself, whatever name or notation it came from.

Sources: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890), RFC 6052 (NAT64), RFC 3056 (6to4),
RFC 4380 (Teredo). They are written out, since what the standard library calls global changes between its releases.
"""

import ipaddress

from shared.remembered import remembered

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NO_ADDRESS = "not an address"


def _networks(*texts: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


_LOCAL = {
    "loopback": _networks("127.0.0.0/8", "::1/128"),
    "private": _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "shared by a carrier's customers": _networks("100.64.0.0/10"),
}
"""Networks that an installation may permit."""

_NEVER = {
    "a cloud's metadata service": _networks(
        "169.254.169.254/32", "169.254.170.2/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",
        "fd00:ec2::254/128", "fd20:ce::254/128",
    ),
    "unspecified": _networks("0.0.0.0/8", "::/128"),
    "link-local": _networks("169.254.0.0/16", "fe80::/10"),
    "multicast": _networks("224.0.0.0/4", "ff00::/8"),
    "reserved": _networks(
        "192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64", "2001::/23", "5f00::/16",
        "fec0::/10",
    ),
    "for documentation or benchmarks": _networks(
        "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20",
    ),
}  # fmt: skip

_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


@remembered(4096, 100)
def why_forbidden(address: str, *, allow_private: bool = False) -> str | None:
    """Why an address must not be connected to; None where it may. `allow_private` permits loopback, private and
    carrier-shared addresses, and never more."""
    try:
        parsed: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return NO_ADDRESS
    embedded = _embedded_ipv4(parsed)
    if embedded is not None:
        reason = why_forbidden(str(embedded), allow_private=allow_private)
        return f"{reason}, carried in IPv6" if reason else None
    for kind, networks in _NEVER.items():
        if _within(parsed, networks):
            return kind
    for kind, networks in _LOCAL.items():
        if _within(parsed, networks):
            return None if allow_private else kind
    if parsed.version == 6 and parsed not in _GLOBAL_IPV6:
        return "not a global address"
    return None


def _embedded_ipv4(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to: mapped, compatible, NAT64 or 6to4."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    value = int(address)
    if address in _NAT64 or (address in _COMPATIBLE and value > 0xFFFF):
        return ipaddress.IPv4Address(value & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return ipaddress.IPv4Address((value >> 80) & 0xFFFFFFFF)
    return None


def _within(address: Address, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)

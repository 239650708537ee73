"""Whose request it is, in front of hostile clients and behind honest proxies."""

import pytest

from shared.http.proxies import TrustedProxies, networks
from shared.settings import Connections

TRUSTED = networks("10.0.0.0/8,127.0.0.0/8,2001:db8:ffff::/48")
PROXY = "10.1.2.3"


def xff(*values: str) -> list[tuple[bytes, bytes]]:
    """Header fields as proxies write them."""
    return [(b"x-forwarded-for", value.encode("latin-1")) for value in values]


def forwarded(*values: str) -> list[tuple[bytes, bytes]]:
    """Header fields as RFC 7239 has them."""
    return [(b"forwarded", value.encode("latin-1")) for value in values]


@pytest.mark.parametrize(
    ("peer", "headers", "counted"),
    [
        ("203.0.113.5", xff("198.51.100.1"), "203.0.113.5"),
        (PROXY, xff("198.51.100.1"), "198.51.100.1"),
        (PROXY, xff("6.6.6.6, 198.51.100.1, 10.9.9.9"), "198.51.100.1"),
        (PROXY, xff("6.6.6.6", "198.51.100.1", "10.9.9.9"), "198.51.100.1"),
        (PROXY, xff("6.6.6.6 ,, 198.51.100.1 ,"), "198.51.100.1"),
        (PROXY, xff("198.51.100.1:4711"), "198.51.100.1"),
        (PROXY, xff("[2001:db8::7]:4711"), "2001:db8::/64"),
        (PROXY, xff("2001:db8:0:1::7"), "2001:db8:0:1::/64"),
        (PROXY, xff("::ffff:198.51.100.1"), "198.51.100.1"),
        ("::ffff:10.1.2.3", xff("198.51.100.1"), "198.51.100.1"),
        ("2001:db8:ffff::1", xff("198.51.100.1"), "198.51.100.1"),
        (PROXY, xff("198.51.100.1, 10.3.3.3, unknown"), PROXY),
        (PROXY, xff("198.51.100.1, evil, 10.3.3.3"), "10.3.3.3"),
        (PROXY, xff("10.4.4.4, 10.3.3.3"), "10.4.4.4"),
        (PROXY, xff("198.51.100.1", "x" * 500), PROXY),
        (PROXY, xff("1.2.3.4.5"), PROXY),
        (PROXY, xff("\xff\xfe"), PROXY),
        (PROXY, [], None),
        (PROXY, xff(""), None),
        (PROXY, forwarded("for=198.51.100.1"), None),
        ("", xff("198.51.100.1"), "198.51.100.1"),
        ("", [], None),
    ],
)
def test_x_forwarded_for(peer: str, headers: list[tuple[bytes, bytes]], counted: str | None) -> None:
    """Only trusted peers speak for others; the last address that is none of theirs is the client's; the other header is nothing."""
    assert TrustedProxies(TRUSTED, "x-forwarded-for").named(peer, headers) == counted


@pytest.mark.parametrize(
    ("headers", "counted"),
    [
        (forwarded("for=198.51.100.1"), "198.51.100.1"),
        (forwarded("For=198.51.100.1;Proto=https;by=10.0.0.1"), "198.51.100.1"),
        (forwarded("by=203.0.113.43 ; proto=http ; FOR=198.51.100.1"), "198.51.100.1"),
        (forwarded('for=6.6.6.6, for="[2001:db8:cafe::17]:4711";proto=https'), "2001:db8:cafe::/64"),
        (forwarded('for="198.51.100.1:8080", for=10.3.3.3'), "198.51.100.1"),
        (forwarded("for=198.51.100.1:8080"), "198.51.100.1"),
        (forwarded("for=6.6.6.6", "for=198.51.100.1", "for=10.3.3.3"), "198.51.100.1"),
        (forwarded('for="198\\.51.100.1"'), "198.51.100.1"),
        (forwarded('host="a,for=6.6.6.6;b";for=198.51.100.1'), "198.51.100.1"),
        (forwarded("for=198.51.100.1,,"), "198.51.100.1"),
        (forwarded("for=unknown"), PROXY),
        (forwarded("for=_hidden, for=10.3.3.3"), "10.3.3.3"),
        (forwarded('for="_SEVKISEK:4711"'), PROXY),
        (forwarded("for=198.51.100.1, proto=https"), PROXY),
        (forwarded("for=198.51.100.1;for=6.6.6.6"), PROXY),
        (forwarded('for="6.6.6.6, for=198.51.100.1'), PROXY),
        (forwarded('for="6.6.6.6', "for=198.51.100.1"), "198.51.100.1"),
        (forwarded("for"), PROXY),
        (forwarded("for=a b"), PROXY),
        (forwarded("=;,\x00"), PROXY),
        (forwarded(""), None),
        (xff("198.51.100.1"), None),
    ],
)
def test_forwarded(headers: list[tuple[bytes, bytes]], counted: str | None) -> None:
    """RFC 7239 in any order, case and quotes; what cannot be read counts for the proxy that wrote it, and nobody else."""
    assert TrustedProxies(TRUSTED, "forwarded").named(PROXY, headers) == counted


def test_nobody_escapes_the_count_or_locks_another_out() -> None:
    """Whatever a client writes of itself, what our proxy appends to it decides."""
    proxies = TrustedProxies(TRUSTED)
    for written in ("198.51.100.9", "10.0.0.1", "127.0.0.1", "unknown", '"', ",", "a" * 1000, "2001:db8::1", "::"):
        assert proxies.client(PROXY, xff(f"{written}, 203.0.113.7")) == "203.0.113.7"
        assert proxies.client("203.0.113.7", xff(written)) == "203.0.113.7"


def test_a_peer_is_counted_for_itself_where_it_names_nobody() -> None:
    """A rate is kept for a proxy too; one line of IPv6 is one address."""
    proxies = TrustedProxies(TRUSTED)
    assert proxies.client(PROXY, []) == PROXY
    assert proxies.client("2001:db8::1", []) == proxies.client("2001:db8::2:3", []) == "2001:db8::/64"
    assert proxies.client("fe80::1%eth0", []) == "fe80::/64"


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "everybody", "10.0.0.0/8;127.0.0.1"])
def test_what_is_no_network_is_refused_at_start(wrong: str) -> None:
    """A list of proxies that is misspelt must not silently trust fewer, or more."""
    with pytest.raises(ValueError, match=r"network|address|host bits"):
        Connections(trusted_proxies=wrong)


def test_the_header_is_one_of_two() -> None:
    """Never both, in any case of letters."""
    assert Connections(client_address_header="Forwarded").client_address_header == "forwarded"
    with pytest.raises(ValueError, match="x-forwarded-for"):
        Connections(client_address_header="forwarded,x-forwarded-for")

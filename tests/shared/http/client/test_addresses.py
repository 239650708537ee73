"""Which addresses a wire can make us connect to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.client.addresses import why_forbidden


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "100.100.100.200", "168.63.129.16",
        "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "2001:db8::1", "2001::1", "2001:10::1", "3fff::1", "100::1", "5f00::1", "64:ff9b:1::1", "4000::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
        "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::1",
        "not an address", "",
    ],
)  # fmt: skip
def test_forbidden(address: str) -> None:
    """Nothing that is not a public host is reached, in whatever notation of IPv6 it is carried."""
    assert why_forbidden(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1",
     "2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"],
)  # fmt: skip
def test_permitted(address: str) -> None:
    """Public hosts are reached, through NAT64 too."""
    assert why_forbidden(address) is None


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.5", "192.168.0.9", "100.64.0.1", "fd12::1", "::ffff:127.0.0.1"]
)
def test_private_only_where_it_is_allowed(address: str) -> None:
    """A local installation may permit its own networks."""
    assert why_forbidden(address)
    assert why_forbidden(address, allow_private=True) is None


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "fe80::1",
        "::ffff:169.254.169.254",
    ],
)
def test_metadata_service_is_never_reached(address: str) -> None:
    """Permitting private networks does not open a cloud's metadata service, link-local or multicast."""
    assert why_forbidden(address, allow_private=True)


@given(st.ip_addresses(v=4), st.booleans())
def test_carried_in_ipv6_the_verdict_is_the_same(address: ipaddress.IPv4Address, allow_private: bool) -> None:
    """An IPv4 address is judged alike however IPv6 carries it."""
    bare = why_forbidden(str(address), allow_private=allow_private) is None
    value = int(address)
    mapped = ipaddress.IPv6Address((0xFFFF << 32) | value)
    nat64 = ipaddress.IPv6Address((0x64FF9B << 96) | value)
    six_to_four = ipaddress.IPv6Address((0x2002 << 112) | (value << 80))
    for carried in (mapped, nat64, six_to_four):
        assert (why_forbidden(str(carried), allow_private=allow_private) is None) == bare


@given(st.ip_addresses())
def test_what_is_permitted_is_public_to_the_standard_library_too(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """Our table never permits what Python holds for private, loopback, link-local, multicast or unspecified.

    Left out is what carries an IPv4 address, which is judged by that (above) and by Python's releases differently: newer
    ones call all of 6to4 private.
    """
    if why_forbidden(str(address)) is None and getattr(address, "ipv4_mapped", None) is None:
        carries = any(address in ipaddress.ip_network(each) for each in ("64:ff9b::/96", "2002::/16"))
        assert carries or not (
            address.is_private
            or address.is_loopback
            or address.is_link_local
            or address.is_multicast
            or address.is_unspecified
        )

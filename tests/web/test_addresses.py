"""Which addresses may be reached: every spelling of this machine and every special range is refused."""

from __future__ import annotations

import ipaddress

import pytest

from scraper.web.addresses import is_local_name, is_public, literal_address

LOOPBACK = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "0x7f000001",
    "0X7F000001",
    "0177.0.0.1",
    "017700000001",
    "2130706433",
    "127.255.255.254",
    "::1",
    "[::1]",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "[::ffff:7f00:1]",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:7f00:0001::1",
]
UNSPECIFIED = ["0", "0.0.0.0", "0x0", "00", "::", "[::]", "::ffff:0.0.0.0"]  # noqa: S104 - to be refused, not bound to
SPECIAL = [
    "10.0.0.1",
    "10.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "0xa9fea9fe",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "0xa83f8110",
    "::ffff:168.63.129.16",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:a00:1::",
    "2002:7f00::",
    "100::1",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "134744072",
    "0x08080808",
    "151.101.1.1",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "168.63.129.15",
    "192.167.255.255",
    "223.255.255.254",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("host", LOOPBACK + UNSPECIFIED)
def test_every_spelling_of_this_machine_is_an_address_that_is_refused(host: str) -> None:
    address = literal_address(host)
    assert address is not None
    assert not is_public(address)


@pytest.mark.parametrize("host", SPECIAL)
def test_special_addresses_are_refused(host: str) -> None:
    address = literal_address(host)
    assert address is not None
    assert not is_public(address)


@pytest.mark.parametrize("host", PUBLIC)
def test_ordinary_addresses_are_let_through(host: str) -> None:
    address = literal_address(host)
    assert address is not None
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "017700000001", "127.0.1", "0x7f000001"])
def test_old_spellings_mean_what_resolvers_take_them_for(host: str) -> None:
    assert literal_address(host) == ipaddress.IPv4Address("127.0.0.1")


@pytest.mark.parametrize(
    "host",
    [
        "static.flickr.com",
        "localhost",
        "127.0.0.1.example.org",
        "0x7g.1",
        "256.256.256.256",
        "1.2.3.4.5",
        "é.example",
        "",
    ],
)
def test_names_are_not_addresses(host: str) -> None:
    assert literal_address(host) is None


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LocalHost", True),
        ("localhost.", True),
        ("a.b.localhost", True),
        ("localhost.example.org", False),
        ("notlocalhost", False),
        ("static.flickr.com", False),
        ("", False),
    ],
)
def test_names_that_mean_this_machine(host: str, local: bool) -> None:
    assert is_local_name(host) is local


@pytest.mark.parametrize("address", ["192.0.0.192", "192.0.0.8", "3fff::1"])
def test_newer_special_ranges_are_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))

"""Which network addresses a list found on the net may lead to: public ones only.

A list or a redirect that points into the machine's own network is an attack or a mistake. `ipaddress.is_global` alone
lets several special ranges pass, and addresses inside addresses (IPv4 in IPv6) must be looked through; the ranges are
those of https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 twin.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
_ALSO_SPECIAL: Final = (
    ipaddress.ip_network("192.0.0.0/24"),  # protocol assignments, some clouds' metadata among them
    ipaddress.ip_network("3fff::/20"),  # documentation, newer than some Pythons know
    ipaddress.ip_network("192.88.99.0/24"),  # 6to4 relays, deprecated
    ipaddress.ip_network("168.63.129.16/32"),  # a cloud's own control channel behind a public-looking address
    ipaddress.ip_network("fec0::/10"),  # site-local, deprecated but still routed in places
    ipaddress.ip_network("64:ff9b:1::/48"),  # local-use NAT64
)


def literal_address(host: str) -> Address | None:
    """The address that `host` spells, None where it is a name.

    Old spellings count too, since resolvers take them: `127.1`, `0x7f.1`, `2130706433`.

    >>> literal_address("0x7f.1"), literal_address("[::1]"), literal_address("example.org")
    (IPv4Address('127.0.0.1'), IPv6Address('::1'), None)
    """
    bare = host.strip("[]").partition("%")[0].rstrip(".")
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(bare))
    except (OSError, UnicodeError, ValueError):
        return None


def is_public(address: Address) -> bool:
    """Whether the address is an ordinary one on the public internet, looking through IPv4 inside IPv6."""
    inner = _embedded(address) if isinstance(address, ipaddress.IPv6Address) else None
    if inner is not None:
        return is_public(inner)
    special = any(address in network for network in _ALSO_SPECIAL if network.version == address.version)
    return address.is_global and not (address.is_multicast or address.is_reserved or special)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def is_local_name(host: str) -> bool:
    """Whether the name means this machine by definition (RFC 6761), whatever a resolver says."""
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")

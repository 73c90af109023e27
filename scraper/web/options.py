"""How requests are made: the options that plan, fetch and survey share."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scraper.kinds import FilePath, Flag, Kind, Number, items
from scraper.options import Options, option
from scraper.version import PROJECT_URL, __version__
from scraper.web.proxies import Proxy, parse_proxy

DEFAULT_USER_AGENT: Final = f"scraper/{__version__} (+{PROJECT_URL}; photographs for research)"
LONGEST_TIMEOUT: Final = 3600.0


@dataclass(frozen=True, slots=True)
class ConnectTo:
    """One rule of `--connect-to`, as in curl: requests for host:port go to target_host:target_port instead.

    An empty `host` or a None `port` matches any; an empty target keeps what the URL says.
    """

    host: str
    port: int | None
    target_host: str
    target_port: int | None

    def matches(self, host: str, port: int) -> bool:
        """Whether the rule speaks of this host and port."""
        return self.host in ("", host.lower()) and self.port in (None, port)

    def __str__(self) -> str:
        hosts = (f"[{host}]" if ":" in host else host for host in (self.host, self.target_host))
        host, target = hosts
        return f"{host}:{self.port or ''}:{target}:{self.target_port or ''}"


_RULE: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):([0-9]*):(\[[^\]]*\]|[^:\[\]]*):([0-9]*)")
_LAST_PORT: Final = 65535
_HOST: Final = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE | re.ASCII)


def _is_place(text: str) -> bool:
    """Whether a part of a rule is empty, a name, or an address, which stands in brackets if it is of IPv6."""
    if text.startswith("["):
        try:
            ipaddress.IPv6Address(text.strip("[]"))
        except ValueError:
            return False
        return True
    return not text or _HOST.fullmatch(text) is not None


class ConnectToRules(Kind[tuple[ConnectTo, ...]]):
    """Rules of `--connect-to` by commas; IPv6 addresses stand in brackets."""

    metavar = "RULES"

    def take(self, given: object) -> tuple[ConnectTo, ...]:
        """Read `HOST1:PORT1:HOST2:PORT2[,...]`, or take rules."""
        if isinstance(given, tuple) and all(isinstance(rule, ConnectTo) for rule in given):
            return given
        return tuple(self._rule(rule) for rule in items(given))

    @staticmethod
    def _rule(rule: str) -> ConnectTo:
        match = _RULE.fullmatch(rule)
        if match is None:
            raise ValueError(f"{rule!r} is not HOST1:PORT1:HOST2:PORT2 (any part may be empty)")
        host, port, target_host, target_port = match.groups()
        for number in (port, target_port):
            if number and not 0 < int(number[:9]) <= _LAST_PORT:
                raise ValueError(f"{rule!r}: a port is 1 to {_LAST_PORT}")
        for place in (host, target_host):
            if not _is_place(place):
                raise ValueError(f"{rule!r}: {place!r} is neither a host's name nor an address")
        return ConnectTo(
            host.strip("[]").lower(),
            int(port) if port else None,
            target_host.strip("[]"),
            int(target_port) if target_port else None,
        )

    def text(self, value: tuple[ConnectTo, ...]) -> str:
        """The rules by commas."""
        return ",".join(map(str, value))


def parse_connect_to(text: str) -> tuple[ConnectTo, ...]:
    """Read `HOST1:PORT1:HOST2:PORT2[,...]`.

    Raises:
        ValueError: a rule has another form.
    """
    return ConnectToRules().take(text)


class UserAgent(Kind[str]):
    """What to call ourselves in a header."""

    metavar = "TEXT"

    def take(self, given: object) -> str:
        """Take one line of printable ASCII."""
        text = str(given)
        if not (text.isascii() and text.isprintable() and text.strip()):
            raise ValueError("must be one line of printable ASCII")
        return text


class ProxyAddress(Kind[Proxy]):
    """The address of a proxy."""

    metavar = "URL"

    def take(self, given: object) -> Proxy:
        """Read an address as curl does, or take a proxy."""
        return given if isinstance(given, Proxy) else parse_proxy(str(given))

    def text(self, value: Proxy) -> str:
        """Its address without user name and password, which are shown nowhere."""
        return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions(Options):
    """How requests are made."""

    timeout: float = option(
        30.0, Number(0, LONGEST_TIMEOUT, "seconds", above=True), "seconds a request may take in all, redirects too"
    )
    connect_to: tuple[ConnectTo, ...] = option(
        (), ConnectToRules(), "HOST1:PORT1:HOST2:PORT2[,...], as in curl: connect to the second instead of the first"
    )
    ca_certs: Path | None = option(None, FilePath(Path), "a PEM file of certificates to trust beside the system's")
    proxy: Proxy | None = option(
        None, ProxyAddress(), "address of a proxy, such as http://proxy.example:3128, in place of the environment's"
    )
    allow_private: bool = option(default=False, kind=Flag(), help="let requests go to loopback and private addresses")
    user_agent: str = option(DEFAULT_USER_AGENT, UserAgent(), "what to call ourselves, and how you can be reached")

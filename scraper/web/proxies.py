"""Which proxy a request goes through: what people and their environments write, read as curl reads it.

A scheme may be left out, user names and passwords are percent-encoded, a blank or a slash at the end does no harm
(https://curl.se/docs/manpage.html#-x; https://everything.curl.dev/usingcurl/proxies/env.html). No message and no `repr`
here holds a user name or a password.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from scraper.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXAMPLE: Final = "such as http://proxy.example:3128"
_PORTS: Final = {"http": 80, "https": 443}
_LAST_PORT: Final = 65535
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_UNWRITTEN: Final = re.compile(r"[\s\x00-\x1f\x7f]")
_PLACE: Final = re.compile(r"(?:\[(?P<six>[^\[\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[0-9]*))?")
_NAME: Final = re.compile(r"(?!.{254})[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that requests can go through.

    Attributes:
        scheme: of the connection to it, `http` or `https`.
        host: a name or an address, without brackets.
        port: from 1.
        credentials: user name, colon, password, as they are sent; None where there are none.
        named: the flag or variable that named it.
    """

    scheme: str
    host: str
    port: int
    credentials: bytes | None = field(default=None, repr=False)
    named: str = "--proxy"

    @property
    def url(self) -> str:
        """Its address, without user name and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def authorization(self) -> str | None:
        """The value of its Proxy-Authorization header (RFC 7617), None where it needs none."""
        return None if self.credentials is None else f"Basic {base64.b64encode(self.credentials).decode()}"

    def __str__(self) -> str:
        return self.url if self.credentials is None else self.url.replace("://", "://***@", 1)


def parse_proxy(text: str, named: str = "--proxy") -> Proxy:
    """Read the address of a proxy.

    Args:
        text: `[http[s]://][USER[:PASSWORD]@]HOST[:PORT][/]`, user name and password percent-encoded; without a scheme
            it is http, without a port 80 or, for https, 443.
        named: the flag or variable it comes from.

    Raises:
        ValueError: it is none. The message does not repeat the text, which may hold a password.

    >>> parse_proxy("127.0.0.1:3128 ").url, parse_proxy("http://me:s3%2Fcr3t@proxy.example:3128/").credentials
    ('http://127.0.0.1:3128', b'me:s3/cr3t')
    """
    match = _SCHEME.fullmatch(text.strip())
    scheme, rest = (match[1].lower(), match[2]) if match else ("http", text.strip())
    if scheme.startswith("socks"):
        raise ValueError(
            "names a SOCKS proxy, which cannot be used here: give an HTTP proxy, for instance a Privoxy before it"
        )
    if scheme not in _PORTS:
        raise ValueError(f"must be the address of an HTTP proxy, {_EXAMPLE}; its scheme is neither http nor https")
    if _UNWRITTEN.search(rest):
        raise ValueError(f"must be the address of one proxy, {_EXAMPLE}; a blank inside a password is written %20")
    authority, _, tail = re.sub(r"[?#\\]", "/", rest).partition("/")
    if "@" in tail:
        raise ValueError(
            "has a / ? # or \\ in its user name or password: write these as %2F, %3F, %23 and %5C (and @ as %40)"
        )
    if tail.lower().endswith((".pac", ".dat")):
        raise ValueError(f"names a file that configures proxies; give the address of one itself, {_EXAMPLE}")
    userinfo, at, place = authority.rpartition("@")
    host, port = _place(place)
    return Proxy(scheme, host, port or _PORTS[scheme], _credentials(userinfo) if at else None, named)


def _place(text: str) -> tuple[str, int | None]:
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ValueError(f"must be the address of a proxy, {_EXAMPLE}; an IPv6 address stands in brackets")
    digits = match["port"] or ""
    if digits and not 0 < int(digits[:9]) <= _LAST_PORT:
        raise ValueError(f"has a port that is none: a port is 1 to {_LAST_PORT}")
    return _host(match["name"], match["six"]), int(digits) if digits else None


def _host(name: str | None, six: str | None) -> str:
    if not (name or six):
        raise ValueError(f"names no host; it must be the address of a proxy, {_EXAMPLE}")
    try:
        if name is None:
            return str(ipaddress.IPv6Address(six))
        host = name if name.isascii() else name.encode("idna").decode()
    except (UnicodeError, ValueError):
        host = ""
    if not _NAME.fullmatch(host):
        raise ValueError(f"names a host that is neither a name nor an address; it must be {_EXAMPLE[8:]}, for instance")
    return host


def _credentials(userinfo: str) -> bytes | None:
    if not userinfo:
        return None
    user, _, password = userinfo.partition(":")
    parts = [unquote_to_bytes(part.encode("utf-8", "surrogateescape")) for part in (user, password)]
    if any(map(_CONTROL.search, parts)):
        raise ValueError("has a control character in its user name or password, which cannot be sent")
    return b":".join(parts)


# --- which one --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies of one client, settled once: by the scheme of what is asked for, and whom to ask without one."""

    http: Proxy | None = None
    https: Proxy | None = None
    exempt: tuple[str, ...] = ()

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy for a request to `host`, None where it is asked directly."""
        proxy = self.https if scheme == "https" else self.http
        return None if proxy is None or any(_covers(entry, host, port) for entry in self.exempt) else proxy


def choose_proxies(given: Proxy | None, environ: Mapping[str, str]) -> Proxies:
    """The proxies that an option gives, or else the environment.

    `https_proxy` and `http_proxy` stand for their scheme, `all_proxy` for what has none of its own; lower case goes
    before upper case, and an empty variable is as good as none. `HTTP_PROXY` is passed over in a CGI program, where
    whoever asks can set it (https://httpoxy.org).

    Raises:
        InputError: a variable that would be used names no proxy.
    """
    if given is not None:
        return Proxies(given, given)
    http, https = (_variable(scheme, environ) for scheme in ("http", "https"))
    return Proxies(http, https, _exempt(environ.get("no_proxy") or environ.get("NO_PROXY") or ""))


def _variable(scheme: str, environ: Mapping[str, str]) -> Proxy | None:
    for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"):
        if name == "HTTP_PROXY" and "REQUEST_METHOD" in environ:
            continue
        if (text := environ.get(name, "")).strip():
            try:
                return parse_proxy(text, name)
            except ValueError as error:
                raise InputError(f"the variable {name} {error}; correct it, or unset it to use no proxy") from None
    return None


def _exempt(text: str) -> tuple[str, ...]:
    return tuple(entry.lower() for entry in re.split(r"[\s,]+", text) if entry)


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of `NO_PROXY` speaks of a host: `*`, a domain, an address, or a network such as 10.0.0.0/8.

    >>> _covers(".example.org", "www.example.org", 443), _covers("ample.org", "www.example.org", 443)
    (True, False)
    """
    if entry == "*":
        return True
    bare = host.lower().strip("[]").rstrip(".")
    with_port = re.fullmatch(r"(.*[^:]|\[.*\]):([0-9]{1,5})", entry)
    if with_port and (with_port[1].startswith("[") or ":" not in with_port[1]):
        entry, wanted = with_port[1], int(with_port[2])
        if wanted != port:
            return False
    try:
        return ipaddress.ip_address(bare) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:  # one of them is a name
        domain = entry.removeprefix("*").strip(".")
        return bool(domain) and (bare == domain or bare.endswith("." + domain))

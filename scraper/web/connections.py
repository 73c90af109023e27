"""urllib3's connections with three things added: where to connect, which addresses to refuse, and a deadline."""

from __future__ import annotations

import codecs
import errno
import functools
import http.client
import ipaddress
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from scraper.errors import OptionError, StoppedEarlyError
from scraper.web.addresses import is_public, literal_address
from scraper.web.resolver import Resolver
from scraper.web.targets import BlockedAddressError

if TYPE_CHECKING:
    import io

    from scraper.pacing.deadlines import Deadline
    from scraper.web.gateway import Gateway
    from scraper.web.options import ConnectTo


_WITHOUT_DEADLINE: Final = 30.0
"""Seconds for a connection that no request asked for."""


class Wiring:
    """What all connections of one client share.

    `deadline` is that of the request the calling thread is making; a connection is used by one thread at a time.
    """

    def __init__(self, connect_to: tuple[ConnectTo, ...], *, allow_private: bool) -> None:
        self.connect_to = connect_to
        self.allow_private = allow_private
        self.resolver = Resolver()
        self._local = threading.local()
        codecs.lookup("idna")  # for TLS, which would import it once no descriptor may be left to do so

    @property
    def deadline(self) -> Deadline | None:
        """The deadline of this thread's request."""
        return getattr(self._local, "deadline", None)

    @deadline.setter
    def deadline(self, deadline: Deadline | None) -> None:
        self._local.deadline = deadline

    def rule_for(self, host: str, port: int) -> ConnectTo | None:
        """The first `--connect-to` rule that speaks of this host and port."""
        return next((rule for rule in self.connect_to if rule.matches(host, port)), None)

    def check_rules(self, timeout: float) -> None:
        """Look up the names that `--connect-to` leads to, before anything is asked for.

        Raises:
            OptionError: there is no such name.
            StoppedEarlyError: nobody could say within `timeout` seconds.
        """
        for host in {rule.target_host for rule in self.connect_to if rule.target_host}:
            if literal_address(host) is not None:
                continue
            try:
                self.resolver.resolve(host, timeout)
            except (socket.gaierror, TimeoutError) as error:
                if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME:
                    raise OptionError("connect_to", f"leads to {host}, and there is no such host") from None
                raise StoppedEarlyError(
                    f"--connect-to leads to {host}, which cannot be looked up now: check the network and its name "
                    "servers, then run the same command again"
                ) from error

    def addresses(self, host: str, port: int, timeout: float, *, trusted: bool) -> list[tuple[Any, ...]]:
        """Where to connect for host:port, as (family, socket address).

        A target that the user named (a `--connect-to` rule, a proxy) is trusted. Any other address is checked here,
        after the name was resolved and before a packet is sent, so a name that changes its answer gains nothing.

        Raises:
            BlockedAddressError: every address of the host is one that must not be reached.
        """
        rule = self.rule_for(host, port)
        if rule is not None:
            host, port, trusted = rule.target_host or host, rule.target_port or port, True
        literal = literal_address(host)
        found = (
            ((socket.AF_INET6 if literal.version == 6 else socket.AF_INET, str(literal)),)
            if literal
            else self.resolver.resolve(host, timeout)
        )
        allowed = [
            (family, (address, port))
            for family, address in found
            if trusted or self.allow_private or is_public(ipaddress.ip_address(address.partition("%")[0]))
        ]
        if not allowed:
            raise BlockedAddressError(f"{host} leads to {found[0][1]}, which is not a public address")
        return allowed


class _Lines:
    """The head of an answer as http.client reads it, and the last line that was read."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self.file = file
        self.last = b"\n"

    def readline(self, limit: int = -1) -> bytes:
        self.last = self.file.readline(limit)
        return self.last

    def close(self) -> None:
        self.file.close()


class StrictResponse(http.client.HTTPResponse):
    """http.client's response without two of its leniences, either of which would pass damage for an answer."""

    def begin(self) -> None:
        """Read the head; one that stops before its empty line is a connection that broke, not an answer."""
        lines = _Lines(self.fp)
        self.fp = cast("Any", lines)  # as much of a file as reading a head takes
        try:
            super().begin()
        finally:
            if cast("Any", self.fp) is lines:
                self.fp = lines.file
        if not lines.last:
            raise http.client.RemoteDisconnected("the answer broke off in its head")

    def _read_next_chunk_size(self) -> int:
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]  # there is no public place to look at it
        if size < 0:
            raise http.client.HTTPException("a chunk of negative size")  # would be read to the end, whatever the limit
        return size


class _TunnelResponse(StrictResponse):
    """A proxy's answer to CONNECT, whose status http.client tells in a message only."""

    def __init__(self, heard: list[int], *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._heard = heard

    def _read_status(self) -> tuple[str, int, str]:
        found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # as above
        self._heard.append(found[1])
        return found


class WiredHTTPConnection(HTTPConnection):
    """A plain connection."""

    response_class: Any = StrictResponse
    wiring: ClassVar[Wiring]
    gateway: ClassVar[Gateway | None] = None
    _duplicate: socket.socket | None = None

    def connect(self) -> None:
        """Connect, through the proxy if there is one."""
        if self.gateway is None:
            super().connect()
            return
        with self.gateway.trying(self._seconds()):
            super().connect()
            self.gateway.opened()

    def _seconds(self) -> float:
        deadline = self.wiring.deadline
        return deadline.remaining() if deadline else _WITHOUT_DEADLINE

    def _tunnel(self) -> None:
        heard: list[int] = []
        host = str(self._tunnel_host)  # which is forgotten when the proxy refuses
        self.response_class = functools.partial(_TunnelResponse, heard)
        try:
            super()._tunnel()
        except OSError:
            if self.gateway is not None and heard and heard[0] != http.HTTPStatus.OK:
                self.gateway.refused(heard[0], host)
            raise
        finally:
            del self.response_class
        if self.gateway is not None:
            self.gateway.opened()

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        """Begin a request, under the deadline of the thread that makes it."""
        self._guard()
        super().putrequest(method, url, skip_host=skip_host, skip_accept_encoding=skip_accept_encoding)

    def close(self) -> None:
        """Close the connection and what watches it."""
        super().close()
        duplicate, self._duplicate = self._duplicate, None
        if duplicate is not None:
            deadline = self.wiring.deadline
            if deadline is None or not deadline.adopt(duplicate):
                duplicate.close()

    def _guard(self) -> None:
        if self.wiring.deadline is not None and self._duplicate is not None:
            self.wiring.deadline.watch(self._duplicate)

    def _new_conn(self) -> socket.socket:
        host, seconds = self._dns_host, self._seconds()
        expires = time.monotonic() + seconds
        try:
            addresses = self.wiring.addresses(host, self.port, seconds, trusted=bool(self.proxy))
            sock = self._dial(addresses, expires)
        except socket.gaierror as error:
            raise NameResolutionError(host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection to {host} in time") from error
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise StoppedEarlyError(
                    "too many open files: use fewer --threads, or raise the limit (`ulimit -n 4096`), and run again"
                ) from error
            raise NewConnectionError(self, f"no connection to {host}: {error}") from error
        self._guard()
        return sock

    def _dial(self, addresses: list[tuple[Any, ...]], expires: float) -> socket.socket:
        last: OSError | None = None
        for index, (family, address) in enumerate(addresses):
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                # The time left is shared among the addresses left, so that one that is silent cannot use it all.
                left = max(0.001, expires - time.monotonic())
                sock.settimeout(left / (len(addresses) - index))
                sock.connect(address)
                sock.settimeout(left)
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                self._duplicate = sock.dup()
            except OSError as error:
                sock.close()
                last = error
            else:
                return sock
        raise last or OSError("no address")


class WiredHTTPSConnection(WiredHTTPConnection, HTTPSConnection):
    """A TLS connection; the name in the certificate is the URL's, wherever it is connected to."""


def wire(manager: urllib3.PoolManager, wiring: Wiring, gateway: Gateway | None = None) -> None:
    """Make all connections of `manager` use `wiring`, and tell a proxy's `gateway` how they fare."""
    given = {"wiring": wiring, "gateway": gateway}
    plain = type("HTTPConnection", (WiredHTTPConnection,), given)
    secure = type("HTTPSConnection", (WiredHTTPSConnection,), given)
    manager.pool_classes_by_scheme = {
        "http": type("HTTPConnectionPool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("HTTPSConnectionPool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }

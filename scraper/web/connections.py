"""urllib3's connections with three things added: where to connect, which addresses to refuse, and a deadline."""

from __future__ import annotations

import codecs
import errno
import http.client
import ipaddress
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from scraper.errors import StoppedEarlyError
from scraper.web.addresses import is_public, literal_address
from scraper.web.resolver import Resolver
from scraper.web.targets import BlockedAddressError

if TYPE_CHECKING:
    import io

    from scraper.config import ConnectTo
    from scraper.pacing.deadlines import Deadline


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


class WiredHTTPConnection(HTTPConnection):
    """A plain connection."""

    response_class = StrictResponse
    wiring: ClassVar[Wiring]
    _duplicate: socket.socket | None = None

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
        host, deadline = self._dns_host, self.wiring.deadline
        seconds = deadline.remaining() if deadline else _WITHOUT_DEADLINE
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


def wire(manager: urllib3.PoolManager, wiring: Wiring) -> None:
    """Make all connections of `manager` use `wiring`."""
    http = type("HTTPConnection", (WiredHTTPConnection,), {"wiring": wiring})
    https = type("HTTPSConnection", (WiredHTTPSConnection,), {"wiring": wiring})
    manager.pool_classes_by_scheme = {
        "http": type("HTTPConnectionPool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": http}),
        "https": type("HTTPSConnectionPool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": https}),
    }

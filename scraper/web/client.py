"""One bounded GET, redirects followed, to a `Reply` value. Failures are values: `failures` sorts the exceptions."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import http.client
import os
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import HTTPError

from scraper.flickr import is_placeholder_url
from scraper.model import Outcome
from scraper.pacing.deadlines import Watchdog
from scraper.records import Hop, Reply
from scraper.texts import one_line
from scraper.urls import LONGEST_URL
from scraper.web.bodies import Streamed, Whole
from scraper.web.connections import Wiring, wire
from scraper.web.failures import failure_of
from scraper.web.gateway import Gateway
from scraper.web.proxies import choose_proxies
from scraper.web.targets import parse_target
from scraper.web.trust import make_context

if TYPE_CHECKING:
    from scraper.pacing.deadlines import Deadline
    from scraper.pacing.room import Lease
    from scraper.web.bodies import Body, Sink
    from scraper.web.options import NetworkOptions
    from scraper.web.proxies import Proxy
    from scraper.web.targets import Target

MOST_HOPS: Final = 8
MOST_HOSTS: Final = 48
"""Hosts whose idle connections are kept; Flickr's photos are on some twenty-five."""
_PROXY_REFUSES: Final = http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_DRAINED: Final = 64 * 1024
"""Bytes of an unwanted body that are read so as to keep its connection; a new TLS connection costs more."""
_DRAIN_SECONDS: Final = 1.0
_LONGEST_TYPE: Final = 200
"""Characters of a header that are kept, and of a redirect that is followed."""
_LONGEST_WAIT: Final = 366 * 86400.0
"""Seconds beyond which a Retry-After says nothing more."""


@dataclass(slots=True)
class _Pool:
    """The connections to one host, whether requests name the whole URL, and how many requests use it now."""

    pool: urllib3.HTTPConnectionPool
    gateway: Gateway | None
    absolute: bool
    users: int = 0


@dataclass(frozen=True, slots=True)
class _Way:
    """How requests leave: directly, or through a proxy."""

    manager: urllib3.PoolManager
    gateway: Gateway | None = None


class Client:
    """Makes GET requests for many threads over kept-alive connections. `close` ends those under way."""

    def __init__(self, options: NetworkOptions, *, threads: int) -> None:
        """Make a client for up to `threads` requests at once.

        Raises:
            InputError: the proxies, the certificates or the rules of where to connect cannot be used.
            StoppedEarlyError: it cannot be told whether the rules can.
        """
        self._options = options
        self._proxies = choose_proxies(options.proxy, os.environ)
        self._ssl = make_context(options.ca_certs, os.environ)
        self._wiring = Wiring(options.connect_to, allow_private=options.allow_private)
        self._wiring.check_rules(options.timeout)
        self._watchdog = Watchdog()
        self._headers = {
            "User-Agent": options.user_agent,
            "Accept": "image/*,*/*;q=0.5",
            "Accept-Encoding": "identity",
        }
        self._lock = threading.Lock()
        self._ways: dict[Proxy | None, _Way] = {}
        self._pools: dict[tuple[str, str, int], _Pool] = {}
        self._threads = threads

    @property
    def timeout(self) -> float:
        """Seconds that a request may take in all."""
        return self._options.timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the requests under way, which come back as failures, and close all connections."""
        self._watchdog.close()
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
            for way in self._ways.values():
                way.manager.clear()
        for known in pools:  # clearing a manager only forgets its pools
            known.pool.close()

    def get(self, url: str, *, max_bytes: int, ranged: bool = False, lease: Lease | None = None) -> Reply:
        """GET `url` and follow its redirects, all within the options' timeout.

        Args:
            url: an http or https URL.
            max_bytes: the largest body to keep, in bytes.
            ranged: ask for the first `max_bytes` bytes only; of a host that sends more, the start is kept.
            lease: taken for the bytes of a large body before they are read.
        """
        return self._within(url, Whole(max_bytes, ranged, lease))

    def download(self, url: str, sink: Sink, *, start: int = 0, validator: str | None = None) -> Reply:
        """GET `url` and follow its redirects, and hand the body to `sink` as it comes, whatever its size.

        The options' timeout bounds what comes before the body, and then every wait for some more of it.

        Args:
            url: an http or https URL.
            sink: takes the body in, of answers of 200 and 206.
            start: bytes of it that are there already.
            validator: of the version that they are of, as `Part` had it; without, all is asked for.
        """
        return self._within(url, Streamed(sink, start, validator, self._options.timeout))

    def _within(self, url: str, wanted: Body) -> Reply:
        deadline = self._watchdog.start(self._options.timeout)
        self._wiring.deadline = deadline
        try:
            return self._follow(url, wanted, deadline)
        finally:
            deadline.finish()
            self._wiring.deadline = None

    def _follow(self, url: str, wanted: Body, deadline: Deadline) -> Reply:
        hops: list[Hop] = []
        while True:
            reply, location = self._once(url, wanted, deadline)
            if location is None:
                return _arrived(reply, hops) if hops else reply
            hops.append(Hop(reply.url, reply.status or 0, location[: LONGEST_URL + 1]))
            if is_placeholder_url(location):
                # The name says all there is to say of the photo; the picture itself need not be asked for.
                return replace(reply, url=location, hops=tuple(hops))
            problem = _redirect_problem(hops)
            if problem is not None:
                return replace(reply, hops=tuple(hops), failure=Outcome.REDIRECT_ERROR, error=problem)
            url = location

    def _once(self, url: str, wanted: Body, deadline: Deadline) -> tuple[Reply, str | None]:
        """One request: the reply, and the URL it redirects to if it does."""
        reply = Reply(url)
        response: urllib3.BaseHTTPResponse | None = None
        location: str | None = None
        try:
            target = parse_target(url, allow_private=self._options.allow_private)
            reply = Reply(target.url)
            response = self._send(target, wanted, deadline)
            reply = _head(target.url, response)
            location = _location(reply, response.headers.get("Location"))
            if reply.status in (200, 206):
                reply = wanted.take(reply, response, deadline)
            elif reply.failure is None:
                rest = self._drain(response, deadline)
                reply = replace(reply, body=rest, received=len(rest))
        except Exception as error:  # noqa: BLE001 - every failure is a value; `failure_of` sorts them by type
            outcome, message = failure_of(error)
            reply = replace(reply, failure=outcome, error=message)
        if response is not None:
            # An unread rest would be taken for the next answer: such a connection is closed, not kept.
            (response.release_conn if response.closed else response.close)()
        if deadline.expired and (reply.status in (None, 200, 206) or location is not None):
            # A socket shut down by the watchdog can look like a clean end of the body.
            message = f"{wanted.late} within {self._options.timeout:g} s"
            return replace(reply, failure=Outcome.TIMEOUT, error=message, body=b""), None
        return reply, location

    def _drain(self, response: urllib3.BaseHTTPResponse, deadline: Deadline) -> bytes:
        """Read a body that is no picture, so that its connection can serve again.

        The answer stands whatever becomes of it: it is given little time, and its failures are of no interest.
        """
        declared = response.headers.get("Content-Length", "").strip()
        if declared.isdigit() and int(declared[:12]) > _DRAINED:
            return b""
        short = self._watchdog.start(min(_DRAIN_SECONDS, deadline.remaining() / 4))
        try:
            short.share(deadline)
            return response.read(_DRAINED + 1)
        except (HTTPError, http.client.HTTPException, OSError, ValueError):
            response.close()
            return b""
        finally:
            short.finish()

    def _send(self, target: Target, wanted: Body, deadline: Deadline) -> urllib3.BaseHTTPResponse:
        known = self._borrow_pool(target)
        try:
            response = self._open(known.pool, target.url if known.absolute else target.path, wanted, deadline)
            if known.gateway is not None and known.absolute and response.status == _PROXY_REFUSES:
                response.close()
                known.gateway.refused(response.status, target.host)
            return response
        finally:
            with self._lock:
                known.users -= 1

    def _open(
        self, pool: urllib3.HTTPConnectionPool, path: str, wanted: Body, deadline: Deadline
    ) -> urllib3.BaseHTTPResponse:
        left = deadline.remaining()
        return pool.urlopen(
            "GET",
            path,
            headers=self._headers | wanted.headers,
            timeout=urllib3.Timeout(connect=left, read=left),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            assert_same_host=False,
        )

    def _borrow_pool(self, target: Target) -> _Pool:
        """The pool for the target's host, with the caller among its users."""
        key = (target.scheme, target.host, target.port)
        with self._lock:
            known = self._pools.pop(key, None) or self._make_pool(target)
            self._pools[key] = known  # the last place: most recently used
            known.users += 1
            idle = self._take_idle()
        if idle is not None:
            idle.close()
        return known

    def _make_pool(self, target: Target) -> _Pool:
        way = self._way_to(target)
        pool = way.manager.connection_from_host(target.host, target.port, target.scheme)
        return _Pool(pool, way.gateway, absolute=way.gateway is not None and target.scheme == "http")

    def _take_idle(self) -> urllib3.HTTPConnectionPool | None:
        """The pool unused for the longest time, where there are too many: each idle connection is an open file."""
        if len(self._pools) <= MOST_HOSTS:
            return None
        key = next((key for key, known in self._pools.items() if not known.users), None)
        if key is None:
            return None
        for way in self._ways.values():
            way.manager.clear()  # which forgets pools without closing them; those in use live on here
        return self._pools.pop(key).pool

    def _way_to(self, target: Target) -> _Way:
        if self._wiring.rule_for(target.host, target.port) is not None:
            proxy = None  # `--connect-to` says where to connect, and a proxy would say otherwise
        else:
            proxy = self._proxies.proxy_for(target.scheme, target.host, target.port)
        if proxy not in self._ways:
            self._ways[proxy] = self._make_way(proxy)
        return self._ways[proxy]

    def _make_way(self, proxy: Proxy | None) -> _Way:
        # num_pools: more than the hosts of any list, since a pool that is pushed out closes its connections.
        settings: dict[str, Any] = {
            "num_pools": 4096,
            "maxsize": self._threads,
            "block": False,
            "ssl_context": self._ssl,
        }
        if proxy is None:
            way = _Way(urllib3.PoolManager(**settings))
        else:
            # The password goes into a header alone: whatever shows the proxy's URL cannot show it.
            headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else None
            manager = urllib3.ProxyManager(proxy.url, proxy_headers=headers, proxy_ssl_context=self._ssl, **settings)
            way = _Way(manager, Gateway(proxy))
        wire(way.manager, self._wiring, way.gateway)
        return way


def _head(url: str, response: urllib3.BaseHTTPResponse) -> Reply:
    headers = response.headers
    kind = headers.get("Content-Type")
    # 101 to 103 come back as if final; what follows them on the connection is not a body.
    final = response.status >= 200
    return Reply(
        url,
        status=response.status,
        content_type=None if kind is None else one_line(kind, _LONGEST_TYPE),
        retry_after=parse_retry_after(headers.get("Retry-After")),
        robots=tuple(headers.getlist("X-Robots-Tag")),
        failure=None if final else Outcome.PROTOCOL_ERROR,
        error=None if final else f"status {response.status} is not a final answer",
    )


def _location(reply: Reply, raw: str | None) -> str | None:
    """Where a redirect points, made absolute; None where the answer is no redirect."""
    if reply.status not in _REDIRECTS or raw is None:
        return None
    # http.client decodes headers as Latin-1; other bytes in a Location are meant as UTF-8.
    with contextlib.suppress(UnicodeDecodeError):
        raw = raw.encode("latin-1").decode("utf-8")
    try:
        return urljoin(reply.url, raw.strip())
    except ValueError:
        return raw.strip()


def _arrived(reply: Reply, hops: list[Hop]) -> Reply:
    """A reply at the end of redirects; where they lead to what is no URL, it is the redirect that is bad."""
    bad = reply.failure is Outcome.BAD_URL
    return replace(reply, hops=tuple(hops), failure=Outcome.REDIRECT_ERROR if bad else reply.failure)


def _redirect_problem(hops: list[Hop]) -> str | None:
    if len(hops[-1].location) > LONGEST_URL:
        return f"a redirect to a URL of more than {LONGEST_URL} characters"
    if len(hops) > MOST_HOPS:
        return f"more than {MOST_HOPS} redirects"
    if hops[-1].location in {hop.url for hop in hops}:
        return "a redirect loop"
    return None


def parse_retry_after(value: str | None, *, now: float | None = None) -> float | None:
    """Seconds that a Retry-After header asks to wait, as a number or a date (RFC 9110, 10.2.3).

    Returns None where there is none or it cannot be read; never more than a year.

    >>> parse_retry_after("120"), parse_retry_after("soon"), parse_retry_after("-5")
    (120.0, None, None)
    >>> parse_retry_after("Thu, 01 Jan 1970 00:01:00 GMT", now=30)
    30.0
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text.lstrip("0")[:12] or "0"), _LONGEST_WAIT)
    try:
        date = email.utils.parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=dt.UTC)
    seconds = date.timestamp() - (time.time() if now is None else now)
    return min(max(0.0, seconds), _LONGEST_WAIT)

"""Servers that do everything wrong, over real sockets: each ends as the right outcome, in time, and harms nothing.

All the cases run at once through one client; the tests then look at what became of each.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import gzip
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import pytest
import trustme

from scraper.model import Outcome
from scraper.pictures.judge import Rules, judge
from scraper.web.client import Client
from scraper.web.options import NetworkOptions, parse_connect_to
from tests.command import Scraper, check
from tests.standin import Fate, StandIn, World, photos

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scraper.records import Reply
    from tests.standin import Handler, Request, Wire

# Where a reset comes between connecting and the handshake, Python leaves closing the socket to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")

TENCH: Final = "n01440764"
TIMEOUT: Final = 2.5
LABORIOUS: Final = ("chunks-of-one", "headers-of-5-megabytes")
"""Answers that are much work, which takes a busy machine longer than that."""
GENEROUS: Final = 60.0
"""Seconds: far above TIMEOUT, to tell a hang from a busy machine."""
MOST: Final = 2_000_000
PHOTO: Final = photos.photo("1234567_hostile.jpg")
WHOLE: Final = b"Content-Length: %d" % len(PHOTO)
MEMORY: Final = 200_000
"""Kilobytes that a process of ours may come to use, the interpreter and its libraries included."""

# --- scripts ---------------------------------------------------------------------------------------------------------


def head(*lines: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer's head."""
    return b"\r\n".join((b"HTTP/1.1 " + status, *lines, b"", b""))


def says(*pieces: bytes) -> Handler:
    """Sends the pieces and closes in good order."""

    async def script(_: Request, wire: Wire) -> None:
        for piece in pieces:
            wire.write(piece)
            await wire.flush()
        wire.close()

    return script


def resets(*pieces: bytes) -> Handler:
    """Sends the pieces and resets the connection."""

    async def script(_: Request, wire: Wire) -> None:
        for piece in pieces:
            wire.write(piece)
        await wire.sleep(0.1)  # a reset throws away what has not arrived
        wire.abort()

    return script


def silent(*pieces: bytes) -> Handler:
    """Sends the pieces and then nothing more."""

    async def script(_: Request, wire: Wire) -> None:
        for piece in pieces:
            wire.write(piece)
        await wire.wait_closed()

    return script


def drips(start: bytes, rest: bytes) -> Handler:
    """Sends the start at once and the rest again and again, byte by byte."""

    async def script(_: Request, wire: Wire) -> None:
        wire.write(start)
        while not wire.closed:
            for value in rest:
                wire.write(bytes((value,)))
                await wire.sleep(0.02)

    return script


def endless(start: bytes, piece: bytes) -> Handler:
    """Sends the start and then the piece as fast as the client takes it."""
    many = piece * max(1, 65536 // len(piece))

    async def script(_: Request, wire: Wire) -> None:
        wire.write(start)
        while not wire.closed:
            wire.write(many)
            await wire.flush()
            await wire.sleep(0.001)  # there are others to serve

    return script


def keeps(*pieces: bytes) -> Handler:
    """Sends the pieces and waits for the next request."""

    async def script(_: Request, wire: Wire) -> None:
        for piece in pieces:
            wire.write(piece)

    return script


def redirects(location: bytes, status: bytes = b"302 Found") -> Handler:
    """Sends elsewhere."""
    return keeps(head(b"Location: " + location, b"Content-Length: 0", status=status))


def chunked(*chunks: bytes) -> bytes:
    """A chunked body without its end."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def year_from_now(days: int) -> bytes:
    """An HTTP date."""
    when = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    return email.utils.format_datetime(when, usegmt=True).encode()


# --- the cases -------------------------------------------------------------------------------------------------------

CHUNKED: Final = b"Transfer-Encoding: chunked"
LAST: Final = b"0\r\n\r\n"
HALF: Final = PHOTO[: len(PHOTO) // 2]
FLATE: Final = zlib.compress(b"\0" * 50_000_000)
GZIP: Final = gzip.compress(b"\0" * 50_000_000)

ANSWERS: Final[dict[str, tuple[Handler, Outcome]]] = {
    # time
    "body-drip": (drips(head(WHOLE), b"x"), Outcome.TIMEOUT),
    "body-drip-without-length": (drips(head(), b"x"), Outcome.TIMEOUT),
    "body-drip-before-close": (drips(head(WHOLE, b"Connection: close"), b"x"), Outcome.TIMEOUT),
    "body-drip-in-chunk-before-close": (
        drips(head(CHUNKED, b"Connection: close") + b"ffff\r\n", b"x"),
        Outcome.TIMEOUT,
    ),
    "chunk-drip": (drips(head(CHUNKED), b"1\r\nx\r\n"), Outcome.TIMEOUT),
    "chunk-size-drip": (drips(head(CHUNKED), b"0"), Outcome.TIMEOUT),
    "chunk-extension-drip": (drips(head(CHUNKED) + b"5;", b"x"), Outcome.TIMEOUT),
    "header-drip": (drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"), Outcome.TIMEOUT),
    "status-drip": (drips(b"HTTP/1.1 ", b"2"), Outcome.TIMEOUT),
    "silence-after-request": (silent(), Outcome.TIMEOUT),
    "silence-in-status": (silent(b"HTTP/1.1 2"), Outcome.TIMEOUT),
    "silence-in-head": (silent(b"HTTP/1.1 200 OK\r\nContent-"), Outcome.TIMEOUT),
    "silence-after-head": (silent(head(WHOLE)), Outcome.TIMEOUT),
    "silence-without-length": (silent(head()), Outcome.TIMEOUT),
    "silence-in-body-without-length": (silent(head(), HALF), Outcome.TIMEOUT),
    "silence-in-body": (silent(head(WHOLE), HALF), Outcome.TIMEOUT),
    "silence-in-chunk": (silent(head(CHUNKED), b"ffff\r\nxx"), Outcome.TIMEOUT),
    "silence-before-last-chunk": (silent(head(CHUNKED), chunked(PHOTO)), Outcome.TIMEOUT),
    "silence-after-100": (silent(head(status=b"100 Continue")), Outcome.TIMEOUT),
    "flood-of-100": (endless(b"", head(status=b"100 Continue")), Outcome.TIMEOUT),
    "drip-of-100": (drips(b"", head(status=b"100 Continue")), Outcome.TIMEOUT),
    "endless-trailers": (endless(head(CHUNKED) + chunked(PHOTO) + b"0\r\n", b"X-More: yes\r\n"), Outcome.TIMEOUT),
    "trailer-drip": (drips(head(CHUNKED) + chunked(PHOTO) + b"0\r\n", b"X: y\r\n"), Outcome.TIMEOUT),
    # size
    "endless-body": (endless(head(), b"x" * 1000), Outcome.TOO_LARGE),
    "endless-chunks": (endless(head(CHUNKED), chunked(b"x" * 1000)), Outcome.TOO_LARGE),
    "endless-small-chunks": (endless(head(CHUNKED), chunked(b"\xff\xd8" * 100)), Outcome.TOO_LARGE),
    "huge-chunk": (endless(head(CHUNKED) + b"ffffffffffffffffffff\r\n", b"x" * 1000), Outcome.TOO_LARGE),
    "endless-headers": (endless(b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n"), Outcome.PROTOCOL_ERROR),
    "endless-header-line": (endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 1000), Outcome.PROTOCOL_ERROR),
    "endless-status-line": (endless(b"HTTP/1.1 200 ", b"x" * 1000), Outcome.PROTOCOL_ERROR),
    "endless-100-headers": (endless(b"HTTP/1.1 100 Continue\r\n", b"X-More: yes\r\n"), Outcome.PROTOCOL_ERROR),
    "many-headers": (says(head(WHOLE, *[b"X: y"] * 200), PHOTO), Outcome.PROTOCOL_ERROR),
    "some-headers": (says(head(WHOLE, *[b"X: y"] * 90), PHOTO), Outcome.SAVED),
    "long-header": (says(head(WHOLE, b"X: " + b"y" * 66_000), PHOTO), Outcome.PROTOCOL_ERROR),
    "headers-of-5-megabytes": (says(head(WHOLE, *[b"X: " + b"y" * 65_000] * 80), PHOTO), Outcome.SAVED),
    "length-huge": (silent(head(b"Content-Length: 1000000000000")), Outcome.TOO_LARGE),
    "length-just-over": (silent(head(b"Content-Length: %d" % (MOST + 1))), Outcome.TOO_LARGE),
    "length-of-4000-digits": (silent(head(b"Content-Length: " + b"9" * 4000)), Outcome.TOO_LARGE),
    "bomb-gzip": (says(head(b"Content-Encoding: gzip"), GZIP), Outcome.NOT_IMAGE),
    "bomb-gzip-chunked": (says(head(b"Content-Encoding: gzip", CHUNKED), chunked(GZIP), LAST), Outcome.NOT_IMAGE),
    "bomb-deflate": (says(head(b"Content-Encoding: deflate"), FLATE), Outcome.NOT_IMAGE),
    "bomb-br": (says(head(b"Content-Encoding: br"), b"\xcf\xff\xff\x7f\xf8" * 1000), Outcome.NOT_IMAGE),
    "bomb-zstd": (says(head(b"Content-Encoding: zstd"), b"\x28\xb5\x2f\xfd" * 1000), Outcome.NOT_IMAGE),
    "bomb-twice": (says(head(b"Content-Encoding: gzip, gzip"), gzip.compress(GZIP)), Outcome.NOT_IMAGE),
    "bomb-transfer": (says(head(b"Transfer-Encoding: gzip"), GZIP), Outcome.NOT_IMAGE),
    # lengths that lie
    "length-too-long": (says(head(b"Content-Length: %d" % (len(PHOTO) + 1)), PHOTO), Outcome.CONNECTION_ERROR),
    "length-too-short": (says(head(b"Content-Length: 1000"), PHOTO), Outcome.TRUNCATED),
    "length-zero": (says(head(b"Content-Length: 0"), PHOTO), Outcome.NOT_IMAGE),
    "length-negative": (says(head(b"Content-Length: -1"), PHOTO), Outcome.SAVED),
    "length-very-negative": (says(head(b"Content-Length: -1000000"), HALF), Outcome.TRUNCATED),
    "length-garbage": (says(head(b"Content-Length: many"), PHOTO), Outcome.SAVED),
    "length-garbage-endless": (endless(head(b"Content-Length: many"), b"x" * 1000), Outcome.TOO_LARGE),
    "length-negative-endless": (endless(head(b"Content-Length: -1"), b"x" * 1000), Outcome.TOO_LARGE),
    "length-float": (says(head(b"Content-Length: 1e3"), PHOTO), Outcome.SAVED),
    "length-hex": (says(head(b"Content-Length: 0x10"), PHOTO), Outcome.SAVED),
    "length-superscript": (says(head(b"Content-Length: \xb2\xb3"), PHOTO), Outcome.SAVED),
    "length-empty": (says(head(b"Content-Length:"), PHOTO), Outcome.SAVED),
    "length-twice-the-same": (says(head(WHOLE, WHOLE), PHOTO), Outcome.SAVED),
    "length-twice-different": (says(head(WHOLE, b"Content-Length: 10"), PHOTO), Outcome.PROTOCOL_ERROR),
    "length-list-different": (says(head(WHOLE + b", 10"), PHOTO), Outcome.PROTOCOL_ERROR),
    "no-length-cut": (says(head(), HALF), Outcome.TRUNCATED),
    "no-length-whole": (says(head(), PHOTO), Outcome.SAVED),
    # chunks
    "chunks": (says(head(CHUNKED), chunked(PHOTO[:9], PHOTO[9:]), LAST), Outcome.SAVED),
    "chunks-of-one": (
        says(head(CHUNKED), *[b"1\r\n%c\r\n" % value for value in PHOTO[:3000]], LAST),
        Outcome.TRUNCATED,
    ),
    "chunk-trailers": (says(head(CHUNKED), chunked(PHOTO), b"0\r\nX: y\r\n\r\n"), Outcome.SAVED),
    "chunk-last-missing": (says(head(CHUNKED), chunked(PHOTO)), Outcome.CONNECTION_ERROR),
    "chunk-cut": (says(head(CHUNKED), b"ffff\r\nabc"), Outcome.CONNECTION_ERROR),
    "chunk-negative": (says(head(CHUNKED), b"-5\r\nhello\r\n", LAST), Outcome.PROTOCOL_ERROR),
    "chunk-empty-size": (says(head(CHUNKED), b"\r\nhello\r\n", LAST), Outcome.CONNECTION_ERROR),
    "chunk-garbage": (says(head(CHUNKED), b"zz\r\nhello\r\n", LAST), Outcome.CONNECTION_ERROR),
    "chunk-second-garbage": (says(head(CHUNKED), chunked(HALF), b"zz\r\n", HALF), Outcome.CONNECTION_ERROR),
    "chunk-long-size": (says(head(CHUNKED), b"0" * 70_000 + b"\r\n", LAST), Outcome.PROTOCOL_ERROR),
    "chunk-very-long-size": (endless(head(CHUNKED), b"f" * 1000), Outcome.PROTOCOL_ERROR),
    # endings
    "closed-after-request": (says(), Outcome.CONNECTION_ERROR),
    "closed-in-status": (says(b"HTTP/1."), Outcome.PROTOCOL_ERROR),
    "closed-in-body": (says(head(WHOLE), HALF), Outcome.CONNECTION_ERROR),
    "reset-after-request": (resets(), Outcome.CONNECTION_ERROR),
    "reset-after-head": (resets(head(WHOLE)), Outcome.CONNECTION_ERROR),
    "reset-in-body": (resets(head(WHOLE), HALF), Outcome.CONNECTION_ERROR),
    "reset-in-chunk": (resets(head(CHUNKED), b"ffff\r\nabc"), Outcome.CONNECTION_ERROR),
    "reset-before-last-chunk": (resets(head(CHUNKED), chunked(PHOTO)), Outcome.CONNECTION_ERROR),
    # status lines
    "status-http09": (says(PHOTO), Outcome.PROTOCOL_ERROR),
    "status-garbage": (says(b"\x00\x01\x02 what?\r\n\r\n"), Outcome.PROTOCOL_ERROR),
    "status-of-ftp": (says(b"220 ready\r\n"), Outcome.PROTOCOL_ERROR),
    "status-of-ssh": (says(b"SSH-2.0-OpenSSH_9.6\r\n"), Outcome.PROTOCOL_ERROR),
    "status-empty-line": (says(b"\r\n\r\n\r\n"), Outcome.PROTOCOL_ERROR),
    "status-letters": (says(head(WHOLE, status=b"abc OK"), PHOTO), Outcome.PROTOCOL_ERROR),
    "status-negative": (says(head(WHOLE, status=b"-200 OK"), PHOTO), Outcome.PROTOCOL_ERROR),
    "status-zero": (says(head(WHOLE, status=b"000 OK"), PHOTO), Outcome.PROTOCOL_ERROR),
    "status-1000": (says(head(WHOLE, status=b"1000 OK"), PHOTO), Outcome.PROTOCOL_ERROR),
    "status-999": (says(head(WHOLE, status=b"999 Denied"), PHOTO), Outcome.BAD_STATUS),
    "status-600": (says(head(WHOLE, status=b"600 Odd"), PHOTO), Outcome.BAD_STATUS),
    "status-http2": (says(b"HTTP/2.0 200 OK\r\n\r\n"), Outcome.PROTOCOL_ERROR),
    "status-without-reason": (says(head(WHOLE, status=b"200"), PHOTO), Outcome.SAVED),
    "status-204": (says(head(status=b"204 No Content")), Outcome.BAD_STATUS),
    "status-206": (says(head(WHOLE, status=b"206 Partial Content"), PHOTO), Outcome.BAD_STATUS),
    "status-304": (says(head(status=b"304 Not Modified")), Outcome.BAD_STATUS),
    "status-101": (silent(head(b"Upgrade: h2c", status=b"101 Switching Protocols")), Outcome.PROTOCOL_ERROR),
    "status-102": (silent(head(status=b"102 Processing")), Outcome.PROTOCOL_ERROR),
    "status-103": (says(head(status=b"103 Early Hints"), head(WHOLE), PHOTO), Outcome.PROTOCOL_ERROR),
    "status-199": (silent(head(status=b"199 Odd")), Outcome.PROTOCOL_ERROR),
    "status-100-then-200": (says(head(status=b"100 Continue") * 20, head(WHOLE), PHOTO), Outcome.SAVED),
    # bodies nobody wants
    "error-endless": (endless(head(status=b"500 Oops"), b"x" * 1000), Outcome.SERVER_ERROR),
    "gone-endless": (endless(head(status=b"404 Not Found"), b"x" * 1000), Outcome.GONE),
    "gone-huge-length": (silent(head(b"Content-Length: 99999999", status=b"404 Not Found")), Outcome.GONE),
    "throttled-endless": (endless(head(status=b"429 Slow Down"), b"x" * 1000), Outcome.THROTTLED),
    # redirects
    "redirect-endless": (
        endless(head(b"Location: http://good.example.com/", status=b"302 F"), b"x" * 99),
        Outcome.SAVED,
    ),
    "redirect-huge": (
        silent(head(b"Location: http://good.example.com/", b"Content-Length: 99999999", status=b"302 F")),
        Outcome.SAVED,
    ),
    "redirect-without-location": (says(head(b"Content-Length: 0", status=b"302 Found")), Outcome.BAD_STATUS),
    "redirect-empty": (redirects(b""), Outcome.REDIRECT_ERROR),
    "redirect-to-self": (redirects(b"/"), Outcome.REDIRECT_ERROR),
    "redirect-to-fragment": (redirects(b"#again"), Outcome.REDIRECT_ERROR),
    "redirect-300": (says(head(b"Location: /x", b"Content-Length: 0", status=b"300 Choose")), Outcome.BAD_STATUS),
    "redirect-305": (says(head(b"Location: /x", b"Content-Length: 0", status=b"305 Proxy")), Outcome.BAD_STATUS),
    "redirect-long": (redirects(b"http://good.example.com/" + b"x" * 100_000), Outcome.PROTOCOL_ERROR),
    "redirect-spaces-around": (redirects(b"   http://good.example.com/   "), Outcome.SAVED),
    "redirect-spaces-inside": (redirects(b"http://good.example.com/a b c"), Outcome.SAVED),
    "redirect-utf-8": (redirects("http://good.example.com/ä/日本.jpg".encode()), Outcome.SAVED),
    "redirect-latin-1": (redirects(b"http://good.example.com/\xe4\xff\xfe.jpg"), Outcome.SAVED),
    "redirect-nul": (redirects(b"http://good.example.com/a\0b"), Outcome.SAVED),
    "redirect-percent-garbage": (redirects(b"http://good.example.com/%zz%%%"), Outcome.SAVED),
    "redirect-scheme-relative": (redirects(b"//good.example.com/x"), Outcome.SAVED),
    "redirect-dots": (redirects(b"http://good.example.com/../../../../etc/passwd"), Outcome.SAVED),
    "redirect-307": (redirects(b"http://good.example.com/", status=b"307 T"), Outcome.SAVED),
    "redirect-308": (redirects(b"http://good.example.com/", status=b"308 P"), Outcome.SAVED),
    "redirect-to-placeholder": (
        redirects(b"https://s.yimg.com/pw/images/photo_unavailable_l.png"),
        Outcome.PLACEHOLDER,
    ),
}

# What a list or a redirect may name: each is tried both ways.
PLACES: Final[dict[str, Outcome]] = {
    **dict.fromkeys(
        (
            "file:///etc/passwd",
            "ftp://ftp.example.com/photo.jpg",
            "data:image/png;base64,iVBORw0KGgo=",
            "javascript:alert(1)",
            "gopher://127.0.0.1:70/_x",
            "mailto:someone@example.com",
            "ws://good.example.com/",
            "about:blank",
            # this machine, in every spelling
            "http://127.0.0.1/",
            "https://127.0.0.1:443/",
            "http://127.255.255.254/",
            "http://127.1/",
            "http://127.0.1/",
            "http://0/",
            "http://0.0.0.0/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0X7F.0x0.0x0.0x1/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://017700000001/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://[::1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:ffff:127.0.0.1]/",
            "http://[::127.0.0.1]/",
            "http://[::1%25lo]/",
            "http://localhost/",
            "http://LOCALHOST/",
            "http://localhost./",
            "http://photos.localhost/",
            "http://127.0.0.1\\@good.example.com/",
            # its neighbours
            "http://169.254.169.254/latest/meta-data/",
            "http://[fe80::1]/",
            "http://[fe80::1%25eth0]/",
            "http://[::ffff:169.254.169.254]/",
            "http://10.0.0.1/",
            "http://172.16.0.1/",
            "http://172.31.255.255/",
            "http://192.168.1.1/",
            "http://100.64.0.1/",
            "http://[fc00::1]/",
            "http://[fd00:ec2::254]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[fec0::1]/",
            # addresses inside addresses
            "http://[64:ff9b::7f00:1]/",
            "http://[64:ff9b::169.254.169.254]/",
            "http://[64:ff9b:1::1]/",
            "http://[2002:7f00:1::]/",
            "http://[2002:a00:1::1]/",
            "http://[2001:0:7f00:1::]/",
            # no single machine
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://240.0.0.1/",
            "http://[ff02::1]/",
            "http://192.0.2.1/",
            "http://198.18.0.1/",
            "http://[2001:db8::1]/",
            "http://192.88.99.1/",
            "http://168.63.129.16/",
            # a name and password
            "http://user:pass@good.example.com/",
            "http://user@good.example.com/",
            "http://good.example.com:80@127.0.0.1/",
            "https://user:pass@127.0.0.1/",
        ),
        Outcome.BLOCKED,
    ),
    **dict.fromkeys(
        (
            "http://[::1",
            "http://[",
            "http://]/",
            "http://[::1]x/",
            "http://[zz::1]/",
            "http://",
            "http:///",
            "http://:80/",
            "http://good.example.com:0/",
            "http://good.example.com:99999/",
            "http://good.example.com:-1/",
            "http://good.example.com:80x/",
            "http://a b.example.com/",
            "http://%zz/",
            "http://exa%00mple.com/",
            "http://exa\x7fmple.com/",
            "http://\u2460\u2461\u2466.0.0.\u2460/",
            "http://\uff11\uff12\uff17.0.0.1/",
        ),
        Outcome.BAD_URL,
    ),
}


def redirected(outcome: Outcome) -> Outcome:
    """How a redirect to a place ends: where that is no URL, it is the redirect that is bad."""
    return Outcome.REDIRECT_ERROR if outcome is Outcome.BAD_URL else outcome


RETRY_AFTER: Final[dict[str, tuple[bytes, tuple[float, float] | None]]] = {
    "a-year": (b"31536000", (31_536_000.0, 31_536_000.0)),
    "beyond-all-years": (b"9" * 5000, (31_622_400.0, 31_622_400.0)),
    "negative": (b"-5", None),
    "fraction": (b"1.5", None),
    "garbage": (b"soon, my friend", None),
    "empty": (b"", None),
    "bytes": (b"\xff\xfe\x00", None),
    "superscript": (b"\xb2", None),
    "infinity": (b"inf", None),
    "date-in-the-past": (b"Wed, 21 Oct 2015 07:28:00 GMT", (0.0, 0.0)),
    "date-in-a-day": (year_from_now(1), (80_000.0, 86_401.0)),
    "date-in-ten-years": (year_from_now(3650), (31_622_400.0, 31_622_400.0)),
    "date-of-nonsense": (b"Wed, 99 Oct 99999 99:99:99 GMT", None),
    "date-with-huge-zone": (b"Wed, 21 Oct 2015 07:28:00 +99999999999999999999", None),
    "date-of-year-one": (b"Mon, 01 Jan 0001 00:00:00 +2359", (0.0, 0.0)),
    "date-of-the-last-year": (b"Fri, 31 Dec 9999 23:59:59 -2359", (31_622_400.0, 31_622_400.0)),
    "spaces": (b"   7   ", (7.0, 7.0)),
    "twice": (b"3\r\nRetry-After: 5", None),
}

# --- listeners that fail before there is a request -------------------------------------------------------------------


class Listener:
    """A port on 127.0.0.1; each connection is handed to `serve` in a thread of its own."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._closing = threading.Event()
        self._accepted: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._run, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for accepted in self._accepted:
            with suppress(OSError):
                accepted.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                accepted, _ = self._server.accept()
            except OSError:
                return
            self._accepted.append(accepted)
            thread = threading.Thread(target=self._answer, args=(accepted,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _answer(self, accepted: socket.socket) -> None:
        with accepted, suppress(OSError):
            self._serve(accepted)


def reset(sock: socket.socket) -> None:
    """Close with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def wait_gone(sock: socket.socket) -> None:
    """Say nothing until the other side is gone."""
    while sock.recv(65536):
        pass


def reset_at_once(sock: socket.socket) -> None:
    reset(sock)


def close_at_once(_: socket.socket) -> None:
    pass


def reset_after_hello(sock: socket.socket) -> None:
    sock.recv(1)
    reset(sock)


def close_after_hello(sock: socket.socket) -> None:
    sock.recv(65536)


def drip_hello(sock: socket.socket) -> None:
    """A handshake record that never ends."""
    sock.sendall(b"\x16\x03\x03\x40\x00")
    while True:
        sock.sendall(b"\x02")
        time.sleep(0.02)


def plain_answer(sock: socket.socket) -> None:
    sock.recv(65536)
    sock.sendall(head(WHOLE) + PHOTO)


def alert(sock: socket.socket) -> None:
    """TLS alert: handshake failure."""
    sock.recv(65536)
    sock.sendall(b"\x15\x03\x03\x00\x02\x02\x28")


def hello_then_silence(sock: socket.socket) -> None:
    sock.recv(65536)
    wait_gone(sock)


def over_tls(context: ssl.SSLContext, serve: Callable[[ssl.SSLSocket], None]) -> Callable[[socket.socket], None]:
    """Serve after the handshake."""

    def start(sock: socket.socket) -> None:
        sock.settimeout(GENEROUS)
        with context.wrap_socket(sock, server_side=True) as wrapped:
            serve(wrapped)

    return start


def hello_to_plain(sock: socket.socket) -> None:
    """What a TLS port answers to plain HTTP: an alert."""
    sock.recv(65536)
    sock.sendall(b"\x15\x03\x01\x00\x02\x02\x46")


def good_answer(sock: ssl.SSLSocket) -> None:
    sock.recv(65536)
    sock.sendall(head(WHOLE, b"Connection: close") + PHOTO)


def torn_body(sock: ssl.SSLSocket) -> None:
    """Ends the connection in the body without TLS's goodbye."""
    sock.recv(65536)
    sock.sendall(head(WHOLE) + HALF)
    socket.socket(fileno=sock.detach()).close()


def garbled_record(sock: ssl.SSLSocket) -> None:
    """Bytes that are no TLS in the middle of the body."""
    sock.recv(65536)
    sock.sendall(head(WHOLE) + HALF)
    with socket.socket(fileno=sock.detach()) as plain:
        plain.sendall(b"\x17\x03\x03\x00\x20" + b"\0" * 32)
        time.sleep(0.2)


def context_for(cert: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    return context


def listeners(ca: trustme.CA, stranger: trustme.CA) -> dict[str, tuple[Callable[[socket.socket], None], str, Outcome]]:
    """name: (what serves it, scheme, outcome)."""
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    good = context_for(ca.issue_cert("*.tls.example.org"))
    old = context_for(ca.issue_cert("*.tls.example.org", not_before=now - 9 * day, not_after=now - day))
    early = context_for(ca.issue_cert("*.tls.example.org", not_before=now + day, not_after=now + 9 * day))
    other = context_for(ca.issue_cert("elsewhere.example.org"))
    unknown = context_for(stranger.issue_cert("*.tls.example.org"))
    return {
        "accept-silence": (wait_gone, "http", Outcome.TIMEOUT),
        "accept-close": (close_at_once, "http", Outcome.CONNECTION_ERROR),
        "accept-reset": (reset_at_once, "http", Outcome.CONNECTION_ERROR),
        "tls-silence": (wait_gone, "https", Outcome.TIMEOUT),
        "tls-close": (close_at_once, "https", Outcome.CONNECTION_ERROR),
        "tls-reset": (reset_at_once, "https", Outcome.CONNECTION_ERROR),
        "tls-hello-silence": (hello_then_silence, "https", Outcome.TIMEOUT),
        "tls-hello-reset": (reset_after_hello, "https", Outcome.CONNECTION_ERROR),
        "tls-hello-close": (close_after_hello, "https", Outcome.CONNECTION_ERROR),
        "tls-hello-drip": (drip_hello, "https", Outcome.TIMEOUT),
        "tls-alert": (alert, "https", Outcome.TLS_ERROR),
        "tls-plain-answer": (plain_answer, "https", Outcome.TLS_ERROR),
        "tls-on-plain-port": (hello_to_plain, "http", Outcome.PROTOCOL_ERROR),
        "tls-good": (over_tls(good, good_answer), "https", Outcome.SAVED),
        "tls-wrong-name": (over_tls(other, good_answer), "https", Outcome.TLS_ERROR),
        "tls-expired": (over_tls(old, good_answer), "https", Outcome.TLS_ERROR),
        "tls-not-yet": (over_tls(early, good_answer), "https", Outcome.TLS_ERROR),
        "tls-stranger": (over_tls(unknown, good_answer), "https", Outcome.TLS_ERROR),
        "tls-torn-body": (over_tls(good, torn_body), "https", Outcome.CONNECTION_ERROR),
        "tls-garbled-record": (over_tls(good, garbled_record), "https", Outcome.TLS_ERROR),
    }


# --- all of it at once -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ended:
    """How a case ended: what came back, the verdict, the time it took; and the verdict on a good photo after it."""

    reply: Reply
    outcome: Outcome
    seconds: float
    after: Outcome


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of all cases, and the threads and descriptors before there was a client and after it was closed."""

    ended: dict[str, Ended]
    expected: dict[str, Outcome]
    before: tuple[int, int]
    after: tuple[int, int]


def schemes(name: str) -> tuple[str, ...]:
    """How a case is tried: those in which time or an ending matters over TLS too."""
    return ("http", "https") if name.startswith(("body", "reset", "closed", "silence")) else ("http",)


def open_things() -> tuple[int, int]:
    """How many threads run and how many descriptors are open."""
    return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())


def settled(wanted: tuple[int, int]) -> tuple[int, int]:
    """The open things, once those of the servers' sides have gone too."""
    expires = time.monotonic() + 5
    while True:
        found = open_things()
        if (found[0] <= wanted[0] and found[1] <= wanted[1]) or time.monotonic() > expires:
            return found
        time.sleep(0.05)


def try_one(client: Client, url: str) -> Ended:
    began = time.monotonic()
    reply = client.get(url, max_bytes=MOST)
    seconds = time.monotonic() - began
    outcome = judge(reply, Rules()).outcome
    for _ in range(3):  # floods keep the machine busy
        after = judge(client.get("http://good.example.com/", max_bytes=MOST), Rules()).outcome
        if after is Outcome.SAVED:
            break
    return Ended(reply, outcome, seconds, after)


def try_all(client: Client, urls: dict[str, str], threads: int) -> dict[str, Ended]:
    with ThreadPoolExecutor(threads) as executor:
        return dict(zip(urls, executor.map(lambda url: try_one(client, url), urls.values()), strict=True))


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn(World.of(3, [(TENCH, "tench")], flickr=20, other=0, mix={Fate.ALIVE: 1})) as running:
        running.script("good.example.com", "*", keeps(head(WHOLE), PHOTO))
        for name, (script, _) in ANSWERS.items():
            running.script(f"{name}.example.com", "*", script)
        yield running


def run_all(standin: StandIn, folder: Path) -> Ran:
    urls: dict[str, str] = {}
    expected: dict[str, Outcome] = {}
    for name, (_, outcome) in ANSWERS.items():
        for scheme in schemes(name):
            urls[f"{name} {scheme}"] = f"{scheme}://{name}.example.com/"
            expected[f"{name} {scheme}"] = outcome
    for number, (place, outcome) in enumerate(PLACES.items()):
        urls[f"listed {place}"] = place
        standin.script(f"place-{number}.example.com", "*", redirects(place.encode()))
        urls[f"redirect {place}"] = f"http://place-{number}.example.com/"
        expected |= {f"listed {place}": outcome, f"redirect {place}": redirected(outcome)}
    for name, (value, _) in RETRY_AFTER.items():
        host = f"after-{name}.example.com"
        standin.script(host, "*", says(head(b"Retry-After: " + value, b"Content-Length: 0", status=b"429 Slow")))
        urls[f"after {name}"], expected[f"after {name}"] = f"http://{host}/", Outcome.THROTTLED
    for number in range(60):
        standin.script(f"chain-{number}.example.com", "*", redirects(b"http://chain-%d.example.com/" % (number + 1)))
    urls |= {"chain of 60": "http://chain-0.example.com/", "chain of 8": "http://chain-7-8.example.com/"}
    expected |= {"chain of 60": Outcome.REDIRECT_ERROR, "chain of 8": Outcome.SAVED}
    for number in range(8):
        target = b"http://chain-7-%d.example.com/" % number if number else b"http://good.example.com/"
        standin.script(f"chain-7-{number + 1}.example.com", "*", redirects(target))
    standin.script("ping.example.com", "*", redirects(b"https://pong.example.com/"))
    standin.script("pong.example.com", "*", redirects(b"http://ping.example.com/"))
    urls["ping-pong"], expected["ping-pong"] = "http://ping.example.com/", Outcome.REDIRECT_ERROR

    ca, stranger = trustme.CA(), trustme.CA()
    (folder / "ca.pem").write_bytes(standin.ca_file.read_bytes() + ca.cert_pem.bytes())
    with ExitStack() as stack:
        rules = []
        for name, (serve, scheme, outcome) in listeners(ca, stranger).items():
            port = stack.enter_context(Listener(serve)).port
            rules.append(f"{name}.tls.example.org:{443 if scheme == 'https' else 80}:127.0.0.1:{port}")
            urls[name], expected[name] = f"{scheme}://{name}.tls.example.org/", outcome
        closed = socket.create_server(("127.0.0.1", 0))
        rules.append(f"refused.example.org:80:127.0.0.1:{closed.getsockname()[1]}")
        closed.close()
        urls["refused"], expected["refused"] = "http://refused.example.org/", Outcome.CONNECTION_ERROR
        options = NetworkOptions(
            timeout=TIMEOUT,
            connect_to=parse_connect_to(",".join((*rules, standin.connect_to))),
            ca_certs=folder / "ca.pem",
        )
        before = open_things()
        waiting = {name: url for name, url in urls.items() if expected[name] is Outcome.TIMEOUT}
        laborious = {name: url for name, url in urls.items() if name.split()[0] in LABORIOUS}
        with Client(options, threads=32) as client:
            ended = try_all(client, waiting, 32)
            ended |= try_all(client, dict(urls.items() - waiting.items() - laborious.items()), 4)
        with Client(replace(options, timeout=GENEROUS), threads=4) as client:
            ended |= try_all(client, laborious, 4)
    return Ran(ended, expected, before, settled(before))


def test_every_case_ends_as_it_should_and_harms_nothing(standin: StandIn, tmp_path: Path) -> None:
    # One test for all of them, as they take their time together.
    ran = run_all(standin, tmp_path)
    assert {name: ended for name, ended in ran.ended.items() if ended.outcome is not ran.expected[name]} == {}
    assert {name: ended.seconds for name, ended in ran.ended.items() if ended.seconds > GENEROUS} == {}
    assert {name: ended.after for name, ended in ran.ended.items() if ended.after is not Outcome.SAVED} == {}
    assert [name for name, ended in ran.ended.items() if len(ended.reply.body) > MOST] == []
    assert [name for name, ended in ran.ended.items() if "\n" in (ended.reply.error or "")] == []
    for name in ("length-huge http", "length-just-over http", "length-of-4000-digits http"):
        assert ran.ended[name].reply.received == 0, name
    for name, (_, bounds) in RETRY_AFTER.items():
        found = ran.ended[f"after {name}"].reply.retry_after
        assert found is None if bounds is None else found is not None and bounds[0] <= found <= bounds[1], (name, found)
    assert ran.after[0] <= ran.before[0], threading.enumerate()
    assert ran.after[1] <= ran.before[1]


# --- what needs a process or a client of its own ---------------------------------------------------------------------

PROBE: Final = """
import json, re, resource, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from scraper.web.client import Client
from scraper.web.options import NetworkOptions, parse_connect_to
from scraper.pictures.judge import Rules, judge
given = json.loads(sys.argv[1])
if given["files"]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (given["files"], given["files"]))
options = NetworkOptions(
    timeout=given["timeout"], connect_to=parse_connect_to(given["connect_to"]), ca_certs=Path(given["ca"])
)
with Client(options, threads=given["threads"]) as client, ThreadPoolExecutor(given["threads"]) as executor:
    most = given["max_bytes"]
    judged = executor.map(lambda url: judge(client.get(url, max_bytes=most), Rules()).outcome, given["urls"])
    outcomes = [outcome.value for outcome in judged]
# Not ru_maxrss, which begins with what the process that started this one used.
peak = int(re.search(r"VmHWM:\\s*([0-9]+)", Path("/proc/self/status").read_text())[1])
print(json.dumps({"outcomes": outcomes, "kilobytes": peak}))
"""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a process of its own made of some URLs, the most memory it used, and what it said."""

    outcomes: list[str]
    kilobytes: int
    said: str


def probe(standin: StandIn, urls: list[str], *, threads: int = 8, files: int = 0, timeout: float = 5.0) -> Probed:
    """GET the URLs in a process of its own."""
    given = {
        "urls": urls,
        "connect_to": standin.connect_to,
        "ca": str(standin.ca_file),
        "threads": threads,
        "files": files,
        "max_bytes": MOST,
        "timeout": timeout,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(given)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return Probed(found["outcomes"], found["kilobytes"], done.stderr)


def test_memory_is_bounded_whatever_a_server_sends(standin: StandIn) -> None:
    big = [name for name in ANSWERS if name.startswith(("bomb", "endless", "huge", "headers", "gone-e", "redirect-e"))]
    big += ["chunk-very-long-size", "length-garbage-endless", "length-negative-endless", "many-headers"]
    found = probe(standin, [f"http://{name}.example.com/" for name in big], threads=4)
    assert found.outcomes == [ANSWERS[name][1] for name in big]
    assert found.kilobytes < MEMORY


def local_names() -> list[str]:
    """Names that this machine resolves to itself."""
    words = re.sub(r"#.*", "", Path("/etc/hosts").read_text(encoding="utf-8"))
    lines = [line.split() for line in words.splitlines() if line.strip()]
    listed = {name for address, *names in lines if address.startswith(("127.", "::1")) for name in names}
    return sorted(listed | {"localhost", "LocalHost.", "foo.localhost", "0", "127.1", "0x7f.1", "2130706433"})


@pytest.mark.parametrize("name", local_names())
def test_names_that_lead_to_this_machine_are_refused(standin: StandIn, name: str) -> None:
    standin.script("public.example.com", "*", redirects(f"http://{name}:{standin.http_port}/".encode()))
    standin.script(name, "*", keeps(head(WHOLE), PHOTO))
    for url in (
        f"http://{name}:{standin.http_port}/",
        f"https://{name}:{standin.https_port}/",
        "http://public.example.com/",
    ):
        rules = parse_connect_to(f"public.example.com:80:127.0.0.1:{standin.http_port}")
        standin.reset_counts()
        with Client(NetworkOptions(timeout=5, connect_to=rules), threads=1) as client:
            assert client.get(url, max_bytes=MOST).failure is Outcome.BLOCKED
        assert [seen.host for seen in standin.requests] == ["public.example.com"] * ("public" in url)


def test_private_addresses_can_be_allowed(standin: StandIn) -> None:
    standin.script("localhost", "*", keeps(head(WHOLE), PHOTO))
    with Client(NetworkOptions(timeout=5, allow_private=True), threads=1) as client:
        reply = client.get(f"http://localhost:{standin.http_port}/", max_bytes=MOST)
    assert reply.body == PHOTO


def test_closing_the_client_ends_requests_under_way(standin: StandIn) -> None:
    standin.script("mute.example.com", "*", silent())
    standin.script("slow.example.com", "*", drips(head(WHOLE), b"x"))
    options = NetworkOptions(timeout=600, connect_to=parse_connect_to(standin.connect_to), ca_certs=standin.ca_file)
    urls = [f"{scheme}://{name}.example.com/" for scheme in ("http", "https") for name in ("mute", "slow")] * 10
    before = open_things()
    client = Client(options, threads=len(urls))
    with ThreadPoolExecutor(len(urls)) as executor:
        flying = [executor.submit(client.get, url, max_bytes=MOST) for url in urls]
        time.sleep(0.5)
        began = time.monotonic()
        client.close()
        assert {future.result(timeout=GENEROUS).failure for future in flying} == {Outcome.TIMEOUT}
        assert time.monotonic() - began < GENEROUS
        assert client.get("http://good.example.com/", max_bytes=MOST).failure is Outcome.TIMEOUT
    threads, files = settled(before)
    assert threads <= before[0]
    assert files <= before[1]


def test_closing_the_client_closes_its_connections(standin: StandIn) -> None:
    before = open_things()
    client = Client(NetworkOptions(timeout=2, connect_to=parse_connect_to(standin.connect_to)), threads=1)
    for number in range(5):
        standin.script(f"kept{number}.example.com", "*", keeps(head(WHOLE), PHOTO))
        client.get(f"http://kept{number}.example.com/", max_bytes=MOST)
    client.close()
    assert settled(before)[1] <= before[1]


def test_a_reply_left_in_a_connection_is_not_taken_for_the_next(standin: StandIn) -> None:
    forged = head(b"Content-Length: 6") + b"forged"
    first = {
        "length-zero": keeps(head(b"Content-Length: 0"), forged),
        "length-short": keeps(head(WHOLE), PHOTO, forged),
        "chunks": keeps(head(CHUNKED), chunked(PHOTO), LAST, forged),
        "no-content": keeps(head(status=b"204 No Content"), forged),
        "not-modified": keeps(head(status=b"304 Not Modified"), forged),
        "not-found": keeps(head(b"Content-Length: 0", status=b"404 Not Found"), forged),
        "early": keeps(head(status=b"103 Early Hints"), forged),
        "redirect": keeps(head(b"Location: /second", b"Content-Length: 0", status=b"302 Found"), forged),
    }
    options = NetworkOptions(timeout=5, connect_to=parse_connect_to(standin.connect_to), ca_certs=standin.ca_file)
    with Client(options, threads=1) as client:
        for name, script in first.items():
            standin.script(f"smuggle-{name}.example.com", "/first", script)
            standin.script(f"smuggle-{name}.example.com", "/second", keeps(head(WHOLE), PHOTO))
            client.get(f"http://smuggle-{name}.example.com/first", max_bytes=MOST)
            time.sleep(0.05)
            assert client.get(f"http://smuggle-{name}.example.com/second", max_bytes=MOST).body == PHOTO, name


def test_a_header_that_is_none_does_not_print_a_traceback(standin: StandIn) -> None:
    standin.script(
        "odd.example.com", "*", keeps(b"HTTP/1.1 200 OK\r\nno header at all\r\n" + WHOLE + b"\r\n\r\n", PHOTO)
    )
    standin.script("both.example.com", "*", keeps(head(WHOLE, CHUNKED), b"0\r\n\r\n"))
    assert probe(standin, ["http://odd.example.com/", "http://both.example.com/"]).said == ""


# --- the whole command -----------------------------------------------------------------------------------------------

COMMAND: Final = (
    "body-drip", "header-drip", "silence-after-request", "flood-of-100", "endless-trailers", "endless-body",
    "endless-headers", "many-headers", "length-huge", "bomb-gzip", "length-too-long", "length-too-short",
    "length-twice-different", "chunk-last-missing", "chunk-negative", "reset-in-body", "closed-after-request",
    "status-http09", "status-103", "gone-endless", "redirect-endless", "redirect-utf-8", "redirect-long",
)  # fmt: skip


def test_the_command_survives_them_all(tmp_path: Path) -> None:
    world = World.of(4, [(TENCH, "tench")], flickr=30, other=0, mix={Fate.ALIVE: 1})
    with StandIn(world) as standin:
        standin.script("good.example.com", "*", keeps(head(WHOLE), PHOTO))
        urls = {f"https://{name}.static.flickr.com/{name}.jpg": ANSWERS[name] for name in COMMAND}
        for name, (script, _) in ((name, ANSWERS[name]) for name in COMMAND):
            standin.script(f"{name}.static.flickr.com", "*", script)
        places = {f"https://place-{n}.static.flickr.com/{n}.jpg": item for n, item in enumerate(PLACES.items())}
        for number, place in enumerate(PLACES):
            standin.script(f"place-{number}.static.flickr.com", "*", redirects(place.encode()))
        expected: dict[str, str] = {url: outcome for url, (_, outcome) in urls.items()}
        expected |= {url: redirected(outcome) for url, (place, outcome) in places.items()}
        alive = world.flickr_urls(TENCH)
        expected |= dict.fromkeys(alive, Outcome.SAVED)
        lines = [*urls, *places]
        for at, url in enumerate(alive):  # spread, so that no row of failures looks like a refusal
            lines.insert(at * len(lines) // len(alive), url)
        (tmp_path / "lists").mkdir()
        (tmp_path / "lists" / f"{TENCH}.txt").write_text("\n".join(lines), encoding="utf-8")
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, "-n", "1000", "--source", "lists")
        began = time.monotonic()
        scraper.done("fetch", "--timeout", "2", "--retries", "1", "--threads", "16", "--max-bytes", "2MB")
        assert time.monotonic() - began < 60
        found = dict(scraper.rows("SELECT url, outcome FROM candidates"))
        same = {url for url, outcome in found.items() if outcome == "duplicate"}
        expected |= dict.fromkeys(same & {url for url, outcome in expected.items() if outcome == "saved"}, "duplicate")
        assert {url: outcome for url, outcome in found.items() if outcome != expected[url]} == {}
        check(scraper)


def test_a_photo_to_come_back_for_in_a_year_does_not_hold_the_run(tmp_path: Path) -> None:
    world = World.of(4, [(TENCH, "tench")], flickr=30, other=0, mix={Fate.ALIVE: 1})
    with StandIn(world) as standin:
        busy = keeps(head(b"Retry-After: 31536000", b"Content-Length: 0", status=b"429 Slow Down"))
        first = world.flickr_urls(TENCH)[0]
        host, _, path = first.partition("://")[2].partition("/")
        standin.script(host, f"/{path}", busy)
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH)
        began = time.monotonic()
        scraper.done("fetch", "--threads", "4")
        assert time.monotonic() - began < GENEROUS
        rows = scraper.rows("SELECT state, outcome, tries FROM candidates WHERE url = ?", first)
        assert rows == [("unknown", "throttled", 1)]
        assert scraper.one("SELECT count(*) FROM images") == 10
        check(scraper)

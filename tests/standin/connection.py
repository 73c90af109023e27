"""One connection of the stand-in: requests in, answers out, one after the other."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING, Final, cast

from tests.standin import http1
from tests.standin.replies import Ending
from tests.standin.tls import Tls
from tests.standin.wire import Wire

if TYPE_CHECKING:
    from collections.abc import MutableMapping, MutableSet

    from tests.standin.http1 import Request
    from tests.standin.ledger import Ledger
    from tests.standin.replies import Replies, Reply
    from tests.standin.wire import Handler

SEND_BUFFER: Final = 1 << 19  # bytes: a whole photo leaves in one call
LINGER_NOT: Final = struct.pack("ii", 1, 0)  # closing throws away what is unsent and resets


class Site:
    """What the connections share; touched only by the stand-in's own thread, `scripts` and `latency` apart."""

    def __init__(self, replies: Replies, ledger: Ledger, latency: float) -> None:
        self.replies = replies
        self.ledger = ledger
        self.latency = latency
        self.scripts: MutableMapping[tuple[str, str], Handler] = {}
        self.connections: MutableSet[Connection] = set()
        self.failures: list[Exception] = []  # of scripts
        self.tasks: MutableSet[asyncio.Task[None]] = set()

    def script_for(self, request: Request) -> Handler | None:
        """The script for a request's host and path, or for any path of its host."""
        return self.scripts.get((request.host, request.path)) or self.scripts.get((request.host, "*"))


class Connection(asyncio.Protocol):
    """Reads requests and answers each after the site's latency; over TLS if it is given a context."""

    def __init__(self, site: Site, context: ssl.SSLContext | None) -> None:
        self._site = site
        self._tls = None if context is None else Tls(context)
        self._scheme = "http" if context is None else "https"
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._request: Request | None = None  # the one being answered
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport
        self.gone = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._site.connections.add(self)
        self._site.ledger.connected()

    def data_received(self, data: bytes) -> None:
        if self._tls is not None:
            try:
                data = self._tls.receive(data)
            except ssl.SSLError:  # such as a client that does not trust us
                self._send_sealed()
                self._transport.close()
                return
            self._send_sealed()
        self._buffer += data
        self._next()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the reason is of no interest
        self.gone.set()
        if self._timer is not None:
            self._timer.cancel()
        self._done()
        self._site.connections.discard(self)

    # What a script may do

    def write(self, data: bytes) -> None:
        """Send plain bytes."""
        if self._transport.is_closing():
            return
        if self._tls is None:
            self._transport.write(data)
        else:
            self._tls.send(data)
            self._send_sealed()

    def close(self) -> None:
        """Close in good order once everything is sent."""
        if self._tls is not None and not self._transport.is_closing():
            self._tls.say_goodbye()
            self._send_sealed()
        self._transport.close()

    def abort(self) -> None:
        """Reset the connection at once."""
        if not self._transport.is_closing():
            self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self._transport.abort()

    # The inner workings

    def _socket(self) -> socket.socket:
        return cast("socket.socket", self._transport.get_extra_info("socket"))

    def _send_sealed(self) -> None:
        if self._tls is not None and (data := self._tls.outgoing()):
            self._transport.write(data)

    def _next(self) -> None:
        """Begin to answer the next request, if it is there and none is being answered."""
        if self._request is not None or self._transport.is_closing():
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > http1.MAX_HEAD:
                self.abort()
            return
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        try:
            request = http1.parse(head, self._scheme)
        except http1.BadRequestError:
            self.write(http1.head(400, (), 0, keep=False))
            self.close()
            return
        self._begin(request)

    def _begin(self, request: Request) -> None:
        now = time.monotonic()
        self._request = request
        self._site.ledger.started(request, now)
        script = self._site.script_for(request)
        if script is not None:
            self._task = self._loop.create_task(self._play(script, request))
            self._site.tasks.add(self._task)
            self._task.add_done_callback(self._site.tasks.discard)
            return
        reply = self._site.replies.to(request, now)
        delay = self._site.latency + reply.delay
        if delay > 0:
            self._timer = self._loop.call_later(delay, self._answer, request, reply)
        else:
            self._answer(request, reply)

    async def _play(self, script: Handler, request: Request) -> None:
        """Run a script to its end; it goes on even when the client has gone, but not longer than the server."""
        try:
            await script(request, Wire(self))
        except Exception as error:  # noqa: BLE001 - a test's mistake, raised where the test can see it
            self._site.failures.append(error)
            self.abort()
        self._done()
        self._next()

    def _answer(self, request: Request, reply: Reply) -> None:
        self._timer = None
        if reply.ending is Ending.SILENT:
            return  # stays active until the client gives up
        if reply.ending is Ending.RESET:
            self.abort()
            return
        cut = reply.ending is Ending.CUT
        keep = request.keeps_alive and not cut
        body = b"" if request.method == "HEAD" else reply.body
        sent = body[: len(body) // 2] if cut else body
        self.write(http1.head(reply.status, reply.headers, len(reply.body), keep=keep or cut) + sent)
        self._done()
        if keep:
            self._next()
        else:
            self.close()

    def _done(self) -> None:
        if self._request is not None:
            self._site.ledger.ended(self._request)
            self._request = None

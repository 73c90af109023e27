"""A company's proxy on 127.0.0.1: CONNECT and plain requests, with a password if it wants one. A real one, but small.

Whatever host is asked for, it leads to the stand-in behind it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import trustme

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from tests.standin.server import StandIn

START_SECONDS: Final = 30.0
_PIECE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came to the proxy: its first line, and the credentials sent along, decoded."""

    line: str
    credentials: str | None


class CompanyProxy:
    """`with CompanyProxy(standin) as proxy:` lets requests through to the stand-in until the block ends.

    With `credentials` (user name, colon, password) it answers 407 to whoever does not send them. With `status` it
    answers that to everybody, as a filter does. With `secure_to` it speaks TLS, and writes its authority there.
    """

    def __init__(
        self,
        standin: StandIn,
        *,
        credentials: str | None = None,
        status: int | None = None,
        secure_to: Path | None = None,
    ) -> None:
        self.port = 0
        self.asked: list[Asked] = []
        self._standin = standin
        self._credentials = credentials
        self.status = status
        self._secure_to = secure_to
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(START_SECONDS) or not self.port:
            raise RuntimeError("the proxy did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()
            self._started.set()

    def _context(self) -> ssl.SSLContext | None:
        if self._secure_to is None:
            return None
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self._secure_to))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        return context

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._context(), backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._answer(reader, writer)
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        sent = _decoded(headers.get("proxy-authorization", ""))
        self.asked.append(Asked(line, sent))
        if self._credentials is not None and sent != self._credentials:
            writer.write(
                _refusal(407, "Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="company"\r\n')
            )
            return
        if self.status is not None:
            writer.write(_refusal(self.status, "Not Today"))
            return
        tunnel = line.startswith("CONNECT ")
        port = self._standin.https_port if tunnel else self._standin.http_port
        there, onward = await asyncio.open_connection("127.0.0.1", port)
        if tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            onward.write(head)
        try:
            await asyncio.gather(_pour(reader, onward), _pour(there, writer))
        finally:
            onward.close()


async def _pour(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    """Pass on all that comes until it ends, and then say so to the other side."""
    with contextlib.suppress(OSError):
        while piece := await source.read(_PIECE):
            into.write(piece)
            await into.drain()
        if into.can_write_eof():
            into.write_eof()
        else:
            into.close()


def _decoded(authorization: str) -> str | None:
    scheme, _, token = authorization.partition(" ")
    return base64.b64decode(token).decode() if scheme.lower() == "basic" else None


def _refusal(status: int, phrase: str, more: str = "") -> bytes:
    body = f"<html><head><title>{phrase}</title></head></html>"
    head = f"HTTP/1.1 {status} {phrase}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return (head + body).encode()

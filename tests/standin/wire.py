"""Raw control over one connection, for answers that no decent server gives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from tests.standin.http1 import Request

if TYPE_CHECKING:
    from typing import Self


class Line(Protocol):
    """What a wire needs of the connection under it."""

    gone: asyncio.Event
    writable: asyncio.Event

    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...


class Wire:
    """What a script writes with: plain bytes in, over TLS where the client came by TLS.

    A script that returns without close() or abort() leaves the connection open for the next request.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def closed(self) -> bool:
        """Whether the connection is gone, from either side."""
        return self._line.gone.is_set()

    def write(self, data: bytes) -> Self:
        """Send bytes; ignored when the connection is gone."""
        self._line.write(data)
        return self

    async def flush(self) -> None:
        """Wait until the client has taken most of what was written; needed between endless writes."""
        await asyncio.sleep(0)
        waits = [asyncio.ensure_future(event.wait()) for event in (self._line.writable, self._line.gone)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def sleep(self, seconds: float) -> None:
        """Do nothing for a while."""
        await asyncio.sleep(seconds)

    def close(self) -> None:
        """End the connection in good order, after what was written."""
        self._line.close()

    def abort(self) -> None:
        """End the connection at once with a TCP reset; what was not yet sent is lost."""
        self._line.abort()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone: silence, for as long as the client bears it."""
        await self._line.gone.wait()


Handler = Callable[[Request, Wire], Awaitable[None]]

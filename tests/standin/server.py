"""The running stand-in: two ports on 127.0.0.1, served by one thread, gone without a trace at the end."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.standin import photos
from tests.standin.connection import Connection, Site
from tests.standin.ledger import Ledger
from tests.standin.replies import Replies
from tests.standin.tls import make_context
from tests.standin.world import address

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from tests.standin.between import Between
    from tests.standin.ledger import Seen
    from tests.standin.replies import Throttle
    from tests.standin.wire import Handler
    from tests.standin.world import World

BACKLOG: Final = 1024  # connections waiting to be accepted
START_SECONDS: Final = 30.0


class StandIn:
    """`with StandIn(world) as standin:` serves the world until the block ends.

    `latency` is the time in seconds before each answer begins; it may be changed while running.
    """

    def __init__(self, world: World, latency: float = 0.0, throttle: Throttle | None = None) -> None:
        self.world = world
        self.http_port = 0
        self.https_port = 0
        self._replies = Replies(world, throttle)
        self._ledger = Ledger()
        self._site = Site(self._replies, self._ledger, latency)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="standin", daemon=True)
        self._context: ssl.SSLContext

    # Starting and stopping

    def __enter__(self) -> Self:
        photos.bank()  # made now, not during the first answer
        self._folder = tempfile.TemporaryDirectory(prefix="standin-")
        self._context = make_context(self.ca_file)
        self._thread.start()
        if not self._started.wait(START_SECONDS) or self._failure is not None:
            self._folder.cleanup()
            raise RuntimeError("the stand-in did not start") from self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._folder is not None:
            self._folder.cleanup()
        if self._failure is not None and error is None:
            raise RuntimeError("the stand-in failed") from self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - carried over to the thread that waits for us
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        plain = await loop.create_server(lambda: Connection(self._site, None), "127.0.0.1", 0, backlog=BACKLOG)
        secure = await loop.create_server(
            lambda: Connection(self._site, self._context), "127.0.0.1", 0, backlog=BACKLOG
        )
        self.http_port = plain.sockets[0].getsockname()[1]
        self.https_port = secure.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        plain.close()
        secure.close()
        await self._end_connections()

    async def _end_connections(self) -> None:
        """Cancel every script, drop every connection, and wait until all are gone."""
        tasks = list(self._site.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while self._site.connections:
            for connection in list(self._site.connections):
                connection.abort()
            await asyncio.sleep(0)
        if self._site.failures:
            raise self._site.failures[0]

    # Where it is

    @property
    def connect_to(self) -> str:
        """The value for `--connect-to`: every host's ports 80 and 443 lead here."""
        return f":80:127.0.0.1:{self.http_port},:443:127.0.0.1:{self.https_port}"

    @property
    def ca_file(self) -> Path:
        """The PEM file for `--ca-certs`; removed at the end."""
        if self._folder is None:
            raise RuntimeError("the stand-in is not running")
        return Path(self._folder.name) / "ca.pem"

    # What it saw

    @property
    def requests(self) -> list[Seen]:
        """All requests so far, in the order of their arrival."""
        return self._ledger.requests()

    @property
    def connections(self) -> int:
        """How many connections were accepted."""
        return self._ledger.connections()

    @property
    def peak(self) -> int:
        """The largest number of requests that were being answered at once."""
        return self._ledger.peaks()["all"]

    @property
    def peaks(self) -> dict[str, int]:
        """The same for `all`, and for the hosts of `flickr`, `imagenet` and `other` apart."""
        return self._ledger.peaks()

    def count(self, url: str) -> int:
        """How many requests came for a URL, over http and https together."""
        return self._ledger.count(address(url))

    def reset_counts(self) -> None:
        """Forget what was seen. Fates that change with time do not start again."""
        self._ledger.reset()

    # How it behaves

    @property
    def latency(self) -> float:
        """Seconds before each answer begins."""
        return self._site.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._site.latency = seconds

    @property
    def blocked(self) -> bool:
        """Whether every request to a Flickr host is answered 429."""
        return self._replies.blocked

    @blocked.setter
    def blocked(self, value: bool) -> None:
        self._replies.blocked = value

    @property
    def between(self) -> Between | None:
        """What answers in the place of Flickr's hosts, if anything does."""
        return self._replies.between

    @between.setter
    def between(self, answer: Between | None) -> None:
        self._replies.between = answer

    def script(self, host: str, path: str, handler: Handler) -> None:
        """Let `handler` answer for a host and path (query included; `*` for any path), over http and https.

        It runs as a task of the stand-in's thread and is cancelled at the end.
        """
        self._site.scripts[host.lower(), path] = handler

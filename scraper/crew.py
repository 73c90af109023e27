"""Work handed to an executor, and its results handed back to one coordinator that waits for them.

`concurrent.futures.wait` touches every future at each call; here each result comes through a queue as it is ready.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from scraper.errors import StoppedEarlyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor, Future

Item = TypeVar("Item")
Result = TypeVar("Result")


class Stop:
    """A way to ask a run to stop, from a signal handler or another thread: first kindly, then at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._urged = threading.Event()

    def ask(self) -> None:
        """Ask the run to stop; asked again, it does not wait for the requests under way."""
        if self._asked.is_set():
            self._urged.set()
        self._asked.set()

    @property
    def asked(self) -> bool:
        """Whether the run was asked to stop."""
        return self._asked.is_set()

    @property
    def urged(self) -> bool:
        """Whether it was asked more than once."""
        return self._urged.is_set()


class Crew(Generic[Item, Result]):
    """Runs `work(item)` for each item submitted. One thread submits and collects."""

    def __init__(self, executor: Executor, work: Callable[[Item], Result]) -> None:
        self._executor = executor
        self._work = work
        self._finished: queue.SimpleQueue[Future[Result]] = queue.SimpleQueue()
        self._futures: set[Future[Result]] = set()

    @property
    def in_flight(self) -> int:
        """Items submitted whose results were not collected."""
        return len(self._futures)

    def submit(self, item: Item) -> None:
        """Hand over one item."""
        try:
            future = self._executor.submit(self._work, item)
        except RuntimeError as error:
            raise StoppedEarlyError(
                "no more threads can be started: use fewer --threads, and run the same command again"
            ) from error
        self._futures.add(future)
        future.add_done_callback(self._finished.put)

    def collect(self, timeout: float) -> Iterator[Result]:
        """The results that are ready, waiting up to `timeout` seconds for the first.

        Raises:
            Exception: what `work` raised for an item; the results before it were given out.
        """
        while True:
            try:
                future = self._finished.get(timeout=timeout) if timeout > 0 else self._finished.get_nowait()
            except queue.Empty:
                return
            timeout = 0.0
            self._futures.discard(future)
            if not future.cancelled():
                yield future.result()

    def cancel(self) -> None:
        """Take back the items that no worker has begun."""
        for future in list(self._futures):
            if future.cancel():
                self._futures.discard(future)

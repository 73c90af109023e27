"""Work handed to the threads of an executor, and its results handed back to one coordinator that waits for them."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from scraper.errors import StoppedEarlyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from types import TracebackType

Item = TypeVar("Item")
Result = TypeVar("Result")

_ROOM: Final = 32 * 2**20
"""Bytes that must be free to start a thread: more than its stack, since Python hangs or dies of a thread that it starts
without a byte left for it. They are asked for and given back, not used."""
_GATHER: Final = 0.004
"""Seconds that results are let come in together, as long as the threads have items to go on with: each time that the
coordinator wakes up, it takes the interpreter's lock from a thread that works."""

_MOMENT: Final = 1.5
"""Seconds that threads of a run that was asked to stop get to end."""
_GRACE: Final = 2.0
"""Seconds that what is under way gets to end where no more is to follow."""


class Stop:
    """A way to ask a run to stop, from a signal handler or another thread: first kindly, then at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._urged = threading.Event()
        self._heard = threading.Event()

    def ask(self) -> None:
        """Ask the run to stop; asked again, it does not wait for the requests under way."""
        if self._asked.is_set():
            self._urged.set()
        self._asked.set()

    @property
    def asked(self) -> bool:
        """Whether the run was asked to stop; whoever looks has heard of it, and ends."""
        if self._asked.is_set():
            self._heard.set()
        return self._asked.is_set()

    @property
    def heard(self) -> bool:
        """Whether the run has looked since it was asked."""
        return self._heard.is_set()

    @property
    def urged(self) -> bool:
        """Whether it was asked more than once."""
        return self._urged.is_set()


@dataclass(frozen=True, slots=True)
class _Failed:
    """What the work on an item raised."""

    error: BaseException


class Crew(Generic[Item, Result]):
    """Runs `work(item)` for each item submitted, in up to `threads` threads. One thread submits and collects.

    A context manager, which lets the threads go in the end, however it comes.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Item], Result],
        *,
        threads: int,
        stop: Stop,
        closing: Sequence[Callable[[], object]] = (),
    ) -> None:
        """Prepare threads, which are started when there is something for them to do.

        Args:
            name: of the threads, for who looks at them.
            work: what to do with an item.
            threads: at most.
            stop: tells whether the threads are waited for in the end.
            closing: called when the threads are let go, to end what they wait for.
        """
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"scraper-{name}")
        self._work = work
        self._threads = threads
        self._stop = stop
        self._closing = closing
        self._hands = 0
        self._tasks: list[Future[None]] = []
        self._failed: _Failed | None = None
        self._items: queue.SimpleQueue[tuple[Item] | None] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[Result | _Failed] = queue.SimpleQueue()
        self.in_flight = 0
        """Items submitted whose results were not collected."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()
        for close in self._closing:
            close()
        self._dismiss()

    def submit(self, item: Item) -> None:
        """Hand over one item."""
        if self._hands < self._threads and self._hands <= self.in_flight:
            self._hire()
        self.in_flight += 1
        self._items.put((item,))

    def _hire(self) -> None:
        # One long task for each thread: a task, a future and two wake-ups for each item cost more than the item itself.
        self._hands += 1  # even if it fails: the task is queued by then, and a thread that is let go may find it
        try:
            bytes(_ROOM)
            self._tasks.append(self._executor.submit(self._run))
        except (RuntimeError, MemoryError) as error:
            raise StoppedEarlyError(
                "no more threads can be started: use fewer --threads, and run the same command again"
            ) from error

    def _run(self) -> None:
        while (given := self._items.get()) is not None:
            try:
                result: Result | _Failed = self._work(*given)
            except BaseException as error:  # noqa: BLE001 - raised again by `collect`
                result = _Failed(error)
            self._finished.put(result)

    def collect(self, timeout: float) -> list[Result]:
        """The results that are ready, waiting up to `timeout` seconds for the first.

        Raises:
            Exception: what `work` raised for an item; the results before it were given out.
        """
        results: list[Result] = []
        if self._failed is None:
            with contextlib.suppress(queue.Empty):
                self._take(self._finished.get(timeout=timeout) if timeout > 0 else self._finished.get_nowait(), results)
                if not self._items.empty():
                    time.sleep(_GATHER)
                while self._failed is None:
                    self._take(self._finished.get_nowait(), results)
        if self._failed is not None and not results:
            failed, self._failed = self._failed, None
            raise failed.error
        return results

    def _take(self, result: Result | _Failed, results: list[Result]) -> None:
        self.in_flight -= 1
        if isinstance(result, _Failed):
            self._failed = result
        else:
            results.append(result)

    def cancel(self) -> None:
        """Take back the items that no thread has begun, and let each thread go when it has finished its own."""
        if not self._hands:
            return
        with contextlib.suppress(queue.Empty):
            while self._items.get_nowait() is not None:
                self.in_flight -= 1
        for _ in range(self._hands):
            self._items.put(None)
        self._hands = 0

    def last(self) -> Iterator[list[Result]]:
        """Give what is under way a moment to end, and give out what comes; nothing can be submitted any more."""
        self.cancel()
        expires = time.monotonic() + _GRACE
        while self.in_flight and time.monotonic() < expires and not self._stop.urged:
            yield self.collect(0.1)
        yield self.collect(0.0)  # what came while the last were taken in

    def _dismiss(self) -> None:
        """Wait for the threads; where the run was asked to stop, for a moment at most.

        A thread may be in a decoder or a system call that cannot be interrupted. What it makes is of no use then.
        """
        stop = self._stop
        self._executor.shutdown(wait=not stop.asked)
        if stop.asked and not stop.urged:
            wait(self._tasks, _MOMENT)

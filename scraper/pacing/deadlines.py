"""One total deadline per request, kept by a watchdog.

A socket timeout bounds one silence, not a request: a server that sends a byte now and then, headers without end or a
flood of 1xx answers holds a thread for ever. The watchdog shuts the connection's socket down when the request's time
is over, which ends whatever call is reading from it. It works on a duplicate of the descriptor, because closing and
wrapping in TLS change the original under its hands.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket

_SWEEP_AT: Final = 4096


class Deadline:
    """The end of one request's time. Made by `Watchdog.start`, ended by `finish`."""

    def __init__(self, expires: float) -> None:
        self.expires = expires
        self.expired = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.finished = False
        self._adopted: socket.socket | None = None

    def remaining(self) -> float:
        """Seconds left, never below a millisecond so that it can serve as a socket timeout."""
        return max(0.001, self.expires - time.monotonic())

    def watch(self, duplicate: socket.socket) -> None:
        """Name the socket to shut down."""
        with self._lock:
            if self._adopted is not duplicate:
                self._close_adopted()
            self._socket = duplicate
            if self.expired:
                self._shut()

    def share(self, other: Deadline) -> None:
        """Watch the socket that another deadline watches."""
        if other._socket is not None:
            self.watch(other._socket)

    def adopt(self, duplicate: socket.socket) -> bool:
        """Take over a socket whose connection was closed, if it is the one being watched.

        A connection that will not be kept is closed by http.client before its body is read, and the deadline must
        hold for the body all the same. Returns whether it was taken over; it is then closed in time.
        """
        with self._lock:
            if self.finished or self._socket is not duplicate:
                return False
            self._adopted = duplicate
            return True

    def expire(self) -> None:
        """End the request now, if it has not finished."""
        with self._lock:
            if not self.finished:
                self.expired = True
                self._shut()

    def extend(self, seconds: float) -> None:
        """Give the request so much time from now on, because it makes progress."""
        with self._lock:
            self.expires = time.monotonic() + seconds

    def finish(self) -> None:
        """Say that the request is over: its socket may now serve another one."""
        with self._lock:
            self.finished = True
            self._socket = None
            self._close_adopted()

    def _close_adopted(self) -> None:
        if self._adopted is not None:
            self._adopted.close()
            self._adopted = None

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(2)


class Watchdog:
    """A thread that expires deadlines on time. `close` expires the ones still running and ends the thread."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._heap: list[tuple[float, int, Deadline]] = []
        self._order = itertools.count()
        self._sweep_at = _SWEEP_AT
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="scraper-watchdog", daemon=True)
        self._thread.start()

    def start(self, seconds: float) -> Deadline:
        """A deadline `seconds` from now; it has expired already if the watchdog is closed."""
        deadline = Deadline(time.monotonic() + seconds)
        with self._wake:
            if self._closed:
                deadline.expired = True
                return deadline
            if len(self._heap) >= self._sweep_at:
                self._sweep()
            heapq.heappush(self._heap, (deadline.expires, next(self._order), deadline))
            if self._heap[0][2] is deadline:
                self._wake.notify()
        return deadline

    def close(self) -> None:
        """Expire every running deadline, so that blocked requests end at once, and stop."""
        with self._wake:
            self._closed = True
            running = [deadline for _, _, deadline in self._heap]
            self._heap.clear()
            self._wake.notify()
        for deadline in running:
            deadline.expire()
        self._thread.join()

    def _sweep(self) -> None:
        # Finished deadlines stay in the heap until their time; at a thousand requests a second that adds up.
        self._heap = [entry for entry in self._heap if not entry[2].finished]
        heapq.heapify(self._heap)
        self._sweep_at = max(_SWEEP_AT, 2 * len(self._heap))

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._closed:
                    return
                now = time.monotonic()
                if not self._heap or self._heap[0][0] > now:
                    self._wake.wait(self._heap[0][0] - now if self._heap else None)
                    continue
                _, _, deadline = heapq.heappop(self._heap)
                if deadline.expires > now and not deadline.finished:  # it was extended
                    heapq.heappush(self._heap, (deadline.expires, next(self._order), deadline))
                    continue
            deadline.expire()

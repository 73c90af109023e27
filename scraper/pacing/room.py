"""Room for what only so much of may be under way at once, shared by threads: memory, or work that cannot be stopped."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from typing import TYPE_CHECKING, Final, Self

from scraper.errors import InterruptedRunError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAPPED: Final = 2**20
"""Bytes from which a block of memory is given back to the system when it is freed."""
_M_MMAP_THRESHOLD: Final = -3


class Room:
    """An amount that is taken in parts and given back. Whoever fits goes first; nothing waits behind what does not."""

    def __init__(self, size: float) -> None:
        """Room for `size`, in any unit."""
        self._size = self._left = size
        self._changed = threading.Condition()
        self._closed = False

    def take(self, amount: float, timeout: float | None = None) -> float:
        """Wait until the amount is free, and take it.

        Args:
            amount: how much; more than the whole room means all of it.
            timeout: seconds to wait, None for as long as it takes.

        Returns what was taken, to be given to `give_back`; 0 where it was not free in time.

        Raises:
            InterruptedRunError: the room is closed.
        """
        amount = min(amount, self._size)
        with self._changed:
            free = self._changed.wait_for(lambda: self._closed or self._left >= amount, timeout)
            if self._closed:
                raise InterruptedRunError("interrupted while it waited for memory")
            self._left -= amount if free else 0
        return amount if free else 0

    def give_back(self, amount: float) -> None:
        """Give back what was taken."""
        with self._changed:
            self._left += amount
            self._changed.notify_all()

    @contextlib.contextmanager
    def taken(self, amount: float) -> Iterator[None]:
        """Hold the amount for as long as the block takes.

        Raises:
            InterruptedRunError: the room is closed.
        """
        held = self.take(amount)
        try:
            yield
        finally:
            self.give_back(held)

    def close(self) -> None:
        """Let nobody wait or come in any more; what is held is given back as it ends."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Lease:
    """What one thread holds of a room for as long as a block takes, if it turns out to need any."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._held:
            self._room.give_back(self._held)

    def take(self, amount: float, timeout: float) -> bool:
        """Take so much once, waiting for it so many seconds at most; returns whether it was had in time.

        It is all taken at once: threads that hold a part each and wait for more would wait for each other.
        """
        self._held = self._room.take(amount, timeout)
        return self._held > 0


def give_memory_back() -> None:
    """Let large blocks of memory return to the system as soon as they are freed, in this process from now on.

    glibc else keeps up to 64 MiB for each of some dozen heaps that threads share, so that pictures of which one at a
    time is decoded take a gigabyte (https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD). Other
    systems' libraries have no such setting and need none.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MAPPED)

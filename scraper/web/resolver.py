"""Host names to addresses, within a time limit and asked once a minute.

`getaddrinfo` has no time-out of its own and cannot be interrupted, so each question runs in a thread that is left
behind if the answer does not come in time.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from typing import Final

SocketAddress = tuple[str, int]
Resolved = tuple[tuple[socket.AddressFamily, str], ...]

_FRESH: Final = 60.0
"""Seconds an answer is used; Flickr's hosts are content networks that move."""


class Resolver:
    """Resolves names for many threads; a name being asked for is asked for once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self._answers: dict[str, tuple[float, Resolved]] = {}

    def resolve(self, host: str, timeout: float) -> Resolved:
        """The addresses of `host`, in the system's order of preference.

        Args:
            host: a name.
            timeout: seconds to wait.

        Raises:
            socket.gaierror: there is no such name, or the system could not tell.
            TimeoutError: no answer in time.
        """
        expires = time.monotonic() + timeout
        with self._lock:
            asking = self._asking.setdefault(host, threading.Lock())
        if not asking.acquire(timeout=timeout):
            raise TimeoutError(f"no address for {host} within {timeout:.1f} s")
        try:
            known = self._answers.get(host)
            if known is not None and time.monotonic() - known[0] < _FRESH:
                return known[1]
            answer = _ask(host, max(0.001, expires - time.monotonic()))
            self._answers[host] = (time.monotonic(), answer)
            return answer
        finally:
            asking.release()


def _ask(host: str, timeout: float) -> Resolved:
    answers: queue.SimpleQueue[Resolved | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answers.put(error)
        else:
            found = ((family, str(address[0])) for family, _, _, _, address in infos)
            answers.put(tuple(dict.fromkeys(found)))

    threading.Thread(target=ask, name=f"scraper-resolve-{host}", daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        raise TimeoutError(f"no address for {host} within {timeout:.1f} s") from None
    if isinstance(answer, UnicodeError):
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is not a name that can be looked up") from answer
    if isinstance(answer, OSError):
        raise answer
    return answer

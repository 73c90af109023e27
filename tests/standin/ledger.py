"""What the stand-in has seen: written by its own thread, read by any other."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.standin.http1 import Request


@dataclass(frozen=True, slots=True)
class Seen:
    """One request. `started_at` is in seconds of time.monotonic(); headers that were not sent are empty."""

    host: str
    path: str
    scheme: str
    method: str
    started_at: float
    user_agent: str
    range: str
    host_header: str


def group_of(host: str) -> str:
    """`flickr`, `imagenet` or `other`."""
    domain = ".".join(host.split(".")[-2:])
    if domain in {"flickr.com", "staticflickr.com"}:
        return "flickr"
    return "imagenet" if domain == "image-net.org" else "other"


class Ledger:
    """Requests, connections, and how many requests were being answered at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[Seen] = []
        self._counts: Counter[str] = Counter()
        self._active: Counter[str] = Counter()
        self._peaks: Counter[str] = Counter()
        self._connections = 0

    def connected(self) -> None:
        """A connection was accepted."""
        with self._lock:
            self._connections += 1

    def started(self, request: Request, now: float) -> None:
        """A request was read; it counts as active until `ended`."""
        get = request.headers.get
        seen = Seen(
            request.host, request.path, request.scheme, request.method, now,
            get("user-agent", ""), get("range", ""), get("host", ""),
        )  # fmt: skip
        with self._lock:
            self._seen.append(seen)
            self._counts[request.address] += 1
            for group in ("all", group_of(request.host)):
                self._active[group] += 1
                self._peaks[group] = max(self._peaks[group], self._active[group])

    def ended(self, request: Request) -> None:
        """A request was answered, or its connection is gone."""
        with self._lock:
            self._active["all"] -= 1
            self._active[group_of(request.host)] -= 1

    def reset(self) -> None:
        """Forget requests, counts, connections and peaks; active requests stay active."""
        with self._lock:
            self._seen.clear()
            self._counts.clear()
            self._peaks = Counter(self._active)
            self._connections = 0

    def requests(self) -> list[Seen]:
        """A copy of all requests, in the order of their arrival."""
        with self._lock:
            return list(self._seen)

    def count(self, address: str) -> int:
        """How many requests came for a host and path."""
        with self._lock:
            return self._counts[address]

    def connections(self) -> int:
        """How many connections were accepted."""
        with self._lock:
            return self._connections

    def peaks(self) -> dict[str, int]:
        """The largest number of requests active at once: `all`, and by group."""
        with self._lock:
            return {group: self._peaks[group] for group in ("all", "flickr", "imagenet", "other")}

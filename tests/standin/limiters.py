"""Limits of rate in front of Flickr's hosts: the hosts of `tests.virtual`, on real HTTP and in real time."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Final

from tests.standin.replies import Reply

if TYPE_CHECKING:
    from tests.standin.http1 import Request
    from tests.virtual.hosts import Limiter

BODY: Final = (
    b"<html><head><title>429 Too Many Requests</title></head><body><h1>429 Too Many Requests</h1></body></html>\n"
)


class Limits:
    """Answers in the place of a host as long as its limiter lets nothing pass; set it as `StandIn.between`.

    Attributes:
        passed: requests that went through.
        refused: those that did not.
    """

    def __init__(
        self, limiter: Limiter, *, status: int = 429, retry_after: float | None = None, hurried: float = 0.0
    ) -> None:
        """Refuse with a status.

        Until the first refusal, requests count as if at least `hurried` came in a second: a busy machine may never ask
        for more than is allowed.
        """
        self._limiter = limiter
        self._longest_gap = 1 / hurried if hurried else math.inf
        self._at = self._asked_at = time.monotonic()
        self._status = status
        self._retry_after = retry_after
        self._lock = threading.Lock()
        self.passed = 0
        self.refused = 0

    def __call__(self, request: Request) -> Reply | None:
        """The refusal of a request, None where it passes."""
        del request
        with self._lock:
            asked_at = time.monotonic()
            gap = asked_at - self._asked_at
            self._at += gap if self.refused else min(gap, self._longest_gap)
            self._asked_at = asked_at
            if self._limiter.passes(self._at, 1):
                self.passed += 1
                return None
            self.refused += 1
        more = () if self._retry_after is None else (("Retry-After", f"{self._retry_after:g}"),)
        return Reply(self._status, BODY, (("Content-Type", "text/html"), *more))

"""A clock for waiting by: Unix time when it was made, and from then on seconds that neither jump nor run backwards."""

from __future__ import annotations

import time
from typing import Final

_ASLEEP: Final = 5.0
"""Seconds by which the wall clock may gain on this one before the machine counts as having slept."""


class Clock:
    """Unix seconds that go on evenly, whoever sets the wall clock, and stand still while the machine sleeps.

    On Linux and macOS, Python's monotonic clock does not count the time that a machine is suspended
    (https://docs.python.org/3/library/time.html#time.monotonic).
    """

    def __init__(self) -> None:
        self._ahead = time.time() - time.monotonic()
        self._gained = 0.0

    def now(self) -> float:
        """The time."""
        return time.monotonic() + self._ahead

    def slept(self) -> bool:
        """Whether the machine has slept since this was asked last, or someone has set its clock forward."""
        gained = time.time() - self.now()
        slept = gained - self._gained > _ASLEEP
        self._gained = gained
        return slept

"""Signals that ask a command to stop."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

from scraper.running.crew import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextlib.contextmanager
def stopping() -> Iterator[Stop]:
    """Let Ctrl-C and SIGTERM stop the run kindly, and a second one at once."""
    stop = Stop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.ask()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

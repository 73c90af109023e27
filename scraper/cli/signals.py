"""Signals that ask a command to stop: Ctrl-C, SIGTERM, and SIGHUP, which comes when the terminal is closed.

The first asks kindly: what is under way gets a moment to end, and the run is closed in the manifest. A second one ends
the process at once. Python tells of a signal only when its main thread comes to the next line, which may take long in
a library's code; so a thread sees them too (`signal.set_wakeup_fd`), and what must happen by itself is its to do.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Final, NoReturn, Self

from scraper.errors import InterruptedRunError
from scraper.running.crew import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_KIND: Final = 2.5
"""Seconds after the first signal in which a run must have looked whether it was asked to stop, or is broken off."""
_ORDERLY: Final = 1.0
"""Seconds after a second signal in which a run may still end in good order, before it is broken off."""
_LAST: Final = 2.0
"""Seconds from then on in which it may close its row in the manifest. Then the process ends as it is: so does one that
hears of nothing because it waits in a library, after a first signal too. A manifest bears that as it bears a kill."""
_SHOW_CURSOR: Final = b"\x1b[?25h"


@contextlib.contextmanager
def stopping() -> Iterator[Stop]:
    """Let signals stop a run that looks whether it was asked to."""
    stop = Stop()
    with _Watch(stop):
        yield stop


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let signals break off what is done, wherever it is; in there, `stopping` does so more kindly.

    Raises:
        InterruptedRunError: a signal came.
    """
    with _Watch(None):
        yield


def leave(code: int) -> NoReturn:
    """End the process; one that was interrupted does not wait for threads that decode a picture or hold a socket."""
    if code == InterruptedRunError.exit_code:
        _end()
    sys.exit(code)


def for_a_moment(write: Callable[[], None]) -> None:
    """Let the output of what was interrupted be written: nobody may read it, and then it would take for ever."""
    writer = threading.Thread(target=write, name="scraper-output", daemon=True)
    with contextlib.suppress(RuntimeError):  # no thread can be started
        writer.start()
        writer.join(_LAST)


def _end() -> NoReturn:
    for_a_moment(_flush)
    os._exit(InterruptedRunError.exit_code)


def _flush() -> None:
    for stream in (sys.stderr, sys.stdout):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


class _Watch:
    """Handlers for the signals, and a thread that is told of them too, for as long as the block takes."""

    def __init__(self, stop: Stop | None) -> None:
        """For a run that may be asked to stop; None for what is broken off at the first signal."""
        self._stop = stop
        self._breaking = stop is None
        self._signals = 0
        self._nudges = 0
        self._due: float | None = None
        """When something is to be done because the run has not ended, None while there is nothing."""
        self._broken_off = False
        self._handled = 0
        self._handled_before = 0
        """How often the main thread heard of a signal, and how often it had when it was to be broken off."""

    def __enter__(self) -> Self:
        watched = _watched()
        # A signal that comes in the middle of this is heard of at its end: no library bears an exception anywhere.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        try:
            self._read, self._write = os.pipe()
            os.set_blocking(self._write, False)
            self._fd_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
            self._before = {number: signal.signal(number, self._handle) for number in watched}
            self._thread = threading.Thread(target=self._watch, name="scraper-signals", daemon=True)
            self._thread.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._fd_before)
        os.close(self._write)  # which ends the thread
        self._thread.join()
        os.close(self._read)
        if self._signals and exc[0] is None and self._fd_before >= 0:
            # It came too late for the run to look. What follows may wait for ever, for whoever reads its output.
            os.write(self._fd_before, b"\0")

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        """Runs in the main thread, wherever that comes to its next line."""
        self._handled += 1
        if self._breaking:
            self._breaking = self._stop is None
            raise InterruptedRunError("interrupted; run the same command again to go on")

    def _watch(self) -> None:
        """Runs in a thread of its own."""
        while True:
            wait = None if self._due is None else max(0.0, self._due - time.monotonic())
            if not select.select([self._read], [], [], wait)[0]:
                self._insist()
                continue
            came = len(os.read(self._read, 64))
            if not came:
                return
            ignored = min(self._nudges, came)
            self._nudges -= ignored
            for _ in range(came - ignored):
                self._note()

    def _note(self) -> None:
        """A signal came, of which the main thread may have heard already."""
        self._signals += 1
        if self._stop is not None:
            self._stop.ask()
        if self._signals <= 2:
            self._due = time.monotonic() + (_KIND if self._signals == 1 else _ORDERLY)

    def _insist(self) -> None:
        """Time is over, and the run has not ended."""
        heard = self._handled > self._handled_before
        # An exception alone is no proof: one that rises in a destructor or a callback is lost.
        run_heard = self._stop is not None and self._stop.heard
        if self._signals == 1 and heard and (self._broken_off or run_heard):
            self._due = None  # it is about to
        elif not self._broken_off:
            self._due = time.monotonic() + _LAST
            self._break_off()
        else:
            if sys.stderr is not None and sys.stderr.isatty():
                os.write(2, _SHOW_CURSOR)
            os._exit(InterruptedRunError.exit_code)

    def _break_off(self) -> None:
        """Let an exception rise in the main thread, and wake it up if it waits for something."""
        self._broken_off = self._breaking = True
        self._handled_before = self._handled
        self._nudges += 1
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def _watched() -> list[signal.Signals]:
    """The signals that stop a run; a hang-up that whoever started us ignores, as `nohup` does, is none of them."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM] + ([] if ignored else [signal.SIGHUP])

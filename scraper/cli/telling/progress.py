"""What a person sees while a command runs, on standard error."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Final

import humanize
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from scraper.cli.streams import tell
from scraper.fetching.hosts import in_words
from scraper.texts import encodable, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scraper.auditing.surveying import SurveyProgress
    from scraper.auditing.verifying import VerifyProgress
    from scraper.exporting.dataset import ExportProgress
    from scraper.fetching.draining import FetchProgress
    from scraper.planning.summaries import PlanProgress

_FIRST_LINE: Final = 5.0
_LINE_EVERY: Final = 30.0
"""Seconds between progress lines where standard error is not a terminal, after the first."""
_REDRAW: Final = 0.1
_REMEMBERED: Final = 30.0
"""Seconds over which the rate is measured."""


class _Pace:
    """Progress per second of late, and from it the time left."""

    def __init__(self) -> None:
        self._marks: list[tuple[float, int]] = []

    def mark(self, now: float, done: int) -> None:
        self._marks.append((now, done))
        while self._marks[0][0] < now - _REMEMBERED:
            self._marks.pop(0)

    @property
    def rate(self) -> float:
        (began, first), (ended, last) = self._marks[0], self._marks[-1]
        # Images may turn out to be lost, so that fewer are done than were.
        return max(0.0, last - first) / (ended - began) if ended > began else 0.0

    def left(self, remaining: int) -> str:
        seconds = remaining / self.rate if self.rate > 0 else -1
        if remaining <= 0:
            return "0:00"
        if not 0 <= seconds < 100 * 3600:
            return "-:--"
        minutes, rest = divmod(int(seconds), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


class _Display:
    """A bar on a terminal; elsewhere a line now and then, so that a log file stays readable."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._console = Console(stderr=True, highlight=False, emoji=False, markup=False)
        self._bar: Progress | None = None
        self._pace = _Pace()
        self._drawn = 0.0
        self._next_line = time.monotonic() + _FIRST_LINE
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[rest]}", markup=False),
                console=self._console,
                auto_refresh=False,
                expand=True,
            )
            self._task = self._bar.add_task(what, total=None, rest="")

    def update(self, done: int, total: int, counts: Callable[[float, str], str]) -> None:
        now = time.monotonic()
        if now - self._drawn < _REDRAW and done < total:
            return
        self._drawn = now
        self._pace.mark(now, done)
        rest = counts(self._pace.rate, self._pace.left(total - done))
        head = f"{self._what} {done:,}/{total:,}"
        if self._bar is not None:
            with contextlib.suppress(OSError):  # the terminal may have been closed
                self._bar.start()  # not before there is something to show: an empty bar above an error says nothing
                self._bar.update(self._task, description=head, completed=done, total=total, rest=rest)
                self._bar.refresh()
        elif now >= self._next_line:
            self._next_line = now + _LINE_EVERY
            self.say(f"{head}  {rest}")

    def say(self, line: str) -> None:
        if self._bar is None:
            tell(line)
            return
        with contextlib.suppress(OSError):
            self._bar.console.print(encodable(printable(line), sys.stderr.encoding or "utf-8"))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            if self._bar is not None:
                self._bar.stop()


@contextlib.contextmanager
def plan_progress() -> Iterator[tuple[Callable[[PlanProgress], None], Callable[[str], None]]]:
    """Show how far a plan is: classes of all, failures, candidates, and what else it is busy with."""
    display = _Display("classes")

    def show(progress: PlanProgress) -> None:
        def counts(_rate: float, left: str) -> str:
            if progress.doing:
                return progress.doing
            return f"{progress.candidates:,} candidates  {progress.failed:,} failed  {left}"

        display.update(progress.done, progress.classes, counts)

    try:
        yield show, display.say
    finally:
        display.close()


@contextlib.contextmanager
def fetch_progress() -> Iterator[tuple[Callable[[FetchProgress], None], Callable[[str], None]]]:
    """Show how far a fetch is: images of all wanted, classes done, rate, bytes, failures, time left."""
    display = _Display("images")

    def show(progress: FetchProgress) -> None:
        def counts(rate: float, left: str) -> str:
            size = humanize.naturalsize(progress.bytes, format="%.0f")
            classes = f"{progress.classes_done:,}/{progress.classes:,} classes"
            if held := in_words(progress.held, progress.seconds_left, time.time()):
                return f"{classes}  {size}  {progress.failed:,} lost  {held}"
            return f"{classes}  {rate:.0f}/s  {size}  {progress.failed:,} lost  {left}"

        display.update(progress.saved, progress.wanted, counts)

    try:
        yield show, display.say
    finally:
        display.close()


@contextlib.contextmanager
def verify_progress() -> Iterator[tuple[Callable[[VerifyProgress], None], Callable[[str], None]]]:
    """Show how far a verification is."""
    display = _Display("images read")

    def show(progress: VerifyProgress) -> None:
        display.update(progress.done, progress.images, lambda rate, left: f"{rate:.0f}/s  {left}")

    try:
        yield show, display.say
    finally:
        display.close()


@contextlib.contextmanager
def export_progress() -> Iterator[Callable[[ExportProgress], None]]:
    """Show how far an export is."""
    display = _Display("images")
    try:
        yield lambda progress: display.update(
            progress.done, progress.images, lambda rate, left: f"{rate:.0f}/s  {left}"
        )
    finally:
        display.close()


@contextlib.contextmanager
def survey_progress() -> Iterator[tuple[Callable[[SurveyProgress], None], Callable[[str], None]]]:
    """Show how far a survey is, and how wide its interval still is where that decides when it ends."""
    display = _Display("URLs asked")

    def show(progress: SurveyProgress) -> None:
        width = "" if progress.half_width is None else f"  interval +-{progress.half_width:.1%}"
        total = max(progress.sample, progress.done)
        display.update(progress.done, total, lambda rate, left: f"{rate:.0f}/s{width}  {left}")

    try:
        yield show, display.say
    finally:
        display.close()

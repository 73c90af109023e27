"""What a person sees while a command runs, on standard error, or in a notebook."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import humanize
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from scraper.cli.streams import tell
from scraper.fetching.hosts import in_words
from scraper.texts import encodable, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from scraper.auditing.surveying import SurveyProgress
    from scraper.auditing.verifying import VerifyProgress
    from scraper.exporting.dataset import ExportProgress
    from scraper.fetching.standing import FetchProgress
    from scraper.planning.summaries import PlanProgress

    AnyProgress: TypeAlias = PlanProgress | FetchProgress | VerifyProgress | SurveyProgress | ExportProgress

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

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, emoji=False, markup=False)
        self._bar: Progress | None = None
        self._pace = _Pace()
        self._drawn = 0.0
        self._next_line = time.monotonic() + _FIRST_LINE
        if self._console.is_terminal or _in_notebook(self._console):
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[rest]}", markup=False),
                console=self._console,
                auto_refresh=False,
                expand=True,
            )
            self._task = self._bar.add_task("", total=None, rest="")

    def update(self, what: str, done: int, total: int, counts: Callable[[float, str], str]) -> None:
        now = time.monotonic()
        if now - self._drawn < _REDRAW and done < total:
            return
        self._drawn = now
        self._pace.mark(now, done)
        rest = counts(self._pace.rate, self._pace.left(total - done))
        head = f"{what} {done:,}/{total:,}"
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


def _in_notebook(console: Console) -> bool:
    return console.is_jupyter and importlib.util.find_spec("ipywidgets") is not None


# --- what each command tells -----------------------------------------------------------------------------------------


def _show_plan(display: _Display, progress: PlanProgress) -> None:
    def counts(_rate: float, left: str) -> str:
        if progress.doing:
            return progress.doing
        return f"{progress.candidates:,} candidates  {progress.failed:,} failed  {left}"

    display.update("classes", progress.done, progress.classes, counts)


def _show_fetch(display: _Display, progress: FetchProgress) -> None:
    def counts(rate: float, left: str) -> str:
        size = humanize.naturalsize(progress.bytes, format="%.0f")
        classes = f"{progress.classes_done:,}/{progress.classes:,} classes"
        if held := in_words(progress.held, progress.seconds_left, time.time()):
            return f"{classes}  {size}  {progress.failed:,} lost  {held}"
        return f"{classes}  {rate:.0f}/s  {size}  {progress.failed:,} lost  {left}"

    display.update("images", progress.saved, progress.wanted, counts)


def _show_verify(display: _Display, progress: VerifyProgress) -> None:
    display.update("images read", progress.done, progress.images, lambda rate, left: f"{rate:.0f}/s  {left}")


def _show_export(display: _Display, progress: ExportProgress) -> None:
    display.update("images", progress.done, progress.images, lambda rate, left: f"{rate:.0f}/s  {left}")


def _show_survey(display: _Display, progress: SurveyProgress) -> None:
    width = "" if progress.half_width is None else f"  interval +-{progress.half_width:.1%}"
    total = max(progress.sample, progress.done)
    display.update("URLs asked", progress.done, total, lambda rate, left: f"{rate:.0f}/s{width}  {left}")


_SHOW: Final[dict[str, Callable[[_Display, Any], None]]] = {
    "PlanProgress": _show_plan,
    "FetchProgress": _show_fetch,
    "VerifyProgress": _show_verify,
    "SurveyProgress": _show_survey,
    "ExportProgress": _show_export,
}
"""By the names of their types: to import the types of all commands takes each command longer than to import its own."""


def _show(display: _Display, progress: AnyProgress) -> None:
    """Show the progress of whatever command it is of."""
    show = _SHOW.get(type(progress).__name__)
    if show is None:
        raise TypeError(f"{progress!r} is no progress of a command")
    show(display, progress)


class ProgressBar:
    """Shows how far a call is: to be given as its `progress`.

    It ends with the `with` block it was made for, else when nothing refers to it any more.
    """

    def __init__(self) -> None:
        self._display = _Display()
        self._end = weakref.finalize(self, self._display.close)

    def __call__(self, progress: AnyProgress) -> None:
        """Show how far it is now.

        Raises:
            TypeError: it is the progress of nothing here.
        """
        _show(self._display, progress)

    def say(self, line: str) -> None:
        """Print a line above the bar: to be given as `notice`."""
        self._display.say(line)

    def close(self) -> None:
        """Leave the bar as it is and give the terminal back."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def progress_bar() -> ProgressBar:
    """A progress bar for `plan`, `fetch`, `verify`, `survey` or `export`.

        with progress_bar() as bar:
            fetch(progress=bar, notice=bar.say)

    On a terminal and in a notebook that has ipywidgets it is a bar, elsewhere a line on standard error, after five
    seconds and then every thirty, so that a log stays readable.
    """
    return ProgressBar()

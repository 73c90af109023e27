"""A report for people: tables in the terminal."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Final

import humanize
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scraper.reporting.hosts import resting_line, thinned
from scraper.reporting.locked import LOCK_NOTE, NUMBERS, lock_total
from scraper.reporting.sentences import TOO_FEW, estimate, percent, rate_cells, rate_lines
from scraper.texts import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scraper.reporting.numbers import ClassRow, Report

_ALL_SHOWN: Final = 25
"""Classes up to which all are shown; above, only those that are short."""
_MOST_SHOWN: Final = 40
_PLAIN_WIDTH: Final = 100
"""Columns where the output is not a terminal."""


def to_text(report: Report, *, terminal: bool = False) -> str:
    """The report as text; with colours and as wide as the window where it goes to a terminal."""
    out = io.StringIO()
    width = shutil.get_terminal_size((_PLAIN_WIDTH, 24)).columns if terminal else _PLAIN_WIDTH
    console = Console(file=out, width=width, force_terminal=terminal, highlight=False, emoji=False, markup=False)
    totals = report.totals
    console.print(
        f"{totals.saved - totals.surplus:,} of {counted(totals.wanted, 'image')} "
        f"({humanize.naturalsize(totals.bytes)}) in {counted(totals.classes, 'class', 'classes')}; "
        f"{totals.shortfall:,} short",
        style="bold",
    )
    if totals.surplus:
        console.print(f"{counted(totals.surplus, 'image')} beyond what is wanted since n was lowered")
    if totals.dropped:
        console.print(f"{counted(totals.dropped, 'class', 'classes')} dropped")
    console.print(
        f"{totals.tried:,} of {counted(totals.candidates, 'candidate')} tried in "
        f"{counted(totals.requests, 'request')}; {totals.unknown:,} still unknown"
    )
    if line := resting_line(report.resting):
        console.print(line, soft_wrap=not terminal)
    for line in rate_lines(report):
        console.print(line, soft_wrap=not terminal)
    _print_forecast(console, report)
    for title, table in _tables(report):
        if table.row_count:
            console.print(f"\n{title}", style="bold")
            console.print(table)
        if title.startswith("Classes"):
            _print_advice(console, report)
        if title == _OF_LOCK:
            console.print(f"  {LOCK_NOTE}", soft_wrap=not terminal)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def _print_forecast(console: Console, report: Report) -> None:
    """What was expected beside what came true."""
    told, totals = report.forecast, report.totals
    if told is None:
        return
    short = sum(1 for row in report.classes if row.shortfall)
    basis = "measured" if told.decided else "assumed"
    expected = _outcome(round(told.images), round(told.requests), round(told.short))
    console.print(f"forecast of {told.made_at[:10]}: {expected} ({told.survival:.1%} survival, {basis})")
    console.print(f"so far: {_outcome(totals.saved - totals.surplus, totals.requests, short)}")


def _outcome(images: int, requests: int, short: int) -> str:
    return f"{counted(images, 'image')} with {counted(requests, 'request')}, {counted(short, 'class', 'classes')} short"


_ADVICE: Final = {
    "not yet resolved": "`scraper plan` again with the same classes",
    "no list": "`scraper plan` again, or with another --source",
    "list exhausted": "nothing is left to ask for: `scraper fetch --second-try live`, more --hosts, or a smaller -n",
    "budget spent": "`scraper fetch`, without --no-top-up",
    "not yet tried": "`scraper fetch`",
    "": "`scraper fetch` again, later; it asks for these first",
}
"""What helps a class that is short, by the beginning of its reason; the last is for what is unknown."""


def _print_advice(console: Console, report: Report) -> None:
    for reason in sorted({row.reason for row in report.classes if row.reason}):
        advice = next(advice for beginning, advice in _ADVICE.items() if reason.startswith(beginning))
        console.print(f"  {reason}: {advice}")


_OF_LOCK: Final = "Images of the lock"


def _tables(report: Report) -> Iterable[tuple[str, Table]]:
    yield _classes(report)
    if report.lock:
        yield _OF_LOCK, _lock(report)
    yield "Candidates by outcome", _outcomes(report)
    yield "Requests by HTTP status", _statuses(report)
    yield "Candidates by host", _hosts(report)
    yield "Pace of hosts over time", _paces(report)
    yield "By year of upload, interpolated from photo numbers", _years(report)
    yield "Surveys", _surveys(report)
    yield "Changes since URLs were asked before", _transitions(report)


def _table(columns: Iterable[tuple[str, str]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name, justify in columns:
        table.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    return table


def _classes(report: Report) -> tuple[str, Table]:
    short = [row for row in report.classes if row.shortfall]
    shown = list(report.classes) if len(report.classes) <= _ALL_SHOWN else short[:_MOST_SHOWN]
    title = "Classes" if len(report.classes) <= _ALL_SHOWN else f"Classes that are short: {len(short):,}"
    if len(shown) < len(short):
        title += f" (the first {len(shown)}; --format csv has all)"
    columns = ("wnid", "label", "n", "saved", "short", "tried", "of", "reason")
    table = _table([(name, "left" if name in ("wnid", "label", "reason") else "right") for name in columns])
    for row in shown:
        table.add_row(*_class_cells(row), style="yellow" if row.shortfall else "")
    return title, table


def _class_cells(row: ClassRow) -> tuple[Text, ...]:
    numbers = (row.n, row.saved, row.shortfall or "", row.tried, row.candidates)
    cells = (row.wnid, row.label or "", *(f"{n:,}" if isinstance(n, int) else n for n in numbers), row.reason or "")
    return tuple(_cell(cell) for cell in cells)


def _cell(text: str) -> Text:
    return Text(printable(text, keep=""))


def _lock(report: Report) -> Table:
    table = _table([("wnid", "left"), *((name, "right") for name in NUMBERS)])
    total = [lock_total(report.lock)] if len(report.lock) > 1 else []
    for row in (*report.lock[:_MOST_SHOWN], *total):
        table.add_row(row.wnid, *(f"{getattr(row, name):,}" for name in NUMBERS))
    return table


def _outcomes(report: Report) -> Table:
    columns = ("candidates", "of the URLs", "95 % interval")
    table = _table([("outcome", "left"), ("says the photo is", "left"), *((name, "right") for name in columns)])
    for outcome, count in report.outcomes.items():
        found = estimate(report, outcome)
        figures = (percent(found.rate), percent(found.low, found.high)) if found else ("", "")
        table.add_row(outcome.value, _MEANINGS[outcome.kind.value], f"{count:,}", *figures)
    return table


_MEANINGS: Final = {
    "image": "there",
    "dead": "gone",
    "denied": "not for us",
    "unusable": "not a usable picture",
    "unknown": "unknown: nothing was learnt",
    "refused": "unknown: not asked for",
}


def _statuses(report: Report) -> Table:
    table = _table([("status", "left"), ("requests", "right")])
    for status, count in report.statuses.items():
        table.add_row(_cell("no answer" if status == "none" else status), f"{count:,}")
    return table


def _hosts(report: Report) -> Table:
    columns = ("tried", "saved", "dead", "unknown", "dead rate", "95 % interval")
    table = _table([("host", "left"), *((name, "right") for name in columns)])
    for row in report.hosts[:_MOST_SHOWN]:
        counts = (row.tried, row.saved, row.dead, row.unknown)
        table.add_row(_cell(row.host), *(f"{count:,}" for count in counts), *rate_cells(row))
    return table


def _paces(report: Report) -> Table:
    columns = ("requests a second", "at once", "closed for", "refuses with")
    table = _table([("host", "left"), ("run", "right"), ("at", "left"), *((name, "right") for name in columns)])
    for row in thinned(report.paces):
        rate = "" if row.rate is None else f"{row.rate:.3g}"
        closed = "" if row.closed is None else f"{row.closed:,.0f} s"
        figures = (rate, "" if row.at_once is None else str(row.at_once), closed, str(row.refusal or ""))
        table.add_row(_cell(row.group), str(row.run_id), row.found_at[:19].replace("T", " "), *figures)
    return table


def _surveys(report: Report) -> Table:
    columns = ("survey", "began", "of", "asked", "decided", "dead", "95 % interval", "if unknown alive, dead")
    table = _table([(name, "left" if name == "of" else "right") for name in columns])
    for row in report.surveys:
        bounds = percent(row.low_if_unknown_alive, row.high_if_unknown_dead) if row.unknown else ""
        figures = (percent(row.rate), percent(row.low, row.high), bounds)
        table.add_row(str(row.run_id), row.began_at[:10], row.of, f"{row.asked:,}", f"{row.decided:,}", *figures)
    return table


def _transitions(report: Report) -> Table:
    columns = ("survey", "before", "now", "of", "URLs", "share", "95 % interval")
    table = _table([(name, "left" if name in ("before", "now") else "right") for name in columns])
    for row in report.transitions:
        interval = percent(row.low, row.high) or TOO_FEW
        words = (str(row.run_id), row.before, row.now, f"{row.asked:,}", f"{row.urls:,}")
        table.add_row(*words, percent(row.rate), interval)
    return table


def _years(report: Report) -> Table:
    columns = ("year", "URLs decided", "classes", "dead rate", "95 % interval")
    table = _table([(name, "right") for name in columns])
    for row in report.years:
        table.add_row(str(row.year), f"{row.urls:,}", f"{row.classes:,}", *rate_cells(row))
    return table

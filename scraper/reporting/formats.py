"""A report as JSON, CSV or HTML. JSON and CSV are a contract: keys and columns are added, never changed.

What lists and servers said is in it as it was said in JSON alone, where whatever is no plain character is escaped.
"""

from __future__ import annotations

import csv
import html
import io
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Final

from scraper.reporting.hosts import resting_line, thinned
from scraper.reporting.locked import LOCK_NOTE, NUMBERS, lock_total
from scraper.reporting.numbers import ClassRow
from scraper.reporting.options import ReportFormat
from scraper.reporting.sentences import TOO_FEW, estimate, percent, rate_cells, rate_lines
from scraper.texts import counted, defused, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scraper.reporting.hosts import HostRow, PaceRow
    from scraper.reporting.locked import LockRow
    from scraper.reporting.numbers import Report, YearRow
    from scraper.reporting.surveys import SurveyRow, TransitionRow


def to_json(report: Report) -> str:
    """The whole report as one JSON object."""
    return json.dumps(asdict(report), indent=2) + "\n"


def to_csv(report: Report) -> str:
    """The classes, one a line, with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(ClassRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _csv_cell(value) for name, value in asdict(row).items()} for row in report.classes)
    return out.getvalue()


def _csv_cell(value: object) -> object:
    return defused(printable(value, keep="")) if isinstance(value, str) else value


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 0 0 2em } caption { text-align: left; font-weight: 600; padding: .4em 0 }
th, td { padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: right } th:first-child, td:first-child,
th:nth-child(2), td:nth-child(2) { text-align: left } tr.short td { background: #fff4e5 }
"""


def to_html(report: Report) -> str:
    """The report as one page that needs nothing else."""
    totals = report.totals
    title = f"{totals.saved - totals.surplus:,} of {counted(totals.wanted, 'image')}"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>",
        (
            f"<p>{_text(report.manifest)}, {_text(report.generated_at)}. "
            f"{totals.tried:,} of {counted(totals.candidates, 'candidate')} tried in "
            f"{counted(totals.requests, 'request')}; "
            f"{totals.unknown:,} still unknown.</p>"
        ),
        *(f"<p>{html.escape(line)}.</p>" for line in (resting_line(report.resting), *rate_lines(report)) if line),
        _table(f"Images of the lock: {LOCK_NOTE}", _LOCK_COLUMNS, map(_lock_cells, _lock_rows(report))),
        _table("Candidates by outcome", _OUTCOME_COLUMNS, _outcome_rows(report)),
        _table("Requests by HTTP status", ("status", "", "requests"), ((s, "", n) for s, n in report.statuses.items())),
        _table("Candidates by host", _HOST_COLUMNS, map(_host_cells, report.hosts)),
        _table("By year of upload, interpolated from photo numbers", _YEAR_COLUMNS, map(_year_cells, report.years)),
        _table("Pace of hosts over time", _PACE_COLUMNS, map(_pace_cells, thinned(report.paces))),
        _table("Surveys", _SURVEY_COLUMNS, map(_survey_cells, report.surveys)),
        _table("Changes since URLs were asked before", _MOVE_COLUMNS, map(_move_cells, report.transitions)),
        _table("Classes", _CLASS_COLUMNS, ([getattr(row, name) for name in _CLASS_COLUMNS] for row in report.classes)),
        "</body></html>\n",
    ]
    return "\n".join(parts)


_OUTCOME_COLUMNS = ("outcome", "kind", "candidates", "of the URLs", "95 % interval")
_HOST_COLUMNS = ("host", "", "tried", "saved", "dead", "unknown", "dead rate", "95 % interval")
_YEAR_COLUMNS = ("year", "", "URLs decided", "classes", "dead rate", "95 % interval")
_CLASS_COLUMNS = ("wnid", "label", "n", "listed", "candidates", "tried", "saved", "shortfall", "reason")


_LOCK_COLUMNS = ("wnid", "", *NUMBERS)


def _lock_rows(report: Report) -> Iterable[LockRow]:
    return (*report.lock, lock_total(report.lock)) if len(report.lock) > 1 else report.lock


def _lock_cells(row: LockRow) -> tuple[object, ...]:
    return row.wnid, "", *(getattr(row, name) for name in NUMBERS)


_SURVEY_COLUMNS = ("survey", "of", "began", "asked", "decided", "dead", "95 % interval", "if unknown alive, dead")
_MOVE_COLUMNS = ("survey", "", "before", "now", "of", "URLs", "share", "95 % interval")


def _host_cells(row: HostRow) -> tuple[object, ...]:
    return row.host, "", row.tried, row.saved, row.dead, row.unknown, *rate_cells(row)


def _year_cells(row: YearRow) -> tuple[object, ...]:
    return str(row.year), "", row.urls, row.classes, *rate_cells(row)


_PACE_COLUMNS = ("host", "", "run", "at", "requests a second", "at once", "closed for, seconds", "refuses with")


def _pace_cells(row: PaceRow) -> tuple[object, ...]:
    figures = (row.rate, row.at_once, row.closed)
    shown = ("" if figure is None else f"{figure:.3g}" for figure in figures)
    return row.group, "", str(row.run_id), row.found_at[:19], *shown, str(row.refusal or "")


def _survey_cells(row: SurveyRow) -> tuple[object, ...]:
    bounds = percent(row.low_if_unknown_alive, row.high_if_unknown_dead) if row.unknown else ""
    figures = (percent(row.rate), percent(row.low, row.high), bounds)
    return str(row.run_id), row.of, row.began_at[:10], row.asked, row.decided, *figures


def _move_cells(row: TransitionRow) -> tuple[object, ...]:
    figures = (percent(row.rate), percent(row.low, row.high) or TOO_FEW)
    return str(row.run_id), "", row.before, row.now, row.asked, row.urls, *figures


def _outcome_rows(report: Report) -> Iterable[tuple[object, ...]]:
    for outcome, count in report.outcomes.items():
        found = estimate(report, outcome)
        figures = (percent(found.rate), percent(found.low, found.high)) if found else ("", "")
        yield outcome.value, outcome.kind.value, count, *figures


def _table(caption: str, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "\n".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows)
    if not body:
        return ""
    return f"<table><caption>{html.escape(caption)}</caption><tr>{head}</tr>\n{body}</table>"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"<td>{value:,}</td>"
    return f"<td>{'' if value is None else _text(str(value))}</td>"


def _text(text: str) -> str:
    return html.escape(printable(text, keep=""))


FORMATS: Final[dict[ReportFormat, Callable[[Report], str]]] = {
    ReportFormat.JSON: to_json,
    ReportFormat.CSV: to_csv,
    ReportFormat.HTML: to_html,
}
"""The formats for programs and pages."""

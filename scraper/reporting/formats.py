"""A report as JSON, CSV or HTML. JSON and CSV are a contract: keys and columns are added, never changed."""

from __future__ import annotations

import csv
import html
import io
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

from scraper.config import ReportFormat
from scraper.reporting.numbers import ClassRow
from scraper.texts import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scraper.reporting.numbers import Report


def to_json(report: Report) -> str:
    """The whole report as one JSON object."""
    return json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n"


def to_csv(report: Report) -> str:
    """The classes, one a line, with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(ClassRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in report.classes)
    return out.getvalue()


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
            f"<p>{html.escape(report.manifest)}, {html.escape(report.generated_at)}. "
            f"{totals.tried:,} of {counted(totals.candidates, 'candidate')} tried in "
            f"{counted(totals.requests, 'request')}; "
            f"{totals.unknown:,} still unknown.</p>"
        ),
        _table("Candidates by outcome", ("outcome", "kind", "candidates"), _outcome_rows(report)),
        _table("Requests by HTTP status", ("status", "", "requests"), ((s, "", n) for s, n in report.statuses.items())),
        _table("Candidates by host", _HOST_COLUMNS, (_host_cells(asdict(row)) for row in report.hosts)),
        _table("Classes", _CLASS_COLUMNS, ([getattr(row, name) for name in _CLASS_COLUMNS] for row in report.classes)),
        "</body></html>\n",
    ]
    return "\n".join(parts)


_HOST_COLUMNS = ("host", "", "tried", "saved", "dead", "unknown", "dead rate", "95 % interval")


_CLASS_COLUMNS = ("wnid", "label", "n", "listed", "candidates", "tried", "saved", "shortfall", "reason")


def _host_cells(row: dict[str, Any]) -> tuple[object, ...]:
    rate = "" if row["dead_rate"] is None else f"{row['dead_rate']:.1%}"
    interval = f"{row['dead_rate_low']:.1%} to {row['dead_rate_high']:.1%}" if rate else ""
    return row["host"], "", row["tried"], row["saved"], row["dead"], row["unknown"], rate, interval


def _outcome_rows(report: Report) -> Iterable[tuple[object, ...]]:
    return ((outcome.value, outcome.kind.value, count) for outcome, count in report.outcomes.items())


def _table(caption: str, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "\n".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows)
    return f"<table><caption>{html.escape(caption)}</caption><tr>{head}</tr>\n{body}</table>"


def _cell(value: object) -> str:
    text = "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
    return f"<td>{html.escape(text)}</td>"


FORMATS: Final[dict[ReportFormat, Callable[[Report], str]]] = {
    ReportFormat.JSON: to_json,
    ReportFormat.CSV: to_csv,
    ReportFormat.HTML: to_html,
}
"""The formats for programs and pages."""

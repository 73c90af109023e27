"""How a report is shown."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from scraper.kinds import Choice, FilePath, Flag
from scraper.options import Options, option


class ReportFormat(enum.StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    HTML = "html"
    METHODS = "methods"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions(Options):
    """How a report is shown."""

    format: ReportFormat = option(
        ReportFormat.TEXT,
        Choice(ReportFormat),
        "text, json, csv (the classes), html, or methods: a paragraph for a paper, with what to cite",
    )
    output: Path | None = option(None, FilePath(Path), "a file to write to instead of standard output")
    check: bool = option(default=False, kind=Flag(), help="exit with 1 if any class is short")

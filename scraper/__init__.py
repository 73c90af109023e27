"""n real photographs for each of some ImageNet classes, through one auditable and restartable SQLite manifest.

    from scraper import FetchOptions, PlanOptions, fetch, plan, progress_bar, report

    plan(["n01440764", "n02123045"], PlanOptions(n=10), manifest="cats.db")
    fetch(FetchOptions(threads=32), manifest="cats.db", progress=progress_bar())
    print(report("cats.db").totals)

Nothing here prints or exits; errors are those of `scraper.errors`. Names are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from scraper.version import __version__

if TYPE_CHECKING:
    from scraper.auditing.forgetting import ForgetSummary, forget
    from scraper.auditing.options import SurveyOptions, VerifyOptions
    from scraper.auditing.surveying import SurveySummary, survey
    from scraper.auditing.tracing import Trace, trace
    from scraper.auditing.verifying import VerifySummary, verify
    from scraper.cli.telling.progress import progress_bar
    from scraper.errors import ScraperError
    from scraper.exporting.dataset import ExportProgress, ExportSummary, export
    from scraper.exporting.options import ExportOptions
    from scraper.fetching.draining import fetch
    from scraper.fetching.options import FetchOptions
    from scraper.fetching.standing import FetchProgress, FetchSummary
    from scraper.model import Kind, Outcome, State, Wnid
    from scraper.planning.resolving import plan
    from scraper.planning.summaries import PlannedClass, PlanProgress, PlanSummary
    from scraper.planning.wanted.dropping import DropSummary, drop
    from scraper.planning.wanted.options import DropOptions, PlanOptions
    from scraper.records import ClassRequest
    from scraper.reporting.numbers import Report, report
    from scraper.running.crew import Stop
    from scraper.web.options import NetworkOptions

__all__ = [
    "ClassRequest",
    "DropOptions",
    "DropSummary",
    "ExportOptions",
    "ExportProgress",
    "ExportSummary",
    "FetchOptions",
    "FetchProgress",
    "FetchSummary",
    "ForgetSummary",
    "Kind",
    "NetworkOptions",
    "Outcome",
    "PlanOptions",
    "PlanProgress",
    "PlanSummary",
    "PlannedClass",
    "Report",
    "ScraperError",
    "State",
    "Stop",
    "SurveyOptions",
    "SurveySummary",
    "Trace",
    "VerifyOptions",
    "VerifySummary",
    "Wnid",
    "__version__",
    "drop",
    "export",
    "fetch",
    "forget",
    "plan",
    "progress_bar",
    "report",
    "survey",
    "trace",
    "verify",
]

_HOMES: Final = {
    "scraper.web.options": ("NetworkOptions",),
    "scraper.planning.wanted.options": ("DropOptions", "PlanOptions"),
    "scraper.fetching.options": ("FetchOptions",),
    "scraper.auditing.options": ("SurveyOptions", "VerifyOptions"),
    "scraper.cli.telling.progress": ("progress_bar",),
    "scraper.running.crew": ("Stop",),
    "scraper.errors": ("ScraperError",),
    "scraper.fetching.draining": ("fetch",),
    "scraper.fetching.standing": ("FetchProgress", "FetchSummary"),
    "scraper.model": ("Kind", "Outcome", "State", "Wnid"),
    "scraper.records": ("ClassRequest",),
    "scraper.planning.resolving": ("plan",),
    "scraper.planning.summaries": ("PlannedClass", "PlanProgress", "PlanSummary"),
    "scraper.planning.wanted.dropping": ("DropSummary", "drop"),
    "scraper.auditing.forgetting": ("ForgetSummary", "forget"),
    "scraper.auditing.tracing": ("Trace", "trace"),
    "scraper.exporting.dataset": ("ExportProgress", "ExportSummary", "export"),
    "scraper.exporting.options": ("ExportOptions",),
    "scraper.auditing.surveying": ("SurveySummary", "survey"),
    "scraper.reporting.numbers": ("Report", "report"),
    "scraper.auditing.verifying": ("VerifySummary", "verify"),
}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'scraper' has no attribute {name!r}")

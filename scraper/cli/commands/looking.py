"""The commands that look at what there is, and ask anew for a sample: report, survey, trace."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from scraper.cli.commands.command import Command, argv
from scraper.cli.signals import stopping
from scraper.cli.starting import importing
from scraper.cli.streams import check_output, print_text
from scraper.errors import InputError

if TYPE_CHECKING:
    from scraper.auditing.options import SurveyOptions, TraceOptions
    from scraper.cli.commands.command import Call
    from scraper.reporting.numbers import Report
    from scraper.reporting.options import ReportOptions


class _Report(Command["ReportOptions"]):
    name = "report"
    phase = "look"
    summary = "show what each class lacks and why, and how many URLs are broken"
    description = (
        "Show what each class lacks and why, and how many URLs are broken: by outcome, HTTP status and host. Given "
        "a class, by its id, label or name, show how it stands and what became of every URL of its list.\n\n"
        "A run may be writing to the manifest meanwhile."
    )
    words = "[CLASS]"

    def options(self) -> type[ReportOptions]:
        from scraper.reporting.options import ReportOptions

        return ReportOptions

    def run(self, call: Call[ReportOptions]) -> int:
        with importing():
            from scraper.reporting.numbers import report

        check_output(call.options.output, call.manifest)
        if call.words:
            return _report_class(call)
        found = report(call.manifest)
        _write(found, call.options)
        return 1 if call.options.check and found.totals.shortfall else 0


class _Survey(Command["SurveyOptions"]):
    name = "survey"
    phase = "look"
    summary = "ask for a sample of all URLs, to learn what share is dead"
    description = (
        "Ask for a random sample of all listed URLs, each class by the length of its list, and tell what share of "
        "them is dead, with its interval. Done again later, it tells how that changes: --of answered asks anew for "
        "URLs that were answered for good.\n\n"
        "Only the first bytes are asked for, no image is stored and nothing that is known changes: the answers are "
        "kept as a survey of their own, in the tables `surveys` and `rechecks` and the view `waves`."
    )

    def options(self) -> type[SurveyOptions]:
        from scraper.auditing.options import SurveyOptions

        return SurveyOptions

    def run(self, call: Call[SurveyOptions]) -> int:
        with importing():
            from scraper.auditing.surveying import survey
            from scraper.cli.telling.progress import progress_bar
            from scraper.cli.telling.summaries import describe_survey

        with progress_bar() as bar, stopping() as stop:
            summary = survey(call.options, manifest=call.manifest, progress=bar, notice=bar.say, stop=stop, argv=argv())
        print_text(describe_survey(summary), done=True)
        return 0


class _Trace(Command["TraceOptions"]):
    name = "trace"
    phase = "look"
    summary = "tell where a picture is from, with every request for it"
    description = (
        "Tell where a picture is from: its lists, its photo page, its classes, when and how it was asked for.\n\n"
        "WHAT is the path of an image, the SHA-256 of its bytes, a Flickr photo id or a URL."
    )
    words = "WHAT"

    def options(self) -> type[TraceOptions]:
        from scraper.auditing.options import TraceOptions

        return TraceOptions

    def run(self, call: Call[TraceOptions]) -> int:
        with importing():
            from scraper.auditing.tracing import trace
            from scraper.cli.telling.traces import traces_as_json, traces_as_text

        if len(call.words) != 1:
            raise InputError("trace needs one thing to look for, as in `scraper trace PATH`")
        found = trace(call.words[0], manifest=call.manifest)
        print_text(traces_as_json(found) if call.options.format == "json" else traces_as_text(found))
        return 0


def _write(found: Report, options: ReportOptions) -> None:
    from scraper.reporting.options import ReportFormat

    terminal = options.output is None and sys.stdout.isatty()
    if options.format is ReportFormat.TEXT:
        from scraper.reporting.text import to_text

        print_text(to_text(found, terminal=terminal), options.output, styled=terminal)
    elif options.format is ReportFormat.METHODS:
        from scraper.reporting.methods import to_methods

        print_text(to_methods(found), options.output)
    else:
        from scraper.reporting.formats import FORMATS

        errors = "xmlcharrefreplace" if options.format is ReportFormat.HTML else "backslashreplace"
        print_text(FORMATS[options.format](found), options.output, errors=errors)


def _report_class(call: Call[ReportOptions]) -> int:
    from scraper.reporting.oneclass import CLASS_FORMATS, class_report
    from scraper.reporting.options import ReportFormat

    if call.words[0] in set(ReportFormat):
        raise InputError(f"report takes a class; its form is said by --format {call.words[0]}")
    if len(call.words) > 1:
        raise InputError("report shows one class at a time; quote a name of several words")
    if call.options.format not in CLASS_FORMATS:
        raise InputError(f"one class is shown as {', '.join(CLASS_FORMATS)}, not as {call.options.format}")
    found = class_report(call.words[0], call.manifest)
    print_text(CLASS_FORMATS[call.options.format](found), call.options.output)
    return 1 if call.options.check and found.row.shortfall else 0


REPORT: Final = _Report()
SURVEY: Final = _Survey()
TRACE: Final = _Trace()

"""What each command is: its words, its options, its help, and the call that it makes.

A command's flags are the fields of its options; nothing else can be given, and nothing that is given is not an option.
Imports of what a command does stand in its function, so that `scraper --help` and errors in flags cost no time.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from scraper.auditing.options import ForgetOptions, TraceOptions
from scraper.cli.signals import stopping
from scraper.cli.streams import asker, check_output, class_words, print_text, standard_input
from scraper.config import (
    ClassesOptions,
    DropOptions,
    FetchOptions,
    PlaceOptions,
    PlanOptions,
    ReportFormat,
    ReportOptions,
    SurveyOptions,
    VerifyOptions,
)
from scraper.errors import InputError, StoppedEarlyError
from scraper.exporting.options import ExportForm, ExportOptions
from scraper.kinds import FilePath
from scraper.options import Options
from scraper.texts import redacted_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from scraper.options import FlagSpec

Given = TypeVar("Given", bound=Options)


@dataclass(frozen=True, slots=True)
class Call(Generic[Given]):
    """One call of a command: the words and options it was given, and where the manifest is."""

    words: tuple[str, ...]
    options: Given
    manifest: Path


@dataclass(frozen=True, slots=True)
class Command(Generic[Given]):
    """One command.

    Attributes:
        name: as it is typed.
        phase: under which the list of commands shows it.
        summary: one line for the list of commands.
        description: what help says, by paragraphs.
        options: the dataclass of its options.
        run: does it, and returns the exit code.
        words: what its words are called; empty where it takes none.
    """

    name: str
    phase: str
    summary: str
    description: str
    options: type[Given]
    run: Callable[[Call[Given]], int]
    words: str = ""

    def flags(self) -> dict[str, FlagSpec]:
        """Its flags, `-` written `_`, in the order help shows them."""
        every = [*self.options.flags(), *PlaceOptions.flags()]
        return dict(sorted(every, key=lambda flag: bool(flag[1].group)))


def _argv() -> list[str]:
    """The command line, for the record."""
    return redacted_words(sys.argv[1:])


def _classes(call: Call[ClassesOptions]) -> int:
    from scraper.cli.streams import complain
    from scraper.cli.telling.classes import named, show

    names = named(call.words, call.options, usage(CLASSES))
    text, notes = show(names, call.options)
    print_text(text)
    for note in notes:
        complain(note)
    return 0 if text else 1


def _plan(call: Call[PlanOptions]) -> int:
    from scraper.cli.telling.planned import describe_plan, describe_rehearsal, ways
    from scraper.cli.telling.progress import progress_bar
    from scraper.planning.resolving import plan
    from scraper.planning.summaries import SourceSilentError

    told = bool(call.words or call.options.preset or call.options.lock)
    if call.options.suppress and not told:  # which is something to do by itself
        told = sys.stdin is None or sys.stdin.isatty()
    classes = class_words(call.words) if told else standard_input(usage(PLAN))
    dry = call.options.dry_run
    try:
        with progress_bar() as bar, stopping() as stop:
            summary = plan(
                classes,
                call.options,
                manifest=call.manifest,
                progress=bar,
                notice=bar.say,
                ask=asker(),
                stop=stop,
                argv=_argv(),
            )
    except SourceSilentError as error:
        raise StoppedEarlyError("\n".join([error.as_typed, *ways(error.summary, piped=not told)])) from error
    text = describe_rehearsal(summary) if dry else describe_plan(summary, piped=not told)
    print_text(text, done=not dry)
    return 0 if summary.complete else 1


def _drop(call: Call[DropOptions]) -> int:
    from scraper.cli.telling.summaries import describe_drop
    from scraper.planning.wanted.dropping import drop

    classes = class_words(call.words) if call.words else standard_input(usage(DROP))
    print_text(describe_drop(drop(classes, call.options, manifest=call.manifest, argv=_argv())), done=True)
    return 0


def _fetch(call: Call[FetchOptions]) -> int:
    from scraper.cli.telling.progress import progress_bar
    from scraper.cli.telling.summaries import describe_fetch
    from scraper.fetching.draining import fetch
    from scraper.reporting.locked import lock_fate

    with progress_bar() as bar, stopping() as stop:
        summary = fetch(call.options, manifest=call.manifest, progress=bar, notice=bar.say, stop=stop, argv=_argv())
    print_text(describe_fetch(summary, lock_fate(call.manifest)), done=True)
    return 1 if summary.unresolved and not summary.listed else 0


def _report(call: Call[ReportOptions]) -> int:
    from scraper.reporting.numbers import report

    check_output(call.options.output, call.manifest)
    if call.words:
        return _report_class(call)
    found = report(call.manifest)
    terminal = call.options.output is None and sys.stdout.isatty()
    if call.options.format is ReportFormat.TEXT:
        from scraper.reporting.text import to_text

        print_text(to_text(found, terminal=terminal), call.options.output, styled=terminal)
    elif call.options.format is ReportFormat.METHODS:
        from scraper.reporting.methods import to_methods

        print_text(to_methods(found), call.options.output)
    else:
        from scraper.reporting.formats import FORMATS

        errors = "xmlcharrefreplace" if call.options.format is ReportFormat.HTML else "backslashreplace"
        print_text(FORMATS[call.options.format](found), call.options.output, errors=errors)
    return 1 if call.options.check and found.totals.shortfall else 0


def _report_class(call: Call[ReportOptions]) -> int:
    from scraper.reporting.oneclass import CLASS_FORMATS, class_report

    if call.words[0] in set(ReportFormat):
        raise InputError(f"report takes a class; its form is said by --format {call.words[0]}")
    if len(call.words) > 1:
        raise InputError("report shows one class at a time; quote a name of several words")
    if call.options.format not in CLASS_FORMATS:
        raise InputError(f"one class is shown as {', '.join(CLASS_FORMATS)}, not as {call.options.format}")
    found = class_report(call.words[0], call.manifest)
    print_text(CLASS_FORMATS[call.options.format](found), call.options.output)
    return 1 if call.options.check and found.row.shortfall else 0


def _verify(call: Call[VerifyOptions]) -> int:
    from scraper.auditing.verifying import verify
    from scraper.cli.telling.progress import progress_bar
    from scraper.cli.telling.summaries import describe_verify

    with progress_bar() as bar, stopping() as stop:
        summary = verify(call.options, manifest=call.manifest, progress=bar, notice=bar.say, stop=stop, argv=_argv())
    print_text(describe_verify(summary))
    return 0 if summary.sound or summary.repaired else 1


def _survey(call: Call[SurveyOptions]) -> int:
    from scraper.auditing.surveying import survey
    from scraper.cli.telling.progress import progress_bar
    from scraper.cli.telling.summaries import describe_survey

    with progress_bar() as bar, stopping() as stop:
        summary = survey(call.options, manifest=call.manifest, progress=bar, notice=bar.say, stop=stop, argv=_argv())
    print_text(describe_survey(summary), done=True)
    return 0


def _export(call: Call[ExportOptions]) -> int:
    from scraper.cli.telling.progress import progress_bar
    from scraper.cli.telling.summaries import describe_export
    from scraper.exporting.dataset import export

    if len(call.words) != 2:
        raise InputError("export needs a form and a place, as in `scraper export imagefolder DEST`")
    form, dest = call.words
    if form not in set(ExportForm):
        raise InputError(f"the form of an export is one of {', '.join(ExportForm)}, not {form!r}")
    try:
        FilePath(Path).take(dest)
    except ValueError as error:
        raise InputError(f"the place of an export {error}") from None
    with progress_bar() as bar, stopping() as stop:
        summary = export(form, dest, call.options, manifest=call.manifest, progress=bar, stop=stop)
    print_text(describe_export(summary), done=True)
    return 1 if summary.left_out else 0


def _trace(call: Call[TraceOptions]) -> int:
    from scraper.auditing.tracing import trace
    from scraper.cli.telling.traces import traces_as_json, traces_as_text

    if len(call.words) != 1:
        raise InputError("trace needs one thing to look for, as in `scraper trace PATH`")
    found = trace(call.words[0], manifest=call.manifest)
    print_text(traces_as_json(found) if call.options.format == "json" else traces_as_text(found))
    return 0


def _forget(call: Call[ForgetOptions]) -> int:
    from scraper.auditing.forgetting import forget, withdrawn
    from scraper.cli.telling.summaries import describe_forget

    if call.options.list:
        if call.words:
            raise InputError("forget --list takes nothing else: it prints what is left out already")
        print_text("".join(f"{one.kind} {one.value}\n" for one in withdrawn(manifest=call.manifest)))
        return 0
    if not call.words:
        raise InputError("forget needs what to leave out: paths, digests, photo ids or URLs")
    summary = forget(call.words, out=call.options.out, manifest=call.manifest, argv=_argv())
    print_text(describe_forget(summary), done=True)
    return 1 if summary.stayed else 0


def usage(command: Command[Any]) -> str:
    """How a command is typed, on one line."""
    return f"usage: scraper {command.name}{' ' * bool(command.words)}{command.words} [FLAGS]"


CLASSES: Final = Command(
    "classes",
    "choose",
    "look for classes by name, under others, or in known sets",
    "Look for classes of ImageNet, and choose some: by name, by words, under others, of known sets.\n\n"
    "A class is said by its id, by a name, by a name and where it belongs as in 'crane (bird)', or by the number of a "
    "sense as in crane.n.05. All that is given narrows the choice. In a pipe the ids are written, a line each, which "
    "plan reads: scraper classes --under dog --leaves | scraper plan -n 10",
    ClassesOptions,
    _classes,
    words="[NAME ...]",
)
PLAN: Final = Command(
    "plan",
    "plan",
    "look up the image URLs of classes and record them as candidates",
    "Look up the image URLs of classes and record those on the wanted hosts as candidates.\n\n"
    "Classes are given as arguments, or one a line on standard input: by name, as in tench or 'crane (bird)', or by "
    "a WordNet id such as n01440764, with a label before or after it if you like; scraper classes finds them. A name "
    "that means several classes is refused with each of them. Run again, plan goes on where it stopped and tries the "
    "failed classes again; with more classes it adds them, with another -n it moves the target.\n\n"
    "With --lock, the classes, their numbers of images and the URLs are those of the lock; classes that are given too "
    "are the only ones of it that are planned.",
    PlanOptions,
    _plan,
    words="[CLASS ...]",
)
DROP: Final = Command(
    "drop",
    "plan",
    "take classes out of what is wanted",
    "Take classes out of what is wanted: they leave the report and are not fetched.\n\n"
    "Their record stays, since what was asked for is history, and so do their images unless --delete-images is given. "
    "plan takes them up again.",
    DropOptions,
    _drop,
    words="[CLASS ...]",
)
FETCH: Final = Command(
    "fetch",
    "fetch",
    "fetch candidates until each class has its n images",
    "Fetch candidates until each class has its n images, or its list is used up.\n\n"
    "Every request and its outcome is recorded in the manifest. Ctrl-C stops within seconds and keeps all that was "
    "done; run again, fetch goes on where it stopped and never asks twice for what was answered for good.",
    FetchOptions,
    _fetch,
)
REPORT: Final = Command(
    "report",
    "look",
    "show what each class lacks and why, and how many URLs are broken",
    "Show what each class lacks and why, and how many URLs are broken: by outcome, HTTP status and host. Given a "
    "class, by its id, label or name, show how it stands and what became of every URL of its list.\n\n"
    "A run may be writing to the manifest meanwhile.",
    ReportOptions,
    _report,
    words="[CLASS]",
)
VERIFY: Final = Command(
    "verify",
    "keep",
    "re-read every saved image and compare it with the manifest",
    "Re-read every saved image and compare its size and SHA-256 with the manifest.\n\n"
    "Exits with 1 if an image is missing or damaged, if there are files that the manifest does not speak of, or if the "
    "manifest contradicts itself. Nothing is changed but by --repair, and no file is removed but by --remove-strays.",
    VerifyOptions,
    _verify,
)
SURVEY: Final = Command(
    "survey",
    "look",
    "ask for a sample of all URLs, to learn what share is dead",
    "Ask for a random sample of all listed URLs, each class by the length of its list, and tell what share of them is "
    "dead, with its interval. Done again later, it tells how that changes: --of answered asks anew for URLs that "
    "were answered for good.\n\n"
    "Only the first bytes are asked for, no image is stored and nothing that is known changes: the answers are kept as "
    "a survey of their own, in the tables `surveys` and `rechecks` and the view `waves`.",
    SurveyOptions,
    _survey,
)
EXPORT: Final = Command(
    "export",
    "keep",
    "write the images as a dataset: folders, shards, a table or a lock",
    "Write the images as a dataset: imagefolder, webdataset or parquet, which loaders read; csv or jsonl, the list "
    "alone; or a lock, from which the same dataset can be made again.\n\n"
    "Each file is checked as it is read; what is missing or damaged is named and left out. A run may be writing to the "
    "manifest meanwhile.",
    ExportOptions,
    _export,
    words="FORM DEST",
)
TRACE: Final = Command(
    "trace",
    "look",
    "tell where a picture is from, with every request for it",
    "Tell where a picture is from: its lists, its photo page, its classes, when and how it was asked for.\n\n"
    "WHAT is the path of an image, the SHA-256 of its bytes, a Flickr photo id or a URL.",
    TraceOptions,
    _trace,
    words="WHAT",
)
FORGET: Final = Command(
    "forget",
    "keep",
    "leave a photo out for good, since someone asked",
    "Leave photos out for good, since someone asked: their images are removed, no size of them is asked for again in "
    "any class, and exports and locks leave them out. What was asked before stays on record, without the picture.\n\n"
    "WHAT is the path of an image, the SHA-256 of its bytes, a Flickr photo id or a URL.",
    ForgetOptions,
    _forget,
    words="WHAT ...",
)
COMMANDS: Final[dict[str, Command[Any]]] = {
    command.name: command for command in (CLASSES, PLAN, DROP, FETCH, REPORT, SURVEY, TRACE, EXPORT, VERIFY, FORGET)
}
"""Every command, in the order help lists them."""

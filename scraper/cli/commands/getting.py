"""The commands that get images: looking for classes, planning them, dropping them, fetching."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from scraper.cli.commands.command import Command, argv
from scraper.cli.signals import stopping
from scraper.cli.starting import collecting_later, importing
from scraper.cli.streams import asker, class_words, complain, print_text, standard_input
from scraper.errors import StoppedEarlyError

if TYPE_CHECKING:
    from scraper.cli.commands.command import Call
    from scraper.fetching.options import FetchOptions
    from scraper.naming.options import ClassesOptions
    from scraper.planning.wanted.options import DropOptions, PlanOptions


class _Classes(Command["ClassesOptions"]):
    name = "classes"
    phase = "choose"
    summary = "look for classes by name, under others, or in known sets"
    description = (
        "Look for classes of ImageNet, and choose some: by name, by words, under others, of known sets.\n\n"
        "A class is said by its id, by a name, by a name and where it belongs as in 'crane (bird)', or by the "
        "number of a sense as in crane.n.05. All that is given narrows the choice. In a pipe the ids are written, a "
        "line each, which plan reads: scraper classes --under dog --leaves | scraper plan -n 10"
    )
    words = "[NAME ...]"

    def options(self) -> type[ClassesOptions]:
        from scraper.naming.options import ClassesOptions

        return ClassesOptions

    def run(self, call: Call[ClassesOptions]) -> int:
        with collecting_later():
            from scraper.cli.telling.classes import named, show

        names = named(call.words, call.options, self.usage)
        text, notes = show(names, call.options)
        print_text(text)
        for note in notes:
            complain(note)
        return 0 if text else 1


class _Plan(Command["PlanOptions"]):
    name = "plan"
    phase = "plan"
    summary = "look up the image URLs of classes and record them as candidates"
    description = (
        "Look up the image URLs of classes and record those on the wanted hosts as candidates.\n\n"
        "Classes are given as arguments, or one a line on standard input: by name, as in tench or 'crane (bird)', "
        "or by a WordNet id such as n01440764, with a label before or after it if you like; scraper classes finds "
        "them. A name that means several classes is refused with each of them. Run again, plan goes on where it "
        "stopped and tries the failed classes again; with more classes it adds them, with another -n it moves the "
        "target.\n\n"
        "With --lock, the classes, their numbers of images and the URLs are those of the lock; classes that are "
        "given too are the only ones of it that are planned."
    )
    words = "[CLASS ...]"

    def options(self) -> type[PlanOptions]:
        from scraper.planning.wanted.options import PlanOptions

        return PlanOptions

    def run(self, call: Call[PlanOptions]) -> int:
        with importing():
            from scraper.cli.telling.planned import describe_plan, describe_rehearsal, ways
            from scraper.cli.telling.progress import progress_bar
            from scraper.planning.resolving import plan
            from scraper.planning.summaries import SourceSilentError

        told = bool(call.words or call.options.preset or call.options.lock)
        if call.options.suppress and not told:  # which is something to do by itself
            told = sys.stdin is None or sys.stdin.isatty()
        classes = class_words(call.words) if told else standard_input(self.usage)
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
                    argv=argv(),
                )
        except SourceSilentError as error:
            raise StoppedEarlyError("\n".join([error.as_typed, *ways(error.summary, piped=not told)])) from error
        text = describe_rehearsal(summary) if dry else describe_plan(summary, piped=not told)
        print_text(text, done=not dry)
        return 0 if summary.complete else 1


class _Drop(Command["DropOptions"]):
    name = "drop"
    phase = "plan"
    summary = "take classes out of what is wanted"
    description = (
        "Take classes out of what is wanted: they leave the report and are not fetched.\n\n"
        "Their record stays, since what was asked for is history, and so do their images unless --delete-images is "
        "given. plan takes them up again."
    )
    words = "[CLASS ...]"

    def options(self) -> type[DropOptions]:
        from scraper.planning.wanted.options import DropOptions

        return DropOptions

    def run(self, call: Call[DropOptions]) -> int:
        with importing():
            from scraper.cli.telling.summaries import describe_drop
            from scraper.planning.wanted.dropping import drop

        classes = class_words(call.words) if call.words else standard_input(self.usage)
        print_text(describe_drop(drop(classes, call.options, manifest=call.manifest, argv=argv())), done=True)
        return 0


class _Fetch(Command["FetchOptions"]):
    name = "fetch"
    phase = "fetch"
    summary = "fetch candidates until each class has its n images"
    description = (
        "Fetch candidates until each class has its n images, or its list is used up.\n\n"
        "Every request and its outcome is recorded in the manifest. Ctrl-C stops within seconds and keeps all that "
        "was done; run again, fetch goes on where it stopped and never asks twice for what was answered for good."
    )

    def options(self) -> type[FetchOptions]:
        from scraper.fetching.options import FetchOptions

        return FetchOptions

    def run(self, call: Call[FetchOptions]) -> int:
        with importing():
            from scraper.cli.telling.progress import progress_bar
            from scraper.cli.telling.summaries import describe_fetch
            from scraper.fetching.draining import fetch
            from scraper.reporting.locked import lock_fate

        with progress_bar() as bar, stopping() as stop:
            summary = fetch(call.options, manifest=call.manifest, progress=bar, notice=bar.say, stop=stop, argv=argv())
        print_text(describe_fetch(summary, lock_fate(call.manifest)), done=True)
        return 1 if summary.unresolved and not summary.listed else 0


CLASSES: Final = _Classes()
PLAN: Final = _Plan()
DROP: Final = _Drop()
FETCH: Final = _Fetch()

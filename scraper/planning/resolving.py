"""Phase one: classes to a manifest of ranked candidates.

    classes -> sources, in order -> Listing -> manifest, class by class

Each class is resolved once; a class that failed is tried again by the next plan, one that has its list never is.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scraper.config import DEFAULT_MANIFEST, PlanOptions
from scraper.errors import InterruptedRunError, OptionError
from scraper.manifest.access import lists
from scraper.manifest.access.forecasts import save_forecast
from scraper.manifest.outline import rehearsal
from scraper.model import ClassRequest, Listing, ListingOutcome
from scraper.planning.classlists import ClassList, read_classes
from scraper.planning.forecasting.outlook import outlook
from scraper.planning.sources.interface import Means, Reading, SourceFailedError, StartOverError
from scraper.planning.sources.known import called
from scraper.planning.sources.opening import open_sources
from scraper.planning.summaries import PlannedClass, PlanProgress, PlanSummary, SourceSilentError, SourceSummary
from scraper.planning.wanted.asking import asked_for, labelled, moved
from scraper.running.crew import Stop
from scraper.running.session import exclusive, recorded, recorded_whole
from scraper.texts import one_line
from scraper.web.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from scraper.manifest.access.lists import ClassEntry
    from scraper.manifest.core import Manifest
    from scraper.model import Wnid
    from scraper.planning.sources.interface import Answers, Source
    from scraper.planning.wanted.asking import Asked


def _ignore(_: object) -> None:
    pass


def plan(
    classes: Iterable[str | ClassRequest] | ClassList,
    options: PlanOptions | None = None,
    *,
    manifest: Path | str = DEFAULT_MANIFEST,
    progress: Callable[[PlanProgress], None] = _ignore,
    notice: Callable[[str], None] = _ignore,
    ask: Callable[[str], bool] | None = None,
    stop: Stop | None = None,
    argv: Sequence[str] = (),
) -> PlanSummary:
    """Resolve classes to candidates and record them in a manifest, made where there is none.

    Args:
        classes: wnids, or lines with a wnid and a label, or `ClassRequest` values; or a list that was read already.
        options: what to do.
        manifest: path of the manifest.
        progress: called from time to time, in this thread.
        notice: called with a line that a person watching should see.
        ask: called where much has to be downloaded and `options.yes` was not said; tells whether to do so.
        stop: lets another thread or a signal handler stop the run.
        argv: the command line, for the record.

    Raises:
        InputError: a class or an option is wrong; nothing was changed.
        ManifestError: the manifest cannot be used.
        SourceSilentError: the last source gives no list; what was resolved is kept.
        InterruptedRunError: `stop` was asked; the same holds.
    """
    options, stop = options or PlanOptions(), stop or Stop()
    path = Path(manifest)
    read = classes if isinstance(classes, ClassList) else _read(classes)
    asked = asked_for(read, options)
    call = _Call(asked, options, progress, notice, ask or _refuse, stop, argv)
    if not options.dry_run:
        return _plan(call, path)
    with rehearsal(path) as copy:
        return replace(_plan(call, copy), manifest=path)


@dataclass(frozen=True, slots=True)
class _Call:
    """What a plan was asked to do, and whom it tells."""

    asked: Asked
    options: PlanOptions
    progress: Callable[[PlanProgress], None]
    notice: Callable[[str], None]
    ask: Callable[[str], bool]
    stop: Stop
    argv: Sequence[str]


def _plan(call: _Call, path: Path) -> PlanSummary:
    options = call.options
    with contextlib.ExitStack() as stack:
        means = Means(
            Reading(options.hosts, options.shuffle, options.columns),
            call.notice,
            path.parent,
            options.threads,
            lambda: stack.enter_context(Client(options.network, threads=options.threads)),
            options.yes,
            call.ask,
            call.stop,
        )
        sources = open_sources(options.source, means)
        book = stack.enter_context(exclusive(path, create=True))
        record = recorded_whole if len(sources) == 1 and sources[0].whole and sources[0].local else recorded
        run = stack.enter_context(record(book, "plan", call.argv))
        before = {entry.wnid: entry for entry in lists.classes(book)}
        labels = {wnid: entry.label for wnid, entry in before.items()}
        requests, relabelled = labelled(call.asked, options.labels, labels)
        resolver = _Resolver(book, run.id, call, {request.wnid: request for request in requests})
        resolver.run(sources)
        lists.relabel(book, relabelled)
        planned = _planned(book, call.asked.requests, options)
        told = outlook(book, options.survival)
        save_forecast(book, run.id, told.entry(time.time()))
        targets = {wnid: entry.n for wnid, entry in before.items()}
        summary = PlanSummary(
            manifest=path,
            classes=planned,
            resolved=resolver.resolved,
            repeated=call.asked.repeated,
            sources=tuple(resolver.gave),
            moved=moved(targets, ((each.wnid, each.n) for each in planned)),
            outlook=told,
        )
        _refuse_silence(summary)
        run.exit_code = 1 if summary.failed else 0
        return summary


def _refuse(question: str) -> bool:
    raise OptionError("yes", f"is needed here: {question}")


def _refuse_silence(summary: PlanSummary) -> None:
    silence = summary.sources[-1].silence if summary.sources else None
    if silence is not None and silence.unasked:
        name, told = called(summary.sources[-1].name), silence.how
        if silence.asked:
            told += f", for each of the last classes asked; {silence.unasked:,} more were not asked for"
        raise SourceSilentError(f"{name} gives no lists: {told}", summary)


def _read(classes: Iterable[str | ClassRequest]) -> ClassList:
    wanted = list(classes)
    read = read_classes((item for item in wanted if isinstance(item, str)), place="item")
    known = {request.wnid: request for request in read.classes}
    for item in wanted:
        if isinstance(item, ClassRequest):
            known.setdefault(item.wnid, item)
    return replace(read, classes=tuple(known.values()))


def _planned(book: Manifest, requests: Iterable[Wnid], options: PlanOptions) -> tuple[PlannedClass, ...]:
    rows = {row.wnid: row for row in lists.classes(book)}
    return tuple(_planned_class(rows[wnid], options) for wnid in requests)


def _planned_class(row: ClassEntry, options: PlanOptions) -> PlannedClass:
    made_with = (row.hosts, row.shuffle)
    return PlannedClass(
        wnid=row.wnid,
        label=row.label,
        n=row.n,
        outcome=row.outcome or "",
        error=row.error,
        listed=row.listed,
        candidates=row.candidates,
        as_asked=made_with == (_said(options.hosts), options.shuffle),
    )


def _said(hosts: Iterable[str]) -> str:
    """Hosts as the manifest has them."""
    return ",".join(hosts)


class _Resolver:
    """Gets the lists of the classes that lack one from the sources, in order, and records them."""

    def __init__(
        self,
        book: Manifest,
        run_id: int,
        call: _Call,
        requests: dict[Wnid, ClassRequest],
    ) -> None:
        self._record = _Record(book, run_id, call.options)
        self._requests = requests
        self._progress = call.progress
        self._notice = call.notice
        self._stop = call.stop
        known = lists.resolved(book)
        self._missing = [wnid for wnid in requests if wnid not in known]
        self._why: dict[Wnid, str] = {}
        self._candidates = 0
        self.gave: list[SourceSummary] = []
        self.resolved = 0

    def run(self, sources: Sequence[Source]) -> None:
        """Ask the sources, each for the classes that those before it did not have."""
        self._report((), "")
        options = self._record.options
        lists.want(
            self._record.book,
            self._requests.values(),
            n=options.target,
            budget=options.budget,
            keep=options.n is None,  # without -n those that are planned keep theirs
        )
        for place, source in enumerate(sources):
            if self._missing:
                self._ask(source, sources[place + 1 :], alone=len(sources) == 1)

    def _ask(self, source: Source, others: Sequence[Source], *, alone: bool) -> None:
        why = None if alone else self._why
        one = _Pass(self._record, source, self._missing, why)
        try:
            self._read(one)
        except StartOverError:
            self._ask(source, others, alone=alone)
            return
        except SourceFailedError as error:
            if alone:
                raise
            one = _Pass(self._record, source, self._missing, why)
            one.fail_rest(ListingOutcome.UNREADABLE, one_line(str(error.__cause__ or error)))
            self._notice(str(error))
        self._missing = [wnid for wnid in self._missing if wnid not in one.listed]
        self._why.update(one.failed)
        self._candidates += one.candidates
        self.resolved += len(one.listed)
        self.gave.append(one.gave)
        silence = one.gave.silence
        if silence is not None and others:
            self._notice(f"{called(source.name)} gives no lists: {silence.how}; going on with {called(others[0].name)}")

    def _read(self, one: _Pass) -> None:
        with contextlib.ExitStack() as stack:
            for answers in stack.enter_context(contextlib.closing(one.source.lists(self._missing))):
                if one.begins(answers):
                    stack.enter_context(self._record.book.transaction())
                one.take(answers)
                self._report(one, answers.doing)
                if self._stop.asked:
                    raise InterruptedRunError("interrupted; run the same command again to go on")
            if one.gave.silence is None:
                one.fail_rest(ListingOutcome.NOT_IN_SOURCE, "it has no list of it")
        self._report(one, "")

    def _report(self, one: _Pass | tuple[()], doing: str) -> None:
        listed, failed, candidates = (len(one.listed), len(one.failed), one.candidates) if one else (0, 0, 0)
        done = len(self._requests) - len(self._missing) + listed + failed
        self._progress(PlanProgress(done, len(self._requests), failed, self._candidates + candidates, doing))


@dataclass(frozen=True, slots=True)
class _Record:
    """The manifest, as far as a plan writes to it."""

    book: Manifest
    run_id: int
    options: PlanOptions

    def save(self, wnid: Wnid, listing: Listing, source: str) -> None:
        """Record what a source said of a class."""
        lists.save_listing(
            self.book,
            self.run_id,
            wnid,
            listing,
            source=source,
            hosts=_said(self.options.hosts),
            shuffle=self.options.shuffle,
            now=time.time(),
        )

    def save_tries(self, answers: Answers) -> None:
        """Record requests, and a whole list that was read."""
        if answers.tries:
            lists.save_listing_tries(self.book, self.run_id, answers.tries)
        if answers.read is not None:
            lists.save_whole_list(self.book, self.run_id, answers.read, time.time())


class _Pass:
    """One source being asked for classes: what it gave so far, which counts once it has ended well."""

    def __init__(self, record: _Record, source: Source, wanted: Collection[Wnid], why: dict[Wnid, str] | None) -> None:
        """With what the sources before said of the classes that they did not have; None for the only source."""
        self._record = record
        self._wanted = wanted
        self._why = why
        self._begun = False
        self.source = source
        self.gave = SourceSummary(source.name)
        self.listed: set[Wnid] = set()
        self.failed: dict[Wnid, str] = {}
        self.candidates = 0

    def begins(self, answers: Answers) -> bool:
        """Whether with these answers the one transaction of a whole source begins."""
        if self._begun or not self.source.whole or not (answers.settled or answers.read):
            return False
        self._begun = True
        return True

    def take(self, answers: Answers) -> None:
        """Record answers."""
        self.gave.silence = answers.silence
        self.gave.told = answers.told or self.gave.told
        if answers.tries or answers.settled or answers.read:
            with self._record.book.transaction():
                self._record.save_tries(answers)
                for wnid, listing in answers.settled:
                    self._save(wnid, listing)
            if answers.read is not None:
                self.gave.add_odd(answers.read.odd)

    def fail_rest(self, outcome: ListingOutcome, error: str) -> None:
        """Record that the classes which the source did not settle got no list from it."""
        with self._record.book.transaction():
            for wnid in self._wanted:
                if wnid not in self.listed and wnid not in self.failed:
                    self._save(wnid, Listing(outcome, error=error))

    def _save(self, wnid: Wnid, listing: Listing) -> None:
        if listing.outcome is ListingOutcome.LISTED:
            self.listed.add(wnid)
            self.candidates += len(listing.candidates)
            self.gave.listed += 1
            self.gave.forms[listing.form or ""] += 1
            self.gave.add_odd(listing.odd)
        else:
            self.failed[wnid] = self._told(wnid, listing)
            listing = replace(listing, error=self.failed[wnid])
        self._record.save(wnid, listing, self.source.name)

    def _told(self, wnid: Wnid, listing: Listing) -> str:
        """Why a class has no list: with several sources, what each of them said."""
        error = listing.error or str(listing.outcome)
        if self._why is None:
            return error
        before = self._why.get(wnid)
        said = f"{called(self.source.name)}: {error}"
        return f"{before}; {said}" if before else said

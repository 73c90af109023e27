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

from scraper.config import DEFAULT_MANIFEST, DEFAULT_SOURCE
from scraper.errors import InputError, InterruptedRunError, OptionError
from scraper.kinds import several
from scraper.manifest.access import lists
from scraper.manifest.access.counts import last_pace
from scraper.manifest.access.forecasts import save_forecast
from scraper.manifest.access.locks import locked_classes
from scraper.manifest.access.recording import Batch
from scraper.manifest.access.recording import record as save_withdrawn
from scraper.manifest.core import Manifest
from scraper.manifest.outline import rehearsal
from scraper.model import ListingOutcome
from scraper.planning.classlists import ClassList, read_classes
from scraper.planning.forecasting.outlook import outlook
from scraper.planning.locked.checking import asked_of, refuse_others
from scraper.planning.locked.opening import open_lock
from scraper.planning.locked.source import FORM, Behind, LockSource
from scraper.planning.recording import Pass, Record, hosts_of
from scraper.planning.sources.interface import Means, Reading, SourceFailedError, StartOverError
from scraper.planning.sources.known import called
from scraper.planning.sources.opening import open_sources
from scraper.planning.summaries import PlannedClass, PlanProgress, PlanSummary, SourceSilentError
from scraper.planning.wanted.asking import asked_for, labelled, moved
from scraper.planning.wanted.options import PlanOptions
from scraper.planning.wanted.suppressing import LeftOut, read_suppressed, suppressed
from scraper.records import ClassRequest
from scraper.running.crew import Stop
from scraper.running.session import exclusive, recorded, recorded_whole
from scraper.texts import one_line
from scraper.web.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scraper.manifest.access.lists import ClassEntry
    from scraper.manifest.access.withdrawing import Withdrawal
    from scraper.model import Wnid
    from scraper.planning.locked.opening import Lock
    from scraper.planning.sources.interface import Source
    from scraper.planning.summaries import SourceSummary
    from scraper.planning.wanted.asking import Asked
    from scraper.records import Revision


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
    options, stop = PlanOptions.or_default(options), stop or Stop()
    path = Path(manifest)
    read = classes if isinstance(classes, ClassList) else _read(classes)
    lock = open_lock(options.lock, options.hosts) if options.lock is not None else None
    asked = asked_for(read, options) if lock is None else asked_of(lock, read, options)
    left_out = read_suppressed(options.suppress) if options.suppress is not None else ()
    call = _Call(asked, options, progress, notice, ask or _refuse, stop, argv, lock, left_out)
    if not options.dry_run:
        return _plan(call, path)
    if path.exists() and not Manifest.unmade(path):
        with Manifest.open(path) as book:
            _refuse_what_is_there(book, call)
            call = replace(call, rate=last_pace(book))
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
    lock: Lock | None = None
    left_out: Sequence[Withdrawal] = ()
    rate: float | None = None

    @property
    def sources(self) -> str:
        """What to open, for lists or for what comes behind the lock."""
        return self.options.source or ("" if self.lock is not None else DEFAULT_SOURCE)


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
        sources = open_sources(call.sources, means) if call.sources else []
        first, behind = (sources, []) if call.lock is None else ([LockSource(call.lock)], _behind(sources, call.lock))
        book = stack.enter_context(exclusive(path, create=True))
        withdrawn = [] if options.dry_run else _refuse_what_is_there(book, call)
        record = recorded_whole if _at_once([*first, *behind]) else recorded
        run = stack.enter_context(record(book, "plan", call.argv))
        save_withdrawn(book, run.id, Batch(revisions=withdrawn, withdrawals=call.left_out), time.time())
        before = {entry.wnid: entry for entry in lists.classes(book)}
        labels = {wnid: entry.label for wnid, entry in before.items()}
        requests, relabelled = labelled(call.asked, options.labels, labels)
        resolver = _Resolver(book, run.id, call, {request.wnid: request for request in requests})
        resolver.run(first)
        resolver.fill(behind)
        lists.relabel(book, relabelled)
        planned = _planned(book, call.asked.requests, options)
        told = outlook(book, options.survival, rate=call.rate or last_pace(book))
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
            locked=None if call.lock is None else call.lock.name,
            filled=resolver.filled,
            unfilled=resolver.unfilled,
            left_out=len(call.left_out),
            withdrawn=len(withdrawn) + resolver.withdrawn,
        )
        _refuse_silence(summary)
        run.exit_code = 0 if summary.complete else 1
        return summary


def _refuse_what_is_there(book: Manifest, call: _Call) -> list[Revision]:
    """Refuse what the manifest rules out; returns what becomes of candidates that are left out from now on."""
    if call.lock is not None:
        refuse_others(book, call.lock, call.asked.requests)
    return suppressed(book, call.left_out)


def _behind(sources: Iterable[Source], lock: Lock) -> list[Source]:
    return [Behind(source, lock) for source in sources]


def _at_once(sources: Sequence[Source]) -> bool:
    """Whether the whole plan is one transaction, as it can be where nobody has to be waited for."""
    return len(sources) == 1 and sources[0].whole and sources[0].local


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
    wanted: list[object] = list(several(classes))
    if odd := [item for item in wanted if not isinstance(item, str | ClassRequest)]:
        raise InputError(f"classes holds {odd[0]!r}, which is neither a text nor a ClassRequest")
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
        as_asked=made_with == (hosts_of(options), options.shuffle),
    )


class _Resolver:
    """Gets the lists of the classes that lack one from the sources, in order, and records them."""

    def __init__(
        self,
        book: Manifest,
        run_id: int,
        call: _Call,
        requests: dict[Wnid, ClassRequest],
    ) -> None:
        self._record = Record(book, run_id, call.options, call.lock, left_out=LeftOut.of(book))
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
        self.filled = 0
        self.withdrawn = 0
        self.unfilled: dict[Wnid, str] = {}

    def run(self, sources: Sequence[Source]) -> None:
        """Ask the sources, each for the classes that those before it did not have."""
        self._report((), "")
        self._want()
        for place, source in enumerate(sources):
            if self._missing:
                self._ask(source, sources[place + 1 :], alone=len(sources) == 1)

    def _want(self) -> None:
        book, options, lock = self._record.book, self._record.options, self._record.lock
        requests, n, budget = self._requests.values(), options.target, options.budget
        if lock is None:  # without -n those that are planned keep theirs
            lists.want(book, requests, n=n, budget=budget, keep=options.n is None)
            return
        images = {wnid: len(lock.classes[wnid].images) for wnid in self._requests}
        before = locked_classes(book)
        for keep in (True, False):
            some = [request for request in requests if (request.wnid in before) is keep]
            lists.want(book, some, n=n, budget=budget, keep=keep, each=images)

    def fill(self, sources: Sequence[Source]) -> None:
        """Ask the sources for the rest of the lists of classes that have no more than their lock."""
        if not sources:
            return
        alone = lists.listed_as(self._record.book, FORM)
        self._record = replace(self._record, behind=True)
        self._missing = [wnid for wnid in self._requests if wnid in alone]
        self._why = {}
        resolved, wanted = self.resolved, len(self._missing)
        for place, source in enumerate(sources):
            if self._missing:
                self._ask(source, sources[place + 1 :], alone=False)
        self.resolved, self.filled = resolved, wanted - len(self._missing)
        self.unfilled = {wnid: self._why.get(wnid, "not asked for") for wnid in self._missing}

    def _ask(self, source: Source, others: Sequence[Source], *, alone: bool) -> None:
        why = None if alone else self._why
        one = Pass(self._record, source, self._missing, why)
        try:
            self._read(one)
        except StartOverError:
            self._ask(source, others, alone=alone)
            return
        except SourceFailedError as error:
            if alone:
                raise
            one = Pass(self._record, source, self._missing, why)
            one.fail_rest(ListingOutcome.UNREADABLE, one_line(str(error.__cause__ or error.as_typed)))
            self._notice(error.as_typed)
        self._missing = [wnid for wnid in self._missing if wnid not in one.listed]
        self._why.update(one.failed)
        self._candidates += one.candidates
        self.withdrawn += one.withdrawn
        self.resolved += len(one.listed)
        self.gave.append(one.gave)
        silence = one.gave.silence
        if silence is not None and others:
            self._notice(f"{called(source.name)} gives no lists: {silence.how}; going on with {called(others[0].name)}")

    def _read(self, one: Pass) -> None:
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

    def _report(self, one: Pass | tuple[()], doing: str) -> None:
        listed, failed, candidates = (len(one.listed), len(one.failed), one.candidates) if one else (0, 0, 0)
        done = len(self._requests) - len(self._missing) + listed + failed
        self._progress(
            PlanProgress(
                done=done,
                classes=len(self._requests),
                failed=failed,
                candidates=self._candidates + candidates,
                doing=doing,
            )
        )

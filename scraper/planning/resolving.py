"""Phase one: classes to a manifest of ranked candidates.

    classes -> source -> Listing -> manifest, class by class

Each class is resolved once; a class that failed is tried again by the next plan, one that has its list never is.
"""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.config import DEFAULT_MANIFEST, PlanOptions
from scraper.errors import InputError, InterruptedRunError
from scraper.manifest.access import lists
from scraper.manifest.access.lists import ListingTry
from scraper.model import ClassRequest, Listing, ListingOutcome, Outcome
from scraper.planning.classlists import ClassList, read_classes, refuse_unread
from scraper.planning.sources import IndexSource, NotGroupedError, check_source, is_url, open_source
from scraper.running.crew import Crew, Stop
from scraper.running.queueing import RetryQueue
from scraper.running.session import exclusive, recorded, recorded_whole
from scraper.web.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from scraper.manifest.access.lists import ClassEntry
    from scraper.manifest.core import Manifest
    from scraper.model import Wnid
    from scraper.planning.sources import Answer, Source

USUAL_SURVIVAL: Final = 0.75
"""Share of the lists' Flickr URLs that still led to a photo, as users of such tools found around 2021."""
TRIES: Final = 3
"""Requests for one list in one run."""
_TICK: Final = 0.25
"""Seconds between looks at whether someone asked the run to stop."""


@dataclass(frozen=True, slots=True)
class PlanProgress:
    """How far a plan is: classes done of all, those that failed among them, candidates found."""

    done: int
    classes: int
    failed: int
    candidates: int


@dataclass(frozen=True, slots=True)
class PlannedClass:
    """One class after a plan: its target, its list, and why it has none where it failed.

    `as_asked` is whether the list was made with the hosts and in the order of this plan, or earlier with others.
    """

    wnid: Wnid
    label: str | None
    n: int
    outcome: str
    error: str | None
    listed: int
    candidates: int
    as_asked: bool = True


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a plan came to.

    Attributes:
        classes: the classes that were asked for, as they stand now.
        resolved: how many of them got their list in this run.
        repeated: lines of the input that repeated a class.
        malformed: lines of an index file that name no class.
    """

    manifest: Path
    classes: tuple[PlannedClass, ...]
    resolved: int
    repeated: int = 0
    malformed: int = 0

    @property
    def failed(self) -> tuple[PlannedClass, ...]:
        """The classes without a list."""
        return tuple(planned for planned in self.classes if planned.outcome != ListingOutcome.LISTED)

    @property
    def too_few(self) -> tuple[PlannedClass, ...]:
        """The classes that cannot reach their target, because too few URLs are listed."""
        listed = (planned for planned in self.classes if planned.outcome == ListingOutcome.LISTED)
        return tuple(planned for planned in listed if planned.candidates < planned.n)

    @property
    def may_fall_short(self) -> tuple[PlannedClass, ...]:
        """The classes that have URLs enough, but will likely fall short if a quarter of them is dead."""
        listed = (planned for planned in self.classes if planned.outcome == ListingOutcome.LISTED)
        return tuple(planned for planned in listed if planned.n <= planned.candidates < planned.n / USUAL_SURVIVAL)

    @property
    def otherwise(self) -> tuple[PlannedClass, ...]:
        """The classes that keep a list made earlier with other hosts or in another order."""
        return tuple(planned for planned in self.classes if not planned.as_asked)

    @property
    def candidates(self) -> int:
        """Candidates of all the classes."""
        return sum(planned.candidates for planned in self.classes)


def _ignore(_: object) -> None:
    pass


def plan(
    classes: Iterable[str | ClassRequest] | ClassList,
    options: PlanOptions | None = None,
    *,
    manifest: Path | str = DEFAULT_MANIFEST,
    progress: Callable[[PlanProgress], None] = _ignore,
    stop: Stop | None = None,
    argv: Sequence[str] = (),
) -> PlanSummary:
    """Resolve classes to candidates and record them in a manifest, made where there is none.

    Args:
        classes: wnids, or lines with a wnid and a label, or `ClassRequest` values; or a list that was read already.
        options: what to do.
        manifest: path of the manifest.
        progress: called from time to time, in this thread.
        stop: lets another thread or a signal handler stop the run.
        argv: the command line, for the record.

    Raises:
        InputError: a class or an option is wrong; nothing was changed.
        ManifestError: the manifest cannot be used.
        StoppedEarlyError: the source keeps refusing; what was resolved is kept.
        InterruptedRunError: `stop` was asked; the same holds.
    """
    options = options or PlanOptions()
    path = Path(manifest)
    read = classes if isinstance(classes, ClassList) else _read(classes)
    refuse_unread(read, "the list of classes")
    requests = {request.wnid: request for request in read.classes}
    if not requests:
        raise InputError("no class was given: name wnids such as n01440764, or pipe a list of them in")
    check_source(options.source)
    with contextlib.ExitStack() as stack:
        client = None
        if is_url(options.source):
            client = stack.enter_context(Client(options.network, threads=options.threads))
        source = open_source(options, client)
        book = stack.enter_context(exclusive(path, create=True))
        record = recorded_whole if isinstance(source, IndexSource) else recorded
        run = stack.enter_context(record(book, "plan", argv))
        known = lists.resolved(book)
        missing = [wnid for wnid in requests if wnid not in known]
        resolver = _Resolver(
            book, run.id, options, progress=progress, stop=stop or Stop(), total=len(requests), missing=missing
        )
        if isinstance(source, IndexSource):
            resolver.read_index(source, requests.values())
        else:
            lists.want(book, requests.values(), n=options.n, budget=options.budget)
            resolver.ask(source, client)
        summary = PlanSummary(
            path, _planned(book, requests, options), resolver.done - resolver.failed, read.repeated, resolver.malformed
        )
        run.exit_code = 1 if summary.failed else 0
        return summary


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
    """Gets the lists of the classes that lack one, and records them."""

    def __init__(
        self,
        book: Manifest,
        run_id: int,
        options: PlanOptions,
        *,
        progress: Callable[[PlanProgress], None],
        stop: Stop,
        total: int,
        missing: list[Wnid],
    ) -> None:
        self._book = book
        self._run_id = run_id
        self._options = options
        self._progress = progress
        self._stop = stop
        self._total = total
        self._missing = missing
        self.done = 0
        self.failed = 0
        self.malformed = 0
        self._candidates = 0
        self._report()

    def _report(self) -> None:
        already = self._total - len(self._missing)
        self._progress(PlanProgress(already + self.done, self._total, self.failed, self._candidates))

    def _save(self, wnid: Wnid, listing: Listing) -> None:
        lists.save_listing(
            self._book,
            self._run_id,
            wnid,
            listing,
            source=self._options.source,
            hosts=_said(self._options.hosts),
            shuffle=self._options.shuffle,
            now=time.time(),
        )
        self.done += 1
        self.failed += listing.outcome is not ListingOutcome.LISTED
        self._candidates += len(listing.candidates)

    # --- an index file ---------------------------------------------------------------------------------------------

    def read_index(self, source: IndexSource, requests: Collection[ClassRequest]) -> None:
        """Read the index file in one pass, within the one transaction of the run."""
        try:
            self._read_pass(source, requests, grouped=True)
        except NotGroupedError:
            self.done = self.failed = self._candidates = 0
            self._read_pass(source, requests, grouped=False)

    def _read_pass(self, source: IndexSource, requests: Collection[ClassRequest], *, grouped: bool) -> None:
        left = dict.fromkeys(self._missing)
        with self._book.transaction():
            lists.want(self._book, requests, n=self._options.n, budget=self._options.budget)
            for wnid, listing in source.read(self._missing, grouped=grouped) if left else ():
                self._save(wnid, listing)
                left.pop(wnid)
                self._report()
                self._check_stop()
            for wnid in left:
                self._save(wnid, Listing(ListingOutcome.NOT_IN_SOURCE, error="no line of the index names it"))
        self.malformed = source.malformed
        self._report()

    def _check_stop(self) -> None:
        if self._stop.asked:
            raise InterruptedRunError("interrupted; run the same command again to go on")

    # --- a source that is asked class by class -----------------------------------------------------------------------

    def ask(self, source: Source, client: Client | None) -> None:
        """Ask for the list of each class, in parallel, and try again what may pass."""
        queue = RetryQueue(self._missing, threads=self._options.threads, tries=TRIES)
        executor = ThreadPoolExecutor(self._options.threads, thread_name_prefix="scraper-plan")
        crew: Crew[tuple[Wnid, int], tuple[ListingTry, Answer]] = Crew(
            executor, lambda item: _ask(source, *item), threads=self._options.threads
        )
        try:
            while not queue.finished:
                self._check_stop()
                for item in queue.take(time.time()):
                    crew.submit(item)
                self._settle(queue, crew.collect(queue.patience(time.time(), _TICK)))
                queue.check_blocked("the source of the lists", time.time())
        finally:
            crew.cancel()
            if client is not None:
                client.close()
            crew.dismiss(self._stop)

    def _settle(self, queue: RetryQueue[Wnid], results: list[tuple[ListingTry, Answer]]) -> None:
        if not results:
            return
        with self._book.transaction():
            lists.save_listing_tries(self._book, self._run_id, [tried for tried, _ in results])
            for tried, answer in results:
                again = queue.again(
                    tried.wnid,
                    tried.number,
                    # What is no failure of the exchange (no such class, not a list) is an answer, as a photo is one.
                    answer.listing.outcome if isinstance(answer.listing.outcome, Outcome) else Outcome.SAVED,
                    retryable=answer.retryable,
                    started_at=tried.started_at,
                    retry_after=answer.retry_after,
                    now=time.time(),
                )
                if not again:
                    self._save(tried.wnid, answer.listing)
        self._report()


def _ask(source: Source, wnid: Wnid, number: int) -> tuple[ListingTry, Answer]:
    started_at, began = time.time(), time.monotonic()
    answer = source.ask(wnid)
    listing = answer.listing
    seconds = round(time.monotonic() - began, 6)
    tried = ListingTry(
        wnid=wnid,
        number=number,
        started_at=started_at,
        seconds=seconds,
        status=listing.http_status,
        outcome=listing.outcome,
        url=answer.url,
        error=listing.error,
    )
    return tried, answer

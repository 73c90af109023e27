"""Phase two: the coordinator that drains the manifest. It alone writes to the manifest and names files.

    manifest -> scheduler -> crew of workers -> attempts -> folder (names, synced) -> manifest, in batches

What is in flight lives in memory only, so a crash leaves nothing to clean up but temporary files.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.config import DEFAULT_MANIFEST
from scraper.errors import InterruptedRunError, StoppedEarlyError
from scraper.fetching.deciding import Limits
from scraper.fetching.doubts import Doubts
from scraper.fetching.hosts import Paces
from scraper.fetching.options import FetchOptions
from scraper.fetching.placing import Placer, revisions_of
from scraper.fetching.recorder import Recorder
from scraper.fetching.resuming import Losses, check_out, look_at
from scraper.fetching.scheduler import Scheduler
from scraper.fetching.standing import FetchSummary, Standing, Tally, nothing, progress_of, seconds_left
from scraper.fetching.worker import MOST_IN_BODIES, Worker
from scraper.files.store import Folder
from scraper.flickr import FLICKR_DOMAINS
from scraper.manifest.access import candidates
from scraper.manifest.access.recording import Batch, DecidedAttempt, renew_word
from scraper.model import Outcome, State, Wnid
from scraper.pacing.room import Room, give_memory_back
from scraper.pictures.judge import Rules
from scraper.records import Revision
from scraper.running.clock import Clock
from scraper.running.crew import Crew, Stop
from scraper.running.giving_up import explain
from scraper.running.retry import Policy
from scraper.running.session import exclusive, recorded
from scraper.running.unfinished import clear_up
from scraper.urls import on_domain
from scraper.web.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scraper.fetching.scheduler import Want
    from scraper.fetching.standing import FetchProgress
    from scraper.manifest.access.candidates import Twin
    from scraper.manifest.core import Manifest
    from scraper.pacing.pacer import Pacer
    from scraper.records import Attempt, Candidate

BATCH_ROWS: Final = 200
BATCH_SECONDS: Final = 0.5
"""A batch is recorded when it has this many attempts or is this old: what a kill can cost."""
_REVISIONS: Final = 10_000
"""Revisions from which no further class is taken in before they are recorded."""
_TICK: Final = 0.25
"""Seconds between looks at whether someone asked the run to stop."""
_AT_ONCE: Final = 64
"""Classes that take turns, or two for each thread; the others follow as these get their images.

Neighbours in the manifest lie in the same pages, so that the fewer classes a batch is of, the less is written, and
the fewer folders are synced.
"""


def _ignore(_: object) -> None:
    pass


def fetch(
    options: FetchOptions | None = None,
    *,
    manifest: Path | str = DEFAULT_MANIFEST,
    progress: Callable[[FetchProgress], None] = _ignore,
    notice: Callable[[str], None] = _ignore,
    stop: Stop | None = None,
    argv: Sequence[str] = (),
) -> FetchSummary:
    """Fetch images for the classes of a manifest until each has its n, or its candidates are used up.

    Args:
        options: what to do.
        manifest: path of the manifest that `plan` made.
        progress: called from time to time, in this thread.
        notice: called with a line that a person watching should see.
        stop: lets another thread or a signal handler stop the run.
        argv: the command line, for the record.

    Raises:
        InputError: an option is wrong; nothing was changed.
        ManifestError: the manifest cannot be used.
        StoppedEarlyError: the disk is full, or the hosts keep refusing; what was done is kept.
        InterruptedRunError: `stop` was asked; the same holds.
    """
    options = FetchOptions.or_default(options)
    path = Path(manifest)
    with contextlib.ExitStack() as stack:
        book = stack.enter_context(exclusive(path, create=False, lock_wait=options.lock_wait))
        client = stack.enter_context(Client(options.network, threads=options.threads))
        if not candidates.count_listed(book):
            with recorded(book, "fetch", argv) as run:
                run.exit_code = 1
            return nothing(book, options.out)
        check_out(book, options)
        clear_up(book, options.out)
        folder = Folder(options.out, owner=book.owner)
        stack.callback(folder.close)
        renew_word(book)  # from here on copies of this manifest do not know what this run does
        run = stack.enter_context(recorded(book, "fetch", argv))
        drain = _Drain(book, run.id, folder, options, progress=progress, notice=notice, stop=stop or Stop())
        drain.run(client)
        return drain.summary(path)


class _Drain:
    """One run of fetch."""

    def __init__(
        self,
        book: Manifest,
        run_id: int,
        folder: Folder,
        options: FetchOptions,
        *,
        progress: Callable[[FetchProgress], None],
        notice: Callable[[str], None],
        stop: Stop,
    ) -> None:
        self._book = book
        self._run_id = run_id
        self._folder = folder
        self._options = options
        self._progress = progress
        self._notice = notice
        self._stop = stop
        self._began = time.monotonic()
        self._standing = Standing(
            candidates.class_states(book),
            wanted=candidates.count_wanted(book),
            classes=candidates.count_classes(book),
        )
        self._clock = Clock()
        self._paces = Paces(book, run_id, self._clock.now())
        self._elsewhere = any(not on_domain(host, FLICKR_DOMAINS) for host in candidates.hosts_of_lists(book))
        self._scheduler = self._make_scheduler()
        # Full classes come last: there is nothing to do about them, unless their files are gone.
        self._to_come = dict.fromkeys(self._standing.short_first())
        self._placer = Placer(book, folder)
        self._recorder = Recorder(book, run_id, folder, self._placer)
        self._doubts = Doubts(options.retry, notice, believe=options.believe_answers)
        self._photos_told: set[Wnid] = set()
        self._batch: list[DecidedAttempt] = []
        self._revisions: list[Revision] = []
        self._batch_began = 0.0
        self._tally = Tally()
        self._idle = False
        self._losses = Losses()

    def _make_scheduler(self) -> Scheduler:
        options = self._options
        limits = Limits(
            options.threads,
            Policy(options.retries, options.second_try),
            top_up=options.top_up,
            rate=options.rate,
            patience=options.patience,
            deadline=options.network.timeout,
        )
        return Scheduler(
            (),
            limits,
            random.Random(),  # noqa: S311 - jitter
            to_come=self._standing.listed,
            known=self._paces.known,
            mixed=self._elsewhere,
        )

    def run(self, client: Client) -> None:
        """Drain the manifest."""
        rules = Rules(self._options.check, honour_opt_out=self._options.honour_opt_out)
        bodies, decoding = Room(MOST_IN_BODIES), Room(1.0)
        give_memory_back()
        worker = Worker(
            client=client,
            folder=self._folder,
            rules=rules,
            max_bytes=self._options.max_bytes,
            bodies=bodies,
            decoding=decoding,
        )
        crew: Crew[Candidate, Attempt] = Crew(
            "fetch",
            worker.attempt,
            threads=self._options.threads,
            stop=self._stop,
            closing=(client.close, bodies.close, decoding.close),
        )
        with crew:
            try:
                self._loop(crew)
            except InterruptedRunError:
                self._finish_flying(crew)
                raise
            except StoppedEarlyError:
                crew.cancel()
                with contextlib.suppress(StoppedEarlyError):
                    self._flush()
                    self._paces.record(self._scheduler.held(), self._clock.now(), last=True)
                raise

    def _loop(self, crew: Crew[Candidate, Attempt]) -> None:
        while self._to_come or not self._scheduler.finished:
            if self._stop.asked:
                raise InterruptedRunError("interrupted; all that was done is kept: run `scraper fetch` again to go on")
            self._load()
            now = self._clock.now()
            if self._clock.slept():
                self._scheduler.woke(now)
            while (candidate := self._scheduler.next(now)) is not None:
                crew.submit(candidate)
            self._idle = self._elsewhere and self._scheduler.in_flight < self._options.threads
            self._take(crew.collect(self._patience(now)))
            self._check_doubts(crew)
            self._mind_hosts()
            self._report()
        self._doubts.close(before=self._standing.had_images)
        self._flush()
        self._paces.record(self._scheduler.held(), self._clock.now(), last=True)
        self._report()
        self._check_doubts(crew)

    def _check_doubts(self, crew: Crew[Candidate, Attempt]) -> None:
        if problem := self._doubts.problem:
            self._finish_flying(crew)
            raise StoppedEarlyError(problem)

    def _load(self) -> None:
        room = max(_AT_ONCE, 2 * self._options.threads) - self._scheduler.in_turn
        # Where threads are idle, the classes in turn wait for a host, and another class may have other hosts.
        room = _AT_ONCE if self._idle else max(0, room)
        wants = self._scheduler.wants(room)
        if len(wants) < room and self._to_come:
            self._take_in(room - len(wants))
            wants += self._scheduler.wants(room - len(wants))
        for want in wants:
            self._tell_photos(want.wnid)
            self._scheduler.supply(want, self._waiting(want))

    def _waiting(self, want: Want) -> list[Candidate]:
        return candidates.waiting(self._book, want.wnid, want.first, want.last, want.count, now=time.time())

    def _take_in(self, most: int) -> None:
        """Let up to `most` further classes take part, as their files and the options have them stand now."""
        wnids = []
        for wnid in itertools.islice(self._to_come, most):
            state = self._standing.of(wnid)
            found = look_at(self._book, state, self._options)
            self._revisions += found.revisions
            self._losses.add(found, state.saved)
            self._standing.change(wnid, found.left - state.saved)
            wnids.append(wnid)
            if len(self._revisions) >= _REVISIONS:
                break
        if self._revisions:
            self._flush()
        for wnid in wnids:
            del self._to_come[wnid]
            self._scheduler.add(self._standing.of(wnid))
        for line in self._losses.lines(last=not self._to_come):
            self._notice(line)

    def _tell_photos(self, wnid: Wnid) -> None:
        if wnid not in self._photos_told and self._standing.of(wnid).saved:
            self._scheduler.know_photos(wnid, candidates.photos(self._book, wnid))
        self._photos_told.add(wnid)

    def _patience(self, now: float) -> float:
        due = self._scheduler.next_due(now)
        times = [_TICK]
        if due is not None:
            times.append(due - now)
        if self._scheduler.finished or (self._to_come and self._idle):
            times.append(0.0)
        if self._batch:
            times.append(self._batch_began + BATCH_SECONDS - time.monotonic())
        return max(0.0, min(times))

    def _take(self, attempts: list[Attempt]) -> None:
        self._placer.look_up(attempts)
        for attempt in attempts:
            self._settle(attempt)
        old = self._batch and time.monotonic() - self._batch_began >= BATCH_SECONDS
        if old or len(self._batch) >= BATCH_ROWS:
            self._flush()

    def _settle(self, attempt: Attempt) -> None:
        placed = self._placer.place(attempt)
        decision = self._scheduler.done(placed.attempt, self._clock.now())
        if not self._batch:
            self._batch_began = time.monotonic()
        self._batch.append(DecidedAttempt(placed.attempt, decision))
        self._tally.add(placed.attempt.outcome, decision.state, attempt.bytes)
        if decision.state is State.SAVED:
            self._standing.change(attempt.candidate.wnid, 1)
        self._doubts.note(placed.attempt, decision, placed.taken_back)
        if placed.taken_back:
            self._take_back(placed.taken_back)

    def _take_back(self, twins: tuple[Twin, ...]) -> None:
        """Images that were a placeholder: their classes are short again and go on."""
        self._revisions += revisions_of(twins)
        images = [twin for twin in twins if twin.path is not None]
        back = "1 image of it is" if len(images) == 1 else f"{len(images)} images of it are"
        self._notice(f"a picture came for {len(twins) + 1} different photos: {back} taken back")
        self._tally.saved -= len(images)
        self._flush()  # so that the manifest tells which photos the classes still have
        for wnid in {Wnid(twin.wnid) for twin in images} & self._standing.wnids:  # others were dropped
            mine = [twin for twin in images if twin.wnid == wnid]
            self._standing.change(wnid, -len(mine))
            if wnid in self._to_come:
                continue
            self._scheduler.take_back(self._standing.of(wnid), [twin.photo_id for twin in mine])
            self._scheduler.know_photos(wnid, candidates.photos(self._book, wnid))
            self._photos_told.add(wnid)

    def _flush(self) -> None:
        """Record what has come since the last time."""
        decided, self._batch = self._batch, []
        revisions, self._revisions = self._revisions, []
        why = "its photo is there under another URL"
        skipped = self._scheduler.take_skipped()
        revisions += [Revision(twin.id, State.LOST, Outcome.DUPLICATE, why, twin.form, twin.fate) for twin in skipped]
        revisions += self._doubts.take_revisions()
        batch = Batch(decided, revisions, self._scheduler.take_raises(), self._placer.take_found())
        for path in self._recorder.record(batch):
            self._notice(f"{path} was taken back and stays on disk: another may count on it, or has changed it")
        self._paces.record(self._scheduler.held(), self._clock.now())

    def _finish_flying(self, crew: Crew[Candidate, Attempt]) -> None:
        """Give requests under way a moment to end, so that what they fetched is kept."""
        self._flush()  # a batch that failed first: images that the next ones take back keep their files until then
        # A request that ends in an error of its own must not keep what the others fetched from being recorded.
        with contextlib.suppress(StoppedEarlyError):
            for attempts in crew.last():
                self._take(attempts)
        self._flush()
        self._report()

    def _mind_hosts(self) -> None:
        now, held = self._clock.now(), self._scheduler.held()
        for line in self._paces.news(held, now, self._seconds_left(held)):
            self._notice(line)
        if not self._to_come and (group := self._scheduler.given_up()) is not None:
            raise StoppedEarlyError(explain(f"the host {group}", held[group], now))

    def _seconds_left(self, held: Mapping[str, Pacer]) -> float | None:
        """Seconds that what is missing takes at the pace of the hosts, None where they do not hold us back."""
        rates = [pacer.pace.rate for pacer in held.values() if pacer.pace.rate is not None]
        return seconds_left(self._standing, self._tally, rates)

    def _report(self) -> None:
        held = self._scheduler.held()
        self._progress(
            progress_of(
                self._standing,
                self._tally,
                waiting=self._scheduler.delayed,
                held=self._paces.shown(held),
                left=self._seconds_left(held),
            )
        )

    def summary(self, path: Path) -> FetchSummary:
        """What the run came to."""
        return FetchSummary(
            manifest=path,
            out=self._options.out,
            saved_now=self._tally.saved,
            saved=self._standing.kept,
            wanted=self._standing.wanted,
            short=self._standing.listed - self._standing.full,
            unresolved=self._standing.unresolved,
            listed=self._standing.listed,
            bytes=self._tally.bytes,
            requests=self._tally.requests,
            seconds=time.monotonic() - self._began,
            outcomes=dict(self._tally.outcomes),
            found=self._placer.found,
            renamed=self._placer.renamed,
        )

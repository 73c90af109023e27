"""Asking for a random sample of URLs, to learn what share of the lists is dead, and how that changes over time.

No image is stored and no candidate changes, whatever is answered: each answer is a row of the survey, beside what was
known before.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import time
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.auditing.holding import Heard, Held
from scraper.auditing.options import SurveyOptions
from scraper.config import DEFAULT_MANIFEST
from scraper.errors import InputError, InterruptedRunError, StoppedEarlyError
from scraper.flickr import request_url
from scraper.manifest.access.candidates import placeholders
from scraper.manifest.access.surveys import (
    Survey,
    SurveyAnswer,
    list_lengths,
    record_answers,
    record_survey,
    sample_answered,
    selected,
)
from scraper.manifest.schema import RANKS, candidate_id
from scraper.model import DECIDED_KINDS, Frame, Kind
from scraper.pacing.room import Room
from scraper.pictures.judge import PLACEHOLDER_SHA256, Rules, glance
from scraper.running.clock import Clock
from scraper.running.crew import Crew, Stop
from scraper.running.giving_up import explain
from scraper.running.looks import look_of
from scraper.running.queueing import RetryQueue, results
from scraper.running.session import exclusive, recorded
from scraper.statistics.surveys import Stratum, needed, share_of, stratified_order
from scraper.web.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from scraper.manifest.access.surveys import Selected
    from scraper.manifest.core import Manifest
    from scraper.model import Outcome
    from scraper.records import Look, Reply
    from scraper.running.queueing import Task
    from scraper.statistics.surveys import Found

FIRST_BYTES: Final = 16 * 1024
"""Bytes asked for: enough to know a picture, and the whole of the pictures that stand for deleted photos."""
TRIES: Final = 3
LEAST_DECIDED: Final = 100
"""URLs decided before a survey ends because its interval is narrow enough: by fewer that may be chance."""
USUAL_SAMPLE: Final = 1000
_MOST_ANSWERED: Final = 1_000_000
"""URLs of the frame `answered` that are drawn beforehand where no number is given."""
_CHUNK: Final = 200
_LOOK_EVERY: Final = 50
"""Answers between looks at how wide the interval still is."""
_TICK: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyProgress:
    """How far a survey is: URLs asked, of about how many, and half the width of its interval so far."""

    done: int
    sample: int
    half_width: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveySummary:
    """What a survey came to.

    Attributes:
        frame: what it drew from.
        urls: how many URLs that is.
        asked: how many were asked for.
        found: the share that is dead, as `scraper.statistics` has it.
        changes: candidates by what was known of them, None for nothing, and what is answered now, `saved` meaning that
            a picture answers.
        until: half the width of the interval that was wanted, if one was.
    """

    manifest: Path
    run_id: int
    frame: Frame
    urls: int
    asked: int
    found: Found
    changes: dict[tuple[Outcome | None, Outcome], int]
    until: float | None = None


def _ignore(_: object) -> None:
    pass


def survey(
    options: SurveyOptions | None = None,
    *,
    manifest: Path | str = DEFAULT_MANIFEST,
    progress: Callable[[SurveyProgress], None] = _ignore,
    notice: Callable[[str], None] = _ignore,
    stop: Stop | None = None,
    argv: Sequence[str] = (),
) -> SurveySummary:
    """Ask for a random sample of the listed URLs, or of those that were answered for good.

    Args:
        options: what to do.
        manifest: path of the manifest.
        progress: called from time to time, in this thread.
        notice: called with a line that a person watching should see.
        stop: lets another thread or a signal handler stop it.
        argv: the command line, for the record.

    Raises:
        InputError: there is nothing to ask.
        ManifestError: the manifest cannot be used.
        StoppedEarlyError: the hosts keep refusing, or somebody else answers for them; what was answered is kept.
        InterruptedRunError: `stop` was asked; the same holds.
    """
    options = SurveyOptions.or_default(options)
    path = Path(manifest)
    with contextlib.ExitStack() as stack:
        book = stack.enter_context(exclusive(path, create=False))
        client = stack.enter_context(Client(options.network, threads=options.threads))
        drawn = _draw(book, options)
        run = stack.enter_context(recorded(book, "survey", argv))
        record_survey(
            book,
            Survey(
                run_id=run.id,
                frame=options.of,
                urls=drawn.urls,
                seed=options.seed,
                sample=options.sample,
                until=options.until,
            ),
        )
        held = Held(notice, believe=options.believe_answers)
        asking = _Asking(book, run.id, options, drawn, held, progress=progress, stop=stop or Stop())
        asking.ask(client)
        found, changes = asking.tally.found(), asking.changes
        return SurveySummary(
            manifest=path,
            run_id=run.id,
            frame=options.of,
            urls=drawn.urls,
            asked=changes.total(),
            found=found,
            changes=dict(changes),
            until=options.until,
        )


# --- drawing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What is to be asked, in this order: of `urls` in the frame, whose strata have these sizes, by class number."""

    candidates: Iterator[Selected]
    urls: int
    strata: dict[int, int]
    most: int


def _draw(book: Manifest, options: SurveyOptions) -> _Drawn:
    """Decide the order in which the frame is asked.

    Raises:
        InputError: there is nothing in it.
    """
    rng = random.Random(options.seed)  # noqa: S311 - a repeatable sample, not a secret
    sample = USUAL_SAMPLE if options.sample is None and options.until is None else options.sample
    if options.of is Frame.ANSWERED:
        chosen, urls = sample_answered(book, sample or _MOST_ANSWERED, options.outcomes, rng)
        if not chosen:
            raise InputError("there is nothing to ask again: no candidate of these outcomes was answered for good")
        return _Drawn(_by_chunks(book, chosen), urls, {0: urls}, len(chosen))
    lists = list_lengths(book)
    urls = sum(one.candidates for one in lists)
    if not urls:
        raise InputError("there is nothing to ask: no class has a list with URLs in it; run `scraper plan` first")
    order = stratified_order([one.candidates for one in lists], rng)
    numbers = (candidate_id(lists[place].wnid, rank) for place, rank in islice(order, sample))
    strata = {candidate_id(one.wnid, 0) // RANKS: one.candidates for one in lists}
    return _Drawn(_by_chunks(book, numbers), urls, strata, min(urls, sample or urls))


def _by_chunks(book: Manifest, numbers: Iterable[int]) -> Iterator[Selected]:
    """The candidates with these ids, some at a time: most of a long order may never be needed."""
    numbers = iter(numbers)
    while chunk := list(islice(numbers, _CHUNK)):
        yield from selected(book, chunk)


class _Tally:
    """What was answered, by stratum."""

    def __init__(self, strata: dict[int, int]) -> None:
        self._sizes = strata
        self._counts: dict[int, list[int]] = {}
        self.decided = 0

    def add(self, candidate: int, outcome: Outcome) -> None:
        """Count an answer."""
        key = candidate // RANKS if candidate // RANKS in self._sizes else 0
        counts = self._counts.setdefault(key, [0, 0, 0])
        if outcome.kind in DECIDED_KINDS:
            counts[0] += 1
            counts[1] += outcome.kind is Kind.DEAD
            self.decided += 1
        else:
            counts[2] += 1

    def found(self) -> Found:
        """The share of dead URLs so far."""
        nothing = (0, 0, 0)
        return share_of([Stratum(size, *self._counts.get(key, nothing)) for key, size in self._sizes.items()])


# --- asking ----------------------------------------------------------------------------------------------------------


class _Asking:
    """One survey under way."""

    def __init__(
        self,
        book: Manifest,
        run_id: int,
        options: SurveyOptions,
        drawn: _Drawn,
        held: Held,
        *,
        progress: Callable[[SurveyProgress], None],
        stop: Stop,
    ) -> None:
        self._book = book
        self._run_id = run_id
        self._options = options
        self._drawn = drawn
        self._held = held
        self._progress = progress
        self._stop = stop
        self._enough = False
        self._next_look = LEAST_DECIDED
        self._half_width: float | None = None
        self.tally = _Tally(drawn.strata)
        self.changes: Counter[tuple[Outcome | None, Outcome]] = Counter()

    def _candidates(self) -> Iterator[Selected]:
        """What was drawn, until it is enough."""
        for candidate in self._drawn.candidates:
            if self._enough:
                return
            yield candidate

    def ask(self, client: Client) -> None:
        """Ask for each, and record the answers as they come."""
        room = Room(1.0)
        asker = _Asker(client, Rules(placeholders=PLACEHOLDER_SHA256 | placeholders(self._book)), room)
        clock = Clock()
        queue = RetryQueue(
            self._candidates(),
            threads=self._options.threads,
            tries=TRIES,
            patience=self._options.patience,
            deadline=self._options.network.timeout,
            rng=random.Random(),  # noqa: S311 - jitter
            now=clock.now(),
            puts_off=True,
        )
        crew: Crew[Task[Selected], _Answer] = Crew(
            "survey",
            asker.one,
            threads=self._options.threads,
            stop=self._stop,
            closing=(client.close, room.close),
        )
        with crew:
            try:
                self._loop(queue, crew, clock)
            except (InterruptedRunError, StoppedEarlyError):
                for answers in crew.last():
                    self._settle(queue, answers, clock.now())
                self._keep(self._held.give_up())
                raise

    def _loop(self, queue: RetryQueue[Selected], crew: Crew[Task[Selected], _Answer], clock: Clock) -> None:
        for answers in results(queue, crew, clock):
            self._settle(queue, answers, clock.now())
            if self._stop.asked:
                raise InterruptedRunError("interrupted; the answers so far are kept as a survey of their own")
            self._check_held()
            self._progress(SurveyProgress(done=self.changes.total(), sample=self._most(), half_width=self._half_width))
            if queue.pacer.exhausted:
                raise StoppedEarlyError(explain("the host", queue.pacer, clock.now()))
        self._keep(self._held.close())
        self._check_held()

    def _settle(self, queue: RetryQueue[Selected], answers: list[_Answer], now: float) -> None:
        rows = []
        for answer in answers:
            row, task = answer.row, answer.task
            number = task.number
            again = queue.again(
                task,
                row.outcome,
                status=row.status,
                retryable=row.outcome.retryable,
                seconds=row.seconds,
                retry_after=answer.retry_after,
                now=now,
            )
            look = None if task.refused else answer.look  # the host speaks, and neither the photo nor anybody else
            rows += self._held.note(Heard(row, task.item.url, number, not again, look, answer.digest))
        self._keep(rows)

    def _check_held(self) -> None:
        if problem := self._held.problem:
            raise StoppedEarlyError(problem)

    def _keep(self, rows: list[SurveyAnswer]) -> None:
        """Record answers that are beyond doubt."""
        if rows:
            record_answers(self._book, self._run_id, rows)
            for row in rows:
                self.changes[row.before, row.outcome] += 1
                self.tally.add(row.candidate_id, row.outcome)
            self._look()

    def _look(self) -> None:
        """See now and then whether the interval is as narrow as it is to be."""
        if self._options.until is None or self.tally.decided < self._next_look:
            return
        self._next_look = self.tally.decided + _LOOK_EVERY
        found = self.tally.found()
        if found.low is not None and found.high is not None:
            self._half_width = (found.high - found.low) / 2
            self._enough = self._half_width <= self._options.until

    def _most(self) -> int:
        """About how many will be asked."""
        if self._options.until is None:
            return self._drawn.most
        return min(self._drawn.most, needed(self.tally.found().rate, self._options.until))


@dataclass(frozen=True, slots=True)
class _Answer:
    """How a try for a URL ended: what would be on record of it, and what it looks like."""

    task: Task[Selected]
    row: SurveyAnswer
    retry_after: float | None
    look: Look | None
    digest: str


@dataclass(frozen=True, slots=True)
class _Asker:
    """Asks for one URL, in a thread."""

    client: Client
    rules: Rules
    room: Room

    def one(self, task: Task[Selected]) -> _Answer:
        candidate = task.item
        asked_at, began = time.time(), time.monotonic()
        reply = self.client.get(request_url(candidate.url), max_bytes=FIRST_BYTES, ranged=True)
        verdict = glance(reply, self.rules, self.room)
        row = SurveyAnswer(
            candidate_id=candidate.candidate_id,
            asked_at=asked_at,
            seconds=round(time.monotonic() - began, 6),
            before=candidate.outcome,
            outcome=verdict.outcome,
            status=reply.status,
            final_url=reply.url,
            error=verdict.error,
        )
        digest = hashlib.sha256(reply.body).hexdigest()
        look = look_of(_whole(reply), verdict.outcome, digest)
        return _Answer(task, row, reply.retry_after, look, digest)


def _whole(reply: Reply) -> Reply:
    """What would have come if no part had been asked for, as far as it tells: of an empty body there is no part."""
    match reply.status:
        case 206:
            return replace(reply, status=200)
        case 416:
            return replace(reply, status=200, body=b"")
        case _:
            return reply

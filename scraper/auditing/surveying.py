"""Asking for a random sample of URLs, to learn what share of the lists is dead, and how that changes over time.

No image is stored and no candidate changes, whatever is answered: each answer is a row of the survey, beside what was
known before.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.auditing.asking import Asker
from scraper.auditing.drawing import draw
from scraper.auditing.holding import Heard, Held
from scraper.auditing.options import SurveyOptions
from scraper.config import DEFAULT_MANIFEST
from scraper.errors import InterruptedRunError, StoppedEarlyError
from scraper.manifest.access.candidates import placeholders
from scraper.manifest.access.surveys import Survey, record_answers, record_survey
from scraper.manifest.schema import RANKS
from scraper.model import DECIDED_KINDS, Kind
from scraper.pacing.room import Room
from scraper.pictures.judge import PLACEHOLDER_SHA256, Rules
from scraper.running.clock import Clock
from scraper.running.crew import Crew, Stop
from scraper.running.giving_up import explain
from scraper.running.queueing import RetryQueue, results
from scraper.running.session import exclusive, recorded
from scraper.statistics.surveys import Stratum, needed, share_of
from scraper.web.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scraper.auditing.asking import Answer
    from scraper.auditing.drawing import Drawn
    from scraper.manifest.access.surveys import Selected, SurveyAnswer
    from scraper.manifest.core import Manifest
    from scraper.model import Frame, Outcome
    from scraper.running.queueing import Task
    from scraper.statistics.surveys import Found

TRIES: Final = 3
LEAST_DECIDED: Final = 100
"""URLs decided before a survey ends because its interval is narrow enough: by fewer that may be chance."""
_LOOK_EVERY: Final = 50
"""Answers between looks at how wide the interval still is."""


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
        drawn = draw(book, options)
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
        drawn: Drawn,
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
        asker = Asker(client, Rules(placeholders=PLACEHOLDER_SHA256 | placeholders(self._book)), room)
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
        crew: Crew[Task[Selected], Answer] = Crew(
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

    def _loop(self, queue: RetryQueue[Selected], crew: Crew[Task[Selected], Answer], clock: Clock) -> None:
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

    def _settle(self, queue: RetryQueue[Selected], answers: list[Answer], now: float) -> None:
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

"""Asking again for a sample of what was answered for good, so that link rot can be followed over time.

No image is stored and no candidate changes: each answer is a row of a wave, beside what was known before.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.config import DEFAULT_MANIFEST, RecheckOptions
from scraper.errors import InputError, InterruptedRunError
from scraper.flickr import request_url
from scraper.manifest.access.candidates import placeholders
from scraper.manifest.access.waves import Recheck, record_wave, sample_settled
from scraper.pacing.room import Room
from scraper.pictures.judge import PLACEHOLDER_SHA256, Rules, glance
from scraper.running.crew import Crew, Stop
from scraper.running.queueing import RetryQueue
from scraper.running.session import exclusive, recorded
from scraper.web.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scraper.manifest.access.waves import Settlement
    from scraper.manifest.core import Manifest
    from scraper.model import Outcome, Reply

FIRST_BYTES: Final = 16 * 1024
"""Bytes asked for: enough to know a picture, and the whole of the pictures that stand for deleted photos."""
TRIES: Final = 3
_TICK: Final = 0.25


@dataclass(frozen=True, slots=True)
class RecheckProgress:
    """How far a wave is: candidates asked, of all in the sample."""

    done: int
    sample: int


@dataclass(frozen=True, slots=True)
class RecheckSummary:
    """What a wave came to: `changes` counts candidates by outcome before and now, `saved` meaning a picture answers."""

    manifest: Path
    run_id: int
    sample: int
    changes: dict[tuple[Outcome, Outcome], int]


def _ignore(_: object) -> None:
    pass


def recheck(
    options: RecheckOptions | None = None,
    *,
    manifest: Path | str = DEFAULT_MANIFEST,
    progress: Callable[[RecheckProgress], None] = _ignore,
    stop: Stop | None = None,
    argv: Sequence[str] = (),
) -> RecheckSummary:
    """Ask again for a random sample of the candidates that were answered for good.

    Args:
        options: what to do.
        manifest: path of the manifest.
        progress: called from time to time, in this thread.
        stop: lets another thread or a signal handler stop it.
        argv: the command line, for the record.

    Raises:
        InputError: there is nothing to ask again.
        ManifestError: the manifest cannot be used.
        StoppedEarlyError: the hosts keep refusing; what was answered is kept.
        InterruptedRunError: `stop` was asked; the same holds.
    """
    options = options or RecheckOptions()
    path = Path(manifest)
    with contextlib.ExitStack() as stack:
        book = stack.enter_context(exclusive(path, create=False))
        client = stack.enter_context(Client(options.network, threads=options.threads))
        rng = random.Random(options.seed)  # noqa: S311 - a repeatable sample, not a secret
        sample = sample_settled(book, options.sample, options.outcomes, rng)
        if not sample:
            raise InputError("there is nothing to ask again: no candidate of these outcomes was answered for good")
        run = stack.enter_context(recorded(book, "recheck", argv))
        rules = Rules(placeholders=PLACEHOLDER_SHA256 | placeholders(book))
        changes = _Wave(book, run.id, options, client, rules, Room(1.0), progress, stop or Stop()).ask(sample)
        return RecheckSummary(path, run.id, len(sample), dict(changes))


@dataclass(frozen=True, slots=True)
class _Wave:
    book: Manifest
    run_id: int
    options: RecheckOptions
    client: Client
    rules: Rules
    room: Room
    progress: Callable[[RecheckProgress], None]
    stop: Stop

    def ask(self, sample: list[Settlement]) -> Counter[tuple[Outcome, Outcome]]:
        """Ask for each of the sample, and record the answers as they come."""
        queue = RetryQueue(sample, threads=self.options.threads, tries=TRIES)
        executor = ThreadPoolExecutor(self.options.threads, thread_name_prefix="scraper-recheck")
        crew: Crew[tuple[Settlement, int], tuple[Recheck, Settlement, int, Reply]] = Crew(
            executor, self._one, threads=self.options.threads
        )
        changes: Counter[tuple[Outcome, Outcome]] = Counter()
        try:
            while not queue.finished:
                if self.stop.asked:
                    raise InterruptedRunError("interrupted; the answers so far are kept as a wave of their own")
                for item in queue.take(time.time()):
                    crew.submit(item)
                answers = crew.collect(queue.patience(time.time(), _TICK))
                self._settle(queue, answers, changes)
                self.progress(RecheckProgress(changes.total(), len(sample)))
                queue.check_blocked("the host", time.time())
        finally:
            crew.cancel()
            self.client.close()
            self.room.close()
            crew.dismiss(self.stop)
        return changes

    def _one(self, item: tuple[Settlement, int]) -> tuple[Recheck, Settlement, int, Reply]:
        settled, number = item
        asked_at, began = time.time(), time.monotonic()
        reply = self.client.get(request_url(settled.url), most=FIRST_BYTES, ranged=True)
        verdict = glance(reply, self.rules, self.room)
        seconds = round(time.monotonic() - began, 6)
        row = Recheck(
            candidate_id=settled.candidate_id,
            asked_at=asked_at,
            seconds=seconds,
            before=settled.outcome,
            outcome=verdict.outcome,
            status=reply.status,
            final_url=reply.url,
            error=verdict.error,
        )
        return row, settled, number, reply

    def _settle(
        self,
        queue: RetryQueue[Settlement],
        answers: list[tuple[Recheck, Settlement, int, Reply]],
        changes: Counter[tuple[Outcome, Outcome]],
    ) -> None:
        rows = []
        for row, settled, number, reply in answers:
            again = queue.again(
                settled,
                number,
                row.outcome,
                retryable=row.outcome.retryable,
                started_at=row.asked_at,
                retry_after=reply.retry_after,
                now=time.time(),
            )
            if not again:
                rows.append(row)
                changes[row.before, row.outcome] += 1
        if rows:
            record_wave(self.book, self.run_id, rows)

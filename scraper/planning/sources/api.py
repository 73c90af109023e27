"""Lists that are asked for over HTTP, class by class: ImageNet's API, or any URL with `{wnid}` in it."""

from __future__ import annotations

import json
import random
import re
import time
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote, unquote_plus

from scraper.manifest.access.lists import ListingTry
from scraper.model import ListingOutcome, Outcome, outcome_of_status
from scraper.planning.listings import parse_answer
from scraper.planning.sources.doubts import Doubts, in_words
from scraper.planning.sources.interface import Answers, Silence
from scraper.records import Listing
from scraper.running.clock import Clock
from scraper.running.crew import Crew
from scraper.running.giving_up import moment
from scraper.running.queueing import RetryQueue, results
from scraper.urls import host_in

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from scraper.model import Wnid
    from scraper.planning.sources.interface import Means
    from scraper.records import Reply
    from scraper.running.queueing import Task

_Result: TypeAlias = "tuple[Task[Wnid], ListingTry, Answer]"

LARGEST_LIST: Final = 64 * 2**20
"""Bytes of one class's list; the longest of ImageNet is about 200 kB."""
TRIES: Final = 3
"""Requests for one list in one run."""
PATIENCE: Final = 30.0
"""Seconds without one answer after which another source is better than waiting."""
_MOST_PAGES: Final = 1000
_CUT: Final = re.compile(rb'"query_execution_status"\s*:\s*"RowLimit"')
"""How DoltHub's SQL API says that there are more rows (https://docs.dolthub.com/products/dolthub/api/sql)."""
_QUERY: Final = re.compile(r"(?<=[?&]q=)[^&#]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What asking for one class's list came to; `retry_after` in seconds where the server named a time."""

    listing: Listing
    url: str
    retry_after: float | None = None

    @property
    def retryable(self) -> bool:
        """Whether asking again soon may help."""
        outcome = self.listing.outcome
        return outcome.retryable if isinstance(outcome, Outcome) else outcome is ListingOutcome.NOT_READY


class Api:
    """A URL template that is asked for each class, by several threads at once."""

    whole = False
    local = False

    def __init__(self, template: str, means: Means) -> None:
        """For a template with `{wnid}`, and `{offset}` where its answers come in pages."""
        self.name = template
        self._client = means.connect()
        self._reading = means.reading
        self._threads = means.threads
        self._stop = means.stop

    def lists(self, wanted: Sequence[Wnid]) -> Generator[Answers, None, None]:
        """Ask for the list of each class, and again for what may pass; stop where no class gets an answer."""
        clock = Clock()
        queue = RetryQueue(
            wanted,
            threads=self._threads,
            tries=TRIES,
            patience=PATIENCE,
            deadline=self._client.timeout,
            rng=random.Random(),  # noqa: S311 - jitter
            now=clock.now(),
        )
        doubts = Doubts()
        left = len(wanted)
        crew: Crew[Task[Wnid], _Result] = Crew(
            "plan", self._ask, threads=self._threads, stop=self._stop, closing=(self._client.close,)
        )
        with crew:
            for answered in results(queue, crew, clock):
                late = chain.from_iterable(crew.last()) if self._stop.asked else ()
                answers = _settle(queue, doubts, [*answered, *late], clock.now())
                left -= len(answers.settled)
                silence = self._silence(queue, doubts, len(wanted), left)
                yield answers
                if silence is not None:
                    answers = _settle(queue, doubts, list(chain.from_iterable(crew.last())), clock.now())
                    yield replace(answers, silence=silence.without(len(answers.settled)))
                    return

    @staticmethod
    def _silence(queue: RetryQueue[Wnid], doubts: Doubts, wanted: int, left: int) -> Silence | None:
        if not left or doubts.last is None:
            return None
        how, now = in_words(doubts.last), time.time()
        if not queue.pacer.exhausted and not doubts.gone(now):
            return None
        if queue.pacer.named_until > now + PATIENCE:
            how += f" (to be asked again {moment(queue.pacer.named_until, now)})"
        return Silence(outcome=doubts.last.outcome, how=how, asked=wanted - left, unasked=left)

    def _ask(self, task: Task[Wnid]) -> _Result:
        wnid = task.item
        started_at, began = time.time(), time.monotonic()
        answer = self.ask(wnid)
        listing = answer.listing
        seconds = round(time.monotonic() - began, 6)
        tried = ListingTry(
            wnid=wnid,
            number=task.number,
            started_at=started_at,
            seconds=seconds,
            status=listing.http_status,
            outcome=listing.outcome,
            url=answer.url,
            error=listing.error,
        )
        return task, tried, answer

    def ask(self, wnid: Wnid) -> Answer:
        """Ask for the list of one class, all pages of it."""
        pages = _Pages(self.name.replace("{wnid}", wnid))
        bodies: list[bytes] = []
        room = LARGEST_LIST
        while True:
            reply = self._client.get(pages.url, max_bytes=room)
            failed = _failed(reply)
            if failed is not None:
                return Answer(failed, pages.url, reply.retry_after)
            bodies.append(reply.body)
            room -= len(reply.body)
            if not pages.turn(reply.body):
                break
        if pages.problem:
            return Answer(Listing(ListingOutcome.NOT_A_LIST, http_status=200, error=pages.problem), pages.first)
        listing = parse_answer(
            b"\n".join(bodies),
            hosts=self._reading.hosts,
            shuffle=self._reading.seed(wnid),
            status=reply.status,
            wnid=wnid,
            columns=self._reading.columns,
        )
        if listing.outcome is ListingOutcome.NOT_A_LIST and reply.hops:
            listing = replace(listing, error=f"{listing.error}, from {host_in(reply.url)}, where it was sent to")
        return Answer(listing, pages.first, reply.retry_after)


def _settle(queue: RetryQueue[Wnid], doubts: Doubts, answered: Sequence[_Result], now: float) -> Answers:
    settled: list[tuple[Wnid, Listing]] = []
    for task, tried, answer in answered:
        listing = answer.listing
        again = queue.again(
            task,
            # What is no failure of the exchange (no such class, not a list) is an answer, as a photo is one.
            listing.outcome if isinstance(listing.outcome, Outcome) else Outcome.SAVED,
            retryable=answer.retryable,
            status=listing.http_status,
            seconds=tried.seconds,
            retry_after=answer.retry_after,
            now=now,
        )
        doubts.take(listing, settled=not again, started_at=tried.started_at)
        if not again:
            settled.append((tried.wnid, listing))
    return Answers([tried for _, tried, _ in answered], settled)


def _failed(reply: Reply) -> Listing | None:
    if reply.failure is not None:
        return Listing(reply.failure, http_status=reply.status, error=reply.error)
    if reply.oversize:
        return Listing(Outcome.TOO_LARGE, http_status=reply.status, error="more than 64 MiB")
    if reply.status == 200:
        return None
    outcome = outcome_of_status(reply.status)
    how = ListingOutcome.NOT_FOUND if outcome is Outcome.GONE else outcome
    return Listing(how, http_status=reply.status, error=f"HTTP status {reply.status}")


class _Pages:
    """The URLs of a class's pages: one, unless an answer says that it was cut."""

    def __init__(self, url: str) -> None:
        self.first = url.replace("{offset}", "0")
        self.url = self.first
        self.problem = ""
        self._template = url if "{offset}" in url else ""
        self._rows = 0
        self._size = 0
        self._pages = 0

    def turn(self, body: bytes) -> bool:
        """Take in an answer; whether there is one more page to ask for, at `url`."""
        cut = _CUT.search(body) is not None
        if not cut and not self._pages and not self._template:
            return False
        rows = _rows(body)
        self._size = self._size or rows
        self._rows += rows
        self._pages += 1
        full = rows >= self._size and (self._template or self._pages > 1)
        if not rows or not (cut or full) or self._pages >= _MOST_PAGES:
            return False
        self._template = self._template or self._paged()
        self.url = self._template.replace("{offset}", str(self._rows))
        return not self.problem

    def _paged(self) -> str:
        """The URL with a place for the offset in its SQL."""
        query = _QUERY.search(self.first)
        if query is None or re.search(r"\blimit\b", unquote_plus(query[0]), re.IGNORECASE):
            self.problem = f"the answer was cut after {self._rows} rows: put {{offset}} into the URL where pages begin"
            return self.first
        sql = f"{unquote_plus(query[0]).rstrip('; ')} LIMIT {self._size} OFFSET "
        return f"{self.first[: query.start()]}{quote(sql)}{{offset}}{self.first[query.end() :]}"


def _rows(body: bytes) -> int:
    """How many rows an answer of DoltHub's has."""
    try:
        rows = json.loads(body).get("rows")
    except (ValueError, AttributeError, RecursionError):
        return 0
    return len(rows) if isinstance(rows, list) else 0

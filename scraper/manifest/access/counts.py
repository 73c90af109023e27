"""For report: the counts that are kept with every batch, and what is needed beside them."""

from __future__ import annotations

import datetime as dt
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.flickr import FLICKR_GROUP
from scraper.manifest.values import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scraper.manifest.core import Manifest
    from scraper.model import ListingOutcome, Outcome, Wnid


class ClassTarget(NamedTuple):
    """A class: what is wanted of it, and what its list holds."""

    wnid: Wnid
    label: str | None
    n: int
    budget: int
    listed: int
    candidates: int
    resolve_outcome: ListingOutcome | Outcome | None


class ClassCount(NamedTuple):
    """Candidates of a class with one outcome; `bytes` is of its images, the rest as in `class_outcomes`."""

    wnid: Wnid
    outcome: Outcome
    candidates: int
    unasked: int
    repaired: int
    bytes: int


class HostCount(NamedTuple):
    """Candidates of a host whose own URL ended with one outcome."""

    host: str
    outcome: Outcome
    candidates: int


@dataclass(frozen=True, slots=True)
class Wave:
    """Of one survey, how many candidates had an outcome before and have another now; `saved` means a picture answers.

    `outcome_before` is None for those that were not asked before.
    """

    run_id: int
    began_at: str
    ended_at: str
    outcome_before: Outcome | None
    outcome: Outcome
    candidates: int


_TARGET: Final = columns(
    "classes.wnid",
    "classes.label",
    "classes.n",
    "classes.budget",
    "classes.listed",
    "classes.candidates",
    "classes.resolve_outcome",
)
_CANDIDATES: Final = columns("class_outcomes.wnid", "class_outcomes.outcome", "class_outcomes.candidates")
_CLASS: Final = columns(
    "class_outcomes.wnid",
    "class_outcomes.outcome",
    "class_outcomes.candidates",
    "class_outcomes.unasked",
    "class_outcomes.repaired",
    "class_outcomes.bytes",
)
_HOST: Final = columns("host_outcomes.host", "host_outcomes.outcome", "host_outcomes.candidates")
_WAVE: Final = (
    'SELECT run_id AS "rechecks.run_id", began_at AS "rechecks.asked_at", ended_at AS "rechecks.asked_at", '
    'outcome_before AS "rechecks.outcome_before", outcome AS "rechecks.outcome", candidates AS "count" FROM waves'
)


def class_targets(book: Manifest) -> Iterator[ClassTarget]:
    """Every class that is wanted, in the order of their ids."""
    return book.select(ClassTarget, f"{_TARGET} FROM classes WHERE dropped_at IS NULL ORDER BY wnid")


def count_dropped(book: Manifest) -> int:
    """Classes that were dropped."""
    return book.count("FROM classes WHERE dropped_at NOT NULL")


def class_counts(book: Manifest) -> Iterator[ClassCount]:
    """The counts of every class, dropped ones too."""
    return book.select(ClassCount, f"{_CLASS} FROM class_outcomes")


def each_class_count(book: Manifest, take: Callable[..., None], take_rest: Callable[..., None]) -> None:
    """Give the counts of every class to functions, of which there may be hundred thousands.

    Args:
        book: the manifest.
        take: gets the class, the outcome, and how many candidates were asked for.
        take_rest: gets the fields of `ClassCount`, where one of the last three is more than 0.
    """
    deque(book.select(take, f"{_CANDIDATES} FROM class_outcomes WHERE candidates > 0"), maxlen=0)
    deque(book.select(take_rest, f"{_CLASS} FROM class_outcomes WHERE unasked OR repaired OR bytes"), maxlen=0)


def host_counts(book: Manifest) -> Iterator[HostCount]:
    """The counts of every host."""
    return book.select(HostCount, f"{_HOST} FROM host_outcomes WHERE candidates > 0")


def status_counts(book: Manifest) -> dict[str, int]:
    """Requests by HTTP status, `none` where no answer came."""
    sql = columns("statuses.status", "statuses.requests") + " FROM statuses ORDER BY status"
    return dict(book.select(lambda status, requests: (status, requests), sql))


def waves(book: Manifest) -> tuple[Wave, ...]:
    """What each survey found."""
    return tuple(book.select(Wave, _WAVE))


_PACE: Final = (
    "FROM (SELECT started_at, run_id FROM attempt ORDER BY id DESC LIMIT 10000) AS attempt "
    "WHERE run_id = (SELECT run_id FROM attempt ORDER BY id DESC LIMIT 1)"
)
_LEAST_PACE: Final = (100, 10.0)
"""Requests and seconds below which they tell no pace."""


def last_pace(book: Manifest) -> float | None:
    """Requests a second of the last fetch: what Flickr's hosts allowed, else by its last 10,000, if that tells."""
    last = list(book.column("attempt.run_id", "FROM attempt ORDER BY id DESC LIMIT 1"))
    found = (
        list(
            book.column(
                "paces.rate", "FROM paces WHERE run_id = ? AND host_group = ? ORDER BY id", (*last, FLICKR_GROUP)
            )
        )
        if last
        else []
    )
    if found and found[-1] is not None:
        return float(found[-1])
    times = [dt.datetime.fromisoformat(time) for time in book.column("attempt.started_at", _PACE)]
    least, shortest = _LEAST_PACE
    if len(times) < least:
        return None
    seconds = (max(times) - min(times)).total_seconds()
    return (len(times) - 1) / seconds if seconds >= shortest else None


def request_dates(book: Manifest) -> tuple[str, str] | None:
    """When the first and the last of the requests on record were made; attempts are in the order of their batches."""
    ends = list(
        book.column(
            "attempt.started_at",
            "FROM attempt WHERE id = (SELECT min(id) FROM attempt) OR id = (SELECT max(id) FROM attempt) ORDER BY id",
        )
    )
    return (ends[0], ends[-1]) if ends else None

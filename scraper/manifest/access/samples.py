"""For rates: where each class stopped, and what its URLs answered up to there, in the order of its list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from scraper.manifest.schema import RANKS, candidate_id
from scraper.manifest.values import columns
from scraper.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.manifest.core import Manifest
    from scraper.model import Outcome, Wnid


class Answers(NamedTuple):
    """URLs of a class that ended alike: how the URL itself did, whether images came of them, and how many.

    `outcome` is None where they were asked for, and are to be asked for anew.
    """

    outcome: Outcome | None
    image: bool
    urls: int


class AskedUrl(NamedTuple):
    """One URL that was asked for, or whose photo is there under another: how it ended, and whether it is an image."""

    url: str
    photo_id: int | None
    outcome: Outcome
    image: bool


class PlannedList(NamedTuple):
    """A class's list as it was planned: what is wanted of it, where it is from, its order, when it came, its digest."""

    wnid: Wnid
    n: int
    candidates: int
    source: str | None
    hosts: str
    shuffle: str | None
    resolved_at: str
    sha256: str | None


_NUMBER: Final = "CAST(substr(classes.wnid, 2) AS INTEGER)"
_FULL: Final = f"""
SELECT classes.wnid AS "classes.wnid", n AS "classes.n", class_outcomes.candidates AS "class_outcomes.candidates",
  (SELECT coalesce(max(candidate_id), 0) FROM image
    WHERE candidate_id BETWEEN {_NUMBER} * {RANKS} AND {_NUMBER} * {RANKS} + {RANKS - 1}) AS "count"
FROM classes JOIN class_outcomes ON class_outcomes.wnid = classes.wnid AND outcome = 'saved'
WHERE class_outcomes.candidates >= n
"""  # noqa: S608 - numbers and names of ours
_NTH: Final = "FROM image WHERE candidate_id BETWEEN ? AND ? ORDER BY candidate_id LIMIT 1 OFFSET ?"


def stops(book: Manifest) -> dict[Wnid, int]:
    """The rank of the n-th image in its list, of each class that has n: of the last one, unless it has more."""
    full = list(book.select(lambda *row: row, _FULL))
    found: dict[Wnid, int] = {wnid: last % RANKS for wnid, _, _, last in full}
    for wnid, n, images, _ in full:
        if images > n:
            bounds = (candidate_id(wnid, 1), candidate_id(wnid, RANKS - 1), n - 1)
            found[wnid] = sum(book.column("image.candidate_id", _NTH, bounds)) % RANKS
    return {wnid: rank for wnid, rank in found.items() if rank}


_ANSWERS: Final = (
    'SELECT coalesce(fate, outcome) AS "candidate.outcome", state AS "candidate.state", count(*) AS "count" '
    "FROM candidate WHERE id BETWEEN ? AND ? AND (outcome IS NOT NULL OR tries > 0) GROUP BY 1, 2"
)


def answers(book: Manifest, wnid: Wnid, last: int) -> list[Answers]:
    """What the URLs of a class answered that have a rank up to `last`."""
    bounds = (candidate_id(wnid, 1), candidate_id(wnid, last))
    return list(book.select(_answers, _ANSWERS, bounds))


def _answers(outcome: Outcome | None, state: State, urls: int) -> Answers:
    return Answers(outcome, state is State.SAVED, urls)


_ASKED: Final = (
    columns("candidate.url", "candidate.photo_id")
    + ', coalesce(fate, outcome) AS "candidate.outcome", state AS "candidate.state" '
    "FROM candidate WHERE id BETWEEN ? AND ? AND outcome IS NOT NULL"
)


def asked_urls(book: Manifest, wnid: Wnid, last: int) -> Iterator[AskedUrl]:
    """The URLs of a class with a rank up to `last` that have an answer."""
    return book.select(_asked, _ASKED, (candidate_id(wnid, 1), candidate_id(wnid, last)))


def _asked(url: str, photo: int | None, outcome: Outcome, state: State) -> AskedUrl:
    return AskedUrl(url, photo, outcome, state is State.SAVED)


_PLANNED: Final = columns(
    "classes.wnid",
    "classes.n",
    "classes.candidates",
    "classes.source",
    "classes.hosts",
    "classes.shuffle",
    "classes.resolved_at",
    "classes.listing_sha256",
)


def planned_lists(book: Manifest) -> Iterator[PlannedList]:
    """The lists of all classes that have one, in the order of their ids."""

    def planned(*row: Any) -> PlannedList:
        wnid, n, candidates, source, hosts, shuffle, resolved_at, digest = row
        return PlannedList(wnid, n, candidates, source, hosts or "", shuffle, resolved_at or "", digest)

    return book.select(planned, f"{_PLANNED} FROM classes WHERE resolve_outcome = 'listed' ORDER BY wnid")


def shuffled(book: Manifest) -> bool:
    """Whether all lists were put in random order when they were planned."""
    listed = "FROM classes WHERE resolve_outcome = 'listed'"
    return not book.count(f"{listed} AND shuffle IS NULL") and bool(book.count(listed))


def fetch_under_way(book: Manifest) -> bool:
    """Whether the last fetch has not said how it ended: it runs, or it was killed."""
    last = "(SELECT max(id) FROM runs WHERE command = 'fetch')"
    return bool(book.count(f"FROM runs WHERE id = {last} AND ended_at IS NULL"))

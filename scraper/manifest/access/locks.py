"""For plan and report: the bytes that a lock names, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.manifest.schema import RANKS, candidate_id, wnid_of
from scraper.manifest.values import columns
from scraper.model import Wnid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scraper.manifest.core import Manifest
    from scraper.model import Outcome, State


class LockedBytes(NamedTuple):
    """What a lock says of a candidate of a class: its URL, its rank in the lock, and its bytes."""

    url: str
    rank: int
    sha256: str
    bytes: int


class LockedState(NamedTuple):
    """How a candidate of a lock stands."""

    candidate_id: int
    state: State
    outcome: Outcome | None

    @property
    def wnid(self) -> Wnid:
        """Its class."""
        return Wnid(wnid_of(self.candidate_id))


_STATE: Final = (
    columns("candidate.id", "candidate.state", "candidate.outcome")
    + " FROM locked JOIN candidate ON candidate.id = candidate_id ORDER BY candidate.id"
)


def locked_states(book: Manifest) -> Iterator[LockedState]:
    """Every candidate of the locks that the manifest was planned from."""
    return book.select(LockedState, _STATE)


def save_locked(book: Manifest, wnid: Wnid, images: Iterable[LockedBytes]) -> None:
    """Record which bytes are to be had at which URLs of a class; what is recorded already stays as it is."""
    first, last = candidate_id(wnid, 1), candidate_id(wnid, RANKS - 1)
    with book.transaction() as connection:
        connection.executemany(
            "INSERT OR IGNORE INTO locked (candidate_id, rank, sha256, bytes) "
            "SELECT id, ?, ?, ? FROM candidate WHERE id BETWEEN ? AND ? AND url = ?",
            [(one.rank, one.sha256, one.bytes, first, last, one.url) for one in images],
        )

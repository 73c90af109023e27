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


# CROSS: from the lock to the candidates, which are all read in their order where SQLite is left to choose.
_STATE: Final = (
    columns("candidate.id", "candidate.state", "candidate.outcome")
    + " FROM locked CROSS JOIN candidate ON candidate.id = candidate_id ORDER BY candidate_id"
)


def locked_states(book: Manifest) -> Iterator[LockedState]:
    """Every candidate of the locks that the manifest was planned from."""
    return book.select(LockedState, _STATE)


def save_locked(
    book: Manifest, run_id: int, wnid: Wnid, images: Iterable[LockedBytes], *, listing_sha256: str | None
) -> None:
    """Record which bytes are to be had at the candidates of a class.

    Args:
        book: the manifest.
        run_id: the run.
        wnid: the class, whose candidates these are from the first on.
        images: what the lock says of each.
        listing_sha256: digest of the list that the lock's ranks are of.
    """
    with book.transaction() as connection:
        connection.execute(
            "INSERT INTO locked_classes (wnid, run_id, listing_sha256) VALUES (?, ?, ?)", (wnid, run_id, listing_sha256)
        )
        connection.executemany(
            "INSERT INTO locked (candidate_id, rank, sha256, bytes) VALUES (?, ?, ?, ?)",
            [(candidate_id(wnid, place), one.rank, one.sha256, one.bytes) for place, one in enumerate(images, start=1)],
        )


_SAID: Final = (
    columns("candidate.url", "locked.rank", "locked.sha256", "locked.bytes")
    + " FROM locked JOIN candidate ON candidate.id = candidate_id "
    "WHERE candidate_id BETWEEN ? AND ? ORDER BY candidate_id"
)


def locked_bytes(book: Manifest, wnid: Wnid) -> list[LockedBytes]:
    """What the lock that a class was planned from says of it, by rank; nothing where it was planned otherwise."""
    return list(book.select(LockedBytes, _SAID, (candidate_id(wnid, 1), candidate_id(wnid, RANKS - 1))))


def locked_digest(book: Manifest, candidate: int) -> str | None:
    """The SHA-256 that a lock names for a candidate, None where none does."""
    return next(iter(list(book.column("locked.sha256", "FROM locked WHERE candidate_id = ?", (candidate,)))), None)


def locked_classes(book: Manifest) -> dict[Wnid, str | None]:
    """The classes that were planned from locks, each with the digest of its list that the lock names."""
    sql = columns("locked_classes.wnid", "locked_classes.listing_sha256") + " FROM locked_classes"
    return dict(book.select(lambda wnid, sha256: (wnid, sha256), sql))

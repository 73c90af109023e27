"""For plan: the classes that were asked for, and what sources said of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from scraper.discretion import discreet, without_secrets
from scraper.errors import InputError, ManifestForeignError
from scraper.manifest.database import working_folder
from scraper.manifest.schema import RANKS, candidate_id
from scraper.manifest.values import columns, iso

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from scraper.manifest.core import Manifest
    from scraper.model import ListingOutcome, Outcome, Wnid
    from scraper.records import ClassRequest, Listed, Listing, OddLines


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingTry:
    """One request for the list of a class, for the record; times in seconds."""

    wnid: Wnid
    number: int
    started_at: float
    seconds: float
    status: int | None
    outcome: ListingOutcome | Outcome
    url: str
    error: str | None


@dataclass(frozen=True, slots=True)
class WholeList:
    """A list of many classes that was read from its beginning to its end.

    Attributes:
        source: as it was named.
        url: where it was downloaded from; None where it was on this machine already.
        form: of its lines, by its short name.
        bytes: size of the file.
        sha256: of a file that was downloaded.
        classes: how many it gave a list in this run.
        odd: lines that are odd and of no class.
    """

    source: str
    url: str | None
    form: str
    bytes: int
    sha256: str | None
    classes: int
    odd: tuple[OddLines, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """A class as it is planned: its target, and the list it has, or why it has none."""

    wnid: Wnid
    label: str | None
    n: int
    hosts: str | None
    shuffle: str | None
    outcome: ListingOutcome | Outcome | None
    error: str | None
    listed: int
    candidates: int
    dropped_at: str | None


_ENTRY: Final = columns(
    "classes.wnid",
    "classes.label",
    "classes.n",
    "classes.hosts",
    "classes.shuffle",
    "classes.resolve_outcome",
    "classes.resolve_error",
    "classes.listed",
    "classes.candidates",
    "classes.dropped_at",
)


_WANT: Final = (
    "INSERT INTO classes (wnid, label, n, budget) VALUES (?, ?, ?, ?) ON CONFLICT (wnid) DO UPDATE SET "
    "dropped_at = NULL, label = coalesce(excluded.label, label)"
)
_MOVE: Final = (
    ", n = excluded.n, budget = CASE WHEN n <= excluded.n THEN max(budget, excluded.budget) ELSE excluded.budget END"
)


def want(
    book: Manifest,
    requests: Iterable[ClassRequest],
    *,
    n: int,
    budget: int,
    keep: bool = False,
    each: Mapping[Wnid, int] | None = None,
) -> None:
    """Set the target of each class, adding those that are new or were dropped; lists and outcomes stay as they are.

    Args:
        book: the manifest.
        requests: the classes.
        n: images wanted of each.
        budget: candidates of each that may be tried at first.
        keep: whether classes that are there already keep their target.
        each: images wanted of classes for which that is told one by one; as many of their candidates may be tried.

    Raises:
        ManifestForeignError: a class that has no list has candidates.
    """
    own = {wnid: (images, images) for wnid, images in (each or {}).items()}
    rows = [(request.wnid, request.label, *own.get(request.wnid, (n, budget))) for request in requests]
    with book.transaction() as connection:
        connection.executemany(_WANT if keep else _WANT + _MOVE, rows)
        for wnid in book.column("classes.wnid", _ASTRAY):
            raise ManifestForeignError(
                f"{book.path} is not as scraper made it: candidate has rows of {wnid}, which has no list in classes; "
                "restore it from a copy"
            )


def relabel(book: Manifest, labels: Mapping[Wnid, str]) -> None:
    """Give classes other labels."""
    with book.transaction() as connection:
        connection.executemany(
            "UPDATE classes SET label = ? WHERE wnid = ?", [(label, wnid) for wnid, label in labels.items()]
        )


_ASTRAY: Final = f"""
FROM classes WHERE resolve_outcome IS NOT 'listed' AND EXISTS (
  SELECT 1 FROM candidate WHERE id BETWEEN substr(wnid, 2) * {RANKS} + 1 AND substr(wnid, 2) * {RANKS} + {RANKS - 1})
LIMIT 1
"""  # noqa: S608 - numbers of ours


def resolved(book: Manifest) -> set[Wnid]:
    """The classes whose list is in the manifest."""
    return set(book.column("classes.wnid", "FROM classes WHERE resolve_outcome = 'listed'"))


def listed_as(book: Manifest, form: str) -> set[Wnid]:
    """The classes whose list has this form."""
    where = "FROM classes WHERE resolve_outcome = 'listed' AND listing_form = ?"
    return set(book.column("classes.wnid", where, (form,)))


def classes(book: Manifest) -> list[ClassEntry]:
    """Every class."""
    return list(book.select(ClassEntry, f"{_ENTRY} FROM classes"))


def _kept(source: str) -> str:
    """A source as it may be kept: a path as it is from the working folder, a URL without its secrets."""
    return discreet(source, working_folder())


def _said(text: str | None) -> str | None:
    return None if text is None else without_secrets(text)


def save_listing(
    book: Manifest,
    run_id: int,
    wnid: Wnid,
    listing: Listing,
    *,
    source: str,
    hosts: str,
    shuffle: str | None,
    now: float,
    known: int = 0,
) -> None:
    """Record what a source said of a class: its candidates, or why there are none.

    Args:
        book: the manifest.
        run_id: the run.
        wnid: the class.
        listing: what was said.
        source: who said it.
        hosts: domains that were wanted, by commas.
        shuffle: seed of the order.
        now: Unix time in seconds.
        known: how many of the candidates the manifest has already; they are the first.

    Raises:
        InputError: the list is longer than the manifest can number.
    """
    if len(listing.candidates) >= RANKS:
        raise InputError(f"the list of {wnid} has {len(listing.candidates)} candidates; {RANKS - 1} is the most")
    source = _kept(source)
    with book.transaction() as connection:
        _insert(connection, listing.candidates[known:], candidate_id(wnid, known + 1))
        connection.execute(
            "UPDATE classes SET source = ?, hosts = ?, shuffle = ?, resolved_at = ?, resolve_outcome = ?, "
            "resolve_error = ?, http_status = ?, listed = ?, candidates = ?, malformed = ?, repeated = ?, "
            "listing_sha256 = ?, listing_form = ? WHERE wnid = ?",
            (
                source,
                hosts,
                shuffle,
                iso(now),
                listing.outcome,
                _said(listing.error),
                listing.http_status,
                listing.listed,
                len(listing.candidates),
                listing.malformed,
                listing.duplicates,
                listing.sha256,
                listing.form,
                wnid,
            ),
        )
        if listing.odd:
            _insert_odd_lines(connection, run_id, source, listing.odd, wnid=wnid)


def _insert_odd_lines(
    connection: sqlite3.Connection, run_id: int, source: str, odd: Iterable[OddLines], *, wnid: str | None = None
) -> None:
    """Write what was odd about a source's lines, of one class or of none, within the transaction that is open."""
    connection.executemany(
        "INSERT INTO odd_lines (run_id, source, wnid, kind, lines, example) VALUES (?, ?, ?, ?, ?, ?)",
        [(run_id, source, wnid, *each) for each in odd],
    )


def save_whole_list(book: Manifest, run_id: int, read: WholeList, now: float) -> None:
    """Record that a list of many classes was read to its end; `now` is Unix time in seconds."""
    source = _kept(read.source)
    with book.transaction() as connection:
        connection.execute(
            "INSERT INTO whole_lists (run_id, read_at, source, url, form, bytes, sha256, classes) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (run_id, iso(now), source, _said(read.url), read.form, read.bytes, read.sha256, read.classes),
        )
        _insert_odd_lines(connection, run_id, source, read.odd)


_INSERT: Final = "INSERT INTO candidate (id, url, photo_id) VALUES "
_AT_ONCE: Final = 50
"""Rows of one INSERT, by which a row costs a third of what it does alone; parameters of any SQLite suffice for it."""


def _insert(connection: sqlite3.Connection, candidates: Sequence[Listed], first: int) -> None:
    """Insert candidates under ids from `first` on. A file name is kept only where the URL does not say it."""
    rows = [(number, found[0], found[1]) for number, found in enumerate(candidates, start=first)]
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        places = ", ".join(["(?, ?, ?)"] * len(some))
        connection.execute(_INSERT + places, list(chain.from_iterable(some)))
    connection.executemany(
        "UPDATE candidate SET filename = ? WHERE id = ?",
        [(found.filename, number) for number, found in enumerate(candidates, start=first) if not found.usual],
    )


def save_listing_tries(book: Manifest, run_id: int, tries: Iterable[ListingTry]) -> None:
    """Record requests for lists."""
    with book.transaction() as connection:
        connection.executemany(
            "INSERT INTO listings (wnid, run_id, try, started_at, seconds, status, outcome, url, error) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    t.wnid,
                    run_id,
                    t.number,
                    iso(t.started_at),
                    t.seconds,
                    t.status,
                    t.outcome,
                    _kept(t.url),
                    _said(t.error),
                )
                for t in tries
            ],
        )

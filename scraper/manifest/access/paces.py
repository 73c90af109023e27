"""For fetch and report: how fast groups of hosts let themselves be asked, as runs have found it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.manifest.values import columns, iso
from scraper.pacing.pacer import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scraper.manifest.core import Manifest
    from scraper.model import Outcome

_LONGEST_CLOSED: Final = 48 * 3600.0
"""Seconds that a host may be closed for by the word of an earlier run."""


class FoundPace(NamedTuple):
    """The pace of a group at a moment, see `Pace`: `found_at` is a time as the manifest has it.

    `closed` are seconds from then on, until it is asked again.
    """

    group: str
    run_id: int
    found_at: str
    rate: float | None
    at_once: int | None
    usually_closed: float | None
    closed: float | None
    refusal: Outcome | None


_PACES: Final = columns(
    "paces.host_group",
    "paces.run_id",
    "paces.found_at",
    "paces.rate",
    "paces.at_once",
    "paces.usually_closed",
    "paces.closed",
    "paces.refusal",
)


def paces(book: Manifest) -> Iterator[FoundPace]:
    """All that was found, in the order in which it was."""
    return book.select(FoundPace, f"{_PACES} FROM paces ORDER BY id")


def last_paces(book: Manifest, *, since: float, until: float) -> dict[str, Pace]:
    """The last pace of each group that was found between `since` and `until`, Unix times in seconds."""
    late = f"{_PACES} FROM paces WHERE found_at BETWEEN ? AND ? ORDER BY id"
    return {found.group: _pace(found) for found in book.select(FoundPace, late, (iso(since), iso(until)))}


def _pace(found: FoundPace) -> Pace:
    at = dt.datetime.fromisoformat(found.found_at).timestamp()
    return Pace(
        rate=found.rate,
        at_once=found.at_once,
        usually_closed=found.usually_closed,
        closed_until=None if found.closed is None else at + min(found.closed, _LONGEST_CLOSED),
        refusal=found.refusal,
    )


def record_paces(book: Manifest, run_id: int, found: Mapping[str, Pace], now: float) -> None:
    """Record the paces of groups as they are at `now`, Unix time in seconds."""
    with book.transaction() as connection:
        connection.executemany(
            "INSERT INTO paces (run_id, host_group, found_at, rate, at_once, usually_closed, closed, refusal) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    run_id,
                    group,
                    iso(now),
                    pace.rate,
                    pace.at_once,
                    pace.usually_closed,
                    None if pace.closed_until is None else max(0.0, pace.closed_until - now),
                    pace.refusal,
                )
                for group, pace in found.items()
            ],
        )

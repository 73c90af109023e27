"""How fast the hosts let themselves be asked, over time, and which URLs rest since nothing is learnt of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.manifest.access.paces import paces
from scraper.texts import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scraper.manifest.core import Manifest
    from scraper.model import Outcome

MOST_SHOWN: Final = 24
"""Paces of a group that people are shown, from first to last, evenly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceRow:
    """The pace of a group of hosts, as a run found it.

    Attributes:
        group: of hosts: `flickr`, or a host.
        run_id: the run.
        found_at: when.
        rate: requests a second; None where nothing held them back.
        at_once: requests at once; None where those were as many as the user allowed.
        usually_closed: seconds for which the group answers nothing after a refusal.
        closed: seconds from then on for which it was left alone; None where it answered.
        refusal: the outcome it refused with.
    """

    group: str
    run_id: int
    found_at: str
    rate: float | None
    at_once: int | None
    usually_closed: float | None
    closed: float | None
    refusal: Outcome | None


def pace_rows(book: Manifest) -> tuple[PaceRow, ...]:
    """All that was found, in the order in which it was."""
    return tuple(PaceRow(**found._asdict()) for found in paces(book))


def thinned(rows: tuple[PaceRow, ...]) -> list[PaceRow]:
    """So many of each group as people are shown."""
    groups: dict[str, list[PaceRow]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return [row for group in sorted(groups) for row in _evenly(groups[group])]


def _evenly(rows: list[PaceRow]) -> list[PaceRow]:
    if len(rows) <= MOST_SHOWN:
        return rows
    last = len(rows) - 1
    return [rows[round(place * last / (MOST_SHOWN - 1))] for place in range(MOST_SHOWN)]


def resting_line(resting: Mapping[Outcome, int]) -> str | None:
    """One line for people on what rests, and the command that asks again; None where nothing does."""
    if not resting:
        return None
    names = ",".join(sorted(outcome.value for outcome in resting))
    return (
        f"{counted(sum(resting.values()), 'URL')} at rest, since 5 runs over a week or more have learnt nothing: "
        f"`scraper fetch --retry {names}` asks again"
    )

"""What became of the URLs of each host, how fast hosts let themselves be asked, and which URLs rest unlearnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.manifest.access.paces import paces
from scraper.model import DECIDED_KINDS, Kind, Outcome
from scraper.reporting.estimates import rounded
from scraper.reporting.tallies import of_kinds
from scraper.texts import counted

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from scraper.manifest.core import Manifest
    from scraper.statistics.clusters import Estimate

MOST_SHOWN: Final = 24
"""Paces of a group that people are shown, from first to last, evenly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRow:
    """What became of the candidates of one host.

    `dead_rate` is an estimate for the URLs of the host in the lists, as their classes count; None, with its 95 %
    interval, where too few classes have URLs of it.
    """

    host: str
    tried: int
    saved: int
    dead: int
    unknown: int
    dead_rate: float | None
    dead_rate_low: float | None
    dead_rate_high: float | None
    decided: int
    denied: int
    unusable: int


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


def host_row(host: str, outcomes: Counter[Outcome], found: Estimate) -> HostRow:
    """What the outcomes of a host's URLs come to, and the estimate for its lists."""
    return HostRow(
        host=host,
        tried=outcomes.total(),
        saved=outcomes[Outcome.SAVED],
        dead=of_kinds(outcomes, Kind.DEAD),
        unknown=of_kinds(outcomes, Kind.UNKNOWN),
        dead_rate=rounded(found.rate),
        dead_rate_low=rounded(found.low),
        dead_rate_high=rounded(found.high),
        decided=of_kinds(outcomes, *DECIDED_KINDS),
        denied=of_kinds(outcomes, Kind.DENIED),
        unusable=of_kinds(outcomes, Kind.UNUSABLE),
    )


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

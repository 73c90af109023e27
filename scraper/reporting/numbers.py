"""The numbers of a report, read from a manifest: what every format shows."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.config import DEFAULT_MANIFEST
from scraper.manifest.access import counts
from scraper.manifest.access.forecasts import last_forecast
from scraper.manifest.core import Manifest
from scraper.manifest.values import iso
from scraper.model import DECIDED_KINDS, Kind, ListingOutcome, Outcome
from scraper.reporting.intervals import wilson
from scraper.reporting.locked import lock_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scraper.manifest.access.counts import ClassTarget, Wave
    from scraper.manifest.access.forecasts import ForecastEntry
    from scraper.reporting.locked import LockRow


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all classes that are wanted; `bytes` is of the images.

    `requests` counts tries, redirects followed included in one, those for classes that were dropped too; `surplus` are
    images beyond the n of their class, which was lowered; `dropped` are classes.
    """

    classes: int
    wanted: int
    listed: int
    candidates: int
    tried: int
    saved: int
    shortfall: int
    unknown: int
    bytes: int
    requests: int
    surplus: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its 95 % Wilson interval; `rate` is None, and the interval 0 to 1, where nothing is decided."""

    rate: float | None
    low: float
    high: float

    @classmethod
    def of(cls, hits: int, trials: int) -> Rate:
        """The rate of hits in trials."""
        low, high = wilson(hits, trials)
        return cls(round(hits / trials, 6) if trials else None, round(low, 6), round(high, 6))


@dataclass(frozen=True, slots=True)
class LinkRot:
    """What became of the candidates that were tried, each by the fate of its own URL.

    `decided` are those that a host answered for: alive, dead, denied and unusable. Unknown and refused ones are never
    in a denominator. `dead_rate` is dead / decided, `rot_rate` counts unusable answers as rot too.
    """

    decided: int
    alive: int
    dead: int
    denied: int
    unusable: int
    unknown: int
    refused: int
    dead_rate: Rate
    rot_rate: Rate


@dataclass(frozen=True, slots=True)
class HostRow:
    """What became of the candidates of one host: `dead_rate` is dead / decided, as in `LinkRot`."""

    host: str
    tried: int
    saved: int
    dead: int
    unknown: int
    dead_rate: float | None
    dead_rate_low: float
    dead_rate_high: float
    decided: int
    denied: int
    unusable: int


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class: `shortfall` is how many images it lacks of `n`, `reason` why, None where it lacks none."""

    wnid: str
    label: str | None
    n: int
    listed: int
    candidates: int
    tried: int
    saved: int
    shortfall: int
    reason: str | None
    decided: int
    dead: int
    unknown: int
    dead_rate: float | None
    dead_rate_low: float
    dead_rate_high: float


@dataclass(frozen=True, slots=True)
class Report:
    """A report: `outcomes` counts candidates by their last outcome, `statuses` tries by HTTP status."""

    manifest: str
    generated_at: str
    totals: Totals
    outcomes: dict[Outcome, int]
    statuses: dict[str, int]
    hosts: tuple[HostRow, ...]
    classes: tuple[ClassRow, ...]
    link_rot: LinkRot
    waves: tuple[Wave, ...]
    lock: tuple[LockRow, ...]
    requests_began_at: str | None
    requests_ended_at: str | None
    forecast: ForecastEntry | None


def report(manifest: Path | str = DEFAULT_MANIFEST) -> Report:
    """Read the numbers of a manifest; a run may be writing to it.

    Raises:
        ManifestError: the manifest cannot be used.
    """
    path = Path(manifest)
    with Manifest.open(path) as book, book.snapshot():
        by_host = _by_host(book)
        by_class = _by_class(book)
        classes = tuple(_class_row(row, by_class[row.wnid]) for row in counts.class_targets(book))
        statuses = counts.status_counts(book)
        lock = lock_rows(book, {row.wnid: row.saved for row in classes})
        waves, dropped, forecast = counts.waves(book), counts.count_dropped(book), last_forecast(book)
        began, ended = counts.request_dates(book) or (None, None)
    wanted = [by_class[row.wnid] for row in classes]
    tried, outcomes = _totals_of(wanted)
    size = sum(count.bytes for count in wanted)
    return Report(
        manifest=str(path),
        generated_at=iso(time.time()),
        totals=_totals(classes, tried, size, sum(statuses.values()), dropped),
        outcomes={outcome: outcomes[outcome] for outcome in Outcome if outcomes[outcome]},
        statuses=statuses,
        hosts=tuple(sorted((_host_row(*item) for item in by_host.items()), key=lambda row: (-row.tried, row.host))),
        classes=classes,
        link_rot=_link_rot(sum(by_host.values(), Counter())),
        waves=waves,
        lock=lock,
        requests_began_at=began,
        requests_ended_at=ended,
        forecast=forecast,
    )


@dataclass(slots=True)
class _Counts:
    """The counts kept of one class.

    Attributes:
        tried: candidates that were asked for, by outcome.
        unasked: candidates that never were: their photo is there under another URL.
        repaired: images that another form of a dead URL led to: the URL itself counts as dead.
        bytes: of the images.
    """

    tried: dict[Outcome, int] = field(default_factory=dict)
    unasked: dict[Outcome, int] = field(default_factory=dict)
    repaired: int = 0
    bytes: int = 0


def _by_class(book: Manifest) -> defaultdict[str, _Counts]:
    found: defaultdict[str, _Counts] = defaultdict(_Counts)
    for wnid, outcome, candidates, unasked, repaired, size in counts.class_counts(book):
        mine = found[wnid]
        if candidates:
            mine.tried[outcome] = candidates
        if unasked:
            mine.unasked[outcome] = unasked
        mine.repaired += repaired
        mine.bytes += size
    return found


def _totals_of(by_class: Iterable[_Counts]) -> tuple[Counter[Outcome], Counter[Outcome]]:
    """Candidates of all classes by outcome: those that were asked for, and all that have one."""
    tried: Counter[Outcome] = Counter()
    unasked: Counter[Outcome] = Counter()
    for count in by_class:
        tried.update(count.tried)
        unasked.update(count.unasked)
    return tried, tried + unasked


def _by_host(book: Manifest) -> defaultdict[str, Counter[Outcome]]:
    found: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    for host, outcome, candidates in counts.host_counts(book):
        found[host][outcome] = candidates
    return found


def _of(outcomes: Mapping[Outcome, int], *kinds: Kind) -> int:
    return sum([count for outcome, count in outcomes.items() if outcome.kind in kinds])


def _totals(
    classes: tuple[ClassRow, ...], outcomes: Counter[Outcome], size: int, requests: int, dropped: int
) -> Totals:
    return Totals(
        classes=len(classes),
        wanted=sum(row.n for row in classes),
        listed=sum(row.listed for row in classes),
        candidates=sum(row.candidates for row in classes),
        tried=sum(row.tried for row in classes),
        saved=sum(row.saved for row in classes),
        shortfall=sum(row.shortfall for row in classes),
        unknown=_of(outcomes, Kind.UNKNOWN),
        bytes=size,
        requests=requests,
        surplus=sum(max(0, row.saved - row.n) for row in classes),
        dropped=dropped,
    )


def _decided(outcomes: Mapping[Outcome, int]) -> int:
    return _of(outcomes, *DECIDED_KINDS)


def _link_rot(outcomes: Counter[Outcome]) -> LinkRot:
    decided, dead, unusable = _decided(outcomes), _of(outcomes, Kind.DEAD), _of(outcomes, Kind.UNUSABLE)
    return LinkRot(
        decided=decided,
        alive=_of(outcomes, Kind.IMAGE),
        dead=dead,
        denied=_of(outcomes, Kind.DENIED),
        unusable=unusable,
        unknown=_of(outcomes, Kind.UNKNOWN),
        refused=_of(outcomes, Kind.REFUSED),
        dead_rate=Rate.of(dead, decided),
        rot_rate=Rate.of(dead + unusable, decided),
    )


def _host_row(host: str, outcomes: Counter[Outcome]) -> HostRow:
    decided, dead = _decided(outcomes), _of(outcomes, Kind.DEAD)
    rate = Rate.of(dead, decided)
    return HostRow(
        host=host,
        tried=outcomes.total(),
        saved=outcomes[Outcome.SAVED],
        dead=dead,
        unknown=_of(outcomes, Kind.UNKNOWN),
        dead_rate=rate.rate,
        dead_rate_low=rate.low,
        dead_rate_high=rate.high,
        decided=decided,
        denied=_of(outcomes, Kind.DENIED),
        unusable=_of(outcomes, Kind.UNUSABLE),
    )


def _class_row(row: ClassTarget, kept: _Counts) -> ClassRow:
    outcomes, tried = kept.tried, sum(kept.tried.values())
    saved, decided = outcomes.get(Outcome.SAVED, 0), _decided(outcomes)
    dead = _of(outcomes, Kind.DEAD) + kept.repaired
    shortfall, rate = max(0, row.n - saved), Rate.of(dead, decided)
    return ClassRow(
        wnid=row.wnid,
        label=row.label,
        n=row.n,
        listed=row.listed,
        candidates=row.candidates,
        tried=tried,
        saved=saved,
        shortfall=shortfall,
        reason=_reason(row, outcomes, tried + sum(kept.unasked.values()), shortfall) if shortfall else None,
        decided=decided,
        dead=dead,
        unknown=_of(outcomes, Kind.UNKNOWN),
        dead_rate=rate.rate,
        dead_rate_low=rate.low,
        dead_rate_high=rate.high,
    )


def _reason(row: ClassTarget, outcomes: Mapping[Outcome, int], used: int, shortfall: int) -> str:
    """Why a class is short: what the larger part of the missing images is missing for.

    What is unknown comes first as long as there is more to ask for, since it is what holds the class up.
    """
    if row.resolve_outcome is None:
        return "not yet resolved"
    if row.resolve_outcome != ListingOutcome.LISTED:
        return f"no list ({row.resolve_outcome})"
    unknown = {outcome: count for outcome, count in outcomes.items() if outcome.kind is Kind.UNKNOWN}
    exhausted = used >= row.candidates
    if unknown and not (exhausted and 2 * sum(unknown.values()) < shortfall):
        return max(unknown, key=lambda outcome: (unknown[outcome], outcome)).value.replace("_", " ")
    if exhausted:
        return f"list exhausted{_worth_asking_again(outcomes)}"
    return "budget spent" if used >= row.budget else "not yet tried"


_RARE: Final = frozenset({Outcome.BAD_URL, Outcome.BLOCKED, Outcome.FORBIDDEN, Outcome.NOT_IMAGE})
"""Outcomes of which few photos are: where half of a class is so, a proxy or a network may have spoken."""
_FEW: Final = 4


def _worth_asking_again(outcomes: Mapping[Outcome, int]) -> str:
    """A word on outcomes that are so many in a class that they may not be the photos' own."""
    tried = sum(outcomes.values())
    outcome, count = max(outcomes.items(), key=lambda item: item[1], default=(Outcome.SAVED, 0))
    many = 2 * count >= tried if outcome in _RARE else count == tried and outcome.kind is Kind.DEAD
    if count < _FEW or not many:
        return ""
    return f": {count:,} of {tried:,} {outcome} (`scraper fetch --retry {outcome}` asks again)"

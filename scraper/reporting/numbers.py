"""The numbers of a report, read from a manifest: what every format shows."""

from __future__ import annotations

import gc
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scraper.config import DEFAULT_MANIFEST
from scraper.manifest.access import counts
from scraper.manifest.access.candidates import resting
from scraper.manifest.access.forecasts import last_forecast
from scraper.manifest.access.samples import shuffled
from scraper.manifest.access.surveys import reanswers, surveys
from scraper.manifest.core import Manifest
from scraper.manifest.values import iso
from scraper.model import DECIDED_KINDS, Kind, ListingOutcome, Outcome
from scraper.reporting.estimates import HEAD, WHOLE, estimate_rows, rounded
from scraper.reporting.hosts import host_row, pace_rows
from scraper.reporting.locked import lock_rows
from scraper.reporting.surveys import survey_rows
from scraper.reporting.tallies import Asked, breakdown, class_tallies, of_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scraper.manifest.access.counts import ClassTarget, Wave
    from scraper.manifest.access.forecasts import ForecastEntry
    from scraper.reporting.estimates import EstimateRow
    from scraper.reporting.hosts import HostRow, PaceRow
    from scraper.reporting.locked import LockRow
    from scraper.reporting.surveys import SurveyRow, TransitionRow
    from scraper.reporting.tallies import ClassTally
    from scraper.statistics.clusters import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRot:
    """What became of the candidates that were tried, each by the fate of its own URL.

    `decided` are those that a host answered for: alive, dead, denied and unusable. Unknown and refused ones are never
    in a denominator. These are counts of what was asked for, of which classes with many dead URLs have more: for rates
    see the estimates.
    """

    decided: int
    alive: int
    dead: int
    denied: int
    unusable: int
    unknown: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """One class: `shortfall` is how many images it lacks of `n`, `reason` why, None where it lacks none.

    `dead_rate` is the estimated share of dead URLs in its list; None where nothing was decided.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class YearRow:
    """URLs of photos that were uploaded in one year, which is interpolated from their numbers.

    Attributes:
        urls: decided ones that the rate rests on.
        classes: that they are of.
        dead_rate: None, with its 95 % interval, where there are too few classes.
    """

    year: int
    urls: int
    classes: int
    dead_rate: float | None
    dead_rate_low: float | None
    dead_rate_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report: `outcomes` counts candidates by their last outcome, `statuses` tries by HTTP status.

    `unfinished` are the classes that a fetch would go on with, where the estimates are of what there is so far.
    `resting` counts candidates that no fetch asks for any more by itself, by outcome.
    """

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
    surveys: tuple[SurveyRow, ...]
    transitions: tuple[TransitionRow, ...]
    requests_began_at: str | None
    requests_ended_at: str | None
    forecast: ForecastEntry | None
    estimates: tuple[EstimateRow, ...]
    years: tuple[YearRow, ...]
    unfinished: int
    paces: tuple[PaceRow, ...]
    resting: dict[Outcome, int]


def report(manifest: Path | str = DEFAULT_MANIFEST) -> Report:
    """Read the numbers of a manifest; a run may be writing to it.

    Raises:
        ManifestError: the manifest cannot be used.
    """
    with _uncollected():
        return _report(Path(manifest))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without searches for cycles: among the rows of 20,000 classes they find none, and take a sixth of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _report(path: Path) -> Report:
    with Manifest.open(path) as book, book.snapshot():
        by_host = _by_host(book)
        by_class = _by_class(book)
        targets = list(counts.class_targets(book))
        tallies = class_tallies(book, [(row, by_class[row.wnid]) for row in targets])
        parts = breakdown(book, tallies.values())
        population = WHOLE if shuffled(book) else HEAD
        statuses = counts.status_counts(book)
        waves, dropped, forecast = counts.waves(book), counts.count_dropped(book), last_forecast(book)
        lock = lock_rows(book, {row.wnid: by_class[row.wnid].tried.get(Outcome.SAVED, 0) for row in targets})
        lengths = {row.wnid: row.candidates for row in targets} if waves else {}
        asked_anew = survey_rows(reanswers(book), surveys(book), lengths) if waves else ((), ())
        found, unknown = pace_rows(book), _any_unknown(by_class.values())
        rest = resting(book, time.time()) if unknown else {}
        began, ended = counts.request_dates(book) or (None, None)
    wanted = [by_class[row.wnid] for row in targets]
    tried, outcomes = _totals_of(wanted)
    size = sum(count.bytes for count in wanted)
    classes = tuple(_class_row(row, by_class[row.wnid], tallies.get(row.wnid)) for row in targets)
    hosts = [host_row(host, ended, parts.host(host)) for host, ended in by_host.items()]
    estimates = estimate_rows([one.tally for one in tallies.values()], population=population)
    return Report(
        manifest=str(path),
        generated_at=iso(time.time()),
        totals=_totals(classes, tried, size, sum(statuses.values()), dropped),
        outcomes={outcome: outcomes[outcome] for outcome in Outcome if outcomes[outcome]},
        statuses=statuses,
        hosts=tuple(sorted(hosts, key=lambda row: (-row.tried, row.host))),
        classes=classes,
        link_rot=_link_rot(sum(by_host.values(), Counter())),
        waves=waves,
        lock=lock,
        surveys=asked_anew[0],
        transitions=asked_anew[1],
        requests_began_at=began,
        requests_ended_at=ended,
        forecast=forecast,
        estimates=(*estimates, *parts.outcome_rows(population)),
        years=tuple(_year_row(year, *found) for year, found in parts.years().items()),
        unfinished=sum(one.unfinished for one in tallies.values()),
        paces=found,
        resting=rest,
    )


def _any_unknown(by_class: Iterable[Asked]) -> bool:
    return any(outcome.kind is Kind.UNKNOWN for one in by_class for outcome in one.tried)


def _by_class(book: Manifest) -> defaultdict[str, Asked]:
    found: defaultdict[str, Asked] = defaultdict(Asked)

    def take(wnid: str, outcome: Outcome, candidates: int) -> None:
        found[wnid].tried[outcome] = candidates

    def take_rest(*row: Any) -> None:
        wnid, outcome, _, unasked, repaired, size = row
        mine = found[wnid]
        if unasked:
            mine.unasked[outcome] = unasked
        mine.repaired += repaired
        mine.bytes += size

    counts.each_class_count(book, take, take_rest)
    return found


def _totals_of(by_class: Iterable[Asked]) -> tuple[Counter[Outcome], Counter[Outcome]]:
    """Candidates of all classes by outcome: those that were asked for, and all that have one."""
    tried: Counter[Outcome] = Counter()
    unasked: Counter[Outcome] = Counter()
    for count in by_class:  # by hand: `update` takes five times as long for counters of few
        for outcome, candidates in count.tried.items():
            tried[outcome] += candidates
        for outcome, candidates in count.unasked.items():
            unasked[outcome] += candidates
    return tried, tried + unasked


def _by_host(book: Manifest) -> defaultdict[str, Counter[Outcome]]:
    found: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    for host, outcome, candidates in counts.host_counts(book):
        found[host][outcome] = candidates
    return found


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
        unknown=of_kinds(outcomes, Kind.UNKNOWN),
        bytes=size,
        requests=requests,
        surplus=sum(max(0, row.saved - row.n) for row in classes),
        dropped=dropped,
    )


def _link_rot(outcomes: Counter[Outcome]) -> LinkRot:
    return LinkRot(
        decided=of_kinds(outcomes, *DECIDED_KINDS),
        alive=of_kinds(outcomes, Kind.IMAGE),
        dead=of_kinds(outcomes, Kind.DEAD),
        denied=of_kinds(outcomes, Kind.DENIED),
        unusable=of_kinds(outcomes, Kind.UNUSABLE),
        unknown=of_kinds(outcomes, Kind.UNKNOWN),
        refused=of_kinds(outcomes, Kind.REFUSED),
    )


def _year_row(year: int, found: Estimate, urls: int) -> YearRow:
    return YearRow(
        year=year,
        urls=urls,
        classes=found.classes,
        dead_rate=rounded(found.rate),
        dead_rate_low=rounded(found.low),
        dead_rate_high=rounded(found.high),
    )


_DEAD, _UNKNOWN, _REFUSED = (
    frozenset(outcome for outcome in Outcome if outcome.kind is kind)
    for kind in (Kind.DEAD, Kind.UNKNOWN, Kind.REFUSED)
)


def _class_row(row: ClassTarget, kept: Asked, found: ClassTally | None) -> ClassRow:
    outcomes = kept.tried
    dead, unknown, refused = kept.repaired, 0, 0
    for outcome, count in outcomes.items():
        if outcome in _DEAD:
            dead += count
        elif outcome in _UNKNOWN:
            unknown += count
        elif outcome in _REFUSED:
            refused += count
    saved, tried = outcomes.get(Outcome.SAVED, 0), sum(outcomes.values())
    shortfall = max(0, row.n - saved)
    return ClassRow(
        wnid=row.wnid,
        label=row.label,
        n=row.n,
        listed=row.listed,
        candidates=row.candidates,
        tried=tried,
        saved=saved,
        shortfall=shortfall,
        reason=_reason(row, outcomes, kept.used, shortfall) if shortfall else None,
        decided=tried - unknown - refused,
        dead=dead,
        unknown=unknown,
        dead_rate=rounded(found.tally.share()) if found else None,
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

"""What was asked for, class by class, made into rates of the lists. Pure; `scraper.statistics` has the formulas."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.model import DECIDED_KINDS, Kind, Outcome
from scraper.statistics.clusters import Estimate, mean, ratio
from scraper.statistics.inverse import share, weights
from scraper.statistics.uploads import upload_year
from scraper.urls import host_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scraper.manifest.access.samples import AskedUrl

HEAD: Final = "of the URLs at the head of the lists"
WHOLE: Final = "of the URLs of the lists"
LEAST_CLASSES: Final = 5
"""Classes below which a host or a year gets no rate."""
_PLACES: Final = 6


class Tally(NamedTuple):
    """What the URLs of one class answered, up to its n-th image in the order of its list where it has so many.

    Attributes:
        n: images wanted.
        listed: length of its list.
        images: URLs that became images.
        dead_images: those of them that are dead themselves, and another form of which led to the image.
        alive: other URLs that show a picture: one that the class has.
        dead: other URLs that are dead.
        denied: other URLs that are denied to us.
        unusable: other URLs whose answer is no usable picture.
        unknown: URLs that told nothing, or that may be under way.
        stopped: whether it ended at its n-th image.
    """

    n: int
    listed: int
    images: int = 0
    dead_images: int = 0
    alive: int = 0
    dead: int = 0
    denied: int = 0
    unusable: int = 0
    unknown: int = 0
    stopped: bool = False

    @property
    def others(self) -> int:
        """URLs that told something and became no image."""
        return self.alive + self.dead + self.denied + self.unusable

    @property
    def decided(self) -> int:
        """URLs that told something."""
        return self.images + self.others

    def share(self, *, unusable: bool = False) -> float | None:
        """The estimated share of dead URLs, or of rotten ones: dead, or no usable picture."""
        hits = self.dead + unusable * self.unusable
        return share(self.images, self.others, hits, self.dead_images, self.stopped)


_PLACES_OF_KINDS: Final = {outcome: list(Kind).index(outcome.kind) for outcome in Outcome}
"""Looked up for each outcome of each class."""
_UNKNOWN: Final = list(Kind).index(Kind.UNKNOWN)


def tally(
    answers: Iterable[tuple[Outcome | None, int]], *, n: int, listed: int, images: int, dead_images: int, stopped: bool
) -> Tally:
    """The tally of a class from its images and what its other URLs answered, each with how many there are."""
    counts = [0] * len(Kind)
    for outcome, urls in answers:
        counts[_UNKNOWN if outcome is None else _PLACES_OF_KINDS[outcome]] += urls
    alive, dead, denied, unusable, unknown, _ = counts
    # Counts that are off, which verify tells of, may speak of an end without an image.
    return Tally(n, listed, images, dead_images, alive, dead, denied, unusable, unknown, stopped and images > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRow:
    """A rate over classes with its 95 % interval.

    Attributes:
        of: which URLs: `dead`, `rot` (dead, or no usable picture), or an outcome.
        weighting: what counts alike: each `class`, or each `url` of the lists.
        rate: None where nothing was decided.
        low: None, with `high` and the bounds, where there are too few classes for an interval.
        low_if_unknown_alive: what `low` is if all that is unknown were alive.
        high_if_unknown_dead: what `high` is if all that is unknown were of the kind.
        classes: that it rests on.
        decided: URLs that it rests on.
        unknown: URLs before and among those that told nothing.
        method: how it was made, or why there is none.
        population: what it is a share of, in words.
    """

    of: str
    weighting: str
    rate: float | None
    low: float | None
    high: float | None
    low_if_unknown_alive: float | None
    high_if_unknown_dead: float | None
    classes: int
    decided: int
    unknown: int
    method: str
    population: str


def estimate_rows(tallies: Sequence[Tally], *, population: str) -> tuple[EstimateRow, ...]:
    """The rates of dead and of rotten URLs, each class counting alike and each URL of the lists."""
    limit = "; n = 1, so that only the first URL of a class counts" if all(one.n == 1 for one in tallies) else ""
    rows = []
    for of, unusable in (("dead", False), ("rot", True)):
        found = _Shares(tallies, unusable=unusable)
        rows += [found.row(of, weighting, population, limit) for weighting in ("class", "url")]
    return tuple(rows)


class _Shares:
    """The shares of classes: estimated, if all that is unknown were alive, and if all of it were dead.

    By columns, since there may be many classes.
    """

    def __init__(self, tallies: Sequence[Tally], *, unusable: bool) -> None:
        rows = [
            (images, alive + dead + denied + useless, dead + useless if unusable else dead, again, stopped, unknown)
            for _, _, images, again, alive, dead, denied, useless, unknown, stopped in tallies
        ]
        self._lengths = [float(one.listed) for one in tallies]
        self.decided = sum(row[0] + row[1] for row in rows)
        self.unknown = sum(row[5] for row in rows)
        self.found = self.alive = self.dead = [share(*row[:5]) for row in rows]
        if self.unknown:
            self.alive = [share(i, o + u, h, again, stopped) for i, o, h, again, stopped, u in rows]
            self.dead = [share(i, o + u, h + u, again, stopped) for i, o, h, again, stopped, u in rows]

    def row(self, of: str, weighting: str, population: str, limit: str) -> EstimateRow:
        """The estimate over classes."""
        over = self._over_urls if weighting == "url" else _over_classes
        found = low = high = over(self.found)
        if found.low is not None and self.unknown:
            low, high = over(self.alive), over(self.dead)
        return EstimateRow(
            of=of,
            weighting=weighting,
            rate=rounded(found.rate),
            low=rounded(found.low),
            high=rounded(found.high),
            low_if_unknown_alive=rounded(low.low),
            high_if_unknown_dead=rounded(high.high),
            classes=found.classes,
            decided=self.decided,
            unknown=self.unknown,
            method=_method(found) + (limit if found.rate is not None else ""),
            population=population,
        )

    def _over_urls(self, shares: Sequence[float | None]) -> Estimate:
        lengths = [length for one, length in zip(shares, self._lengths, strict=True) if one is not None]
        parts = [one * length for one, length in zip(shares, self._lengths, strict=True) if one is not None]
        return ratio(parts, lengths)


def _over_classes(shares: Sequence[float | None]) -> Estimate:
    return mean([one for one in shares if one is not None])


def _method(found: Estimate) -> str:
    if found.rate is None:
        return "no URL was decided"
    if found.low is None:
        why = "one class has no interval" if found.classes == 1 else "too few classes for an interval"
        return f"Haldane 1945 in each class; {why}"
    return "Haldane 1945 in each class, jackknife over classes"


def rounded(value: float | None) -> float | None:
    """A figure with as many places as reports give."""
    return None if value is None else round(value, _PLACES)


# --- by host, by year, by outcome ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Group:
    """Over classes, URLs that have something in common: how many, and for each class the weights of dead and of all."""

    urls: int = 0
    dead: list[float] = field(default_factory=list)
    every: list[float] = field(default_factory=list)

    def rate(self) -> Estimate:
        """The share of them that is dead, each class counting with what it has of them; none of too few classes."""
        found = ratio(self.dead, self.every, least=LEAST_CLASSES)
        return found if found.low is not None else Estimate(None, None, None, found.classes)


@dataclass(slots=True)
class _Weight:
    """Of one class, URLs that have something in common: how many, and the weights of those that are dead and of all."""

    urls: int = 0
    dead: float = 0.0
    every: float = 0.0

    def add(self, part: float, dead: float) -> None:
        """Take in a URL by its weight, and what of that is dead."""
        self.urls += 1
        self.every += part
        self.dead += dead


class Breakdown:
    """Rates of URLs by host, by year of upload and by outcome, over classes that are told one after the other."""

    def __init__(self) -> None:
        self._groups: defaultdict[str | int, _Group] = defaultdict(_Group)
        self._shares: defaultdict[Outcome, list[float]] = defaultdict(list)
        self._classes = self._decided = self._unknown = 0

    def add(self, found: Tally, urls: Iterable[AskedUrl]) -> None:
        """Take in a class: the tally of its URLs, and they themselves."""
        if not found.decided:
            return
        weight = weights(images=found.images, decided=found.decided, stopped=found.stopped)
        groups: defaultdict[str | int, _Weight] = defaultdict(_Weight)
        shares: defaultdict[Outcome, float] = defaultdict(float)
        for url, photo, outcome, image in urls:
            kind = outcome.kind
            if kind in DECIDED_KINDS:
                part = weight.image if image else weight.other
                shares[outcome] += part
                dead = part if kind is Kind.DEAD else 0.0
                groups[host_of(url) or ""].add(part, dead)
                year = upload_year(photo) if photo is not None else None
                if year is not None:
                    groups[year].add(part, dead)
        self._take(found, groups, shares)

    def _take(self, found: Tally, groups: dict[str | int, _Weight], shares: dict[Outcome, float]) -> None:
        self._classes += 1
        self._decided += found.decided
        self._unknown += found.unknown
        for key, weight in groups.items():
            group = self._groups[key]
            group.urls += weight.urls
            group.dead.append(weight.dead)
            group.every.append(weight.every)
        for outcome, weight_of in shares.items():
            self._shares[outcome].append(weight_of)

    def host(self, host: str) -> Estimate:
        """The rate of dead URLs of a host; None where it has too few classes."""
        return self._groups[host].rate() if host in self._groups else Estimate(None, None, None, 0)

    def years(self) -> dict[int, tuple[Estimate, int]]:
        """For each year of upload that photos tell the rate of dead URLs, and how many URLs it rests on."""
        found = {key: group for key, group in self._groups.items() if isinstance(key, int)}
        return {year: (found[year].rate(), found[year].urls) for year in sorted(found)}

    def outcome_rows(self, population: str) -> list[EstimateRow]:
        """The share of URLs that ended with each outcome, each class counting alike."""
        return [self._outcome_row(outcome, population) for outcome in Outcome if outcome in self._shares]

    def _outcome_row(self, outcome: Outcome, population: str) -> EstimateRow:
        shares = self._shares[outcome]
        found = mean([*shares, *[0.0] * (self._classes - len(shares))])
        return EstimateRow(
            of=outcome,
            weighting="class",
            rate=rounded(found.rate),
            low=rounded(found.low),
            high=rounded(found.high),
            low_if_unknown_alive=None,
            high_if_unknown_dead=None,
            classes=found.classes,
            decided=self._decided,
            unknown=self._unknown,
            method=_method(found),
            population=population,
        )

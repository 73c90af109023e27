"""What a manifest says of a class up to its n-th image: from the counts that it keeps, and where needed from rows."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.manifest.access import samples
from scraper.model import Outcome
from scraper.reporting.estimates import Breakdown, tally

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from scraper.manifest.access.counts import ClassTarget
    from scraper.manifest.core import Manifest
    from scraper.model import Kind, Wnid
    from scraper.reporting.estimates import Tally

_ROWS: Final = 20_000
"""URLs that are read for rates by host, year and outcome: with more, a random choice of classes is read."""
_LEAST_READ: Final = 100
"""Classes that are read for these all the same."""


@dataclass(slots=True)
class Asked:
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

    @property
    def used(self) -> int:
        """How many candidates of its list have an outcome."""
        return sum(self.tried.values()) + sum(self.unasked.values())


def of_kinds(outcomes: Mapping[Outcome, int], *kinds: Kind) -> int:
    """How many candidates ended in one of these kinds."""
    return sum([count for outcome, count in outcomes.items() if outcome.kind in kinds])


class ClassTally(NamedTuple):
    """A class's tally, the last rank that it is of, and whether a fetch would ask for more of it."""

    wnid: Wnid
    tally: Tally
    last: int
    unfinished: bool


def class_tallies(book: Manifest, classes: Iterable[tuple[ClassTarget, Asked]]) -> dict[Wnid, ClassTally]:
    """The tally of each class of which something was asked for."""
    stops = samples.stops(book)
    flying = samples.fetch_under_way(book)
    return {
        target.wnid: _class_tally(book, target, asked, stops.get(target.wnid), flying=flying)
        for target, asked in classes
        if asked.tried or asked.unasked
    }


def _class_tally(book: Manifest, target: ClassTarget, asked: Asked, stop: int | None, *, flying: bool) -> ClassTally:
    used = asked.used
    if stop is None:
        unfinished = used < min(target.candidates, target.budget)
        under_way = max(0, target.n - asked.tried.get(Outcome.SAVED, 0)) if flying and unfinished else 0
        return ClassTally(target.wnid, _kept(target, asked, under_way=under_way), target.candidates, unfinished)
    # What was asked for is all up to the n-th image where it is as much; where it is not, the rows tell.
    found = _kept(target, asked, stopped=True) if used == stop else _read(book, target, stop)
    return ClassTally(target.wnid, found, stop, unfinished=False)


def _kept(target: ClassTarget, asked: Asked, *, stopped: bool = False, under_way: int = 0) -> Tally:
    """The tally by the counts; `under_way` may be lost with a run that was killed, and counts as unknown."""
    others = asked.tried.copy()
    images = others.pop(Outcome.SAVED, 0)
    answers = [*others.items(), *asked.unasked.items(), (None, under_way)]
    return tally(
        answers,
        n=target.n,
        listed=target.candidates,
        images=images,
        dead_images=asked.repaired,
        stopped=stopped,
    )


def _read(book: Manifest, target: ClassTarget, stop: int) -> Tally:
    """The tally by the rows up to the n-th image."""
    answers = samples.answers(book, target.wnid, stop)
    return tally(
        [(answer.outcome, answer.urls) for answer in answers if not answer.image],
        n=target.n,
        listed=target.candidates,
        images=sum(answer.urls for answer in answers if answer.image),
        dead_images=sum(answer.urls for answer in answers if answer.image and answer.outcome is not Outcome.SAVED),
        stopped=True,
    )


def breakdown(book: Manifest, classes: Collection[ClassTally]) -> Breakdown:
    """Rates by host, year and outcome, of all classes or, where they have many URLs, of a random choice of them."""
    found = Breakdown()
    asked = sum(one.tally.decided + one.tally.unknown for one in classes)
    if asked > _ROWS:
        wanted = max(_LEAST_READ, math.ceil(_ROWS * len(classes) / asked))
        rng = random.Random(len(classes))  # noqa: S311 - the same choice whenever the same manifest is read
        classes = rng.sample(list(classes), min(wanted, len(classes)))
    for one in classes:
        found.add(one.tally, samples.asked_urls(book, one.wnid, one.last))
    return found

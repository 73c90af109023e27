"""The forecast of a manifest: how its classes stand, what survival it has shown, what follows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scraper.manifest.access import counts
from scraper.manifest.access.forecasts import ForecastEntry
from scraper.manifest.values import iso
from scraper.model import DECIDED_KINDS, Kind, Outcome
from scraper.planning.forecasting.forecast import USUAL_BYTES, Standing, Survival, forecast, measured

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scraper.manifest.access.counts import ClassCount, ClassTarget
    from scraper.manifest.core import Manifest
    from scraper.model import Wnid
    from scraper.planning.forecasting.forecast import Forecast


@dataclass(slots=True)
class _Seen:
    """What was seen of a class: candidates that are settled, those decided among them, images and their bytes."""

    settled: int = 0
    decided: int = 0
    saved: int = 0
    bytes: int = 0

    def add(self, count: ClassCount) -> None:
        kind = count.outcome.kind
        if kind is not Kind.UNKNOWN:
            self.settled += count.candidates + count.unasked
        if kind in DECIDED_KINDS:
            self.decided += count.candidates
        if count.outcome is Outcome.SAVED:
            self.saved += count.candidates
            self.bytes += count.bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What all classes of a manifest can be expected to come to, and what is there already.

    Attributes:
        forecast: of what is to come.
        targets: the classes, in the order of the forecast's.
        requests: made already.
        bytes: of the images that are there and wanted, by their mean.
    """

    forecast: Forecast
    targets: tuple[ClassTarget, ...]
    requests: int
    bytes: int

    def entry(self, made_at: float) -> ForecastEntry:
        """As the manifest keeps it, with what is there already; `made_at` is Unix time in seconds."""
        told = self.forecast
        return ForecastEntry(
            made_at=iso(made_at),
            survival=told.survival.mean,
            correlation=told.survival.correlation,
            decided=told.survival.decided,
            classes=len(self.targets),
            wanted=told.wanted,
            images=told.have + told.images,
            requests=self.requests + told.requests,
            bytes=self.bytes + told.bytes,
            short=told.short,
        )


def outlook(book: Manifest, survival: float | None = None, *, rate: float | None = None) -> Outlook:
    """What the classes of a manifest can be expected to come to.

    Args:
        book: the manifest.
        survival: share of URLs that give an image; None for what the manifest has shown, or else what is usual.
        rate: requests a second that the host allows, where that is known.
    """
    targets = tuple(counts.class_targets(book))
    seen = _seen(counts.class_counts(book))
    known = measured((each.saved, each.decided) for each in seen.values())
    images, size = sum(each.saved for each in seen.values()), sum(each.bytes for each in seen.values())
    told = forecast(
        (_standing(target, seen[target.wnid]) for target in targets),
        known if survival is None else Survival(mean=survival),
        bytes_each=size / images if images else USUAL_BYTES,
        rate=rate,
    )
    wanted = round(size * told.have / images) if images else 0
    return Outlook(forecast=told, targets=targets, requests=sum(counts.status_counts(book).values()), bytes=wanted)


def _seen(rows: Iterable[ClassCount]) -> defaultdict[Wnid, _Seen]:
    found: defaultdict[Wnid, _Seen] = defaultdict(_Seen)
    for row in rows:
        found[row.wnid].add(row)
    return found


def _standing(target: ClassTarget, seen: _Seen) -> Standing:
    return Standing(
        wnid=target.wnid,
        n=target.n,
        left=max(0, target.candidates - seen.settled),
        saved=seen.saved,
        decided=seen.decided,
    )

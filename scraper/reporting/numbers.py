"""The numbers of a report, read from a manifest: what every format shows."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scraper.config import DEFAULT_MANIFEST
from scraper.intervals import wilson
from scraper.manifest import Manifest, iso
from scraper.model import DECIDED_KINDS, Kind, ListingOutcome, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all classes; `bytes` is of the images, `requests` counts tries, redirects followed included in one."""

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


@dataclass(frozen=True, slots=True)
class HostRow:
    """What became of the candidates of one host.

    `decided` counts those that the host answered for: saved, dead, denied and unusable, never unknown. `dead_rate` is
    dead / decided with its 95 % Wilson interval; it is None where nothing is decided.
    """

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


def report(manifest: Path | str = DEFAULT_MANIFEST) -> Report:
    """Read the numbers of a manifest; a run may be writing to it.

    Raises:
        ManifestError: the manifest cannot be used.
    """
    path = Path(manifest)
    with Manifest.open(path) as book, book.snapshot():
        by_class = _outcomes(book, "class_outcomes", "wnid")
        by_host = _outcomes(book, "host_outcomes", "host")
        classes = tuple(_class_row(row, by_class[row["wnid"]]) for row in book.rows("SELECT * FROM classes"))
        statuses = {row["status"]: row["requests"] for row in book.rows("SELECT * FROM statuses ORDER BY status")}
        outcomes = sum(by_class.values(), Counter())
        size = book.rows("SELECT coalesce(sum(bytes), 0) AS bytes FROM image")[0]["bytes"]
    return Report(
        manifest=str(path),
        generated_at=iso(time.time()),
        totals=_totals(classes, outcomes, size, sum(statuses.values())),
        outcomes={outcome: outcomes[outcome] for outcome in Outcome if outcomes[outcome]},
        statuses=statuses,
        hosts=tuple(sorted((_host_row(*item) for item in by_host.items()), key=lambda row: (-row.tried, row.host))),
        classes=classes,
    )


def _outcomes(book: Manifest, table: str, key: str) -> defaultdict[str, Counter[Outcome]]:
    found: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    for row in book.rows(f"SELECT {key} AS name, outcome, candidates FROM {table} WHERE candidates > 0"):  # noqa: S608 - both names are ours
        found[row["name"]][Outcome(row["outcome"])] = row["candidates"]
    return found


def _of(outcomes: Mapping[Outcome, int], kind: Kind) -> int:
    return sum(count for outcome, count in outcomes.items() if outcome.kind is kind)


def _totals(classes: tuple[ClassRow, ...], outcomes: Counter[Outcome], size: int, requests: int) -> Totals:
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
    )


def _host_row(host: str, outcomes: Counter[Outcome]) -> HostRow:
    decided = sum(_of(outcomes, kind) for kind in DECIDED_KINDS)
    dead = _of(outcomes, Kind.DEAD)
    low, high = wilson(dead, decided)
    return HostRow(
        host=host,
        tried=outcomes.total(),
        saved=outcomes[Outcome.SAVED],
        dead=dead,
        unknown=_of(outcomes, Kind.UNKNOWN),
        dead_rate=round(dead / decided, 6) if decided else None,
        dead_rate_low=round(low, 6),
        dead_rate_high=round(high, 6),
        decided=decided,
        denied=_of(outcomes, Kind.DENIED),
        unusable=_of(outcomes, Kind.UNUSABLE),
    )


def _class_row(row: dict[str, Any], outcomes: Counter[Outcome]) -> ClassRow:
    saved = outcomes[Outcome.SAVED]
    shortfall = max(0, row["n"] - saved)
    return ClassRow(
        wnid=row["wnid"],
        label=row["label"],
        n=row["n"],
        listed=row["listed"],
        candidates=row["candidates"],
        tried=outcomes.total(),
        saved=saved,
        shortfall=shortfall,
        reason=_reason(row, outcomes) if shortfall else None,
    )


def _reason(row: dict[str, Any], outcomes: Counter[Outcome]) -> str:
    """Why a class is short, the reason that someone can do something about first."""
    if row["resolve_outcome"] is None:
        return "not yet resolved"
    if row["resolve_outcome"] != ListingOutcome.LISTED:
        return f"no list ({row['resolve_outcome']})"
    unknown = [(count, outcome) for outcome, count in outcomes.items() if outcome.kind is Kind.UNKNOWN]
    if unknown:
        return max(unknown)[1].value.replace("_", " ")
    if outcomes.total() >= row["candidates"]:
        return "list exhausted"
    return "budget spent" if outcomes.total() >= row["budget"] else "not yet tried"

"""What surveys say: the rate of each, and what changed for URLs that were asked before. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scraper.manifest.schema import RANKS, class_number
from scraper.model import DECIDED_KINDS, Frame, Kind
from scraper.reporting.estimates import LEAST_CLASSES, rounded
from scraper.statistics.clusters import ratio
from scraper.statistics.surveys import Stratum, share_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scraper.manifest.access.surveys import Reanswer, Survey
    from scraper.model import Outcome, Wnid
    from scraper.statistics.surveys import Found

_ALL: Final = 10**12
"""URLs that an old wave is taken to be drawn from, since it did not say: so many that its share of them is nothing."""
_CHANGES: Final = ((Kind.IMAGE, Kind.DEAD), (Kind.DEAD, Kind.IMAGE))


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRow:
    """One survey.

    Attributes:
        of: what it drew from: URLs that were `listed`, or `answered` before.
        urls: how many these are; None for waves of old, which did not say.
        rate: share that is dead; None where nothing was decided.
        low: None, with `high` and the bounds, where too little was decided.
    """

    run_id: int
    of: str
    urls: int | None
    began_at: str
    ended_at: str
    asked: int
    decided: int
    unknown: int
    classes: int
    rate: float | None
    low: float | None
    high: float | None
    low_if_unknown_alive: float | None
    high_if_unknown_dead: float | None
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionRow:
    """Of the URLs that were alive (or dead) when they were asked before, how many are dead (or alive) in a survey.

    Attributes:
        before: `alive` or `dead`.
        now: the other.
        urls: that changed so.
        asked: that could have: they were so before, and are decided now.
        rate: the share of them, with its 95 % interval from how the classes differ; None of too few classes.
    """

    run_id: int
    before: str
    now: str
    urls: int
    asked: int
    classes: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(slots=True)
class _Wave:
    """The answers of one survey."""

    began_at: str
    ended_at: str
    by_class: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    """Of each class: decided, dead, unknown."""
    moves: defaultdict[Kind, defaultdict[int, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: [0, 0]))
    )
    """By what was known before, of each class: those that are the other now, and those decided now."""


def survey_rows(
    answers: Iterable[Reanswer], surveys: Mapping[int, Survey], lengths: Mapping[Wnid, int]
) -> tuple[tuple[SurveyRow, ...], tuple[TransitionRow, ...]]:
    """The surveys in their order, and what changed.

    Args:
        answers: of all surveys, in the order in which they were recorded.
        surveys: what they drew, by their runs.
        lengths: of the classes' lists.
    """
    waves: dict[int, _Wave] = {}
    known: dict[int, Kind] = {}
    for run_id, candidate, before, outcome, asked_at in answers:
        wave = waves.setdefault(run_id, _Wave(asked_at, asked_at))
        wave.began_at, wave.ended_at = min(wave.began_at, asked_at), max(wave.ended_at, asked_at)
        _count(wave, candidate // RANKS, known.get(candidate) or _kind(before), outcome.kind)
        if outcome.kind in DECIDED_KINDS:
            known[candidate] = outcome.kind
    by_number = {class_number(wnid): length for wnid, length in lengths.items()}
    rows = tuple(_row(run_id, wave, surveys.get(run_id), by_number) for run_id, wave in waves.items())
    moves = tuple(_move(run_id, wave, *kinds) for run_id, wave in waves.items() for kinds in _CHANGES)
    return rows, tuple(move for move in moves if move.asked)


def _kind(outcome: Outcome | None) -> Kind | None:
    return outcome.kind if outcome is not None else None


def _count(wave: _Wave, number: int, before: Kind | None, now: Kind) -> None:
    counts = wave.by_class[number]
    if now not in DECIDED_KINDS:
        counts[2] += 1
        return
    counts[0] += 1
    counts[1] += now is Kind.DEAD
    if before is not None:
        moved = wave.moves[before][number]
        moved[0] += (before, now) in _CHANGES
        moved[1] += 1


def _row(run_id: int, wave: _Wave, survey: Survey | None, lengths: Mapping[int, int]) -> SurveyRow:
    found = share_of(_strata(wave, survey, lengths))
    return SurveyRow(
        run_id=run_id,
        of=survey.frame if survey else Frame.ANSWERED,
        urls=survey.urls if survey else None,
        began_at=wave.began_at,
        ended_at=wave.ended_at,
        asked=found.decided + found.unknown,
        decided=found.decided,
        unknown=found.unknown,
        classes=len(wave.by_class),
        rate=rounded(found.rate),
        low=rounded(found.low),
        high=rounded(found.high),
        low_if_unknown_alive=rounded(found.low_if_unknown_alive),
        high_if_unknown_dead=rounded(found.high_if_unknown_dead),
        method=_method(found, survey),
    )


def _strata(wave: _Wave, survey: Survey | None, lengths: Mapping[int, int]) -> list[Stratum]:
    """By class where the sample was stratified so; what was not drawn of the frame is a stratum of its own."""
    if survey is None or survey.frame is Frame.ANSWERED:
        sums = [sum(column) for column in zip(*wave.by_class.values(), strict=True)]
        return [Stratum(max(survey.urls if survey else _ALL, sums[0] + sums[2]), *sums)]
    strata = []
    for number, (decided, dead, unknown) in sorted(wave.by_class.items()):
        listed = max(lengths.get(number, 0), decided + unknown)
        strata.append(Stratum(listed, decided, dead, unknown))
    rest = survey.urls - sum(one.listed for one in strata)
    return [*strata, Stratum(rest, 0, 0)] if rest > 0 else strata


def _method(found: Found, survey: Survey | None) -> str:
    if found.rate is None:
        return "no URL was decided"
    if survey is not None and survey.frame is Frame.LISTED:
        drawn = "random sample stratified by class"
    else:
        drawn = "simple random sample of URLs that were answered"
    return f"{drawn}; {'too few for an interval' if found.low is None else 'Wilson'}"


def _move(run_id: int, wave: _Wave, before: Kind, now: Kind) -> TransitionRow:
    by_class = wave.moves[before].values()
    found = ratio([float(moved) for moved, _ in by_class], [float(asked) for _, asked in by_class], least=LEAST_CLASSES)
    known = found.low is not None
    words = {Kind.IMAGE: "alive", Kind.DEAD: "dead"}
    return TransitionRow(
        run_id=run_id,
        before=words[before],
        now=words[now],
        urls=sum(moved for moved, _ in by_class),
        asked=sum(asked for _, asked in by_class),
        classes=found.classes,
        rate=rounded(found.rate) if known else None,
        low=rounded(found.low),
        high=rounded(found.high),
    )

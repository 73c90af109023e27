"""For survey: what can be asked, what was drawn of it, and the answers, beside what was known before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.manifest.values import columns, iso
from scraper.model import DECIDED_KINDS, Outcome

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Sequence

    from scraper.manifest.core import Manifest
    from scraper.model import Frame, Wnid


class ListLength(NamedTuple):
    """A class that has a list, and how many candidates it has."""

    wnid: Wnid
    candidates: int


class Selected(NamedTuple):
    """A candidate to be asked: its URL, and what is known of that; None where nothing is."""

    candidate_id: int
    url: str
    outcome: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyAnswer:
    """One answer of a survey: what was known of a candidate before, and what is answered now; times in seconds."""

    candidate_id: int
    asked_at: float
    seconds: float
    before: Outcome | None
    outcome: Outcome
    status: int | None
    final_url: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a survey drew: from how many `urls` of which frame, how many at most, and until which half-width."""

    run_id: int
    frame: Frame
    urls: int
    seed: str | None
    sample: int | None
    until: float | None


class Reanswer(NamedTuple):
    """An answer on record: of which survey, what was known before, and what was answered; when it was asked."""

    run_id: int
    candidate_id: int
    before: Outcome | None
    outcome: Outcome
    asked_at: str


def list_lengths(book: Manifest) -> list[ListLength]:
    """The classes with a list that has candidates, in the order of their ids."""
    sql = columns("classes.wnid", "classes.candidates")
    where = "FROM classes WHERE resolve_outcome = 'listed' AND candidates > 0 ORDER BY wnid"
    return list(book.select(ListLength, f"{sql} {where}"))


_KNOWN: Final = columns("candidate.id", "candidate.url") + ', coalesce(fate, outcome) AS "candidate.outcome" '
_CHOSEN: Final = (
    f"{_KNOWN} FROM json_each(?) AS wanted CROSS JOIN candidate ON candidate.id = wanted.value "
    "WHERE outcome IS NOT 'withdrawn'"
)
_ANSWERED: Final = (
    columns("candidate.id")
    + ', coalesce(fate, outcome) AS "candidate.outcome" FROM candidate WHERE tries > 0 AND state IN (1, 2)'
)


def selected(book: Manifest, candidates: Iterable[int]) -> list[Selected]:
    """These candidates, in this order, without those that someone asked to be left out: they are asked no more."""
    ids = list(candidates)
    found = {row.candidate_id: row for row in book.select(Selected, _CHOSEN, (json.dumps(ids),))}
    return [found[number] for number in ids if number in found]


def sample_answered(
    book: Manifest, size: int, outcomes: Iterable[Outcome], rng: random.Random
) -> tuple[list[int], int]:
    """A random sample of the candidates answered for good with one of `outcomes`, of any answer if empty.

    Returns:
        The ids of up to `size` of them in random order, and how many there are.
    """
    names = frozenset(outcomes) or frozenset(o for o in Outcome if o.kind in DECIDED_KINDS)
    chosen: list[int] = []
    seen = 0
    for candidate, outcome in book.select(lambda *row: row, _ANSWERED):
        if outcome not in names:
            continue
        seen += 1
        # Reservoir sampling: each row is kept with the same chance, in memory for the sample only.
        place = len(chosen) if len(chosen) < size else rng.randrange(seen)
        if place < size:
            chosen[place : place + 1] = [candidate]
    rng.shuffle(chosen)
    return chosen, seen


def record_survey(book: Manifest, survey: Survey) -> None:
    """Record what a survey draws from."""
    with book.transaction() as connection:
        connection.execute(
            "INSERT INTO surveys (run_id, frame, urls, seed, sample, until) VALUES (?, ?, ?, ?, ?, ?)",
            (survey.run_id, survey.frame, survey.urls, survey.seed, survey.sample, survey.until),
        )


def record_answers(book: Manifest, run_id: int, rows: Sequence[SurveyAnswer]) -> None:
    """Record answers of a survey."""
    with book.transaction() as connection:
        connection.executemany(
            "INSERT INTO rechecks (candidate_id, run_id, asked_at, seconds, outcome_before, outcome, status, "
            "final_url, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    r.candidate_id,
                    run_id,
                    iso(r.asked_at),
                    r.seconds,
                    r.before,
                    r.outcome,
                    r.status,
                    r.final_url,
                    r.error,
                )
                for r in rows
            ],
        )


_SURVEY_FIELDS: Final = ("run_id", "frame", "urls", "seed", "sample", "until")
_SURVEYS: Final = columns(*(f"surveys.{name}" for name in _SURVEY_FIELDS)) + " FROM surveys"
_REANSWERS: Final = columns(
    "rechecks.run_id",
    "rechecks.candidate_id",
    "rechecks.outcome_before",
    "rechecks.outcome",
    "rechecks.asked_at",
)


def surveys(book: Manifest) -> dict[int, Survey]:
    """The surveys by their runs; those of `recheck`, which came before them, have none."""
    found = book.select(lambda *row: Survey(**dict(zip(_SURVEY_FIELDS, row, strict=True))), _SURVEYS)
    return {survey.run_id: survey for survey in found}


def reanswers(book: Manifest) -> Iterator[Reanswer]:
    """The answers of all surveys, in the order in which they were recorded."""
    return book.select(Reanswer, f"{_REANSWERS} FROM rechecks ORDER BY id")

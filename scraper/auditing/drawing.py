"""Which URLs a survey asks, in which order: a random sample of the lists, or of what was answered for good."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from scraper.errors import InputError
from scraper.manifest.access.surveys import list_lengths, sample_answered, selected
from scraper.manifest.schema import RANKS, candidate_id
from scraper.model import Frame
from scraper.statistics.surveys import stratified_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scraper.auditing.options import SurveyOptions
    from scraper.manifest.access.surveys import Selected
    from scraper.manifest.core import Manifest

USUAL_SAMPLE: Final = 1000
_MOST_ANSWERED: Final = 1_000_000
"""URLs of the frame `answered` that are drawn beforehand where no number is given."""
_CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is to be asked, in this order: of `urls` in the frame, whose strata have these sizes, by class number."""

    candidates: Iterator[Selected]
    urls: int
    strata: dict[int, int]
    most: int


def draw(book: Manifest, options: SurveyOptions) -> Drawn:
    """Decide the order in which the frame is asked.

    Raises:
        InputError: there is nothing in it.
    """
    rng = random.Random(options.seed)  # noqa: S311 - a repeatable sample, not a secret
    sample = USUAL_SAMPLE if options.sample is None and options.until is None else options.sample
    if options.of is Frame.ANSWERED:
        chosen, urls = sample_answered(book, sample or _MOST_ANSWERED, options.outcomes, rng)
        if not chosen:
            raise InputError("there is nothing to ask again: no candidate of these outcomes was answered for good")
        return Drawn(_by_chunks(book, chosen), urls, {0: urls}, len(chosen))
    lists = list_lengths(book)
    urls = sum(one.candidates for one in lists)
    if not urls:
        raise InputError("there is nothing to ask: no class has a list with URLs in it; run `scraper plan` first")
    order = stratified_order([one.candidates for one in lists], rng)
    numbers = (candidate_id(lists[place].wnid, rank) for place, rank in islice(order, sample))
    strata = {candidate_id(one.wnid, 0) // RANKS: one.candidates for one in lists}
    return Drawn(_by_chunks(book, numbers), urls, strata, min(urls, sample or urls))


def _by_chunks(book: Manifest, numbers: Iterable[int]) -> Iterator[Selected]:
    """The candidates with these ids, some at a time: most of a long order may never be needed."""
    numbers = iter(numbers)
    while chunk := list(islice(numbers, _CHUNK)):
        yield from selected(book, chunk)

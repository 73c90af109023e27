"""The estimator of one class: exactly unbiased by counting every order of every small list, and blind to the clock."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from scraper.statistics.inverse import Seen, sample_of, weights
from tests.statistics.simulation import Kinds, Plan, fetch, pool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scraper.statistics.inverse import Sample
    from tests.statistics.simulation import Class, Fate

IMAGE, LIVE, DEAD, PAGE, SILENT = (
    Seen(True, True, False),
    Seen(True, True, True),
    Seen(True, False, True),
    Seen(True, False, False),
    Seen(False, False, False),
)
"""A picture; one that another form of a dead URL led to; a dead URL; a page; one that tells nothing."""


def orders(counts: Sequence[int]) -> Iterator[tuple[Seen, ...]]:
    """Every distinguishable order of a list with so many of each kind, as above."""
    kinds = (IMAGE, LIVE, DEAD, PAGE, SILENT)
    urls = [url for url, count in zip(kinds, counts, strict=False) for _ in range(count)]

    def rest(left: Counter[Seen]) -> Iterator[tuple[Seen, ...]]:
        if not left:
            yield ()
        for url in list(left):
            for more in rest(left - Counter([url])):
                yield (url, *more)

    return rest(Counter(urls))


def share(sample: Sample) -> Fraction:
    """As `Sample.share`, in exact arithmetic by the definition: leave out the last image, on average."""
    if not sample.stopped:
        return Fraction(sample.hits + sample.image_hits, sample.decided)
    images = Fraction(sample.images - 1, sample.decided - 1) if sample.decided > 1 else Fraction(1)
    others = Fraction(sample.hits, sample.decided - 1) if sample.decided > 1 else Fraction(0)
    return others + images * Fraction(sample.image_hits, sample.images)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("length", [1, 2, 4, 6])
def test_the_mean_over_all_orders_of_a_list_is_its_true_share(length: int, n: int) -> None:
    """Drawn without replacement, exhausted or not, with pages, and with images whose own URL is dead."""
    for counts in itertools.product(range(length + 1), repeat=4):
        if sum(counts) != length or (length == 6 and counts[3] > 1):
            continue
        samples = [sample_of(urls, n=n, listed=length) for urls in orders(counts)]
        assert sum(map(share, samples)) / len(samples) == Fraction(counts[1] + counts[2], length)
        for sample in samples:
            assert sample.share == pytest.approx(float(share(sample)))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("length", [1, 3, 5])
def test_the_bounds_are_means_over_all_orders_too(length: int, n: int) -> None:
    """What is unknown once and for all: taken for alive or for dead, the mean is the list's share with it so."""
    for counts in itertools.product(range(length + 1), repeat=5):
        if sum(counts) == length and (length < 5 or max(counts[3:]) < 3):
            samples = [sample_of(urls, n=n, listed=length) for urls in orders(counts)]
            low = statistics.fmean(sample.share_if_unknown_alive or 0.0 for sample in samples)
            high = statistics.fmean(sample.share_if_unknown_dead or 0.0 for sample in samples)
            dead, silent = counts[1] + counts[2], counts[4]
            assert (low, high) == pytest.approx((dead / length, (dead + silent) / length))


@pytest.mark.parametrize("n", [1, 2, 10, 40])
@pytest.mark.parametrize("dead", [0.05, 0.25, 0.6])
def test_the_expectation_over_independent_urls_is_the_rate(n: int, dead: float) -> None:
    """N - n has the negative binomial distribution (SciPy's): the sum of Haldane's estimate over it."""
    expected = sum(
        stats.nbinom.pmf(failures, n, 1 - dead) * weights(images=n, decided=n + failures, stopped=True).other * failures
        for failures in range(3000)
    )
    assert expected == pytest.approx(dead, abs=1e-9)


def test_the_plain_share_is_biased_which_is_why() -> None:
    n, dead = 10, 0.25
    plain = sum(stats.nbinom.pmf(failures, n, 1 - dead) * failures / (n + failures) for failures in range(3000))
    assert plain == pytest.approx(dead - 0.017, abs=0.001)


@given(st.integers(1, 50), st.integers(0, 200), st.booleans())
def test_the_weights_of_a_class_add_up_to_one(images: int, others: int, stopped: bool) -> None:
    weight = weights(images=images, decided=images + others, stopped=stopped)
    assert images * weight.image + others * weight.other == pytest.approx(1)
    if stopped and others:
        assert others * weight.other == pytest.approx((images + others - images) / (images + others - 1))


def test_where_every_url_was_an_image_each_counts_alike() -> None:
    assert weights(images=4, decided=4, stopped=True) == (0.0, 0.25)
    assert sample_of([IMAGE, LIVE], n=2, listed=9).share == 0.5
    assert sample_of([IMAGE], n=1, listed=9).listed == 9


def test_with_n_of_one_only_the_first_url_counts() -> None:
    """The estimator's limit: it is unbiased, and all or nothing."""
    assert sample_of([IMAGE], n=1, listed=9).share == 0.0
    assert sample_of([DEAD, IMAGE], n=1, listed=9).share == 1.0
    assert sample_of([DEAD, DEAD, DEAD, IMAGE], n=1, listed=9).share == 1.0


def test_what_lies_beyond_the_nth_image_is_left_out() -> None:
    sample = sample_of([IMAGE, DEAD, IMAGE, DEAD, DEAD, IMAGE], n=2, listed=9)
    assert (sample.images, sample.others, sample.hits, sample.stopped) == (2, 1, 1, True)
    assert sample.share == 0.5


@given(st.lists(st.sampled_from([IMAGE, LIVE, DEAD, PAGE, SILENT])), st.integers(1, 8))
@example([PAGE, SILENT, LIVE], 1)
def test_bounds_hold_the_share_whatever_the_unknown_are(urls: list[Seen], n: int) -> None:
    sample = sample_of(urls, n=n, listed=len(urls))
    shares = (sample.share_if_unknown_alive, sample.share, sample.share_if_unknown_dead)
    if sample.share is not None:
        low, middle, high = (each if each is not None else math.nan for each in shares)
        assert 0 <= low <= middle + 1e-12
        assert middle <= high + 1e-12 <= 1 + 2e-12
    elif sample.unknown:
        assert shares == (0.0, None, 1.0)
    else:
        assert shares == (None, None, None)


# --- the clock ------------------------------------------------------------------------------------------------------


def samples(plan: Plan, lists: list[list[Fate]], seed: int) -> list[Sample]:
    return [sample_of(one.seen(), n=plan.n, listed=len(one.truth)) for one in fetch(plan, lists, random.Random(seed))]


@pytest.mark.parametrize("second_try", [False, True])
def test_the_order_in_which_answers_come_does_not_matter(second_try: bool) -> None:
    """As long as every URL tells something: other delays and other threads, the same samples."""
    plan = Plan(rho=0.2, kinds=Kinds(duplicate=0.1, unusable=0.1, live=0.3), second_try=second_try)
    lists = plan.lists(random.Random(1), 150)
    found = [
        samples(replace(plan, threads=threads), lists, seed) for threads, seed in ((1, 1), (32, 2), (32, 3), (7, 4))
    ]
    assert all(other == found[0] for other in found)


def in_order_of_answers(one: Class, n: int) -> Sample:
    """What the class's sample would be if N were what was asked when n images were there."""
    every = sample_of(one.seen(), n=10**9, listed=len(one.truth))
    return replace(every, stopped=every.images == n)


def test_n_is_a_place_in_the_list_and_not_a_moment() -> None:
    """Where URLs are tried again later, what was asked by the time that n images were there is more than N."""
    plan = Plan(kinds=Kinds(failing=0.5), rho=0.0, lengths=(60,))
    classes = pool(plan, 3000, 5)
    right = [sample_of(one.seen(), n=plan.n, listed=60) for one in classes]
    wrong = [in_order_of_answers(one, plan.n) for one in classes]
    assert all(sample.stopped for sample in right)
    assert sum(a.decided > b.decided for a, b in zip(wrong, right, strict=True)) > 200
    truth = statistics.fmean(one.dead for one in classes)
    biases = [statistics.fmean(sample.share or 0.0 for sample in samples) - truth for samples in (right, wrong)]
    assert abs(biases[0]) < 0.008
    assert biases[1] > biases[0] + 0.003

"""Bias and coverage of the report's figures, in worlds whose truth is known.

python -m tests.statistics.coverage            # the table of docs/statistics.md; takes ten minutes or so
"""

from __future__ import annotations

import random
import statistics
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.statistics.clusters import mean, ratio
from scraper.statistics.inverse import sample_of
from scraper.statistics.surveys import wilson
from tests.statistics.simulation import Kinds, Plan, pool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scraper.statistics.clusters import Estimate
    from scraper.statistics.inverse import Sample
    from tests.statistics.simulation import Class


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A kind of world, and what is asked of the figures in it.

    Attributes:
        name: for people.
        plan: what is fetched.
        classes: in one world.
        by_url: whether each URL counts alike, in place of each class.
        bounds: whether what is unknown is not so by chance, where only the bounds can hold.
        most_bias: against the lists' true share.
        least_coverage: of the mean that the classes are drawn from.
    """

    name: str
    plan: Plan
    classes: int
    by_url: bool = False
    bounds: bool = False
    most_bias: float = 0.005
    least_coverage: float = 0.92

    def classes_of(self, requests: int) -> int:
        """The classes of a pool that costs about so many requests; a world at least."""
        return max(self.classes, round(requests * (1 - statistics.fmean(self.plan.dead)) / self.plan.n))


CASES: Final = (
    Case(name="classes alike", plan=Plan(rho=0.0), classes=12),
    Case(name="classes differ", plan=Plan(), classes=12),
    Case(name="classes differ, many", plan=Plan(), classes=200),
    Case(name="most URLs dead", plan=Plan(dead=(0.6,), rho=0.1, lengths=(150,)), classes=200),
    Case(name="two kinds of classes", plan=Plan(n=8, dead=(0.85, 0.35), rho=0.0, lengths=(150,)), classes=150),
    Case(name="few URLs dead", plan=Plan(dead=(0.02,)), classes=40),
    Case(name="n = 1", plan=Plan(n=1, lengths=(20,)), classes=200, most_bias=0.015),
    Case(name="n = 50", plan=Plan(n=50, lengths=(150,)), classes=12),
    Case(name="lists exhausted", plan=Plan(dead=(0.6,), rho=0.1, lengths=(5, 12, 20, 30)), classes=200),
    Case(name="a budget, no top-up", plan=Plan(dead=(0.6,), rho=0.1, top_up=False), classes=200),
    Case(name="each URL alike", plan=Plan(lengths=(10, 20, 50, 100), skew=3.0), classes=200, by_url=True),
    Case(name="duplicates, pages", plan=Plan(kinds=Kinds(duplicate=0.05, unusable=0.1)), classes=200),
    Case(
        name="second try on another host",
        plan=Plan(dead=(0.6,), rho=0.1, second_try=True, kinds=Kinds(live=0.4)),
        classes=200,
    ),
    Case(name="retries change the order", plan=Plan(kinds=Kinds(failing=0.3)), classes=200),
    Case(name="unknown by chance", plan=Plan(kinds=Kinds(silent=0.1, failing=0.1)), classes=200),
    Case(name="a fifth of the dead unknown", plan=Plan(kinds=Kinds(silent_dead=0.2)), classes=200, bounds=True),
    Case(name="interrupted", plan=Plan(cut=1.1), classes=12),
    Case(name="interrupted, many", plan=Plan(cut=0.7), classes=200),
    Case(name="killed", plan=Plan(cut=1.1, killed=True), classes=12, bounds=True),
)


class Row(NamedTuple):
    """What came of a case, over its worlds. Biases are against the lists' true share.

    Attributes:
        old_bias: of the pooled share of all that was asked for.
        old_lists: how often Wilson's interval of it holds the lists' true share.
        bias: of the estimate.
        lists: how often its interval holds the lists' true share; the bounds, where only they can.
        mean: how often it holds the mean that the classes are drawn from.
    """

    old_bias: float
    old_lists: float
    bias: float
    lists: float
    mean: float


class _Fetched(NamedTuple):
    truth: float
    listed: int
    sample: Sample
    everything: Sample
    """What the old figure took: all that was asked for, as if it had not stopped anywhere."""


def _fetched(one: Class, n: int) -> _Fetched:
    listed = len(one.truth)
    sample, everything = (sample_of(one.seen(), n=most, listed=listed) for most in (n, listed + 1))
    under_way = max(0, n - sample.images) if one.killed else 0
    return _Fetched(one.dead, listed, replace(sample, unknown=sample.unknown + under_way), everything)


def _worlds(case: Case, classes: int, worlds: int, seed: int) -> Iterator[Sequence[_Fetched]]:
    """Worlds drawn from a pool of so many classes; those of a run that was cut short were fetched together."""
    cut = case.plan.cut is not None
    many = pool(case.plan, classes, seed, together=case.classes if cut else 128)
    found = [_fetched(one, case.plan.n) for one in many]
    rng = random.Random(seed)
    for number in range(min(worlds, classes // case.classes) if cut else worlds):
        at = number * case.classes
        drawn = found[at : at + case.classes] if cut else rng.sample(found, case.classes)
        yield [one for one in drawn if one.everything.decided]


def _over_classes(case: Case, shares: Sequence[tuple[float | None, int]]) -> Estimate:
    known = [(share, float(length)) for share, length in shares if share is not None]
    if not case.by_url:
        return mean([share for share, _ in known])
    return ratio([share * length for share, length in known], [length for _, length in known])


def _look(case: Case, world: Sequence[_Fetched], mean: float) -> Row:
    lengths = [one.listed for one in world]
    truth = _over_classes(case, [(one.truth, one.listed) for one in world]).rate
    now = _over_classes(case, list(zip((one.sample.share for one in world), lengths, strict=True)))
    low, high = now.low, now.high
    if case.bounds:
        low = _over_classes(
            case, list(zip((one.sample.share_if_unknown_alive for one in world), lengths, strict=True))
        ).low
        high = _over_classes(
            case, list(zip((one.sample.share_if_unknown_dead for one in world), lengths, strict=True))
        ).high
    dead, decided = sum(one.everything.hits for one in world), sum(one.everything.decided for one in world)
    dead += sum(one.everything.image_hits for one in world)
    old_low, old_high = wilson(dead, decided)
    assert truth is not None
    assert now.rate is not None
    assert low is not None
    assert high is not None
    old_holds, holds = old_low <= truth <= old_high, low <= truth <= high
    return Row(dead / decided - truth, old_holds, now.rate - truth, holds, low <= mean <= high)


def measure(case: Case, *, requests: int, worlds: int, seed: int = 1) -> Row:
    """Draw worlds from a pool that costs about so many requests and look whether the figures hold."""
    classes = case.classes_of(requests)
    mean = statistics.fmean(case.plan.dead)
    if case.by_url:  # where longer lists have more dead URLs, the mean of URLs has no closed form
        lists = case.plan.lists(random.Random(seed), 4 * classes)
        mean = sum(fate.dead for one in lists for fate in one) / sum(map(len, lists))
    rows = [_look(case, world, mean) for world in _worlds(case, classes, worlds, seed)]
    return Row(*(statistics.fmean(column) for column in zip(*rows, strict=True)))


HEAD: Final = (
    "| world | classes | n | dead | rho | old bias | old holds lists' | bias | holds lists' | holds mean |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def line(case: Case, row: Row) -> str:
    """A row of the table, in Markdown."""
    dead = " or ".join(f"{share:g}" for share in case.plan.dead)
    found = (f"{row.old_bias:+.3f}", f"{row.old_lists:.2f}", f"{row.bias:+.3f}", f"{row.lists:.3f}", f"{row.mean:.3f}")
    cells = (case.name, str(case.classes), str(case.plan.n), dead, f"{case.plan.rho:g}", *found)
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    requests, worlds = (int(word) for word in (*sys.argv[1:], "600000", "2000")[:2])
    print(HEAD)
    for case in CASES:
        print(line(case, measure(case, requests=requests, worlds=worlds)), flush=True)


if __name__ == "__main__":
    main()

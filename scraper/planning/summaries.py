"""What a plan tells while it runs and when it has ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scraper.errors import StoppedEarlyError
from scraper.model import ListingOutcome, Oddity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from scraper.model import Wnid
    from scraper.planning.forecasting.outlook import Outlook
    from scraper.planning.sources.interface import Silence
    from scraper.records import OddLines

_LIKELY: Final = 0.5
"""Probability below which a class counts as one that will rather not reach its target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProgress:
    """How far a plan is: classes done of all, those that failed among them, candidates found, and what goes on."""

    done: int
    classes: int
    failed: int
    candidates: int
    doing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedClass:
    """One class after a plan: its target, its list, and why it has none where it failed.

    `as_asked` is whether the list was made with the hosts and in the order of this plan, or earlier with others.
    """

    wnid: Wnid
    label: str | None
    n: int
    outcome: str
    error: str | None
    listed: int
    candidates: int
    as_asked: bool = True


@dataclass(slots=True)
class SourceSummary:
    """What one source gave in a run.

    Attributes:
        name: the source, as in the manifest.
        listed: classes that it gave a list.
        forms: how many of these lists had which form.
        told: the form of a list of many classes, in words.
        silence: why it was asked no further, if it was not.
    """

    name: str
    listed: int = 0
    forms: Counter[str] = field(default_factory=Counter)
    told: str = ""
    silence: Silence | None = None
    _odd: dict[Oddity, OddLines] = field(default_factory=dict)

    def add_odd(self, odd: Iterable[OddLines]) -> None:
        """Count lines that were odd."""
        for each in odd:
            known = self._odd.get(each.kind)
            self._odd[each.kind] = each if known is None else known._replace(lines=known.lines + each.lines)

    @property
    def odd(self) -> tuple[OddLines, ...]:
        """The lines that were odd, by kind."""
        return tuple(self._odd[kind] for kind in Oddity if kind in self._odd)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """What a plan came to.

    Attributes:
        classes: the classes that were asked for, as they stand now.
        resolved: how many of them got their list in this run.
        repeated: lines of the input that repeated a class.
        sources: what each source gave that was asked in this run, in order.
        moved: how many classes went from one n to another.
        outlook: what all classes of the manifest can be expected to come to.
        locked: the lock that it was made from.
        filled: how many classes of a lock got the rest of their list in this run.
        left_out: photos, URLs and digests that are left out from now on.
        withdrawn: candidates that are, of these or of others that were before.
        unfilled: those that did not, although sources were asked for it, with the reason.
    """

    manifest: Path
    classes: tuple[PlannedClass, ...]
    resolved: int
    repeated: int = 0
    sources: tuple[SourceSummary, ...] = ()
    moved: dict[tuple[int, int], int] = field(default_factory=dict)
    outlook: Outlook | None = None
    locked: str | None = None
    filled: int = 0
    unfilled: dict[Wnid, str] = field(default_factory=dict)
    left_out: int = 0
    withdrawn: int = 0

    @property
    def complete(self) -> bool:
        """Whether every class has all that was asked for."""
        return not self.failed and not self.unfilled

    @property
    def failed(self) -> tuple[PlannedClass, ...]:
        """The classes without a list."""
        return tuple(planned for planned in self.classes if planned.outcome != ListingOutcome.LISTED)

    @property
    def too_few(self) -> tuple[PlannedClass, ...]:
        """The classes that cannot reach their target, because too few URLs are listed."""
        listed = (planned for planned in self.classes if planned.outcome == ListingOutcome.LISTED)
        return tuple(planned for planned in listed if planned.candidates < planned.n)

    @property
    def may_fall_short(self) -> tuple[tuple[PlannedClass, float], ...]:
        """The classes that have URLs enough, but rather not photos enough; each with the probability that it has."""
        told = self.outlook.forecast.classes if self.outlook else ()
        reach = {each.wnid: each.reach for each in told}
        listed = (planned for planned in self.classes if planned.outcome == ListingOutcome.LISTED)
        enough = (planned for planned in listed if planned.n <= planned.candidates)
        return tuple((each, reach[each.wnid]) for each in enough if reach.get(each.wnid, 1) < _LIKELY)

    @property
    def otherwise(self) -> tuple[PlannedClass, ...]:
        """The classes that keep a list made earlier with other hosts or in another order."""
        return tuple(planned for planned in self.classes if not planned.as_asked)

    @property
    def candidates(self) -> int:
        """Candidates of all the classes."""
        return sum(planned.candidates for planned in self.classes)


class SourceSilentError(StoppedEarlyError):
    """The last source gave no list for so many classes that the others were not asked for. What there is, is kept."""

    def __init__(self, message: str, summary: PlanSummary) -> None:
        super().__init__(message)
        self.summary = summary

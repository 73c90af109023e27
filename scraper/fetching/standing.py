"""How far a fetch is: the images of each class, what this run did, and what is told of both."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from scraper.manifest.access import candidates
from scraper.model import Kind, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from scraper.fetching.hosts import HostPace
    from scraper.manifest.core import Manifest
    from scraper.model import Outcome, Wnid
    from scraper.records import ClassState


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchProgress:
    """How far a fetch is.

    Attributes:
        classes_done: classes that have their n images.
        classes: classes that have a list.
        saved: images there are, those of earlier runs included.
        wanted: images wanted in all.
        saved_now: images of this run.
        bytes: bytes of the images of this run.
        failed: candidates of this run that came to nothing for good.
        requests: attempts of this run.
        waiting: candidates that will be tried again.
        held: the groups of hosts that are asked less hard than the user allowed, since they refused.
        seconds_left: that the rest takes at their pace, None where they do not hold us back.
    """

    classes_done: int
    classes: int
    saved: int
    wanted: int
    saved_now: int
    bytes: int
    failed: int
    requests: int
    waiting: int
    held: tuple[HostPace, ...]
    seconds_left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSummary:
    """What a fetch came to; `outcomes` counts the attempts of this run.

    Attributes:
        saved_now: images of this run.
        saved: images there are now, of `wanted`.
        short: classes that have fewer images than wanted.
        unresolved: classes in the manifest without a list.
        listed: classes with one.
        bytes: of the images of this run.
        seconds: the run took.
        found: of the images of this run, those whose files were there already, with the same bytes.
        renamed: those that got other names than their URLs', which other files had.
    """

    manifest: Path
    out: Path
    saved_now: int
    saved: int
    wanted: int
    short: int
    unresolved: int
    listed: int
    bytes: int
    requests: int
    seconds: float
    outcomes: dict[Outcome, int]
    found: int = 0
    renamed: int = 0


def nothing(book: Manifest, out: Path) -> FetchSummary:
    """What a fetch comes to where no class has a list: nothing, and no folder for it."""
    return FetchSummary(
        manifest=book.path,
        out=out,
        saved_now=0,
        saved=0,
        wanted=candidates.count_wanted(book),
        short=0,
        unresolved=candidates.count_classes(book),
        listed=0,
        bytes=0,
        requests=0,
        seconds=0.0,
        outcomes={},
    )


class Standing:
    """The images that each class has, as they come and go.

    Attributes:
        wanted: images in all.
        kept: images that there are, those beyond a class's n not counted.
        full: classes that have their n.
        listed: classes that have a list.
        unresolved: classes that have none.
        had_images: whether there was one when the run began.
    """

    def __init__(self, states: Iterable[ClassState], *, wanted: int, classes: int) -> None:
        """For the classes with a list as they are in the manifest, of so many `classes` that are wanted."""
        self._states = {state.wnid: state for state in states}
        self.wanted = wanted
        self.kept = sum(min(state.saved, state.n) for state in self._states.values())
        self.full = sum(state.saved >= state.n for state in self._states.values())
        self.listed = len(self._states)
        self.unresolved = classes - self.listed
        self.had_images = any(state.saved for state in self._states.values())

    @property
    def wnids(self) -> AbstractSet[Wnid]:
        """The classes."""
        return self._states.keys()

    def of(self, wnid: Wnid) -> ClassState:
        """A class as it stands now."""
        return self._states[wnid]

    def short_first(self) -> list[Wnid]:
        """The classes, full ones last."""
        return sorted(self._states, key=lambda wnid: self._states[wnid].saved >= self._states[wnid].n)

    def change(self, wnid: Wnid, change: int) -> None:
        """Take in that a class has so many images more, or fewer."""
        before = self._states[wnid]
        now = self._states[wnid] = replace(before, saved=before.saved + change)
        self.kept += min(now.saved, now.n) - min(before.saved, before.n)
        self.full += (now.saved >= now.n) - (before.saved >= before.n)


@dataclass
class Tally:
    """What this run did so far."""

    saved: int = 0
    failed: int = 0
    bytes: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        """How many ended."""
        return self.outcomes.total()

    def add(self, outcome: Outcome, state: State, size: int) -> None:
        """Count how a request ended, what became of its candidate, and the bytes of what came."""
        self.outcomes[outcome] += 1
        if state is State.SAVED:
            self.saved += 1
            self.bytes += size
        elif state is State.LOST and outcome.kind is not Kind.IMAGE:
            self.failed += 1


def seconds_left(standing: Standing, tally: Tally, rates: Sequence[float]) -> float | None:
    """Seconds that what is missing takes where hosts allow such rates, in requests a second; None where none is known.

    As many requests lead to an image as in this run so far.
    """
    if not rates or not tally.requests:
        return None
    images = max(tally.saved, 1) / tally.requests
    return (standing.wanted - standing.kept) / images / sum(rates)


def progress_of(
    standing: Standing, tally: Tally, *, waiting: int, held: tuple[HostPace, ...], left: float | None
) -> FetchProgress:
    """How far a fetch is; see `FetchProgress` for what is told beside its standing and its tally."""
    return FetchProgress(
        classes_done=standing.full,
        classes=standing.listed,
        saved=standing.kept,
        wanted=standing.wanted,
        saved_now=tally.saved,
        bytes=tally.bytes,
        failed=tally.failed,
        requests=tally.requests,
        waiting=waiting,
        held=held,
        seconds_left=left,
    )

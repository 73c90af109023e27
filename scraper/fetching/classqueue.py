"""A class of a fetch: what it still needs, which of its candidates are ready, and which photos it has."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scraper.model import DECIDED_KINDS, Outcome
from scraper.records import BudgetRaise

if TYPE_CHECKING:
    from scraper.model import Wnid
    from scraper.records import Candidate

_LEAST_SURVIVAL: Final = 0.02


@dataclass(slots=True, eq=False)
class ClassQueue:
    """One class.

    Attributes:
        n: images that are wanted.
        budget: the last rank of its list that may be asked for, as yet.
        listed: candidates in its list.
        saved: images that it has.
        cursor: the rank from which candidates were not loaded.
        ready: candidates that may be asked for now, in order.
        in_flight: requests under way.
        delayed: candidates that wait for their time to be tried again.
        decided: candidates that a host answered for in this run.
        kept: those of them that became images.
        queued: whether it is in turn, or waits for a host.
        photos: Flickr photos by id: True where an image is saved, False while one is in flight.
        twins: candidates of a photo that is in flight under another URL; asked for only if that fails.
        aside: retries that the full class does not need, each with its due time; needed again if an image is taken
            back.
    """

    wnid: Wnid
    n: int
    budget: int
    listed: int
    saved: int
    cursor: int
    ready: deque[Candidate] = field(default_factory=deque)
    in_flight: int = 0
    delayed: int = 0
    decided: int = 0
    kept: int = 0
    queued: bool = False
    photos: dict[int, bool] = field(default_factory=dict)
    twins: dict[int, list[Candidate]] = field(default_factory=dict)
    aside: list[tuple[Candidate, float]] = field(default_factory=list)

    @property
    def room(self) -> int:
        """Requests that may start."""
        return self.n - self.saved - self.in_flight

    # --- photos ----------------------------------------------------------------------------------------------------

    def begin(self, candidate: Candidate, skipped: list[Candidate]) -> bool:
        """Take in that a candidate is to be asked for; False where its photo is there or on its way by another URL.

        Where it is there, the candidate is added to `skipped`.
        """
        photo = candidate.photo_id
        if photo is None:
            return True
        if photo not in self.photos:
            self.photos[photo] = False
            return True
        if self.photos[photo]:
            skipped.append(candidate)
        else:
            self.twins.setdefault(photo, []).append(candidate)
        return False

    def end(self, candidate: Candidate, skipped: list[Candidate], *, saved: bool) -> None:
        """Take in whether a candidate's photo is there now: twins are skipped then, and else they are ready."""
        if candidate.photo_id is None:
            return
        twins = self.twins.pop(candidate.photo_id, [])
        if saved:
            self.photos[candidate.photo_id] = True
            skipped.extend(twins)
        else:
            self.photos.pop(candidate.photo_id, None)
            self.ready.extendleft(reversed(twins))

    # --- counts ----------------------------------------------------------------------------------------------------

    def count(self, outcome: Outcome) -> None:
        """Take in what a candidate ended as."""
        self.decided += outcome.kind in DECIDED_KINDS
        if outcome is Outcome.SAVED:
            self.saved += 1
            self.kept += 1

    def top_up(self, overall: float) -> BudgetRaise | None:
        """Raise the budget by what its room needs, where of all candidates the share `overall` survives.

        None where all of the list is in the budget, or a retry that is still to come may yet succeed: fresh candidates
        are not to pay for a slow host.
        """
        if self.delayed or self.budget >= self.listed:
            return None
        survival = max(_LEAST_SURVIVAL, (self.kept + 2 * overall) / (self.decided + 2))
        before = self.budget
        self.budget = min(self.listed, before + math.ceil(self.room / survival))
        return BudgetRaise(self.wnid, before, self.budget, round(survival, 4))

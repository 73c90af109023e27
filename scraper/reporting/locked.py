"""What became of the images of a lock, by class: the same, changed, lost, not known yet, and what took their place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scraper.manifest.access.locks import locked_states
from scraper.model import Outcome, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scraper.manifest.access.locks import LockedState
    from scraper.manifest.core import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRow:
    """One class of a lock.

    Attributes:
        locked: images that the lock names.
        same: of these, saved with the same bytes.
        changed: answered with another picture, which was not kept.
        lost: dead, denied or unusable.
        unknown: not asked for yet, or nothing was learnt.
        replaced: images of the class that the lock does not name.
    """

    wnid: str
    locked: int
    same: int
    changed: int
    lost: int
    unknown: int
    replaced: int


def lock_rows(book: Manifest, saved: Mapping[str, int]) -> tuple[LockRow, ...]:
    """A row for each class of the lock, by id; none where the manifest was made without one.

    Args:
        book: the manifest.
        saved: images of each class.
    """
    found: dict[str, Counter[str]] = {}
    for state in locked_states(book):
        found.setdefault(state.wnid, Counter())[_fate(state)] += 1
    return tuple(
        LockRow(
            wnid=wnid,
            locked=fates.total(),
            same=fates["same"],
            changed=fates["changed"],
            lost=fates["lost"],
            unknown=fates["unknown"],
            replaced=max(0, saved.get(wnid, 0) - fates["same"]),
        )
        for wnid, fates in found.items()
    )


def _fate(known: LockedState) -> str:
    if known.state is State.SAVED or known.outcome is Outcome.DUPLICATE:
        return "same"
    if known.state is not State.LOST:
        return "unknown"
    return "changed" if known.outcome is Outcome.CHANGED else "lost"

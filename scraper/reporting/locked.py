"""What became of the images of a lock, by class: the same, changed, lost, not known yet, and what took their place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.manifest.access.candidates import class_states
from scraper.manifest.access.locks import locked_states
from scraper.manifest.core import Manifest
from scraper.model import Outcome, State, Wnid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from scraper.manifest.access.locks import LockedState

NUMBERS: Final = ("locked", "same", "changed", "lost", "unknown", "replaced")
"""What is counted of each class, in the order in which it is shown."""
LOCK_NOTE: Final = "the lists of these classes begin with URLs that led to images once: rates of dead URLs are too low"


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


@dataclass(frozen=True, slots=True)
class LockFate:
    """What became of all images of the locks: their sums, and whether lists stand behind them."""

    total: LockRow
    lists: bool


def lock_fate(manifest: Path) -> LockFate | None:
    """What became of the images of the locks that a manifest was planned from, None where it was not.

    Raises:
        ManifestError: the manifest cannot be used.
    """
    with Manifest.open(manifest) as book, book.snapshot():
        states = {state.wnid: state for state in class_states(book)}
        rows = lock_rows(book, {wnid: state.saved for wnid, state in states.items()})
    rows = tuple(row for row in rows if row.wnid in states)
    if not rows:
        return None
    lists = any(states[Wnid(row.wnid)].candidates > row.locked for row in rows)
    return LockFate(lock_total(rows), lists)


def lock_total(rows: Iterable[LockRow]) -> LockRow:
    """The sums of all classes."""
    every = list(rows)
    sums = {name: sum(getattr(row, name) for row in every) for name in NUMBERS}
    return LockRow(wnid="all", **sums)

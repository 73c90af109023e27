"""What people said, taken for classes: every name found, or all that is not clear told at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.naming.finding import MOST_SUGGESTIONS, ambiguous, meanings, unknown, whole_list
from scraper.naming.people import ALLOWED, REASON, may_be_person
from scraper.naming.wordnet import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from scraper.model import Wnid
    from scraper.naming.wordnet import WordNet

_IN_A_ROW: Final = 7
"""Ids on one line of a message, which is then below 80 columns."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something that is to be a class, and where it was said: `line 3`, or nothing for an argument."""

    text: str
    where: str = ""


def taken(
    table: WordNet, said: Sequence[Said], among: Collection[str] | None = None
) -> tuple[list[Wnid | None], list[str]]:
    """The class of each thing said, None where it is not clear, and lines that tell what is not.

    Args:
        table: WordNet's.
        said: names, ids, or what else `finding` reads.
        among: the wnids that come into question; None for all classes.
    """
    every = whole_list(table, Counter(fold(each.text) for each in said)) if len(said) > 1 else {}
    used: Counter[str] = Counter()
    problems: list[str] = []
    wnids: list[Wnid | None] = []
    unknown_yet = 0
    for each in said:
        alike = every.get(key := fold(each.text))
        if alike is not None:
            wnids.append(alike[used[key] % len(alike)])
            used[key] += 1
            continue
        found = meanings(table, each.text, among)
        wnids.append(found[0].wnid if len(found) == 1 else None)
        if len(found) != 1:
            lines = _answer(table, each.text, among, suggest=unknown_yet < MOST_SUGGESTIONS)
            unknown_yet += not found
            problems += [f"  {each.where}: {lines[0]}" if each.where else f"  {lines[0]}"]
            problems += [f"  {line}" for line in lines[1:]]
    return wnids, problems


def _answer(table: WordNet, text: str, among: Collection[str] | None, *, suggest: bool) -> list[str]:
    found = meanings(table, text, among)
    if found:
        return ambiguous(table, text, found)
    elsewhere = meanings(table, text) if among is not None else ()
    if elsewhere:
        head, *lines = ambiguous(table, text, elsewhere)
        return [head.partition(" has ")[0] + " is not in the preset, but elsewhere:", *lines]
    return unknown(table, text, suggest=suggest)


def refused_people(table: Callable[[], WordNet], wnids: Iterable[str]) -> list[str]:
    """Lines that tell which of some classes are of people and so are refused; none where none is.

    The table is not read where the numbers alone show that it need not be.
    """
    maybe = [wnid for wnid in wnids if may_be_person(wnid) and wnid not in ALLOWED]
    if not maybe:
        return []
    known = table()
    found = [wnid for wnid in maybe if wnid in known and known.synset(wnid).of_people]
    if not found:
        return []
    many = f"{len(found):,} classes are" if len(found) > 1 else "1 class is"
    head = f"  {many} of people, and refused: {REASON}. --include-people takes them all the same:"
    rows = [found[at : at + _IN_A_ROW] for at in range(0, len(found), _IN_A_ROW)]
    return [head, *(f"    {' '.join(row)}" for row in rows)]

"""What people said, taken for classes: every name found, or all that is not clear told at once."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Final

from scraper.model import Wnid
from scraper.naming.finding import MOST_SUGGESTIONS, ambiguous, describe, meanings, unknown, whole_list
from scraper.naming.people import ALLOWED, REASON, may_be_person
from scraper.naming.wordnet import fold
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from scraper.naming.wordnet import Synset, WordNet

_SHOWN: Final = 60
_BY_NAME: Final = 20
"""Classes of people up to which each is told by its name too."""
_IN_A_ROW: Final = 7
"""Ids on one line of a message, which is then below 80 columns."""


Problem = tuple[str, ...]
"""Why something cannot be taken for a class, in a line, and lines that say more."""


def told(problems: Iterable[Problem], count: int) -> str:
    """The text of an error: one problem by itself, or all of `count`, of which there may be a million."""
    if count == 1:
        return "\n  ".join(line for problem in problems for line in problem)
    head = f"{count:,} of the classes cannot be taken, and nothing was changed:"
    lines = (line for problem in problems for line in (problem[0], *(f"  {more}" for more in problem[1:])))
    return "\n  ".join(chain((head,), lines))


def taken(table: WordNet, said: Sequence[tuple[int, str]], among: Collection[str] | None = None) -> list[Wnid | None]:
    """The class of each thing said, None where it is not clear.

    Args:
        table: WordNet's.
        said: names, ids, or what else `finding` reads, each with its number.
        among: the wnids that come into question; None for all classes.
    """
    every = whole_list(table, (fold(text) for _, text in said)) if len(said) > 1 else {}
    used: Counter[str] = Counter()
    wnids: list[Wnid | None] = []
    for _, text in said:
        if (alike := every.get(key := fold(text))) is not None:
            wnids.append(alike[used[key] % len(alike)])
            used[key] += 1
        else:
            found = meanings(table, text, among)
            wnids.append(found[0].wnid if len(found) == 1 else None)
    return wnids


def unclear(
    table: WordNet,
    said: Sequence[tuple[int, str]],
    wnids: Sequence[Wnid | None],
    among: Collection[str] | None = None,
    *,
    place: str = "",
) -> Iterator[Problem]:
    """What to answer to all that could not be taken.

    Args:
        table: WordNet's.
        said: as `taken` had it.
        wnids: what it gave.
        among: as it had it.
        place: what the numbers count, such as `line`; empty where they are of no use to people.
    """
    suggested = 0
    for (number, text), wnid in zip(said, wnids, strict=True):
        if wnid is None:
            found = meanings(table, text, among)
            head, *more = _answer(table, text, found, among, suggest=suggested < MOST_SUGGESTIONS)
            suggested += not found
            yield (f"{place} {number}: {head}" if place else head, *more)


def planned(
    table: Callable[[], WordNet], said: Sequence[tuple[int, str]], labels: Mapping[Wnid, str | None], *, place: str = ""
) -> tuple[list[Wnid], list[Problem]]:
    """The classes of a plan that are meant, each once, and what to answer where none or several are.

    Args:
        table: gives WordNet's, which is read only for names that are neither ids nor labels.
        said: names, ids, labels, each with its number, which is 0 where it is not known.
        labels: of the classes in the plan.
        place: what the numbers count; empty where they are of no use to people.
    """
    by_label: dict[str, list[Wnid]] = {}
    for wnid, label in labels.items():
        by_label.setdefault(fold(label or ""), []).append(wnid)
    found: dict[Wnid, None] = {}
    problems: list[Problem] = []
    for number, text in said:
        mine = [Wnid(text)] if text in labels else by_label.get(fold(text), []) if fold(text) else []
        if not mine:
            mine = [synset.wnid for synset in meanings(table(), text, labels)]
        if len(mine) == 1:
            found[mine[0]] = None
        else:
            head, *more = _not_one(table(), text, mine, labels)
            problems.append((f"{place} {number}: {head}" if place and number else head, *more))
    return list(found), problems


def _not_one(table: WordNet, text: str, mine: Sequence[Wnid], labels: Mapping[Wnid, str | None]) -> list[str]:
    if mine:
        head = f"{one_line(text, _SHOWN)} is {len(mine)} classes of this plan; give the id of the one you mean:"
        return [head, *(f"{wnid}  {labels[wnid]}" for wnid in mine)]
    elsewhere = meanings(table, text)
    if not elsewhere:
        return unknown(table, text)
    head = f"{one_line(text, _SHOWN)} is not planned here"
    return [head + ", which may be:" if len(elsewhere) > 1 else head, *(describe(table, each) for each in elsewhere)]


def _answer(
    table: WordNet, text: str, found: Sequence[Synset], among: Collection[str] | None, *, suggest: bool
) -> list[str]:
    if found:
        return ambiguous(table, text, found)
    elsewhere = meanings(table, text) if among is not None else ()
    if elsewhere:
        head, *lines = ambiguous(table, text, elsewhere)
        return [head.partition(" has ")[0] + " is not in the preset, but elsewhere:", *lines]
    return unknown(table, text, suggest=suggest)


def refused_people(table: Callable[[], WordNet], wnids: Iterable[str]) -> list[Problem]:
    """What to say of the classes of people among some; nothing where there are none.

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
    head = f"{many} of people and refused; --include-people takes them all the same, although {REASON}:"
    if len(found) <= _BY_NAME:
        return [(head, *(f"{wnid}  {known.synset(wnid).name}" for wnid in found))]
    rows = (found[at : at + _IN_A_ROW] for at in range(0, len(found), _IN_A_ROW))
    return [(head, *(" ".join(row) for row in rows))]

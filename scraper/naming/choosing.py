"""Which classes are chosen: by name, under a name, of a preset, by words, without a branch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.errors import InputError
from scraper.naming.finding import MOST_SUGGESTIONS, describe, headings, meanings, unknown
from scraper.naming.presets import CLASS, preset
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from scraper.model import Wnid
    from scraper.naming.wordnet import Synset, WordNet

_SHOWN: Final = 60
_UNCLEAR: Final = "these names are not clear, and nothing was done:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was asked for; what is given narrows the choice, and with nothing given there is none.

    Attributes:
        names: classes by name, all meanings of each.
        under: names of synsets; their classes and all below.
        preset: name of a set of classes.
        search: words that must all begin a word in a class's names or gloss.
        leaves: whether only classes are wanted that have no other class of the preset, or of ImageNet, below them.
        without: names of synsets that are left out with all below them.
    """

    names: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    preset: str | None = None
    search: str | None = None
    leaves: bool = False
    without: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing says which classes are meant."""
        return not (self.names or self.under or self.preset or (self.search or "").strip())


def choose(table: WordNet, choice: Choice) -> tuple[Synset, ...]:
    """The classes chosen, in the order of their ids; those of names in the order of the names.

    Raises:
        InputError: a name is not clear or not known, or there is no such preset; the message has all of them.
    """
    problems: list[str] = []
    pool = _pool(table, choice.preset, problems)
    within = _branches(table, "--under", choice.under, problems)
    cut = _branches(table, "--except", choice.without, problems)
    keep = set(pool) & within if choice.under else set(pool)
    named = list(_named(table, choice.names, keep, problems))
    if problems:
        raise InputError("\n".join((_UNCLEAR, *problems)))
    chosen = dict.fromkeys(named if choice.names else (wnid for wnid in pool if wnid in keep))
    above = table.above_any(pool) if choice.leaves else set()
    synsets = (table.synset(wnid) for wnid in chosen if wnid not in cut and wnid not in above)
    words = [_word(word) for word in (choice.search or "").split()]
    return tuple(synset for synset in synsets if _has_words(table, synset, words))


def _pool(table: WordNet, name: str | None, problems: list[str]) -> list[Wnid]:
    """The classes of a preset, or all; all too where there is no such preset, so that other problems are found."""
    try:
        return table.preset(preset(name).name) if name else table.marked(CLASS)
    except InputError as error:
        problems.append(f"  {error.as_typed}")
        return table.marked(CLASS)


def scope(table: WordNet, name: str | None) -> frozenset[Wnid] | None:
    """The classes of a preset, among which names are looked for; None where there is no preset.

    Raises:
        InputError: there is no such preset.
    """
    return frozenset(table.preset(preset(name).name)) if name else None


def within(table: WordNet, choice: Choice) -> frozenset[Wnid]:
    """The synsets that the choice is under, each with all below it; none where it is under nothing.

    Raises:
        InputError: a name is not clear or not known.
    """
    problems: list[str] = []
    found = _branches(table, "--under", choice.under, problems)
    if problems:
        raise InputError("\n".join((_UNCLEAR, *problems)))
    return found


def _branches(table: WordNet, flag: str, names: Iterable[str], problems: list[str]) -> frozenset[Wnid]:
    return frozenset().union(*(_branch(table, flag, name, problems) for name in names))


def _branch(table: WordNet, flag: str, name: str, problems: list[str]) -> Collection[Wnid]:
    found = headings(table, name)
    if len(found) == 1:
        return table.under(found[0].wnid)
    if found:
        head = f"  {flag} {one_line(name, _SHOWN)} has {len(found)} meanings; give the id of the one you mean:"
        problems += [head, *(f"    {describe(table, synset)}" for synset in found)]
    else:
        problems += [f"  {flag} {line}" for line in unknown(table, name)]
    return ()


def _named(table: WordNet, names: Sequence[str], among: Collection[str], problems: list[str]) -> Iterable[Wnid]:
    for number, name in enumerate(names):
        found = meanings(table, name, among)
        if not found:
            elsewhere = meanings(table, name)
            head, *more = _missing(table, name, elsewhere, suggest=number < MOST_SUGGESTIONS)
            problems += [f"  {head}", *(f"    {line}" for line in more)]
        yield from (synset.wnid for synset in found)


def _missing(table: WordNet, name: str, elsewhere: Sequence[Synset], *, suggest: bool) -> list[str]:
    if not elsewhere:
        return unknown(table, name, suggest=suggest)
    head = f"{one_line(name, _SHOWN)} is not among the classes asked for, but elsewhere:"
    return [head, *(describe(table, synset) for synset in elsewhere)]


def _word(word: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)" + re.escape(word), re.IGNORECASE)


def _has_words(table: WordNet, synset: Synset, words: Sequence[re.Pattern[str]]) -> bool:
    if not words:
        return True
    text = " ".join((*synset.names, table.gloss(synset.wnid)))
    return all(word.search(text) for word in words)


# --- as a tree -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Branch:
    """A synset in a tree of chosen classes: those right below it, and how many chosen ones it holds in all."""

    synset: Synset
    chosen: bool
    classes: int
    below: tuple[Branch, ...]


def tree(table: WordNet, chosen: Collection[Wnid], within: Collection[Wnid] = ()) -> tuple[Branch, ...]:
    """The chosen classes under what stands above them, each once; what only leads to one thing is left out.

    Args:
        table: WordNet's.
        chosen: the classes.
        within: the synsets of which the tree is made; empty for all.
    """
    below: dict[Wnid, list[Wnid]] = {}
    waiting, placed = list(chosen), set(chosen)
    roots = []
    while waiting:
        wnid = waiting.pop()
        above = [each for each in table.synset(wnid).above if not within or each in within]
        if not above:
            roots.append(wnid)
            continue
        parent = next((each for each in above if each in chosen), above[0])
        below.setdefault(parent, []).append(wnid)
        if parent not in placed:
            placed.add(parent)
            waiting.append(parent)
    return tuple(_shortened(_grown(table, root, below, chosen)) for root in sorted(roots))


def _grown(table: WordNet, wnid: Wnid, below: Mapping[Wnid, Sequence[Wnid]], chosen: Collection[Wnid]) -> Branch:
    branches = tuple(_grown(table, each, below, chosen) for each in sorted(below.get(wnid, ())))
    mine = wnid in chosen
    return Branch(table.synset(wnid), mine, mine + sum(branch.classes for branch in branches), branches)


def _shortened(branch: Branch) -> Branch:
    while not branch.chosen and len(branch.below) == 1:
        branch = branch.below[0]
    return Branch(branch.synset, branch.chosen, branch.classes, tuple(map(_shortened, branch.below)))

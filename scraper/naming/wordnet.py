"""WordNet's table: the nouns that are classes of ImageNet and all that stands above them.

A table is two texts. The first has blocks with a line for each synset, in the order of their ids, an empty line
between blocks: ids without their `n`; marks as a sum of bits, see `presets`; positions of the synsets above, by
commas; names, by bars, each with `#` and the number of its sense where that is not the first. One more block has the
clean names of the 1,000 classes of ILSVRC. The second text has a short gloss on each line.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from scraper.errors import InputError
from scraper.model import Wnid
from scraper.naming.presets import CLASS, PEOPLE, PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

HEAD: Final = "WordNet 3.0 nouns of ImageNet, form 1"
NO_PARENT: Final = "-"

_FEW: Final = 20
"""Names that are searched for before all names are sorted out, which takes as long as some ten searches."""
_SENSE: Final = re.compile(r"#[0-9]+")
_ALIKE: Final = str.maketrans("-_\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{RIGHT SINGLE QUOTATION MARK}", "     '")


def fold(name: str) -> str:
    """A name so that what does not matter is gone: case, hyphens, underscores, runs of spaces.

    >>> fold(" Golden_Retriever "), fold("T-shirt")
    ('golden retriever', 't shirt')
    """
    lower = name.lower()
    # Most names are ASCII, and translating takes four times as long.
    plain = lower.replace("-", " ").replace("_", " ") if lower.isascii() else lower.translate(_ALIKE)
    return " ".join(plain.split())


@dataclass(frozen=True, slots=True)
class Synset:
    """One meaning: a class of ImageNet, or what only stands above some.

    Attributes:
        names: lemmas in WordNet's order; the first is its usual name.
        marks: bits, see `presets`.
        above: the wnids right above.
    """

    wnid: Wnid
    names: tuple[str, ...]
    marks: int
    above: tuple[Wnid, ...]

    @property
    def name(self) -> str:
        """Its usual name."""
        return self.names[0]

    @property
    def is_class(self) -> bool:
        """Whether it is a class of ImageNet."""
        return bool(self.marks & CLASS)

    @property
    def of_people(self) -> bool:
        """Whether it is `person` or under it."""
        return bool(self.marks & PEOPLE)

    @property
    def presets(self) -> tuple[str, ...]:
        """The presets it is in."""
        return tuple(name for name, preset in PRESETS.items() if self.marks & preset.bit)


class WordNet:
    """The table. Blocks are taken apart when they are first needed."""

    def __init__(self, text: str, glosses: Callable[[], str]) -> None:
        """From the first text, and from a call that gives the second.

        Raises:
            ValueError: the text is not such a table.
        """
        head, *blocks = text.split("\n\n")
        if head != HEAD or len(blocks) != 5:
            raise ValueError("not a table of this form")
        ids, marks, above, names, clean = (
            block.split("\n") for block in ("n" + blocks[0].replace("\n", "\nn"), *blocks[1:])
        )
        times = Counter(marks)
        meanings = {mark: int(mark) for mark in times}
        self.wnids: Final = [*map(Wnid, ids)]
        self._marks = [*map(meanings.__getitem__, marks)]
        told = sum(count for mark, count in times.items() if meanings[mark] & PRESETS["ilsvrc2012"].bit)
        if not len(ids) == len(marks) == len(above) == len(names) or len(clean) != max(told, 1):
            raise ValueError("blocks of different lengths")
        self._searches = 0
        self._above, self._names, self._clean = above, names, clean
        self._read_glosses = glosses

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {wnid: position for position, wnid in enumerate(self.wnids)}

    @cached_property
    def _glosses(self) -> list[str]:
        lines = self._read_glosses().split("\n")
        if len(lines) != len(self.wnids):
            raise InputError("the glosses of the table of classes are those of another one: install scraper again")
        return lines

    @cached_property
    def _folded(self) -> str:
        """The names as they are looked for, a line for each synset."""
        return _SENSE.sub("", fold_lines("\n".join(self._names)))

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for position, line in enumerate(self._folded.split("\n")):
            for name in line.split("|"):
                holders = found.setdefault(name, [])
                if position not in holders:
                    holders.append(position)
        return found

    @cached_property
    def _by_clean_name(self) -> dict[str, Wnid]:
        """Clean names, such as `teddy bear`; of two alike, none."""
        clean = [(fold(self.clean_name(wnid) or ""), wnid) for wnid in self.preset("ilsvrc2012")]
        times = Counter(name for name, _ in clean)
        return {name: wnid for name, wnid in clean if times[name] == 1}

    @cached_property
    def _below(self) -> dict[int, list[int]]:
        below: dict[int, list[int]] = {}
        for position, line in enumerate(self._above):
            for parent in _numbers(line):
                below.setdefault(parent, []).append(position)
        return below

    def __contains__(self, wnid: object) -> bool:
        return wnid in self._positions

    def synset(self, wnid: str) -> Synset:
        """The synset with this id.

        Raises:
            KeyError: the table has none.
        """
        return self._synset(self._positions[wnid])

    def _synset(self, position: int) -> Synset:
        names = tuple(_SENSE.sub("", self._names[position]).split("|"))
        above = tuple(self.wnids[parent] for parent in _numbers(self._above[position]))
        return Synset(self.wnids[position], names, self._marks[position], above)

    def gloss(self, wnid: str) -> str:
        """What WordNet says it is, shortened where it is long."""
        return self._glosses[self._positions[wnid]]

    def named(self, name: str) -> tuple[Synset, ...]:
        """The synsets with this name, in the order of their ids."""
        key = fold(name)
        found = self._positions_of(key)
        if found:
            return tuple(map(self._synset, found))
        clean = self._by_clean_name.get(key)
        return (self.synset(clean),) if clean else ()

    def _positions_of(self, key: str) -> list[int]:
        """Where a folded name stands: the first few are searched for, by which a plan of some names begins sooner."""
        self._searches += 1
        if self._searches > _FEW:
            return self._by_name.get(key, [])
        text, found, at = self._folded, [], -1
        while key and "|" not in key and (at := text.find(key, at + 1)) >= 0:
            before, after = text[at - 1 : at], text[at + len(key) : at + len(key) + 1]
            if before in ("", "\n", "|") and after in ("", "\n", "|"):
                found.append(text.count("\n", 0, at))
        return list(dict.fromkeys(found))

    def sense(self, name: str, number: int) -> Synset | None:
        """The synset that is sense `number` of a name, counted from 1 as WordNet and NLTK do."""
        key = fold(name)
        for position in self._positions_of(key):
            for each in self._names[position].split("|"):
                lemma, _, told = each.partition("#")
                if fold(lemma) == key and int(told or 1) == number:
                    return self._synset(position)
        return None

    @cached_property
    def all_names(self) -> Collection[str]:
        """Every name, folded."""
        return dict.fromkeys(self._folded.replace("\n", "|").split("|")).keys()

    def clean_name(self, wnid: str) -> str | None:
        """The clean name of a class of ILSVRC, None for others."""
        return self._clean_names.get(wnid)

    @cached_property
    def _clean_names(self) -> dict[str, str]:
        return dict(zip(self.preset("ilsvrc2012"), self._clean, strict=False))

    def preset(self, name: str) -> list[Wnid]:
        """The classes of a preset, in the order of their ids."""
        return self.marked(PRESETS[name].bit)

    def marked(self, bit: int) -> list[Wnid]:
        """The synsets that have a mark, in the order of their ids."""
        return [wnid for wnid, marks in zip(self.wnids, self._marks, strict=True) if marks & bit]

    def under(self, wnid: str) -> set[Wnid]:
        """A synset and all that is below it."""
        return {self.wnids[position] for position in _reached((self._positions[wnid],), self._children)}

    def over(self, wnid: str) -> list[Wnid]:
        """A synset and all that is above it, the nearest first."""
        return [self.wnids[position] for position in _reached((self._positions[wnid],), self._parents)]

    def above_any(self, wnids: Iterable[str]) -> set[Wnid]:
        """All that stands above at least one of some synsets."""
        starts = {parent for wnid in wnids for parent in self._parents(self._positions[wnid])}
        return {self.wnids[position] for position in _reached(starts, self._parents)}

    def has_classes_below(self, wnid: str) -> bool:
        """Whether other classes of ImageNet are below it."""
        below = _reached((self._positions[wnid],), self._children)
        return any(self._marks[position] & CLASS for position in below if self.wnids[position] != wnid)

    def _children(self, position: int) -> Iterable[int]:
        return self._below.get(position, ())

    def _parents(self, position: int) -> Iterable[int]:
        return _numbers(self._above[position])


def fold_lines(names: str) -> str:
    """Names between bars and line ends as `fold` makes them; those of the table have no spaces to spare."""
    return names.lower().translate(_ALIKE)


def _numbers(line: str) -> Iterable[int]:
    return () if line == NO_PARENT else map(int, line.split(","))


def _reached(starts: Iterable[int], steps: Callable[[int], Iterable[int]]) -> Iterator[int]:
    seen = set(starts)
    waiting = deque(seen)
    while waiting:
        position = waiting.popleft()
        yield position
        fresh = [step for step in dict.fromkeys(steps(position)) if step not in seen]
        seen.update(fresh)
        waiting += fresh

"""Reading lists of classes in the forms people keep them in: one a line, tables, JSON.

What names no class by its wnid is given out with its place, for whoever knows classes by other names.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.errors import InputError
from scraper.planning.classlines import SEPARATORS, bare, labelled, named, of_fields, parse_class, split
from scraper.planning.lines.encodings import decode_lines
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scraper.model import Wnid
    from scraper.records import ClassRequest

LONGEST_LINE: Final = 1000
"""Characters; no label is nearly as long, and splitting endless lines costs memory."""
_SHOWN: Final = 60
"""Characters of a bad line that an error message repeats."""
_DEEPEST: Final = 6
"""Levels of JSON that are looked into."""

_CLASS_HEADS: Final = (
    "wnid", "wnids", "wordnet_id", "wordnetid", "synset", "synsets", "synset_id", "synid", "class_id", "category_id",
    "folder", "class", "category", "id",
)  # fmt: skip
_LABEL_HEADS: Final = (
    "label", "labels", "class_name", "name", "names", "category_name", "description", "lemmas", "words", "class",
    "category",
)  # fmt: skip
_LONE_HEADS: Final = frozenset(_CLASS_HEADS[:8])
"""What is a table's head even alone on the first line; the other words may be names of classes."""


class Unread(NamedTuple):
    """What names no class by a wnid: its place, from 1, and its text; in a table, that of the class's column."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class ClassList:
    """The classes of an input.

    Attributes:
        classes: each once, in the order first met.
        repeated: how many lines only repeated one.
        unread: what names no class by its wnid.
        place: what the numbers of `unread` count: `line`, `argument`, `entry`.
    """

    classes: tuple[ClassRequest, ...]
    repeated: int = 0
    unread: tuple[Unread, ...] = ()
    place: str = "line"


class _Gathered:
    """Classes as they are read: each once, the first label of each kept."""

    def __init__(self) -> None:
        self._classes: dict[Wnid, ClassRequest] = {}
        self._repeated = 0
        self._unread: list[Unread] = []

    def take(self, request: ClassRequest | None, number: int, text: str) -> None:
        if request is None:
            self._unread.append(Unread(number, text[:LONGEST_LINE]))
            return
        known = self._classes.setdefault(request.wnid, request)
        if known is request:
            return
        self._repeated += 1
        if known.label is None:
            self._classes[request.wnid] = request

    def build(self, place: str) -> ClassList:
        return ClassList(tuple(self._classes.values()), self._repeated, tuple(self._unread), place)


def read_classes(lines: Iterable[str], *, place: str = "line") -> ClassList:
    """Read a list of classes; blank lines and `#` comments are passed over, a table's head is made use of.

    Args:
        lines: the lines, with or without their ends.
        place: what each of them is: a line, an argument.
    """
    gathered = _Gathered()
    head: _Head | None = None
    fresh = True
    for number, line in enumerate(lines, start=1):
        text = bare(line)
        if not text or text.startswith("#"):
            continue
        if len(text) > LONGEST_LINE:  # neither a class nor a table's head or row
            fresh = False
            gathered.take(None, number, text)
            continue
        request = parse_class(text)
        if fresh:
            fresh = False
            head = _head(text) if request is None else None
            if head is not None:
                continue
        if head is not None:
            request, text = head.read(text, request)
        gathered.take(request, number, text)
    return gathered.build(place)


def read_input(data: bytes) -> ClassList:
    """Read the bytes of a list of classes: lines in any encoding people have, or JSON."""
    lines = decode_lines(data)
    start = next((text for text in map(bare, lines) if text), "")
    if start.startswith(("{", "[")):
        found = _read_json("\n".join(lines))
        if found is not None:
            return found
    return read_classes(lines)


def refuse_unread(found: ClassList, origin: str) -> None:
    """Refuse a list in which something names no class.

    Args:
        found: the list.
        origin: what it is, for the message: `standard input`, `the arguments`.

    Raises:
        InputError: something does not; the message lists every one with its place.
    """
    if not found.unread:
        return
    what = "a wnid is n and eight digits, as in n01440764; a label may stand before or after it"
    if len(found.unread) == 1 and found.place == "argument":
        raise InputError(f"{one_line(found.unread[0].text, _SHOWN)} names no class ({what})")
    raise InputError(
        f"{len(found.unread)} of the {found.place.removesuffix('y')}{'ies' if found.place.endswith('y') else 's'} in "
        f"{origin} name no class ({what}):\n"
        + "\n".join(f"  {found.place} {bad.number}: {one_line(bad.text, _SHOWN)}" for bad in found.unread)
    )


# --- tables ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Head:
    """The head of a table: what splits its rows, and in which columns the class and its label stand."""

    separator: str
    wnid: int
    label: int | None

    def read(self, text: str, guess: ClassRequest | None) -> tuple[ClassRequest | None, str]:
        """A row's class and the text that should have named it; `guess` where the row is not as the head says."""
        cells = [cell.strip() for cell in split(text, self.separator)]
        if len(cells) <= self.wnid:
            return guess, text
        request = named(cells[self.wnid])
        if request is None:
            return guess, cells[self.wnid] or text
        label = cells[self.label] if self.label is not None and self.label < len(cells) else ""
        return labelled(request, label), text


def _head(text: str) -> _Head | None:
    """The head that a first line is, if it is one."""
    for separator in SEPARATORS:
        words = [_word(cell) for cell in split(text, separator)]
        wnid = next((words.index(word) for word in _CLASS_HEADS if word in words), None)
        if wnid is not None and (len(words) > 1 or words[0] in _LONE_HEADS):
            label = next(
                (words.index(word) for word in _LABEL_HEADS if word in words and words.index(word) != wnid), None
            )
            return _Head(separator, wnid, label)
    return None


def _word(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().strip('"').lower())


# --- JSON ------------------------------------------------------------------------------------------------------------


def _read_json(text: str) -> ClassList | None:
    """Read a list in JSON, one value or a value a line; None where it is none."""
    decoder = json.JSONDecoder()
    gathered = _Gathered()
    numbers = itertools.count(1)
    at = 0
    try:
        while (at := _next(text, at)) < len(text):
            value, at = decoder.raw_decode(text, at)
            for request, shown in _classes_in(value):
                gathered.take(request, next(numbers), shown)
    except (ValueError, RecursionError):
        return None
    return gathered.build("entry")


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n\ufeff":
        at += 1
    return at


def _classes_in(value: object, key: str = "", depth: int = 0) -> Iterator[tuple[ClassRequest | None, str]]:
    """The classes of a JSON value: of each, or None and the text in which none was found."""
    if isinstance(value, dict) and depth < _DEEPEST:
        row = {_word(name): str(cell) for name, cell in value.items() if isinstance(cell, str | int)}
        wnid = next((word for word in _CLASS_HEADS if word in row), None)
        if wnid is not None:
            request = named(row[wnid])
            label = next((row[word] for word in _LABEL_HEADS if word in row and word != wnid), "")
            yield labelled(request, label) if request else None, row[wnid]
            return
        for name, inner in value.items():
            yield from _classes_in(inner, name, depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST:
        texts = depth > 0 and all(isinstance(cell, str) for cell in value)
        request = of_fields([key, *value], ",") if texts else None
        if request is not None:
            yield request, key
            return
        for inner in value:
            yield from _classes_in(inner, "", depth + 1)
    else:
        shown = value if isinstance(value, str) else key
        yield (of_fields([key, str(value)], ",") if key else parse_class(str(value))), shown or str(value)

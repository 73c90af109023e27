"""Tencent ML-Images' `train_urls.txt`: a URL and numbered labels a line, `http://… 4097:1 4089:1 …`.

The labels' numbers are those of its `dictionary_and_semantic_hierarchy.txt`, without which nothing can be known of them
(https://github.com/Tencent/tencent-ml-images). Its other file, with ImageNet's numbers before the URLs, is of the form
`index`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scraper.model import Oddity
from scraper.planning.forms.interface import Category, Gatherer, UnclearError
from scraper.planning.lines.encodings import decode
from scraper.planning.lines.streams import first_lines, lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scraper.planning.forms.interface import Form, Hints, Piece
    from scraper.planning.lines.oddities import Oddities
    from scraper.planning.lines.streams import Readable, Stream

DICTIONARY: Final = "dictionary_and_semantic_hierarchy.txt"
_LINE: Final = re.compile(rb"(https?://\S+)((?:\s+[0-9]+:[0-9.]+)+)\s*", re.IGNORECASE)
_ENTRY: Final = re.compile(rb"([0-9]+)\t(n[0-9]{8})\t(-?[0-9]+)\t")
_BREATH: Final = 5000
_LOOKED_AT: Final = 200


class Tencent:
    """Lines of a URL and numbered labels, with the dictionary that says what the numbers mean."""

    name = "tencent"
    told = "lines of `URL label:confidence ...` with Tencent's dictionary"

    def __init__(self, dictionary: Mapping[str, Category]) -> None:
        """With the classes by their numbers."""
        self._dictionary = dictionary

    def pieces(self, stream: Readable, odd: Oddities) -> Iterator[Piece]:
        """Each line once for each class that it is of."""
        gatherer = Gatherer()
        for number, line in enumerate(lines(stream), start=1):
            match = _LINE.fullmatch(line)
            classes = self._classes(match[2]) if match else []
            for wnid in classes:
                yield from gatherer.add(wnid, match[1] if match else b"")
            if not classes and line.strip():
                odd.add(Oddity.NO_CLASS if match else Oddity.BROKEN, decode(line))
            if number % _BREATH == 0:
                yield None, b""
        yield from gatherer.rest()

    def _classes(self, labels: bytes) -> list[bytes]:
        """The classes that labels mean. A class above another one of them is there only because of that one."""
        numbers = [label.partition(":")[0] for label in labels.decode("ascii").split()]
        above = {self._dictionary[number].parent for number in numbers if number in self._dictionary}
        return [
            self._dictionary[number].wnid.encode()
            for number in dict.fromkeys(numbers)
            if number in self._dictionary and number not in above
        ]

    def urls(self, lines: bytes) -> bytes:
        """The lines as they are: the URLs."""
        return lines


def read_dictionary(stream: Stream) -> dict[str, Category]:
    """The classes of Tencent's dictionary by their numbers; empty where it is none."""
    matches = (_ENTRY.match(line) for line in lines(stream))
    return {m[1].decode(): Category(m[2].decode(), m[3].decode()) for m in matches if m}


def recognise(stream: Stream, hints: Hints) -> tuple[Form, float] | None:
    """Whether the first lines are of this form."""
    if hints.columns or hints.of_one_class:
        return None
    seen = first_lines(stream, _LOOKED_AT)
    matching = sum(_LINE.fullmatch(line) is not None for line in seen)
    if not matching or matching * 2 < len(seen):
        return None
    if not hints.dictionary:
        raise UnclearError(f"its labels are Tencent's numbers: put Tencent's {DICTIONARY} beside it")
    return Tencent(hints.dictionary), matching / len(seen)

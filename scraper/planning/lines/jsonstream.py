"""JSON as a stream: what stands in the outermost arrays and objects of a text, one after the other."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.planning.lines.streams import Readable

_SPACE: Final = re.compile(r"[\s\ufeff\x1e]*")
_LARGEST: Final = 8 * 2**20
"""Characters of one value inside the text, an array of URLs say; more of it is not held."""
_ROW: Final = 64
"""Fields that one row may have; an object with more is a map."""
_STEP: Final = 2**17
_LONGEST_STEP: Final = 2**22


class BrokenJsonError(Exception):
    """From here on it is no JSON."""


class Values:
    """The values of a JSON text, as a stream of what stands in its outermost arrays and objects."""

    def __init__(self, stream: Readable, *, partial: bool = False) -> None:
        """For a text; a `partial` one ends anywhere, which is no fault."""
        self._stream = stream
        self._partial = partial
        self._text = ""
        self._at = 0
        self._ended = False
        self._step = _STEP
        # What is not UTF-8 goes on as the bytes it was, for whoever reads the URL.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        self._json = json.JSONDecoder()

    def __iter__(self) -> Iterator[tuple[str, object]]:
        """Each value with its key, empty where it has none; an object of few fields, at the outermost, as a whole.

        Raises:
            BrokenJsonError: the text is no JSON from some place on.
        """
        while self._next():
            opening = self._text[self._at]
            if opening == "[":
                yield from (("", value) for value in self._array())
            elif opening == "{":
                yield from self._object()
            else:
                yield "", self._value()
            if self._next() == ",":  # a value a line, with commas
                self._at += 1

    def _array(self) -> Iterator[object]:
        self._at += 1
        while (mark := self._next()) != "]":
            if not mark:
                self._end_early()
                return
            yield self._value()
            if self._next() == ",":
                self._at += 1
            elif self._next() not in ("]", ""):
                raise BrokenJsonError
        self._at += 1

    def _object(self) -> Iterator[tuple[str, object]]:
        self._at += 1
        row: dict[str, object] = {}
        nested = False
        while (mark := self._next()) != "}":
            if not mark:
                self._end_early()
                break
            key = self._value()
            if not isinstance(key, str) or self._next() not in (":", ""):
                raise BrokenJsonError
            self._at += 1
            if self._next() == "[":
                nested = True
                yield from ((key, value) for value in self._array())
            else:
                row[key] = self._value()
            if len(row) > _ROW:
                yield from row.items()
                row.clear()
                nested = True
            if self._next() == ",":
                self._at += 1
            elif self._next() not in ("}", ""):
                raise BrokenJsonError
        self._at += 1
        if nested:
            yield from row.items()
        elif row:
            yield "", row

    def _end_early(self) -> None:
        if not self._partial:
            raise BrokenJsonError

    def _next(self) -> str:
        """The next character that is not blank, which stays; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _value(self) -> object:
        """The next value."""
        self._next()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except RecursionError:
                raise BrokenJsonError from None
            except ValueError:
                if len(self._text) - self._at > _LARGEST or not self._more():
                    return self._cut()
                continue
            if end < len(self._text) or self._ended or not self._more():  # a number at the end may go on
                self._at = end
                return value

    def _cut(self) -> object:
        if self._partial and self._ended:
            self._at = len(self._text)
            return None
        raise BrokenJsonError

    def _more(self) -> bool:
        """Read on; twice as much as before where a value needs it, so that a long one is not begun again too often."""
        if self._ended:
            return False
        if self._at:
            self._text, self._at, self._step = self._text[self._at :], 0, _STEP
        else:
            self._step = min(2 * self._step, _LONGEST_STEP)
        piece = self._stream.read(self._step)
        self._text += self._decoder.decode(piece, final=not piece)
        self._ended = not piece
        return bool(piece)

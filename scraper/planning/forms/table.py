"""Tables: CSV and TSV, with a head or none, quoted or not, the class in some column and the URL in another."""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.flickr import photo_id
from scraper.model import Oddity
from scraper.planning.forms.interface import CLASS_HEADS, URL_HEADS, WNID, Gatherer, UnclearError, wnid_in
from scraper.planning.lines.encodings import decode
from scraper.planning.lines.streams import first_lines, lines
from scraper.texts import one_line
from scraper.urls import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scraper.planning.forms.interface import Form, Hints, Piece
    from scraper.planning.lines.oddities import Oddities
    from scraper.planning.lines.streams import Readable, Stream

_SEPARATORS: Final = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars", " ": "spaces"}
_URL: Final = re.compile(BEGINNING, re.IGNORECASE | re.ASCII)
_LOOKED_AT: Final = 200
_LONGEST_ROW: Final = 50
"""Lines that the quotes of one row may hold; where they hold more, they were never meant to."""
_BREATH: Final = 5000
"""Rows after which time is given to breathe."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose columns are known: their places from 0, and whether there is a head."""

    separator: str
    url: int
    wnid: int | None
    head: tuple[str, ...] = ()
    name: str = "table"

    @property
    def told(self) -> str:
        """The columns, in words."""
        where = f"URL in {self._called(self.url)}"
        if self.wnid is not None:
            where += f", class in {self._called(self.wnid)}"
        return f"a table by {_SEPARATORS[self.separator]}, {where}"

    def _called(self, column: int) -> str:
        return f"column {one_line(self.head[column], 30)!r}" if column < len(self.head) else f"column {column + 1}"

    def pieces(self, stream: Readable, odd: Oddities) -> Iterator[Piece]:
        """Rows of one class that follow each other."""
        gatherer = Gatherer()
        for number, (cells, line) in enumerate(self._rows(stream)):
            taken = self.take(cells)
            if isinstance(taken, tuple):
                yield from gatherer.add(*taken)
            elif number or not self.head:
                odd.add(taken, line)
            if number % _BREATH == 0:
                yield None, b""
        yield from gatherer.rest()

    def take(self, cells: Sequence[str]) -> tuple[bytes | None, bytes] | Oddity:
        """The class and the URL of a row, or what is odd about it."""
        if len(cells) <= max(self.url, self.wnid or 0):
            return Oddity.BROKEN
        url = cells[self.url].strip().replace("\n", " ").encode("utf-8", "surrogatepass")
        if not url:
            return Oddity.NO_URL
        if self.wnid is None:
            return None, url
        name = wnid_in(cells[self.wnid])
        if name is None:
            told = cells[self.wnid].strip()
            return Oddity.CLASS_NAME if told and not told.isdigit() else Oddity.NO_CLASS
        return name, url

    def _rows(self, stream: Readable) -> Iterator[tuple[list[str], str]]:
        """The rows that are not blank, with the first line of each."""
        source = lines(stream)
        again: deque[str] = deque()
        while (line := again.popleft() if again else _text(next(source, None))) is not None:
            if not line.strip():
                continue
            cells, closed = split(line, self.separator)
            if not closed and not isinstance(self.take(cells), tuple):
                held = [line]
                whole = self._closed(held, source, again)
                if whole is None:
                    again.extendleft(reversed(held[1:]))
                cells = whole or line.split(self.separator)
            yield cells, line

    def _closed(self, held: list[str], source: Iterator[bytes], again: deque[str]) -> list[str] | None:
        """The cells of a row whose quotes go on over the next lines, which are put into `held`.

        None where a line of them is a row of its own: the quote was no quote, and must not swallow rows.
        """
        while len(held) < _LONGEST_ROW:
            line = again.popleft() if again else _text(next(source, None))
            if line is None:
                return None
            held.append(line)
            cells, closed = split("\n".join(held), self.separator)
            if closed and isinstance(self.take(cells), tuple):
                return cells
            if isinstance(self.take(split(line, self.separator)[0]), tuple):
                return None
        return None

    def urls(self, lines: bytes) -> bytes:
        """The lines as they are: the URLs."""
        return lines


def _text(line: bytes | None) -> str | None:
    return None if line is None else decode(line)


def split(text: str, separator: str) -> tuple[list[str], bool]:
    """The cells of a row, and whether its quotes are as CSV wants them and closed (RFC 4180)."""
    if separator == " ":
        return text.split(), True
    if '"' not in text:
        return text.split(separator), True
    for strict in (True, False):
        try:
            return next(csv.reader([text], delimiter=separator, strict=strict)), strict
        except (csv.Error, StopIteration):
            pass
    return text.split(separator), False


# --- knowing one -----------------------------------------------------------------------------------------------------


def recognise(stream: Stream, hints: Hints) -> tuple[Form, float] | None:
    """Whether the first lines are a table, and which columns of it matter."""
    seen = [decode(line) for line in first_lines(stream, _LOOKED_AT)]
    best: tuple[Form, float] | None = None
    unclear: UnclearError | None = None
    for separator in _SEPARATORS:
        try:
            found = _Columns(seen, separator, hints).table()
        except UnclearError as error:
            unclear = unclear or error
            continue
        if found is not None and (best is None or found[1] > best[1]):
            best = found
    if best is None and unclear is not None:
        raise unclear
    return best


class _Columns:
    """The first rows of what may be a table, by columns."""

    def __init__(self, seen: Sequence[str], separator: str, hints: Hints) -> None:
        self._separator = separator
        self._hints = hints
        rows = [split(line, separator)[0] for line in seen]
        self._width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
        headed = bool(rows) and not any(_URL.match(cell) for cell in rows[0])
        self._head = tuple(cell.strip() for cell in rows[0]) if headed else ()
        self._rows = rows[1:] if headed else rows
        self._columns = [[row[at] if at < len(row) else "" for row in self._rows] for at in range(self._width)]

    def table(self) -> tuple[Form, float] | None:
        """The table and the share of its rows that have all they need; None where it is none."""
        if self._width < 2 or not self._rows:
            return None
        told = self._hints.columns
        url = self._told(told.url) if told.url else self._url()
        if url is None:
            return None
        wnid = self._told(told.wnid) if told.wnid else self._wnid(url)
        if wnid is None and (told.wnid or not self._hints.of_one_class):
            return None
        if wnid is None and not told.url and url == 0 and self._by_head([url], URL_HEADS) is None:
            return None  # lines of a URL, and of what may be a part of it
        table = Table(self._separator, url, wnid, self._head)
        good = sum(isinstance(table.take(row), tuple) and _URL.match(row[url]) is not None for row in self._rows)
        return table, good / len(self._rows)

    def _told(self, name: str) -> int | None:
        """The place of a column that the user named."""
        heads = [head.lower() for head in self._head]
        if name.lower() in heads:
            return heads.index(name.lower())
        if name.isdigit() and 1 <= int(name) <= self._width:
            return int(name) - 1
        if self._head or self._width > 2:
            raise UnclearError(f"it has no column {name!r}; its columns are {self._names()}")
        return None

    def _url(self) -> int | None:
        """The column that holds the URLs."""
        shares = self._shares(lambda cell: _URL.match(cell) is not None)
        if len(shares) < 2:
            return next(iter(shares), None)
        headed = self._by_head(list(shares), URL_HEADS)
        if headed is not None:
            return headed
        images = self._shares(lambda cell: photo_id(cell.strip()) is not None)
        if len(images) != 1:
            raise UnclearError(
                f"several of its columns hold URLs ({self._names(shares)}): say which with --columns url=NAME"
            )
        return next(iter(images))

    def _wnid(self, url: int) -> int | None:
        """The column that names the class."""
        shares = self._shares(lambda cell: WNID.search(cell) is not None)
        shares.pop(url, None)
        if not shares:
            self._without_class(url)
            return None
        plain = [at for at in shares if all(WNID.fullmatch(cell.strip()) for cell in self._columns[at] if cell.strip())]
        among = plain or list(shares)
        headed = self._by_head(among, CLASS_HEADS)
        if headed is not None:
            return headed
        if any(wnid_in(row[among[0]]) != wnid_in(row[at]) for at in among[1:] for row in self._rows if at < len(row)):
            raise UnclearError(
                f"several of its columns hold wnids ({self._names(among)}): say which with --columns class=NAME"
            )
        return among[0]

    def _without_class(self, url: int) -> None:
        if self._hints.of_one_class:
            return
        named = self._by_head([at for at in range(self._width) if at != url], CLASS_HEADS)
        if named is not None and (example := next((cell for cell in self._columns[named] if cell.strip()), "")):
            raise UnclearError(
                f"its column {one_line(self._head[named], 30)!r} holds names such as "
                f"{one_line(example.strip(), 40)!r}, where wnids such as n01440764 are needed; say with --columns "
                "class=NAME if another column has them"
            )
        if self._separator != " ":
            raise UnclearError(
                f"none of its columns ({self._names()}) names a class: say with --columns class=NAME which one does, "
                "or call the file after its one class, as in n01440764.csv"
            )

    def _shares(self, holds: Callable[[str], bool]) -> dict[int, float]:
        """The columns of which most cells are so, and what share of them."""
        shares = {at: sum(map(holds, column)) / len(column) for at, column in enumerate(self._columns)}
        return {at: share for at, share in shares.items() if share >= 0.5}

    def _by_head(self, among: Sequence[int], heads: Sequence[str]) -> int | None:
        words = {at: re.sub(r"[\s-]+", "_", self._head[at].lower()) for at in among if at < len(self._head)}
        return next((at for head in heads for at, word in words.items() if word == head), None)

    def _names(self, among: Sequence[int] | dict[int, float] | None = None) -> str:
        places = list(among) if among is not None else list(range(self._width))
        return ", ".join(one_line(self._head[at], 30) if at < len(self._head) else str(at + 1) for at in places[:20])

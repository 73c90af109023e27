"""JSON: arrays, maps, a value a line; rows with the URL and the class, URLs by class, or URLs by the image's path.

Those in the wild are ImageNetV2's search results (an array of rows), V3Det's map of paths to URLs and the answers of
DoltHub (rows inside an object). They are read as a stream: of a file, one row is held at a time.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from scraper.model import Oddity
from scraper.planning.forms.interface import CLASS_HEADS, URL_HEADS, WNID, Gatherer, UnclearError, wnid_in
from scraper.planning.lines.jsonstream import BrokenJsonError, Values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scraper.planning.forms.interface import Form, Hints, Piece
    from scraper.planning.lines.oddities import Oddities
    from scraper.planning.lines.streams import Readable, Stream
    from scraper.records import Columns

_URL: Final = re.compile(r"\s*(?:https?:)?//|\s*(?:[a-z0-9-]+\.)+[a-z]{2,}/", re.IGNORECASE)
_AROUND: Final = frozenset({"schema", "info", "licenses", "categories", "annotations"})
"""Keys of what stands around the rows in answers and datasets."""
_BREATH: Final = 5000
_ENOUGH: Final = 50


class JsonValues:
    """A list in JSON."""

    name = "json"
    told = "JSON"

    def __init__(self, columns: Columns) -> None:
        """With the keys of rows as the user named them, if at all."""
        self._columns = columns

    def pieces(self, stream: Readable, odd: Oddities) -> Iterator[Piece]:
        """Rows of one class that follow each other."""
        gatherer = Gatherer()
        try:
            for number, (key, value) in enumerate(Values(stream), start=1):
                for taken in self.take(key, value):
                    if isinstance(taken, Oddity):
                        odd.add(taken, _shown(key, value))
                    else:
                        yield from gatherer.add(*taken)
                if number % _BREATH == 0:
                    yield None, b""
        except BrokenJsonError:
            odd.add(Oddity.BROKEN, "the JSON ends or breaks off before its end")
        yield from gatherer.rest()

    def take(self, key: str, value: object) -> Iterator[tuple[bytes | None, bytes] | Oddity]:
        """The classes and URLs of a value, or what is odd about it."""
        if key in _AROUND:
            return
        if isinstance(value, dict):
            yield from self._of_row(key, {str(name): cell for name, cell in value.items()})
        elif isinstance(value, list):
            yield from self._of_cells(key, value)
        elif isinstance(value, str) and _URL.match(value):
            yield wnid_in(key), _bytes(value)
        elif isinstance(value, str) and (not key or WNID.search(key)):
            yield Oddity.NO_URL
        # Anything else is what stands around the list: a status, a count.

    def _of_row(self, key: str, row: Mapping[str, object]) -> Iterator[tuple[bytes | None, bytes] | Oddity]:
        if any(WNID.search(name) for name in row):  # a map, and not a row
            for name, cell in row.items():
                yield from self.take(name, cell)
            return
        url = self._url(row)
        if url is None:
            yield Oddity.NO_URL
            return
        told = self._class(row, url)
        wnid = wnid_in(told or "") or wnid_in(key)
        if wnid is None and told and not told.isdigit():
            yield Oddity.CLASS_NAME
        else:
            yield wnid, _bytes(str(row[url]))

    def _of_cells(self, key: str, cells: list[object]) -> Iterator[tuple[bytes | None, bytes] | Oddity]:
        texts = [cell for cell in cells if isinstance(cell, str)]
        urls = [text for text in texts if _URL.match(text)]
        named = (wnid_in(text) for text in [*texts, key] if text not in urls)
        wnid = next((found for found in named if found is not None), None)
        if urls:
            yield from ((wnid, _bytes(url)) for url in urls)
        else:
            yield Oddity.NO_URL

    def _url(self, row: Mapping[str, object]) -> str | None:
        """The key of a row's URL."""
        if self._columns.url is not None:
            return self._columns.url if isinstance(row.get(self._columns.url), str) else None
        urls = [name for name, cell in row.items() if isinstance(cell, str) and _URL.match(cell)]
        if len(urls) > 1:
            lower = {name.lower(): name for name in reversed(urls)}
            return next((lower[head] for head in URL_HEADS if head in lower), urls[0])
        return urls[0] if urls else None

    def _class(self, row: Mapping[str, object], url: str) -> str | None:
        """The text of a row that names its class; a name where no field holds a wnid."""
        if self._columns.wnid is not None:
            told = row.get(self._columns.wnid)
            return str(told) if isinstance(told, str | int) else None
        lower = {name.lower(): cell for name, cell in row.items() if name != url and isinstance(cell, str)}
        heads = [head for head in CLASS_HEADS if head in lower]
        holding = [head for head in (*heads, *lower) if WNID.search(lower[head])]
        named = [head for head in ("wnid", "synset", "class", "category", "label", "name") if head in lower]
        return lower[holding[0]] if holding else lower[named[0]] if named else None

    def urls(self, lines: bytes) -> bytes:
        """The lines as they are: the URLs."""
        return lines


def _bytes(url: str) -> bytes:
    """A URL on one line, its bytes as they were."""
    return " ".join(url.split()).encode("utf-8", "surrogateescape" if _LONE.search(url) else "strict")


_LONE: Final = re.compile("[\udc80-\udcff]")


def _shown(key: str, value: object) -> str:
    text = json.dumps(value)[:200] if not isinstance(value, str) else value
    return f"{key}: {text}" if key else text


def recognise(stream: Stream, hints: Hints) -> tuple[Form, float] | None:
    """Whether the list begins as JSON, and holds what can be read."""
    if not stream.sample.lstrip().startswith((b"[", b"{")):
        return None
    form = JsonValues(hints.columns)
    good = bad = 0
    names: list[str] = []
    try:
        for key, value in Values(_Sample(stream.sample), partial=not stream.whole):
            for taken in form.take(key, value):
                classed = isinstance(taken, tuple) and (taken[0] is not None or hints.of_one_class)
                good, bad = good + classed, bad + (not classed)
                if taken is Oddity.CLASS_NAME:
                    names.append(_shown(key, value))
            if good + bad >= _ENOUGH:
                break
    except BrokenJsonError:
        if not good:
            return None
    if not good:
        _explain(hints, names)
        return None
    return form, good / (good + bad)


def _explain(hints: Hints, names: list[str]) -> None:
    if names:
        raise UnclearError(
            f"its rows name classes by other names than wnids, as in {names[0][:120]}; say with --columns class=KEY if "
            "another key has them"
        )
    if not hints.of_one_class:
        raise UnclearError(
            "it is JSON, but has no URL with a wnid beside it: say with --columns url=KEY,class=KEY where they are"
        )


class _Sample:
    """The beginning of a list, to be read."""

    def __init__(self, sample: bytes) -> None:
        self._left = sample

    def read(self, size: int, /) -> bytes:
        given, self._left = self._left[:size], self._left[size:]
        return given

"""Which form a list has, by its first lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scraper.planning.forms import index, json_values, table, tencent, urls
from scraper.planning.forms.interface import UnclearError
from scraper.planning.forms.urls import Urls
from scraper.planning.lines.encodings import decode
from scraper.planning.lines.streams import first_lines
from scraper.texts import one_line

if TYPE_CHECKING:
    from scraper.planning.forms.interface import Form, Hints, Recogniser
    from scraper.planning.lines.streams import Stream

_FORMS: Final[tuple[Recogniser, ...]] = (
    json_values.recognise,
    index.recognise,
    tencent.recognise,
    table.recognise,
    urls.recognise,
)
"""Every form; of those that fit alike, the first is taken."""
LEAST: Final = 0.1
"""Share of the first lines that must have a form, for a list whose lines name their classes."""

_OTHER_THINGS: Final = (
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x89PNG", "a picture"),
    (b"GIF8", "a picture"),
    (b"%PDF", "a PDF"),
    (b"PAR1", "a Parquet file"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it"),
    (b"Rar!", "a RAR archive: unpack it"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it"),
    (b"\x1f\x9d", "packed with compress: unpack it"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet or document: save it as CSV"),
)
_PAGES: Final = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")


class NotAListError(Exception):
    """What was read is no list of URLs that is known; the message says what it is instead, or what to do."""


def detect(stream: Stream, hints: Hints) -> Form:
    """The form of a list, which the first of its lines show.

    Raises:
        NotAListError: it is none, or more must be said to read it.
    """
    found: list[tuple[Form, float]] = []
    unclear: UnclearError | None = None
    for recognise in _FORMS:
        try:
            one = recognise(stream, hints)
        except UnclearError as error:
            unclear = unclear or error
            continue
        if one is not None:
            found.append(one)
    if hints.of_one_class and not hints.columns:
        return max(found, key=lambda one: one[1])[0] if found else Urls()
    classed = [one for one in found if one[0].name != Urls.name and one[1] >= LEAST]
    if classed:
        return max(classed, key=lambda one: one[1])[0]
    if unclear is not None:
        raise NotAListError(str(unclear))
    if found and max(found, key=lambda one: one[1])[1] >= LEAST:
        raise NotAListError(
            "it lists URLs, but says nowhere of which class: call it after its class, as in n01440764.txt"
        )
    raise NotAListError(what_else(stream))


def what_else(stream: Stream) -> str:
    """What a thing is that is no list, in words."""
    start = stream.sample
    for magic, name in _OTHER_THINGS:
        if start.startswith(magic):
            return f"it is {name}"
    if start.lstrip()[:200].lower().startswith(_PAGES):
        return "it is a web page"
    if not start.strip():
        return "it is empty"
    if b"\0" in start:
        return "it is no text"
    line = one_line(decode(next(iter(first_lines(stream, 1)), b"")), 60)
    return f"its lines hold no URLs with classes; the first is {line!r}"

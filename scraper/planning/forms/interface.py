"""What a form of lists must give: a way to be known by its first lines, and a reader."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from scraper.records import Columns
from scraper.urls import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scraper.planning.lines.oddities import Oddities
    from scraper.planning.lines.streams import Readable, Stream

Piece: TypeAlias = tuple[bytes | None, bytes]
"""Some lines of a list, and the class that they are of; None where they do not say. Without lines, time to breathe."""

BEGINS: Final = re.compile(BEGINNING.encode(), re.IGNORECASE)
"""How a URL begins in a list, with a scheme or without."""
WNID: Final = re.compile(r"(?<![A-Za-z0-9])[nN]([0-9]{8})(?![0-9])", re.ASCII)
"""A wnid in a text: by itself, before an image's number, or as a part of a path."""

CLASS_HEADS: Final = (
    "wnid", "wordnet_id", "synset_id", "synset", "synid", "class_id", "classid", "category_id", "class", "category",
    "image_id", "imageid", "id", "file_name", "filename", "file", "path", "folder", "name", "label",
)  # fmt: skip
"""Heads of columns that hold a wnid in some way, the likelier first."""
URL_HEADS: Final = (
    "url", "image_url", "imageurl", "flickr_url", "img_url", "urls", "link", "original_url", "originalurl", "url_o",
    "src", "href", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of a list besides its lines.

    Attributes:
        columns: what the user said of them.
        of_one_class: whether all of it is of one class that is known, so that its lines need not say.
        dictionary: classes by the numbers that Tencent's lists have for them.
    """

    columns: Columns = field(default_factory=Columns)
    of_one_class: bool = False
    dictionary: Mapping[str, Category] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Category:
    """A class of Tencent's dictionary, and the number of the one above it."""

    wnid: str
    parent: str


class Form(Protocol):
    """One form of lists, as it was found in one list."""

    @property
    def name(self) -> str:
        """Its short name, for the record."""
        ...

    @property
    def told(self) -> str:
        """What its lines are, in words."""
        ...

    def pieces(self, stream: Readable, odd: Oddities) -> Iterator[Piece]:
        """The lines of a list to its end, in order, some at a time; those that are odd are counted instead.

        Never more than some hundred kilobytes are held. Raises what reading the stream does.
        """
        ...

    def urls(self, lines: bytes) -> bytes:
        """What the lines of a piece hold, a line each, that begins with the URL. Asked for wanted classes only."""
        ...


class Recogniser(Protocol):
    """Knows a form by the first lines of a list."""

    def __call__(self, stream: Stream, hints: Hints) -> tuple[Form, float] | None:
        """The form as it is in this list, and the share of its first lines that have it; None where it has another.

        Raises:
            UnclearError: it has the form, but what its parts are cannot be told without the user.
        """
        ...


class UnclearError(Exception):
    """A list that has a known form, but cannot be read without more being said: the message says what."""


def wnid_in(text: str) -> bytes | None:
    """The wnid in a text, None where there is none.

    >>> wnid_in("N01440764"), wnid_in("images/n01440764/1.jpg"), wnid_in("tench")
    (b'n01440764', b'n01440764', None)
    """
    match = WNID.search(text)
    return b"n" + match[1].encode() if match else None


class Gatherer:
    """Joins lines of one class that follow each other, so that they are read on together."""

    def __init__(self) -> None:
        """With none."""
        self._name: bytes | None = None
        self._lines: list[bytes] = []

    def add(self, name: bytes | None, line: bytes) -> Iterator[Piece]:
        """Take in a line without its end; gives out what came before where that is of another class, or is much."""
        if self._lines and (name != self._name or len(self._lines) >= _TOGETHER):
            yield from self.rest()
        self._name = name
        self._lines.append(line)

    def rest(self) -> Iterator[Piece]:
        """What was not given out."""
        if self._lines:
            yield self._name, b"\n".join(self._lines) + b"\n"
            self._lines = []


_TOGETHER: Final = 2000
"""Lines that are joined at most."""

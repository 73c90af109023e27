"""The store's door: what may be the name of a file or folder below the output folder, whoever asks for it.

Names come from lists, manifests and journals, all of which others may have written. A `Place` cannot be made of one
that would lead elsewhere, so that whatever takes places need not look again.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.errors import UnsafeNameError
from scraper.flickr import distinct_name
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTIAL: Final = ".partial"
"""The folder in the output folder where runs keep what is not finished; no `Place` is in it."""
_DEVICE: Final = r"(?:[Cc][Oo][Nn]|[Pp][Rr][Nn]|[Aa][Uu][Xx]|[Nn][Uu][Ll]|[Cc][Oo][Mm][0-9]|[Ll][Pp][Tt][0-9])(?:\.|$)"
"""https://learn.microsoft.com/windows/win32/fileio/naming-a-file: these are no files, with any extension."""
_NAME: Final = re.compile(rf"(?!{_DEVICE})[A-Za-z0-9_](?:[A-Za-z0-9._-]{{0,148}}[A-Za-z0-9_-])?")
"""No separator, NUL, space or letter of another case in another system; neither hidden nor `.` nor `..`."""


def checked(name: str) -> str:
    """The name of a file or folder, as it is.

    Raises:
        UnsafeNameError: it is not one that we would ever give.

    >>> checked("2737866473_7958dc8760.jpg")
    '2737866473_7958dc8760.jpg'
    """
    if _NAME.fullmatch(name) is None:
        raise UnsafeNameError(f"{one_line(ascii(name), 80)} can be no name of a file or folder of ours")
    return name


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image is, or would be: its class's folder and its name there.

    Raises:
        UnsafeNameError: one of them leads elsewhere.

    >>> str(Place.of("n01440764/1_a.jpg"))
    'n01440764/1_a.jpg'
    """

    folder: str
    name: str

    def __post_init__(self) -> None:
        checked(self.folder)
        checked(self.name)

    @classmethod
    def of(cls, path: str) -> Place:
        """The place that a path relative to the output folder tells.

        Raises:
            UnsafeNameError: it is not a folder and a name.
        """
        folder, _, name = path.partition("/")
        return cls(folder, name)

    def __str__(self) -> str:
        return f"{self.folder}/{self.name}"


def names_for(filename: str, url: str) -> Iterator[str]:
    """The names that a URL's image may get, the next where one is taken: the same in every run, without an end."""
    yield filename
    first = distinct_name(filename, url)
    if first != filename:  # which may be of that form already
        yield first
    for number in itertools.count(2):
        yield distinct_name(filename, f"{number} {url}")

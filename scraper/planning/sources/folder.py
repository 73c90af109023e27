"""A folder with a list for each class, in a file that bears its name: `n01440764.txt`, and what people make of that."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.manifest.access.lists import ListingTry
from scraper.model import ListingOutcome, Outcome, Wnid
from scraper.planning.forms.interface import WNID
from scraper.planning.lines.unpacking import damaged, members
from scraper.planning.listings import parse_answer
from scraper.planning.sources.api import LARGEST_LIST
from scraper.planning.sources.interface import Answers
from scraper.records import Listing
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from scraper.planning.sources.interface import Reading

_TOGETHER: Final = 0.2
"""Seconds of reading that are recorded together."""
_OTHER: Final = re.compile(
    r"\.(?:jpe?g|png|gif|webp|bmp|tiff?|xml|tar|db|db-wal|db-shm|lock|sqlite3?|py|sh|md|rst|html?|pdf|parquet|part)$",
    re.IGNORECASE,
)
"""What is no list, whatever class its name has: pictures, a tar of a class's pictures, annotations, a manifest."""


class Folder:
    """A folder of lists, read class by class."""

    whole = False
    local = True

    def __init__(self, path: Path, files: Mapping[Wnid, Path], reading: Reading) -> None:
        """For the files of the classes in the folder `path`."""
        self.name = str(path)
        self._files = files
        self._reading = reading

    def lists(self, wanted: Sequence[Wnid]) -> Generator[Answers, None, None]:
        """Read the list of each class that has a file."""
        tries: list[ListingTry] = []
        settled: list[tuple[Wnid, Listing]] = []
        next_time = time.monotonic() + _TOGETHER
        for wnid in wanted:
            if wnid not in self._files:
                continue
            started_at, began = time.time(), time.monotonic()
            listing = self._read(wnid)
            ended = time.monotonic()
            path, seconds = str(self._files[wnid]), round(ended - began, 6)
            tried = ListingTry(
                wnid=wnid,
                number=1,
                started_at=started_at,
                seconds=seconds,
                status=None,
                outcome=listing.outcome,
                url=path,
                error=listing.error,
            )
            tries.append(tried)
            settled.append((wnid, listing))
            if ended >= next_time:
                yield Answers(tries, settled)
                tries, settled, next_time = [], [], ended + _TOGETHER
        yield Answers(tries, settled)

    def _read(self, wnid: Wnid) -> Listing:
        path = self._files[wnid]
        try:
            with contextlib.closing(members(path)) as inside:
                member = next(inside, None)
                body = member.stream.read_all(LARGEST_LIST + 1) if member is not None else b""
        except damaged() as error:
            return Listing(ListingOutcome.UNREADABLE, error=f"{path.name}: {one_line(str(error))}")
        if len(body) > LARGEST_LIST:
            return Listing(Outcome.TOO_LARGE, error=f"{path.name} is larger than 64 MiB")
        return parse_answer(
            body,
            hosts=self._reading.hosts,
            shuffle=self._reading.seed(wnid),
            wnid=wnid,
            columns=self._reading.columns,
        )


def class_of(name: str) -> Wnid | None:
    """The class whose list a file is by its name: `n01440764.txt`, `synset_urls_n01440764.txt`, `…wnid=n01440764`."""
    found = {match.lower() for match in WNID.findall(os.path.basename(name))}  # noqa: PTH119 - a name in an archive too
    return Wnid(f"n{found.pop()}") if len(found) == 1 else None


def scan(path: Path) -> tuple[dict[Wnid, Path], list[Path]]:
    """The lists in a folder: one for each class by its name, and files that may be lists of many classes.

    Raises:
        OSError: the folder cannot be read.
    """
    by_class: dict[Wnid, Path] = {}
    others: list[Path] = []
    for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
        if entry.name.startswith(".") or _OTHER.search(entry.name) or not entry.is_file():
            continue
        wnid = class_of(entry.name)
        if wnid is None:
            others.append(Path(entry.path))
        elif wnid not in by_class or _likelier(wnid, entry.name, by_class[wnid].name):
            by_class[wnid] = Path(entry.path)
    return by_class, others


def _likelier(wnid: Wnid, name: str, other: str) -> bool:
    """Whether of two files of a class the first is the likelier list: the plain name, else the shorter one."""
    usual = f"{wnid}.txt"
    return (name != usual, len(name), name) < (other != usual, len(other), other)

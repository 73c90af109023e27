"""What plan and drop are asked to do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scraper.config import DEFAULT_SOURCE, MOST_PER_CLASS, THREADS, USUAL_N, USUAL_SURVIVAL
from scraper.errors import OptionError
from scraper.flickr import FLICKR_DOMAINS
from scraper.kinds import Choice, Domains, FilePath, Flag, Kind, Number, Text, Whole, items
from scraper.model import Labels
from scraper.options import Options, group, option
from scraper.records import Columns
from scraper.web.options import NetworkOptions

OVERSAMPLE: Final = 1.33
"""Candidates that may be tried at first, for each image wanted."""


class ColumnNames(Kind[Columns]):
    """Which columns of a table matter."""

    metavar = "COLUMNS"

    def take(self, given: object) -> Columns:
        """Read `url=NAME,class=NAME`, either alone too."""
        if isinstance(given, Columns):
            return given
        told: dict[str, str] = {}
        for item in items(given):
            what, equals, name = (part.strip() for part in item.partition("="))
            if what not in ("url", "class") or not equals or not name or what in told:
                raise ValueError(f"must be url=NAME,class=NAME, not {str(given)!r}")
            told[what] = name
        return Columns(told.get("url"), told.get("class"))

    def text(self, value: Columns) -> str:
        """The names by commas."""
        told = (("url", value.url), ("class", value.wnid))
        return ",".join(f"{what}={name}" for what, name in told if name is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions(Options):
    """What plan is asked to do."""

    n: int | None = option(
        None,
        Whole(1, MOST_PER_CLASS),
        f"images wanted for each class; without it, planned classes keep theirs and new ones get {USUAL_N}",
    )
    oversample: float = option(
        OVERSAMPLE, Number(1, 1000), "candidates that fetch may try at first, for each image wanted"
    )
    source: str | None = option(
        None,
        Text("SOURCE"),
        "where the lists are, by commas, tried in order for each class: a known list (api, fall11, ilsvrc), a URL with "
        f"{{wnid}} in it, a file or a folder of lists in any common form, packed or not; without it {DEFAULT_SOURCE}, "
        "or the lock of --lock alone",
    )
    columns: Columns = option(
        Columns(), ColumnNames(), "url=NAME,class=NAME: which columns of a table matter, by their heads or numbers"
    )
    hosts: tuple[str, ...] = option(FLICKR_DOMAINS, Domains(), "domains whose URLs become candidates, by commas")
    shuffle: str | None = option(
        None, Text("SEED"), "draw the order of candidates from this seed instead of keeping the list's"
    )
    yes: bool = option(default=False, kind=Flag(), help="download a known list however large it is, without asking")
    threads: int = option(8, THREADS, "requests at once")
    preset: str | None = option(
        None, Text("PRESET"), "plan the classes of a known set, or look for names among them; see scraper classes"
    )
    labels: Labels = option(
        Labels.LIST, Choice(Labels), "labels of the classes: WordNet's names, clean ones of ILSVRC's, or the list's own"
    )
    include_people: bool = option(
        default=False, kind=Flag(), help="take classes under person too, which hold slurs and judgements of people"
    )
    survival: float | None = option(
        None,
        Number(0, 1, above=True),
        f"share of URLs that still give an image, for the forecast; without it, as measured, or {USUAL_SURVIVAL:g}",
    )
    dry_run: bool = option(
        default=False, kind=Flag(), help="show the whole forecast, of every class, and leave nothing behind"
    )
    lock: Path | None = option(
        None,
        FilePath(Path),
        "make the dataset of a lock again: its URLs, kept only where the bytes are those of the lock; with --source, "
        "the rest of the lists comes behind them",
    )
    suppress: Path | None = option(
        None,
        FilePath(Path),
        "leave out for good what this file names, in the lines that forget --list prints: nothing of it is asked for",
    )
    network: NetworkOptions = group(NetworkOptions, "connections")

    def _agree(self) -> None:
        if self.lock is None:
            return
        if self.n is not None:
            raise OptionError("n", "contradicts --lock, which says how many images each class has: give -n later")
        if self.preset is not None:
            raise OptionError("preset", "contradicts --lock, whose classes are planned: name some to take only these")
        if self.oversample != OVERSAMPLE:
            raise OptionError("oversample", "contradicts --lock, of which every URL may be tried at first")
        if self.source is None and (self.shuffle is not None or self.columns != Columns()):
            option = "columns" if self.shuffle is None else "shuffle"
            raise OptionError(option, "is for lists, and --lock has none but with --source")

    @property
    def target(self) -> int:
        """Images wanted of a class that is new."""
        return USUAL_N if self.n is None else self.n

    @property
    def budget(self) -> int:
        """How many candidates of a class fetch may try at first: ceil(n x oversample)."""
        # Rounded first: 10 x 1.1 is 11.000000000000002 in binary floating point, and nobody means 12 by it.
        return math.ceil(round(self.target * self.oversample, 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class DropOptions(Options):
    """What drop is asked to do."""

    delete_images: bool = option(
        default=False, kind=Flag(), help="delete their images too, those whose files are as recorded"
    )
    out: Path = option(Path("images"), FilePath(Path, "FOLDER"), "folder of the images")

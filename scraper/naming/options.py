"""What classes is asked to show."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from scraper.config import MOST_PER_CLASS
from scraper.errors import OptionError
from scraper.flickr import FLICKR_DOMAINS
from scraper.kinds import Choice, Domains, Flag, Text, Texts, Whole
from scraper.options import Options, option


class ClassesFormat(enum.StrEnum):
    """How classes are shown."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"
    WNIDS = "wnids"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassesOptions(Options):
    """Which classes are shown, and how."""

    under: tuple[str, ...] = option((), Texts("NAMES"), "only what is under these, themselves too, by commas")
    leaves: bool = option(default=False, kind=Flag(), help="only classes that have no other class below them")
    preset: str | None = option(
        None, Text("PRESET"), "only the classes of a known set: ilsvrc2012, imagenette, imagewoof, imagenet-21k, ..."
    )
    search: str | None = option(None, Text("WORDS"), "only those with all these words in their names and glosses")
    without: tuple[str, ...] = option(
        (), Texts("NAMES"), "leave these out with all that is under them, by commas", flag="except"
    )
    min_urls: int | None = option(
        None, Whole(1, MOST_PER_CLASS), "only those with so many URLs on --hosts in the lists of --source"
    )
    source: str | None = option(None, Text("SOURCE"), "lists on this machine to count URLs in, as plan takes them")
    hosts: tuple[str, ...] = option(FLICKR_DOMAINS, Domains(), "domains whose URLs count, by commas")
    tree: bool = option(default=False, kind=Flag(), help="show them as a tree")
    format: ClassesFormat | None = option(
        None,
        Choice(ClassesFormat),
        "text, csv, json, or the ids alone, a line each, which plan reads; without it, text on a terminal, else ids",
    )

    def _agree(self) -> None:
        if self.tree and self.format not in (None, ClassesFormat.TEXT):
            raise OptionError("tree", f"is text, and --format is {self.format}: give one of them")
        if self.min_urls is not None and self.source is None:
            raise OptionError("min_urls", "counts in lists on this machine: give --source FILE or FOLDER")

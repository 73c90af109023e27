"""How many URLs the lists on this machine have for classes, before anything is planned."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from scraper.errors import InputError
from scraper.planning.sources.interface import Means, Reading, StartOverError
from scraper.planning.sources.opening import open_sources
from scraper.records import Columns
from scraper.running.crew import Stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scraper.model import Wnid
    from scraper.naming.options import ClassesOptions
    from scraper.planning.sources.interface import Source


def count_urls(wnids: Sequence[Wnid], options: ClassesOptions) -> dict[Wnid, int]:
    """The URLs on the wanted hosts that lists have for classes; those without a list are left out.

    Raises:
        InputError: a source is none, or one that would have to be asked over the net.
    """
    counts: dict[Wnid, int] = {}
    with tempfile.TemporaryDirectory() as scratch:
        means = Means(
            Reading(options.hosts, None, Columns()), _ignore, Path(scratch), 1, _refuse, False, _refuse_to_load, Stop()
        )
        for source in open_sources(options.source or "", means):
            if not source.local:
                raise InputError(
                    f"--source {source.name}: URLs are counted in lists on this machine only, a file or a folder"
                )
            left = [wnid for wnid in wnids if wnid not in counts]
            try:
                counts |= _counted(source, left)
            except StartOverError:
                counts |= _counted(source, left)
    return counts


def _counted(source: Source, wnids: Sequence[Wnid]) -> dict[Wnid, int]:
    with contextlib.closing(source.lists(wnids)) as answers:
        found = ((wnid, len(listing.candidates)) for each in answers for wnid, listing in each.settled)
        return {wnid: number for wnid, number in found if number}


def _ignore(_: object) -> None:
    pass


def _refuse() -> NoReturn:
    raise InputError("URLs are counted in lists on this machine only, a file or a folder")


def _refuse_to_load(_question: str) -> NoReturn:
    _refuse()

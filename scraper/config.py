"""What the options of several commands share: defaults, bounds, and where the record is.

Each command's own stand in the `options` of its package, so that only those of the command that was typed are loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scraper.kinds import FilePath, Whole
from scraper.options import Options, option

DEFAULT_MANIFEST: Final = Path("manifests/scraper.db")
DEFAULT_SOURCE: Final = "api"

LOCK_WAIT: Final = 30.0
"""Seconds to wait for another program that keeps the manifest locked, a backup or a browser for instance."""
USUAL_N: Final = 10
"""Images wanted for a class of which nobody has said how many."""
MOST_THREADS: Final = 1024
USUAL_SURVIVAL: Final = 0.75
"""Share of the lists' Flickr URLs that still led to a photo, as users of such tools found around 2021."""
MOST_PER_CLASS: Final = 1_000_000

THREADS: Final = Whole(1, MOST_THREADS)
"""How many `--threads` there may be, whoever asks."""
PATIENCE: Final = "how long to wait for a host that refuses everything, without one answer, before the run ends"
"""What `--patience` means, of fetch and of survey."""
BELIEVE: Final = "take answers for the photos' own even where very many are alike and none has a picture"
"""What `--believe-answers` means, of both too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOptions(Options):
    """Where the record is."""

    manifest: Path = option(DEFAULT_MANIFEST, FilePath(Path), "the SQLite file that records everything")

"""A manifest that is thrown away: what plan must know of another one, for a dry run."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.manifest.columns import COLUMNS
from scraper.manifest.core import Manifest
from scraper.manifest.values import columns

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLES: Final = ("classes", "class_outcomes", "host_outcomes", "statuses")
"""What is small however long the lists are. Candidates are counted in `classes`, and stay where they are."""


@contextlib.contextmanager
def rehearsal(path: Path) -> Iterator[Path]:
    """The path of a manifest with the classes and counts of the one at `path`, if there is one; gone afterwards.

    Raises:
        ManifestError: the manifest cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="scraper-dry-run-") as folder:
        copy = Path(folder) / path.name
        if path.exists() and not Manifest.unmade(path):
            with Manifest.open(path) as book, Manifest.create(copy) as other, other.transaction() as connection:
                for table in _TABLES:
                    names = [name for name in COLUMNS if name.startswith(f"{table}.")]
                    marks = ", ".join("?" * len(names))
                    fields = ", ".join(name.partition(".")[2] for name in names)
                    rows = book.select(lambda *values: values, f"{columns(*names)} FROM {table}")
                    connection.executemany(f"INSERT INTO {table} ({fields}) VALUES ({marks})", rows)  # noqa: S608 - names of ours
        yield copy

"""Batches of a fetch on their way into the manifest: names first, safe from a power cut, then rows that speak of them.

What could not be recorded stays in the folder's journal, for the next run to take back; so no later batch may take its
place there.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from scraper.manifest.access.recording import is_recorded, record

if TYPE_CHECKING:
    from scraper.fetching.placing import Placer
    from scraper.files.store import Folder
    from scraper.manifest.access.recording import Batch
    from scraper.manifest.core import Manifest


class Recorder:
    """Records the batches of one run. For the one coordinator."""

    def __init__(self, book: Manifest, run_id: int, folder: Folder, placer: Placer) -> None:
        self._book = book
        self._run_id = run_id
        self._folder = folder
        self._placer = placer
        self._named: Batch | None = None
        """A batch that failed after its images had got their names: it is tried once more before the next."""
        self._broken = False
        """Whether something failed that left names which no row of this run can follow any more."""

    def record(self, batch: Batch) -> list[str]:
        """Record a batch.

        Returns:
            Paths of images that were taken back, and whose files stay, see `Placer.recorded`.

        Raises:
            StoppedEarlyError: the file system refused, or the disk is full.
            ManifestError: the manifest did.
        """
        stay = self._write(self._named) if self._named is not None else []
        if self._broken or not (batch.decided or batch.revisions or batch.raises):
            return stay
        self._broken = True
        named = replace(batch, decided=self._placer.name(batch.decided, batch.word))
        self._broken = False
        return stay + self._write(named)

    def _write(self, batch: Batch) -> list[str]:
        again, self._named = self._named is batch, batch
        if not (again and is_recorded(self._book, batch)):
            self._folder.sync()
            record(self._book, self._run_id, batch, time.time())
        self._named = None
        self._broken = True
        stay = self._placer.recorded()
        self._broken = False
        return stay

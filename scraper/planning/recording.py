"""What a plan writes down: what sources said of classes, as one pass over a source gives it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from scraper.manifest.access import lists
from scraper.manifest.access.locks import save_locked
from scraper.manifest.access.recording import Batch, record
from scraper.model import ListingOutcome
from scraper.planning.locked.checking import said
from scraper.planning.sources.known import called
from scraper.planning.summaries import SourceSummary
from scraper.planning.wanted.suppressing import LeftOut
from scraper.records import Listing

if TYPE_CHECKING:
    from collections.abc import Collection

    from scraper.manifest.core import Manifest
    from scraper.model import Wnid
    from scraper.planning.locked.opening import Lock
    from scraper.planning.sources.interface import Answers, Source
    from scraper.planning.wanted.options import PlanOptions


def hosts_of(options: PlanOptions) -> str:
    """The hosts that are wanted, as the manifest has them."""
    return ",".join(options.hosts)


@dataclass(frozen=True, slots=True)
class Record:
    """The manifest, as far as a plan writes to it.

    Attributes:
        lock: what the plan is made from.
        behind: whether lists come behind what the lock gave of their classes.
        left_out: what nothing is asked of.
    """

    book: Manifest
    run_id: int
    options: PlanOptions
    lock: Lock | None = None
    behind: bool = False
    left_out: LeftOut = field(default_factory=LeftOut)

    def save(self, wnid: Wnid, listing: Listing, source: str) -> int:
        """Record what a source said of a class; returns how many of its candidates are left out for good."""
        locked = self.lock.classes[wnid] if self.lock is not None else None
        if self.behind and listing.outcome is not ListingOutcome.LISTED:
            return 0  # the class has the list that its lock is
        known = len(locked.images) if locked is not None and self.behind else 0
        with self.book.transaction():
            lists.save_listing(
                self.book,
                self.run_id,
                wnid,
                listing,
                source=source,
                hosts=hosts_of(self.options),
                shuffle=self.options.shuffle,
                now=time.time(),
                known=known,
            )
            if locked is not None and not self.behind:
                save_locked(self.book, self.run_id, wnid, said(locked), listing_sha256=locked.listing_sha256)
            new = enumerate(listing.candidates[known:], start=known + 1)
            digests = {} if locked is None else {image.url: image.sha256 for image in locked.images}
            withdrawn = self.left_out.among(wnid, new, digests)
            if withdrawn:
                record(self.book, self.run_id, Batch(revisions=withdrawn), time.time())
        return len(withdrawn)

    def save_tries(self, answers: Answers) -> None:
        """Record requests, and a whole list that was read."""
        if answers.tries:
            lists.save_listing_tries(self.book, self.run_id, answers.tries)
        if answers.read is not None:
            lists.save_whole_list(self.book, self.run_id, answers.read, time.time())


class Pass:
    """One source being asked for classes: what it gave so far, which counts once it has ended well."""

    def __init__(self, record: Record, source: Source, wanted: Collection[Wnid], why: dict[Wnid, str] | None) -> None:
        """With what the sources before said of the classes that they did not have; None for the only source."""
        self._record = record
        self._wanted = wanted
        self._why = why
        self._begun = False
        self.source = source
        self.gave = SourceSummary(source.name)
        self.listed: set[Wnid] = set()
        self.failed: dict[Wnid, str] = {}
        self.candidates = 0
        self.withdrawn = 0

    def begins(self, answers: Answers) -> bool:
        """Whether with these answers the one transaction of a whole source begins."""
        if self._begun or not self.source.whole or not (answers.settled or answers.read):
            return False
        self._begun = True
        return True

    def take(self, answers: Answers) -> None:
        """Record answers."""
        self.gave.silence = answers.silence
        self.gave.told = answers.told or self.gave.told
        if answers.tries or answers.settled or answers.read:
            with self._record.book.transaction():
                self._record.save_tries(answers)
                for wnid, listing in answers.settled:
                    self._save(wnid, listing)
            if answers.read is not None:
                self.gave.add_odd(answers.read.odd)

    def fail_rest(self, outcome: ListingOutcome, error: str) -> None:
        """Record that the classes which the source did not settle got no list from it."""
        with self._record.book.transaction():
            for wnid in self._wanted:
                if wnid not in self.listed and wnid not in self.failed:
                    self._save(wnid, Listing(outcome, error=error))

    def _save(self, wnid: Wnid, listing: Listing) -> None:
        if listing.outcome is ListingOutcome.LISTED:
            self.listed.add(wnid)
            self.candidates += len(listing.candidates)
            self.gave.listed += 1
            self.gave.forms[listing.form or ""] += 1
            self.gave.add_odd(listing.odd)
        else:
            self.failed[wnid] = self._told(wnid, listing)
            listing = replace(listing, error=self.failed[wnid])
        self.withdrawn += self._record.save(wnid, listing, self.source.name)

    def _told(self, wnid: Wnid, listing: Listing) -> str:
        """Why a class has no list: with several sources, what each of them said."""
        error = listing.error or str(listing.outcome)
        if self._why is None:
            return error
        before = self._why.get(wnid)
        said = f"{called(self.source.name)}: {error}"
        return f"{before}; {said}" if before else said

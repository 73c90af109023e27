"""When to stop asking a source that is asked class by class and gives no list. Pure: times are arguments."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from scraper.model import Kind, ListingOutcome, Outcome

if TYPE_CHECKING:
    from scraper.records import Listing

ENOUGH: Final = 20
"""Answers alike in a row, with no list between them, that speak of the source and not of the classes."""
ENOUGH_SILENT: Final = 12
"""The same where nothing answers: by then it is asked seldom."""
PATIENCE: Final = 10.0
"""Seconds that a source which does not answer at all is given, however often it was asked in them."""


class Doubts:
    """Counts how the last requests ended, as long as they ended alike."""

    def __init__(self) -> None:
        """With none."""
        self._kind: tuple[ListingOutcome | Outcome, int | None] | None = None
        self._since = 0.0
        self._settled = 0
        self._requests = 0
        self.last: Listing | None = None

    def take(self, listing: Listing, *, settled: bool, started_at: float) -> None:
        """Take in how a request for a class's list ended, and whether the class is done with."""
        if listing.outcome is ListingOutcome.LISTED:
            self._kind = self.last = None
            return
        kind = (listing.outcome, listing.http_status)
        if kind != self._kind:
            self._kind, self._since, self._settled, self._requests = kind, started_at, 0, 0
        self.last = listing
        self._settled += settled
        self._requests += 1

    def gone(self, now: float) -> bool:
        """Whether to ask no further."""
        if self._kind is None:
            return False
        outcome = self._kind[0]
        if isinstance(outcome, Outcome) and outcome.kind is Kind.UNKNOWN:
            return self._requests >= ENOUGH_SILENT and now - self._since >= PATIENCE
        return self._settled >= ENOUGH

    @property
    def alike(self) -> int:
        """Classes in a row that are done with and failed alike."""
        return self._settled if self._kind is not None else 0


def in_words(listing: Listing) -> str:
    """How a request for a list failed, in plain words.

    >>> from scraper.records import Listing
    >>> in_words(Listing(ListingOutcome.NOT_FOUND, http_status=404, error="HTTP status 404"))
    'HTTP status 404, Not Found'
    """
    status = listing.http_status
    if status is not None and status != HTTPStatus.OK:
        known = status in set(HTTPStatus)
        return f"HTTP status {status}{f', {HTTPStatus(status).phrase}' if known else ''}"
    return listing.error or str(listing.outcome).replace("_", " ")

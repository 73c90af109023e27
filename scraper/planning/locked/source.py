"""The classes of a lock as a source of lists, and the lists of other sources behind what a lock names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scraper.manifest.access.lists import WholeList
from scraper.model import ListingOutcome
from scraper.planning.listings import named
from scraper.planning.sources.interface import Answers
from scraper.records import Listing

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from scraper.model import Wnid
    from scraper.planning.locked.opening import Lock
    from scraper.planning.locked.reading import LockedClass
    from scraper.planning.sources.interface import Source

FORM: Final = "lock"
"""Of a list that is a lock alone, by its short name."""
_TOGETHER: Final = 200
"""Classes that are given at once."""


class LockSource:
    """A lock, whose images are the lists of its classes. Nothing is asked of anybody."""

    whole = True
    local = True

    def __init__(self, lock: Lock) -> None:
        self.name = lock.name
        self._lock = lock

    def lists(self, wanted: Sequence[Wnid]) -> Generator[Answers, None, None]:
        """The images of each class."""
        classes = [cls for wnid in wanted if (cls := self._lock.classes.get(wnid)) is not None]
        images = sum(len(cls.images) for cls in classes)
        for start in range(0, len(classes), _TOGETHER):
            yield Answers(settled=[(cls.wnid, _alone(cls)) for cls in classes[start : start + _TOGETHER]])
        read = WholeList(self.name, None, FORM, self._lock.bytes, self._lock.sha256, len(classes))
        yield Answers(read=read, told=f"the digests of {images:,} image{'s' * (images != 1)}")


class Behind:
    """Another source, whose lists come behind what a lock names of their classes."""

    def __init__(self, source: Source, lock: Lock) -> None:
        self._source = source
        self._lock = lock
        self.name = source.name
        self.whole = source.whole
        self.local = source.local

    def lists(self, wanted: Sequence[Wnid]) -> Generator[Answers, None, None]:
        """The lists of the source, each behind the images of its class."""
        for answers in self._source.lists(wanted):
            settled = [(wnid, _behind(self._lock.classes[wnid], listing)) for wnid, listing in answers.settled]
            yield replace(answers, settled=settled) if settled else answers


def _alone(cls: LockedClass) -> Listing:
    urls = [image.url for image in cls.images]
    return Listing(
        ListingOutcome.LISTED,
        candidates=tuple(named(urls)),
        listed=len(urls),
        form=FORM,
        sha256=cls.listing_sha256,
    )


def _behind(cls: LockedClass, listing: Listing) -> Listing:
    """A list with what the lock names before it, each URL once."""
    if listing.outcome is not ListingOutcome.LISTED:
        return listing
    first = dict.fromkeys(image.url for image in cls.images)
    listed = {found.url for found in listing.candidates}
    urls = [*first, *(found.url for found in listing.candidates if found.url not in first)]
    return replace(
        listing, candidates=tuple(named(urls)), listed=listing.listed + sum(url not in listed for url in first)
    )

"""A known list that is one file: downloaded where it is not there yet, then read like any file."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from scraper.model import ListingOutcome, Outcome
from scraper.planning.sources.caching import find, forget
from scraper.planning.sources.downloading import Came, PartFile, attempt
from scraper.planning.sources.file import WholeFile
from scraper.planning.sources.interface import Answers, Silence, SourceFailedError
from scraper.running.crew import Crew
from scraper.urls import host_in

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from scraper.model import Wnid
    from scraper.planning.sources.caching import Kept
    from scraper.planning.sources.interface import Means
    from scraper.planning.sources.known import KnownList
    from scraper.web.client import Client

UNASKED: Final = 100_000_000
"""Bytes that are downloaded without asking first, of a list whose size nobody knows."""
_TICK: Final = 0.25
"""Seconds between looks at whether someone asked the run to stop."""
_TRIES: Final = 5
"""Requests in a row that bring nothing before an address is given up."""
_FIRST_WAIT: Final = 2.0
"""Seconds; each further wait is twice as long."""
_AFTER_REFUSAL: Final = 60.0
"""Seconds, likewise, after a 429 that names no time: what the Internet Archive's users found to be enough."""
_LONGEST_WAIT: Final = 3600.0
"""Seconds that a host may ask to wait."""


class KnownFile:
    """A known list that is one file."""

    whole = True
    local = False

    def __init__(self, known: KnownList, means: Means, client: Client, folders: Sequence[Path]) -> None:
        """With the folders in which it may be; into the last of them it is downloaded."""
        self.name = known.name
        self._known = known
        self._means = means
        self._client = client
        self._folders = list(folders)
        self._came = Came()
        self._read: WholeFile | None = None

    def find(self) -> Kept | None:
        """The file, where it is there already.

        Raises:
            SourceFailedError: it cannot be read.
        """
        try:
            return find(self._known, self._folders)
        except OSError as error:
            raise SourceFailedError(f"--source {self.name}: cannot read {error.filename}: {error.strerror}") from error

    def lists(self, wanted: Sequence[Wnid]) -> Generator[Answers, None, None]:
        """Download the file, if need be, and read it."""
        kept = self.find()
        if kept is None:
            yield from self._download()
            kept = self._came.kept
        if kept is None:
            outcome = self._came.outcome or ListingOutcome.NOT_FOUND
            yield Answers(silence=Silence(outcome=outcome, how=self._came.how, asked=0, unasked=len(wanted)))
            return
        self._read = self._read or self._file(kept)
        yield from self._read.lists(wanted)

    def _file(self, kept: Kept) -> WholeFile:
        return WholeFile(kept.path, self._means, name=self.name, url=kept.url, sha256=kept.sha256)

    def _download(self) -> Iterator[Answers]:
        """Try the addresses, in order, until one has given the file."""
        path = self._folders[-1] / self._known.file
        max_bytes = None if self._means.agreed else UNASKED
        part: PartFile | None = None

        def close() -> None:
            if part is not None:
                part.close()

        crew: Crew[tuple[str, PartFile], Came] = Crew(
            "download",
            lambda item: attempt(self._client, self._known, *item),
            threads=1,
            stop=self._means.stop,
            closing=(self._client.close,),  # which ends the request under way
        )
        with contextlib.ExitStack() as stack:
            stack.callback(close)
            stack.enter_context(crew)
            for address in self._known.addresses:
                self._means.notice(f"{self.name}: downloading {address} to {path}")
                part = PartFile(path, max_bytes=max_bytes, exactly=self._known.bytes)
                yield from self._from(address, crew, part)
                part.close()
                if self._came.kept is not None and self._is_list(self._came.kept):
                    return
                self._means.notice(f"{self.name}: {host_in(address)} does not give it: {self._came.how}")

    def _is_list(self, kept: Kept) -> bool:
        """Whether what came is a list at all, to its end; a page that a host sent in its place is removed."""
        problem = self._file(kept).problem(to_its_end=self._known.digest is None)
        if problem:
            forget(kept)
            self._came = Came(ListingOutcome.NOT_A_LIST, f"what came{problem}")
        return not problem

    def _from(self, address: str, crew: Crew[tuple[str, PartFile], Came], part: PartFile) -> Iterator[Answers]:
        """Ask one address until the file is there, or it is given up."""
        tries = 0
        while True:
            crew.submit((address, part))
            while not (came := crew.collect(_TICK)):
                yield Answers(doing=self._progress(part))
            self._came = came[0]
            tries = 0 if self._came.more else tries + 1
            if not self._came.again or tries >= _TRIES:
                return
            first = _AFTER_REFUSAL if self._came.outcome is Outcome.THROTTLED else _FIRST_WAIT
            wait = self._came.retry_after or first * 2 ** max(0, tries - 1)
            if wait > _LONGEST_WAIT:
                return
            yield from self._wait(wait, crew)

    def _wait(self, seconds: float, crew: Crew[tuple[str, PartFile], Came]) -> Iterator[Answers]:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            yield Answers(doing=f"{self.name}: {self._came.how}; asking again in {left:.0f} s")
            crew.collect(min(_TICK, left))

    def _progress(self, part: PartFile) -> str:
        total = part.total or self._known.bytes
        return f"downloading {self.name}: {part.size / 1e6:,.0f}{f' of {total / 1e6:,.0f}' if total else ''} MB"

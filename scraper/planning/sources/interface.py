"""What a source of lists must give, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from scraper.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from scraper.manifest.access.lists import ListingTry, WholeList
    from scraper.model import ListingOutcome, Outcome, Wnid
    from scraper.records import Columns, Listing
    from scraper.running.crew import Stop
    from scraper.web.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Why a source was asked no further, although classes were left.

    Attributes:
        outcome: how all of the last requests ended.
        how: the same, in plain words.
        asked: classes that it was asked for in vain.
        unasked: classes that were left.
    """

    outcome: ListingOutcome | Outcome
    how: str
    asked: int
    unasked: int

    def without(self, late: int) -> Silence | None:
        """The same where so many more classes were answered in the end; None where none is left."""
        left = self.unasked - late
        return replace(self, asked=self.asked + late, unasked=left) if left else None


@dataclass(frozen=True, slots=True)
class Answers:
    """What a source has given since it was last looked at; nothing, where it only took time.

    Attributes:
        tries: requests that were made for lists.
        settled: classes that are done with, listed or not.
        read: a whole list that was read to its end.
        silence: why it is asked no further; the last of its answers then.
        told: what form its lines have, in words, where that has just been found out.
        doing: what it is busy with, for people; empty where `settled` says it all.
    """

    tries: Sequence[ListingTry] = ()
    settled: Sequence[tuple[Wnid, Listing]] = ()
    read: WholeList | None = None
    silence: Silence | None = None
    told: str = ""
    doing: str = ""


class Source(Protocol):
    """A source of lists."""

    @property
    def name(self) -> str:
        """What it is, for the record: a URL template, a path, or the name of a known list."""
        ...

    @property
    def whole(self) -> bool:
        """Whether it is read in one go, so that what it gives counts only when it was read to its end."""
        ...

    @property
    def local(self) -> bool:
        """Whether all of it is on this machine already."""
        ...

    def lists(self, wanted: Sequence[Wnid]) -> Generator[Answers, None, None]:
        """Get the lists of classes. Of those that it does not settle it has nothing.

        It gives something, if only the time, several times a second: whoever asked may go away at any moment.

        Raises:
            SourceFailedError: it cannot be read to its end; what it gave of a `whole` one is void.
            StartOverError: what was given is void; asked once more, it reads in another way.
        """
        ...


class SourceFailedError(InputError):
    """A source cannot be read."""


class StartOverError(Exception):
    """What a source gave is to be thrown away, and it is to be asked again."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How lists are read.

    Attributes:
        hosts: domains whose URLs become candidates.
        shuffle: seed of their order; None keeps the list's.
        columns: what the user said of tables.
    """

    hosts: tuple[str, ...]
    shuffle: str | None
    columns: Columns

    def seed(self, wnid: Wnid) -> str | None:
        """The seed of one class's order, so that it does not depend on which other classes are planned."""
        return None if self.shuffle is None else f"{self.shuffle}:{wnid}"


@dataclass(frozen=True, slots=True)
class Means:
    """What sources may use.

    Attributes:
        reading: how lists are read.
        notice: takes a line that a person watching should see.
        scratch: a folder for temporary files.
        threads: requests at once.
        connect: makes a client that this source may close; it is closed with the run at the latest.
        agreed: whether large downloads were agreed to beforehand.
        ask: asks whether one may begin; raises InputError where nobody can be asked.
        stop: whether the run was asked to stop, for whoever waits for threads.
    """

    reading: Reading
    notice: Callable[[str], None]
    scratch: Path
    threads: int
    connect: Callable[[], Client]
    agreed: bool
    ask: Callable[[str], bool]
    stop: Stop

"""Which classes of a lock are planned, and whether the manifest has them from this lock or otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scraper.errors import InputError
from scraper.manifest.access import lists
from scraper.manifest.access.locks import LockedBytes, locked_bytes
from scraper.planning.classlists import ClassList
from scraper.planning.wanted.asking import asked_for
from scraper.records import ClassRequest
from scraper.texts import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scraper.manifest.core import Manifest
    from scraper.model import Wnid
    from scraper.planning.locked.opening import Lock
    from scraper.planning.locked.reading import LockedClass
    from scraper.planning.wanted.asking import Asked
    from scraper.planning.wanted.options import PlanOptions

_SHOWN: Final = 12


def asked_of(lock: Lock, read: ClassList, options: PlanOptions) -> Asked:
    """The classes of a lock that are asked for: all, or those that an input names.

    Raises:
        InputError: the input names what is not clear, or not in the lock, or classes are of people.
    """
    every = {cls.wnid: ClassRequest(cls.wnid, cls.label) for cls in lock.classes.values()}
    if not read.classes and not read.unread:
        return asked_for(ClassList(tuple(every.values()), place="class"), options)
    asked = asked_for(read, options)
    others = [wnid for wnid in asked.requests if wnid not in every]
    if others:
        raise InputError(f"the lock {lock.name} has no image of {_some(others)}")
    requests = {wnid: request if request.label is not None else every[wnid] for wnid, request in asked.requests.items()}
    return replace(asked, requests=requests, by_name=frozenset())


def refuse_others(book: Manifest, lock: Lock, asked: Iterable[Wnid]) -> None:
    """Refuse classes that the manifest has from elsewhere: what was listed and asked for stays as it was.

    Raises:
        InputError: it has some from other lists, or from another lock.
    """
    resolved = lists.resolved(book)
    others = [wnid for wnid in asked if wnid in resolved and locked_bytes(book, wnid) != list(said(lock.classes[wnid]))]
    if others:
        classes = counted(len(others), "class of the lock is", "classes of the lock are")
        raise InputError(
            f"{classes} in the manifest {book.path} from elsewhere: {_some(others)}; give another --manifest"
        )


def said(cls: LockedClass) -> Iterable[LockedBytes]:
    """What a lock says of a class, as the manifest has it."""
    return (LockedBytes(image.url, image.rank, image.sha256, image.bytes) for image in cls.images)


def _some(wnids: list[Wnid]) -> str:
    more = f" and {len(wnids) - _SHOWN:,} more" if len(wnids) > _SHOWN else ""
    return ", ".join(wnids[:_SHOWN]) + more

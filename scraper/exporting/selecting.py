"""Which images a dataset has: the first n of each class by rank, without what conflicts, each on its side."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.errors import InputError
from scraper.exporting.options import Conflicts, Folders
from scraper.exporting.splits import photos_of, split_of
from scraper.flickr import is_device
from scraper.manifest.access.counts import class_counts
from scraper.manifest.access.exports import listed_classes, stored_images
from scraper.manifest.access.locks import locked_classes
from scraper.manifest.access.withdrawing import Withdrawal, withdrawals
from scraper.model import Withdrawn, Wnid
from scraper.texts import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from scraper.exporting.splits import Shares
    from scraper.manifest.access.exports import ListedClass, StoredImage
    from scraper.manifest.core import Manifest
    from scraper.model import Outcome

_UNSAFE: Final = re.compile(r"[^\w-]+")
_LONGEST_NAME: Final = 120
"""Bytes of a folder's name, which an id may follow."""
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class ExportedClass:
    """A class of a dataset.

    Attributes:
        index: its number as a label, from 0 in the order of ids.
        wnid: its id.
        label: what people call it; its id where nothing else is known.
        name: its label, or with its id behind it where another class has the same label.
        folder: name of its folder.
        images: how many images it has.
        listing_sha256: digest of the list it was planned from.
        source: where that list came from.
    """

    index: int
    wnid: str
    label: str
    name: str
    folder: str
    images: int
    listing_sha256: str | None
    source: str | None


class Item(NamedTuple):
    """An image of a dataset, its class and its split."""

    image: StoredImage
    cls: ExportedClass
    split: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A photo in several classes: the paths of its images, by class and rank."""

    photo: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What a dataset is made of: its classes, its images by class and rank, and what was met on the way.

    Attributes:
        classes: those with an image.
        items: the images.
        empty: wnids of classes without an image, which are left out.
        surplus: images beyond the n of their class, which are left out.
        conflicts: photos in several classes, before anything was done about them.
        dropped: images left out because of a conflict.
        asked: how the URLs of the classes ended that were asked for, and how many each way.
    """

    classes: tuple[ExportedClass, ...]
    items: tuple[Item, ...]
    empty: tuple[str, ...]
    surplus: int
    conflicts: tuple[Conflict, ...]
    dropped: int
    asked: Mapping[Outcome, int]

    @property
    def locked(self) -> int:
        """Images whose bytes a lock named."""
        return sum(item.image.locked for item in self.items)

    def counts(self) -> dict[str, int]:
        """Images by split, in the order of the splits' first images."""
        return dict(Counter(item.split for item in self.items))

    def lacking(self, shares: Shares) -> dict[str, tuple[str, ...]]:
        """The classes that have no image in a split, by split."""
        there = {(item.split, item.cls.wnid) for item in self.items}
        wnids = [cls.wnid for cls in self.classes]
        found = {name: tuple(wnid for wnid in wnids if (name, wnid) not in there) for name, _ in shares}
        return {name: lacking for name, lacking in found.items() if lacking}


def select(book: Manifest, *, shares: Shares, seed: str, conflicts: Conflicts, folders: Folders) -> Selection:
    """Choose the images of a dataset, without those that someone asked to be left out.

    Raises:
        InputError: there is none, or photos are in several classes and that is an error here.
    """
    classes = {cls.wnid: cls for cls in listed_classes(book)}
    left_out = set(withdrawals(book))
    stored = stored_images(book)
    if left_out:
        stored = (image for image in stored if left_out.isdisjoint(_ways(image)))
    images, surplus = _first(stored, classes)
    photos = photos_of((image.photo_id, image.sha256) for image in images)
    found = _conflicts(images, photos)
    kept = _settled(list(zip(images, photos, strict=True)), found, conflicts)
    if not kept:
        raise InputError("there is no image to export: run `scraper fetch` first")
    digests = _digests(classes.values(), [image for image, _ in kept], locked_classes(book))
    entries = _entries(classes.values(), Counter(_wnid(image) for image, _ in kept), digests, folders)
    items = (Item(image, entries[_wnid(image)], split_of(photo, shares, seed)) for image, photo in kept)
    return Selection(
        classes=tuple(entries.values()),
        items=tuple(items),
        empty=tuple(wnid for wnid in classes if wnid not in entries),
        surplus=surplus,
        conflicts=found,
        dropped=len(images) - len(kept),
        asked=_asked(book, entries),
    )


def _wnid(image: StoredImage) -> Wnid:
    return Wnid(image.path.partition("/")[0])


def _asked(book: Manifest, classes: Collection[str]) -> Mapping[Outcome, int]:
    found: Counter[Outcome] = Counter()
    for row in class_counts(book):
        if row.wnid in classes:
            found[row.outcome] += row.candidates
    return found


def _ways(image: StoredImage) -> list[Withdrawal]:
    """What someone may have called an image who asked for it to be left out."""
    photo = [] if image.photo_id is None else [Withdrawal(Withdrawn.PHOTO, str(image.photo_id))]
    return [*photo, Withdrawal(Withdrawn.URL, image.url), Withdrawal(Withdrawn.SHA256, image.sha256)]


def _digests(
    classes: Iterable[ListedClass], images: Iterable[StoredImage], locked: Mapping[Wnid, str | None]
) -> dict[Wnid, str | None]:
    """The digest of the list that the ranks of each class are of: where all its images are a lock's, as the lock says.

    So the same images give the same lock again, whatever list was behind it.
    """
    others = {_wnid(image) for image in images if not image.locked} if locked else set()
    return {
        cls.wnid: locked[cls.wnid] if cls.wnid in locked and cls.wnid not in others else cls.listing_sha256
        for cls in classes
    }


def _first(images: Iterable[StoredImage], classes: Mapping[Wnid, ListedClass]) -> tuple[list[StoredImage], int]:
    """The first n images of each class by rank, so that classes stay balanced, and how many there are beyond."""
    chosen: list[StoredImage] = []
    surplus = 0
    for wnid, group in groupby(images, _wnid):  # which come by class
        if wnid in classes:
            there = list(group)
            chosen += there[: classes[wnid].n]
            surplus += max(0, len(there) - classes[wnid].n)
    return chosen, surplus


def _conflicts(images: Sequence[StoredImage], photos: Sequence[str]) -> tuple[Conflict, ...]:
    if len(set(photos)) == len(photos):
        return ()
    by_photo: defaultdict[str, list[str]] = defaultdict(list)
    for image, photo in zip(images, photos, strict=True):
        by_photo[photo].append(image.path)
    several = {photo: paths for photo, paths in by_photo.items() if len({p.partition("/")[0] for p in paths}) > 1}
    return tuple(Conflict(photo, tuple(paths)) for photo, paths in several.items())


def _settled(
    images: list[tuple[StoredImage, str]], found: tuple[Conflict, ...], conflicts: Conflicts
) -> list[tuple[StoredImage, str]]:
    """What is left once conflicts are dealt with."""
    if not found or conflicts is Conflicts.KEEP:
        return images
    if conflicts is Conflicts.ERROR:
        lines = [f"  {' '.join(conflict.paths)}" for conflict in found[:_SHOWN]]
        more = [f"  and {len(found) - _SHOWN:,} more"] if len(found) > _SHOWN else []
        raise InputError("\n".join([f"{len(found):,} photos are in several classes:", *lines, *more]))
    first = {conflict.photo: conflict.paths[0].partition("/")[0] for conflict in found}
    if conflicts is Conflicts.DROP:
        return [(image, photo) for image, photo in images if photo not in first]
    return [(image, photo) for image, photo in images if first.get(photo, _wnid(image)) == _wnid(image)]


def _entries(
    classes: Iterable[ListedClass], images: Counter[Wnid], digests: Mapping[Wnid, str | None], folders: Folders
) -> dict[str, ExportedClass]:
    """The classes that have images, each with a name of its own, which can be printed."""
    there = [(cls, printable(cls.label or "", keep="").strip() or cls.wnid) for cls in classes if images[cls.wnid]]
    labels = Counter(label for _, label in there)
    entries: dict[str, ExportedClass] = {}
    for index, (cls, label) in enumerate(there):
        name = label if labels[label] == 1 else f"{label} ({cls.wnid})"
        entries[cls.wnid] = ExportedClass(
            index, cls.wnid, label, name, cls.wnid, images[cls.wnid], digests[cls.wnid], cls.source
        )
    return entries if folders is Folders.WNID else _with_label_folders(entries)


def _with_label_folders(entries: dict[str, ExportedClass]) -> dict[str, ExportedClass]:
    """The same with folders named by labels, made safe; where two would be alike, each has its id behind it."""
    safe = {wnid: folder_name(entry.label) for wnid, entry in entries.items()}
    alike = Counter(name.casefold() for name in safe.values())
    named = {
        wnid: name if name and alike[name.casefold()] == 1 else "-".join([name, wnid] if name else [wnid])
        for wnid, name in safe.items()
    }
    if len({name.casefold() for name in named.values()}) < len(named):  # a label that ends in the id of another
        named = {wnid: f"{name}-{wnid}" for wnid, name in named.items()}
    return {wnid: replace(entry, folder=named[wnid]) for wnid, entry in entries.items()}


def folder_name(label: str) -> str:
    """A label as the name of a folder on any system; empty where nothing of it can be one.

    >>> folder_name("dog, domestic dog"), folder_name("../../etc"), folder_name("CON"), folder_name("?")
    ('dog_domestic_dog', 'etc', 'CON_', '')
    """
    name = _UNSAFE.sub("_", label).strip("_-")
    while len(name.encode()) > _LONGEST_NAME:
        name = name[:-1]
    return f"{name}_" if is_device(name) else name

"""What is left out for good: the lines that name it, judged one by one, and the candidates that are of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.errors import InputError
from scraper.flickr import photo_id
from scraper.manifest.access.withdrawing import (
    WITHDRAWN_WHY,
    Withdrawal,
    image_of,
    matching,
    withdrawals,
)
from scraper.manifest.schema import candidate_id
from scraper.model import Outcome, State, Withdrawn
from scraper.planning.lines.encodings import BOM
from scraper.records import Revision
from scraper.texts import counted, one_line
from scraper.urls import LONGEST_URL, host_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from scraper.manifest.access.withdrawing import Known
    from scraper.manifest.core import Manifest
    from scraper.model import Form, Wnid
    from scraper.records import Listed

_PHOTO: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST: Final = 4 * LONGEST_URL
"""Bytes of a line; a URL has no more."""
_SHOWN: Final = 60


def read_suppressed(path: Path) -> tuple[Withdrawal, ...]:
    """Read a file of what is left out for good, in the lines that `forget --list` prints.

    Raises:
        InputError: it cannot be read, or has lines that are wrong; every one is named.
    """
    if not path.exists():
        raise InputError(f"--suppress {path}: no such file")
    if not path.is_file():
        raise InputError(f"--suppress {path}: not an ordinary file; write what comes through a pipe to a file first")
    found: dict[Withdrawal, None] = {}
    bad: list[str] = []
    try:
        for number, line in enumerate(_lines(path), start=1):
            if line and not line.startswith("#"):
                named = list(_named(line))
                found.update(dict.fromkeys(named))
                if not named:
                    bad.append(f"  line {number:,}: {one_line(line, _SHOWN)}")
    except OSError as error:
        raise InputError(f"--suppress {path}: cannot be read: {error.strerror}") from error
    if bad:
        wrong = counted(len(bad), "line is", "lines are")
        form = "`photo` and a Flickr photo id, `url` and a URL, or `sha256` and a digest, as forget --list prints them"
        raise InputError("\n".join([f"--suppress {path}: {wrong} not {form}:", *bad]))
    return tuple(found)


def _lines(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        first, within = True, False
        while piece := file.readline(_LONGEST):
            if not within:
                line = piece.removeprefix(BOM) if first else piece
                yield line.strip().decode("utf-8", "surrogateescape")
            first, within = False, not piece.endswith(b"\n")


def _named(line: str) -> Iterator[Withdrawal]:
    """What a line names, which is nothing where it is wrong; a photo by its URL is named by its id too."""
    kind, _, value = line.partition(" ")
    if kind == Withdrawn.PHOTO and _PHOTO.fullmatch(value):
        yield Withdrawal(Withdrawn.PHOTO, value)
    elif kind == Withdrawn.SHA256 and _DIGEST.fullmatch(value):
        yield Withdrawal(Withdrawn.SHA256, value)
    elif kind == Withdrawn.URL and value.isprintable() and host_in(value) is not None:
        yield Withdrawal(Withdrawn.URL, value)
        photo = photo_id(value)
        if photo is not None:
            yield Withdrawal(Withdrawn.PHOTO, str(photo))


def suppressed(book: Manifest, given: Sequence[Withdrawal]) -> list[Revision]:
    """What becomes of the candidates that a manifest has of what is left out from now on.

    Raises:
        InputError: there are images of it, which `forget` removes.
    """
    affected = [known for known in matching(book, given) if known.outcome is not Outcome.WITHDRAWN] if given else []
    images = [known for known in affected if image_of(book, known.candidate_id) is not None]
    if images:
        what = " ".join(dict.fromkeys(map(_called, images)))
        there = counted(len(images), "image of what is to be left out is", "images of what is to be left out are")
        raise InputError(f"{there} in the manifest {book.path}; remove them first: scraper forget {what}")
    return [_withdrawn(known.candidate_id, known.form, known.fate) for known in affected]


def _called(known: Known) -> str:
    return known.url if known.photo_id is None else str(known.photo_id)


def _withdrawn(candidate: int, form: Form | None = None, fate: Outcome | None = None) -> Revision:
    return Revision(candidate, State.LOST, Outcome.WITHDRAWN, WITHDRAWN_WHY, form, fate)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """All that is left out for good in a manifest, to be looked up for every candidate that is new."""

    photos: frozenset[int] = frozenset()
    urls: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()

    @staticmethod
    def of(book: Manifest) -> LeftOut:
        """What the manifest says."""
        every = list(withdrawals(book))
        by = {kind: frozenset(one.value for one in every if one.kind is kind) for kind in Withdrawn}
        return LeftOut(frozenset(map(int, by[Withdrawn.PHOTO])), by[Withdrawn.URL], by[Withdrawn.SHA256])

    def among(self, wnid: Wnid, candidates: Iterable[tuple[int, Listed]], digests: Mapping[str, str]) -> list[Revision]:
        """What becomes of new candidates of a class that are left out.

        Args:
            wnid: the class.
            candidates: each with its rank.
            digests: of the bytes that are to be had, by URL, where a lock tells.
        """
        if not (self.photos or self.urls or self.digests):
            return []
        return [
            _withdrawn(candidate_id(wnid, rank))
            for rank, found in candidates
            if found.photo_id in self.photos or found.url in self.urls or digests.get(found.url) in self.digests
        ]

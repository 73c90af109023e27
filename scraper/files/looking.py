"""What is in the output folder: sizes, digests, and what nobody expected there. Nothing here writes."""

from __future__ import annotations

import enum
import hashlib
import os
import stat
from typing import TYPE_CHECKING, Final

from scraper.files._opening import descend, open_file

if TYPE_CHECKING:
    from pathlib import Path

    from scraper.files.names import Place

_BLOCK: Final = 1 << 20


class Condition(enum.Enum):
    """How an image stands on disk."""

    SOUND = enum.auto()
    MISSING = enum.auto()
    """No ordinary file has its name."""
    OTHER = enum.auto()
    """The file of its name has other bytes."""


def sizes_in(root: Path, folder: str) -> dict[str, int]:
    """The size in bytes of each ordinary file in a folder below `root`, by name; none where there is no such folder.

    Raises:
        UnsafeNameError: no folder of ours has such a name.
    """
    try:
        with descend(root, folder) as opened, os.scandir(opened) as entries:
            files = (entry for entry in entries if entry.is_file(follow_symlinks=False))
            return {entry.name: entry.stat(follow_symlinks=False).st_size for entry in files}
    except OSError:
        return {}


def condition(root: Path, place: Place, *, size: int, sha256: str) -> Condition:
    """How the file at a place stands beside its recorded size in bytes and SHA-256."""
    try:
        with descend(root, place.folder) as folder, open_file(folder, place.name) as (file, found):
            sound = found.st_size == size and digest(file, size) == sha256
    except OSError:
        return Condition.MISSING
    return Condition.SOUND if sound else Condition.OTHER


def digest(file: int, size: int) -> str | None:
    """The SHA-256 of the first `size` bytes of an open file, None where there are fewer or more."""
    found = hashlib.sha256()
    left = size
    while block := os.read(file, min(_BLOCK, left + 1)):
        found.update(block)
        left -= len(block)
        if left < 0:
            return None
    return found.hexdigest() if left == 0 else None


def others_in(root: Path, folder: str) -> dict[str, bool]:
    """Whatever is no folder in a folder below `root`, by name, and whether it is an ordinary file."""
    try:
        with descend(root, folder) as opened, os.scandir(opened) as entries:
            modes = {entry.name: entry.stat(follow_symlinks=False).st_mode for entry in entries}
    except OSError:
        return {}
    return {name: stat.S_ISREG(mode) for name, mode in modes.items() if not stat.S_ISDIR(mode)}

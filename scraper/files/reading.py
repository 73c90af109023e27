"""Reading images of an output folder: ordinary files only, reached without following a link, and never waited for."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_image(root: Path, path: str, most: int) -> bytes | None:
    """The bytes of `<folder>/<name>` below `root`, None where no ordinary file of at most `most` bytes is there."""
    file = _open(root, path)
    if file is None:
        return None
    with os.fdopen(file, "rb") as stream:
        found = os.fstat(file)
        return stream.read() if stat.S_ISREG(found.st_mode) and found.st_size <= most else None


class Folders:
    """The folders below `root`, to ask for many files what the system knows of them."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._linked: dict[str, bool] = {}

    def stat(self, path: str) -> os.stat_result | None:
        """What is known of `<folder>/<name>`, None where there is no such ordinary file."""
        folder = path.partition("/")[0]
        try:
            if folder not in self._linked:
                self._linked[folder] = stat.S_ISLNK(os.lstat(f"{self._root}/{folder}").st_mode)
            found = os.lstat(f"{self._root}/{path}")
        except OSError:
            return None
        return found if stat.S_ISREG(found.st_mode) and not self._linked[folder] else None


def _open(root: Path, path: str) -> int | None:
    folder, _, name = path.partition("/")
    try:
        parent = os.open(root / folder, _FOLDER)
    except OSError:
        return None
    try:
        return os.open(name, _FILE, dir_fd=parent)
    except OSError:
        return None
    finally:
        os.close(parent)

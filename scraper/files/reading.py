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


def stat_image(root: Path, path: str) -> os.stat_result | None:
    """What the system knows of `<folder>/<name>` below `root`, None where there is no such ordinary file."""
    file = _open(root, path)
    if file is None:
        return None
    try:
        found = os.fstat(file)
        return found if stat.S_ISREG(found.st_mode) else None
    finally:
        os.close(file)


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

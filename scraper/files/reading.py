"""Reading images of an output folder for others: ordinary files only, reached without following a link."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Self

from scraper.files._opening import descend, open_file
from scraper.files.names import checked

if TYPE_CHECKING:
    from pathlib import Path


class Folders:
    """The folders below `root`, for one thread. Use it as a context manager.

    The folder that was asked of last stays open: images come class by class, and many of each.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._name: str | None = None
        self._open = contextlib.ExitStack()
        self._folder = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def _reach(self, path: str) -> tuple[int, str]:
        """A descriptor of the folder of `<folder>/<name>`, and the name.

        Raises:
            OSError: there is no such folder.
            UnsafeNameError: the path leads elsewhere.
        """
        folder, _, name = path.partition("/")
        checked(name)
        if folder != self._name:
            checked(folder)
            self._open.close()
            self._name = None
            self._folder = self._open.enter_context(descend(self._root, folder))
            self._name = folder
        return self._folder, name

    def stat(self, path: str) -> os.stat_result | None:
        """What the system knows of `<folder>/<name>`, None where there is no such ordinary file.

        Raises:
            UnsafeNameError: the path leads elsewhere.
        """
        try:
            folder, name = self._reach(path)
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def read(self, path: str, max_bytes: int) -> bytes | None:
        """The bytes of `<folder>/<name>`, None where there is no such ordinary file of at most `max_bytes` bytes.

        Raises:
            UnsafeNameError: the path leads elsewhere.
        """
        try:
            folder, name = self._reach(path)
            with open_file(folder, name) as (file, found):
                return _whole(file, found.st_size) if found.st_size <= max_bytes else None
        except OSError:
            return None


def _whole(file: int, size: int) -> bytes:
    """The bytes of an open file, which has so many; fewer where it was cut short meanwhile."""
    body = os.read(file, size)
    while len(body) < size and (more := os.read(file, size - len(body))):  # at most 2 GiB come at once
        body += more
    return body

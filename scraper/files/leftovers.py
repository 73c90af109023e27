"""What runs that were cut short left in an output folder, and its removal. Nothing is made to look at it.

Whether names are of a batch that was never recorded is for the manifest to say, see `journal`.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from scraper.files._opening import TRANSIENT, descend, open_file, stopped, stopping
from scraper.files.journal import claimed, owners, sessions_in
from scraper.files.looking import digest
from scraper.files.names import PARTIAL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from scraper.files.journal import Claim, Session


def sessions(root: Path) -> dict[str, list[Session]]:
    """The sessions in an output folder, by their owners."""
    try:
        with descend(root, PARTIAL) as partials:
            found = owners(partials)
    except OSError:
        return {}
    return {owner: sessions_of(root, owner) for owner in found}


def sessions_of(root: Path, owner: str) -> list[Session]:
    """The sessions of one owner."""
    try:
        with descend(root, PARTIAL, owner) as folder:
            return sessions_in(folder)
    except OSError:
        return []


def claims_in(root: Path) -> list[Claim]:
    """All names that journals in an output folder hold.

    Raises:
        StoppedEarlyError: a journal cannot be read.
    """
    absent = contextlib.suppress(FileNotFoundError, NotADirectoryError)
    with stopping(root, PARTIAL), absent, descend(root, PARTIAL) as partials:
        return list(claimed(partials))
    return []


def stands(root: Path, claim: Claim) -> bool:
    """Whether the file at a claimed name is still the very one that was to get it.

    Raises:
        StoppedEarlyError: it cannot be told at this moment.
    """
    try:
        with descend(root, claim.place.folder) as folder, open_file(folder, claim.place.name) as (file, found):
            same = (found.st_ino, found.st_mtime_ns, found.st_size) == (claim.inode, claim.modified, claim.bytes)
            return same and digest(file, claim.bytes) == claim.sha256
    except OSError as error:
        if error.errno in TRANSIENT:
            raise stopped(root / str(claim.place), error) from error
        return False


def take_back(root: Path, claims: Iterable[Claim]) -> None:
    """Remove the files at claimed names that stand.

    Raises:
        StoppedEarlyError: the file system refused.
    """
    for claim in claims:
        with stopping(root, claim.place):
            if stands(root, claim):
                with descend(root, claim.place.folder) as folder:
                    os.unlink(claim.place.name, dir_fd=folder)
                    os.fsync(folder)


def forget(root: Path, owner: str, session: Session) -> None:
    """Remove a session's own files, and the folders that nothing is left in.

    Raises:
        StoppedEarlyError: the file system refused.
    """
    with stopping(root, PARTIAL, owner):
        with descend(root, PARTIAL, owner) as folder:
            for name in session.files:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)
        tidy(root, owner)


def tidy(root: Path, owner: str) -> None:
    """Remove the folders for an owner's unfinished work where nothing is left in them."""
    with contextlib.suppress(OSError), descend(root) as opened, descend(root, PARTIAL) as partials:
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(owner, dir_fd=partials)
        os.rmdir(PARTIAL, dir_fd=opened)


def remove_ordinary(root: Path, folder: str, names: Collection[str]) -> list[str]:
    """Remove the ordinary files of these names from a folder below `root`; returns those that it removed.

    Raises:
        StoppedEarlyError: the file system refused.
    """
    removed = []
    absent = contextlib.suppress(FileNotFoundError, NotADirectoryError)
    with stopping(root, folder), absent, descend(root, folder) as opened, os.scandir(opened) as entries:
        # Only names that the folder itself tells reach the system.
        there = [entry.name for entry in entries if entry.name in names and entry.is_file(follow_symlinks=False)]
        for name in there:
            os.unlink(name, dir_fd=opened)
            removed.append(name)
    return removed

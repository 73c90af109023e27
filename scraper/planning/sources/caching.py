"""Where a list that was downloaded is kept, and what is known of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scraper.planning.sources.known import KnownList

_NOTE: Final = ".json"
PART: Final = ".part"
"""What the name of a file ends with while it is downloaded."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A downloaded list: where it is, where it came from, its size in bytes and SHA-256."""

    path: Path
    url: str | None
    bytes: int
    sha256: str


def cache_folder(environment: Mapping[str, str], beside: Path) -> Path:
    """The folder for downloaded lists: the user's cache, or that of the manifest where there is no such thing.

    See https://specifications.freedesktop.org/basedir-spec/.
    """
    base = environment.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # noqa: PTH117 - the rule is about the text
        home = environment.get("HOME", "")
        if not os.path.isabs(home) or not os.access(home, os.W_OK):  # noqa: PTH117
            return beside
        base = str(Path(home) / ".cache")
    return Path(base) / "scraper" / "lists"


def find(known: KnownList, folders: list[Path]) -> Kept | None:
    """The file of a known list, where someone downloaded it into one of the folders; a wrong one is not it.

    Raises:
        OSError: a file that is there cannot be read.
    """
    for folder in folders:
        path = folder / known.file
        if not path.is_file():
            continue
        kept = _noted(path)
        if kept is not None and known.bytes in (None, kept.bytes):
            return kept
        kept = look(path, None)
        if is_right(known, kept):
            note(kept)
            return kept
    return None


def _noted(path: Path) -> Kept | None:
    """What was noted of a file when it was downloaded, if the file is still the same."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads(path.with_name(path.name + _NOTE).read_text(encoding="utf-8"))
        found = path.stat()
        if (said["bytes"], said["changed"]) == (found.st_size, found.st_mtime_ns):
            return Kept(path, str(said["url"]) if said["url"] else None, said["bytes"], str(said["sha256"]))
    return None


def look(path: Path, url: str | None) -> Kept:
    """Take the size and digest of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Kept(path, url, path.stat().st_size, digest)


def note(kept: Kept) -> None:
    """Note what is known of a file beside it, so that it need not be read whole next time."""
    said = {**asdict(kept), "path": kept.path.name, "changed": kept.path.stat().st_mtime_ns}
    with contextlib.suppress(OSError):
        kept.path.with_name(kept.path.name + _NOTE).write_text(json.dumps(said), encoding="utf-8")


def forget(kept: Kept) -> None:
    """Remove a file that turned out wrong, and what was noted of it."""
    for path in (kept.path, kept.path.with_name(kept.path.name + _NOTE)):
        path.unlink(missing_ok=True)


def is_right(known: KnownList, kept: Kept) -> bool:
    """Whether a file is the list that is known, as far as is known of it."""
    if known.bytes is not None and kept.bytes != known.bytes:
        return False
    if known.digest is None:
        return True
    algorithm, digest = known.digest
    with kept.path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest() == digest

"""Downloading a whole list once: gone on with after a break, checked by its digest, patient where the host asks for it.

A part that came stays beside the place of the file, with a note of which version it is of (its ETag, or the date of its
last change), so that the next request, or the next run, asks for the rest of that version only (RFC 9110, 13.1.5).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Final

from scraper.errors import StoppedEarlyError
from scraper.model import ListingOutcome, Outcome, outcome_of_status
from scraper.planning.sources.caching import PART, is_right, look, note
from scraper.texts import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from scraper.planning.sources.caching import Kept
    from scraper.planning.sources.known import KnownList
    from scraper.records import Reply
    from scraper.web.bodies import Part
    from scraper.web.client import Client

_NOTE: Final = ".json"


@dataclass(frozen=True, slots=True)
class Came:
    """What one request for a file came to.

    Attributes:
        outcome: how it failed; None where the file is there.
        how: the same, in plain words.
        again: whether asking again may help.
        more: whether it brought some of the file.
        retry_after: seconds that the host asked to wait.
        kept: the file, once it is there whole.
    """

    outcome: ListingOutcome | Outcome | None = None
    how: str = ""
    again: bool = False
    more: bool = False
    retry_after: float | None = None
    kept: Kept | None = None


class PartFile:
    """The part of a file that has come so far: a sink for its rest. One run at a time may have it open."""

    def __init__(self, path: Path, *, max_bytes: int | None, exactly: int | None = None) -> None:
        """For the file that will be at `path` and has up to `max_bytes` bytes, or `exactly` so many.

        Raises:
            StoppedEarlyError: it cannot be written, or another run has it open.
        """
        self.path = path
        self._part = path.with_name(path.name + PART)
        self._note = path.with_name(path.name + PART + _NOTE)
        self._max_bytes = max_bytes if exactly is None else exactly
        self._exactly = exactly
        self.problem = ""
        self.total: int | None = None
        self._url = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = open(self._part, "ab")  # noqa: SIM115, PTH123 - closed by `close`
        except OSError as error:
            raise StoppedEarlyError(f"cannot write to {path.parent}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise StoppedEarlyError(f"another run is downloading {path}: wait for it, then run again") from error
        self.size = self._file.tell()

    def close(self) -> None:
        """Let it go, as it is."""
        self._file.close()

    def open_for(self, url: str) -> str | None:
        """Get ready for the rest from `url`; returns what tells the version of this part, if it came from there."""
        self._url, self.problem, self.total = url, "", None
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            said = json.loads(self._note.read_text(encoding="utf-8"))
            if said["url"] == url and said["validator"]:
                return str(said["validator"])
        return None

    def clear(self) -> None:
        """Begin anew."""
        self._file.truncate(0)
        self.size = 0

    # --- a sink ------------------------------------------------------------------------------------------------------

    def begin(self, part: Part) -> bool:
        """Take in which part of the file follows; what was there of another version goes."""
        self.total = part.total
        if part.total is not None and self._exactly not in (None, part.total):
            self.problem = f"the file there has {part.total:,} bytes, and the known list {self._exactly:,}"
            return False
        if part.total is not None and self._max_bytes is not None and part.total > self._max_bytes:
            self.problem = (
                f"it has {part.total:,} bytes, and without --yes no more than {self._max_bytes:,} are downloaded"
            )
            return False
        if part.start not in (0, self.size):
            self.problem = "the host sent another part than was asked for"
            return False
        if part.start == 0:
            self.clear()
        with contextlib.suppress(OSError):  # without the note it begins anew next time
            said = {"url": self._url, "validator": part.validator}
            self._note.write_text(json.dumps(said), encoding="utf-8")
        return True

    def write(self, piece: bytes) -> bool:
        """Take in what came."""
        if self._max_bytes is not None and self.size + len(piece) > self._max_bytes:
            self.problem = f"it has more than {self._max_bytes:,} bytes"
            return False
        try:
            self._file.write(piece)
            self._file.flush()  # so that a kill costs nothing, and a full disk shows here
        except OSError as error:
            self.problem = f"cannot write to {self._part}: {error.strerror}"
            return False
        self.size += len(piece)
        return True

    def keep(self) -> Path:
        """Let all of it reach the disk, and tell where it is.

        Raises:
            OSError: that is not possible.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._part

    def finish(self) -> None:
        """Give the file its name.

        Raises:
            OSError: that is not possible.
        """
        self._part.replace(self.path)
        self._note.unlink(missing_ok=True)


def attempt(client: Client, known: KnownList, url: str, part: PartFile) -> Came:
    """Ask once for a file, or for what is lacking of it, and check it where it is whole.

    Raises:
        StoppedEarlyError: it cannot be written.
    """
    validator = part.open_for(url)
    # Without its version, a rest is asked for only where the digest will tell whether it fits.
    before = part.size if validator is not None or known.digest is not None else 0
    if before and before == known.bytes:
        return _checked(known, url, part, before)
    reply = client.download(url, part, start=before, validator=validator)
    if part.problem:
        if part.problem.startswith("cannot write"):
            raise StoppedEarlyError(f"{part.problem}: free some space and run again")
        part.clear()
        return Came(ListingOutcome.NOT_A_LIST, part.problem)
    return _taken(known, url, part, reply, before)


def _taken(known: KnownList, url: str, part: PartFile, reply: Reply, before: int) -> Came:
    """What an answer to the request came to."""
    more = part.size not in (0, before)
    if reply.failure is not None:
        how = one_line(reply.error or str(reply.failure))
        return Came(reply.failure, how, again=reply.failure.retryable, more=more)
    if reply.status == 416 and before:
        part.clear()
        return Came(Outcome.PROTOCOL_ERROR, "HTTP status 416", again=True)
    if reply.status not in (200, 206):
        outcome = outcome_of_status(reply.status)
        how = ListingOutcome.NOT_FOUND if outcome is Outcome.GONE else outcome
        again = outcome.retryable and outcome is not Outcome.BAD_STATUS
        return Came(how, f"HTTP status {reply.status}", again=again, retry_after=reply.retry_after)
    if part.total is not None and part.size < part.total:
        return Came(Outcome.CONNECTION_ERROR, "the connection broke off", again=True, more=more)
    return _checked(known, url, part, before)


def _checked(known: KnownList, url: str, part: PartFile, before: int) -> Came:
    """Give a whole file its name, if it is the right one."""
    try:
        kept = look(part.keep(), url)
        if not is_right(known, kept):
            part.clear()
            how = f"what came is not the file that is known: SHA-256 {kept.sha256}"
            return Came(ListingOutcome.NOT_A_LIST, how, again=before > 0)  # perhaps for what was there before
        part.finish()
        kept = replace(kept, path=part.path)
        note(kept)
    except OSError as error:
        raise StoppedEarlyError(f"cannot write {part.path}: {error.strerror}") from error
    return Came(kept=kept)

"""What is wanted of the body of an answer: all of it up to a limit, its first bytes, or a stream of any size."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from scraper.model import Outcome

if TYPE_CHECKING:
    import urllib3

    from scraper.pacing.deadlines import Deadline
    from scraper.pacing.room import Lease
    from scraper.records import Reply

_PIECE: Final = 256 * 1024
"""Bytes read at once where no length is declared: few hand-overs of the interpreter's lock, little wasted memory."""
_SMALL: Final = 2**20
"""Bytes of a body that is read without asking whether there is room for it."""
_STREAMED: Final = 64 * 1024
_LEAST: Final = 16 * 1024
"""Bytes of a stream that count as progress: a server that sends less in all of a request's time has stopped."""
_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")


class Body(Protocol):
    """What is wanted of a body, and how it is taken."""

    @property
    def headers(self) -> dict[str, str]:
        """Headers that ask for it."""
        ...

    @property
    def late(self) -> str:
        """What is said of a request whose time was over."""
        ...

    def take(self, reply: Reply, response: urllib3.BaseHTTPResponse, deadline: Deadline) -> Reply:
        """Read the body of an answer of 200 or 206, as far as it is wanted; raises what reading does."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A body of up to `max_bytes`; with `ranged`, only its first ones are asked for; `lease` holds room for it."""

    max_bytes: int
    ranged: bool = False
    lease: Lease | None = None
    late: str = "not finished"

    @property
    def headers(self) -> dict[str, str]:
        """A range, where only the beginning is wanted."""
        return {"Range": f"bytes=0-{self.max_bytes - 1}"} if self.ranged else {}

    def take(self, reply: Reply, response: urllib3.BaseHTTPResponse, deadline: Deadline) -> Reply:
        """Read the body as far as it is wanted; where there is more, say so and leave the rest unread."""
        if reply.failure is not None:
            return reply
        declared = response.headers.get("Content-Length", "").strip()
        length = int(declared) if declared.isascii() and declared.isdigit() else 0
        if length > self.max_bytes and not self.ranged:
            return replace(reply, oversize=True)
        pieces: list[bytes] = []
        received, room = 0, _SMALL
        while received <= self.max_bytes:
            if min(max(received + _PIECE, length), self.max_bytes) > room:
                # Without a length the pieces and what is made of them are there at once.
                if not self._has_room(min(length, self.max_bytes) or 2 * self.max_bytes, deadline):
                    return replace(
                        reply, failure=Outcome.TIMEOUT, error="other large answers left no memory for it in time"
                    )
                room = self.max_bytes
            piece = response.read(self.max_bytes + 1 if declared else _PIECE)
            if not piece:
                break
            pieces.append(piece)
            received += len(piece)
        oversize = received > self.max_bytes
        body = b"" if oversize and not self.ranged else b"".join(pieces)[: self.max_bytes]
        return replace(reply, body=body, received=received, oversize=oversize)

    def _has_room(self, size: int, deadline: Deadline) -> bool:
        """Whether there is room for a large body before the request's time is over."""
        return self.lease is None or self.lease.take(size, deadline.remaining())


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a file an answer is.

    Attributes:
        start: its place in the file.
        total: bytes of the whole file; None where the answer does not say.
        validator: what tells this version of the file from others, to go on with it later: a strong ETag, or the date
            of its last change (RFC 9110, 13.1.5); None where there is neither.
    """

    start: int
    total: int | None
    validator: str | None


class Sink(Protocol):
    """Where a stream goes on. Both methods may say that it is to end, by False."""

    def begin(self, part: Part) -> bool:
        """Take in which part of the file follows."""
        ...

    def write(self, piece: bytes) -> bool:
        """Take in what came."""
        ...


@dataclass(frozen=True, slots=True)
class Streamed:
    """A body of any size that goes into a sink as it comes.

    Attributes:
        sink: takes it in.
        start: bytes that are there already; the rest is asked for.
        validator: of the version that they are of.
        idle: seconds in which some of it must come, each time anew.
    """

    sink: Sink
    start: int
    validator: str | None
    idle: float
    late: str = "too little came"

    @property
    def headers(self) -> dict[str, str]:
        """A range, where the beginning is there already; with a validator, another version of the file comes whole."""
        if not self.start:
            return {}
        return {"Range": f"bytes={self.start}-"} | ({"If-Range": self.validator} if self.validator else {})

    def take(self, reply: Reply, response: urllib3.BaseHTTPResponse, deadline: Deadline) -> Reply:
        """Hand the body on, piece by piece; the deadline begins anew whenever enough has come."""
        if reply.failure is not None or not self.sink.begin(part_of(response)):
            return reply
        received = counted = 0
        while piece := response.read1(_STREAMED):
            received += len(piece)
            if not self.sink.write(piece):
                break
            if received - counted >= _LEAST:
                counted = received
                deadline.extend(self.idle)
        return replace(reply, received=received)


def part_of(response: urllib3.BaseHTTPResponse) -> Part:
    """Which part of a file an answer of 200 or 206 is."""
    headers = response.headers
    etag = headers.get("ETag", "").strip()
    validator = etag if etag.startswith('"') else headers.get("Last-Modified", "").strip()
    declared = headers.get("Content-Length", "").strip()
    length = int(declared[:18]) if declared.isascii() and declared.isdigit() else None
    if response.status == 206:
        match = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if match is not None:
            return Part(int(match[1]), int(match[2]) if match[2] != "*" else None, validator or None)
    return Part(0, length, validator or None)

"""As much of HTTP/1.1 as the stand-in speaks: requests without a body, answers with a known length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_HEAD: Final = 65536  # bytes
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


class BadRequestError(Exception):
    """What came in is not a request the stand-in can read."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `host` is lower case and has no port, `path` keeps its query, header names are lower case."""

    scheme: str
    method: str
    host: str
    path: str
    headers: Mapping[str, str]

    @property
    def address(self) -> str:
        """Host, path and query."""
        return self.host + self.path

    @property
    def keeps_alive(self) -> bool:
        """Whether the client wants to go on using the connection."""
        return self.headers.get("connection", "").lower() != "close"


def parse(head: bytes, scheme: str) -> Request:
    """Read a request's head, given without its empty last line."""
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, version = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    except ValueError:
        raise BadRequestError(first[:100]) from None
    if not version.startswith("HTTP/1."):
        raise BadRequestError(first[:100])
    host = headers.get("host", "")
    if not target.startswith("/"):  # a client that takes us for its proxy names the host here
        host, slash, path = target.partition("://")[2].partition("/")
        target = slash + path or "/"
    return Request(scheme, method, re.sub(r":\d+$", "", host.lower()), target, headers)


def head(status: int, headers: tuple[tuple[str, str], ...], length: int, *, keep: bool) -> bytes:
    """An answer's head for a body of `length` bytes."""
    known = status in HTTPStatus.__members__.values()
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase if known else 'Request denied'}"]
    lines.append(f"Content-Length: {length}")
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append("Connection: keep-alive" if keep else "Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def span(wanted: str, length: int) -> tuple[int, int] | None:
    """First byte and end of a `Range` header's one range within `length` bytes, None if it cannot be given."""
    match = _RANGE.fullmatch(wanted.replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return 0, length  # one may ignore a range that one does not understand
    first, last = match.groups()
    if not first:
        return (max(0, length - int(last)), length) if int(last) else None
    start, end = int(first), min(int(last or length), length - 1) + 1
    return (start, end) if start < end else None

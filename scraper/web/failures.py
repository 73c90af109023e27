"""The exceptions of a request, sorted into outcomes by type: urllib3's, http.client's, ssl's and the socket's."""

from __future__ import annotations

import http.client
import re
import ssl
from typing import Final

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    InvalidChunkLength,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from scraper.model import Outcome
from scraper.texts import one_line, redacted
from scraper.web.targets import BlockedAddressError, RefusedError


def failure_of(error: Exception) -> tuple[Outcome, str]:
    """Sort an exception of a request into an outcome, by type alone, with one line for people."""
    for types, outcome in _FAILURES:
        if isinstance(error, types):
            inner = _inner(error)
            if inner is not None:
                return failure_of(inner)
            message = redacted(one_line(in_words(error)))
            return error.outcome if isinstance(error, RefusedError) else outcome, message
    raise error  # not a failure of the request but a fault of ours, which must not pass for one


_PYTHON: Final = re.compile(
    r"<?(?:[a-z0-9_.]+\.)?HTTPS?Connection(?:Pool)?(?:\([^()]*\))?(?: object at 0x[0-9a-f]+>)?: "
    r"|Failed to establish a new connection: |\[Errno -?[0-9]+\] | ?\(_ssl\.c:[0-9]+\)|\[SSL(?:: [A-Z0-9_]+)?\] "
)
"""What messages of exceptions say to programmers alone."""


def in_words(error: Exception) -> str:
    """What an exception says, without what only programmers understand.

    >>> in_words(OSError("HTTPSConnection(host='a.example', port=443): [Errno 111] Connection refused"))
    'Connection refused'
    """
    return _PYTHON.sub("", str(error)).strip() or type(error).__name__


_FAILURES: Final[tuple[tuple[tuple[type[Exception], ...], Outcome], ...]] = (
    ((RefusedError, BlockedAddressError), Outcome.BLOCKED),
    ((NameResolutionError,), Outcome.DNS_ERROR),
    ((NewConnectionError,), Outcome.CONNECTION_ERROR),
    ((ConnectTimeoutError, ReadTimeoutError, TimeoutError), Outcome.TIMEOUT),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), Outcome.CONNECTION_ERROR),
    ((SSLError, ssl.SSLError, ssl.CertificateError), Outcome.TLS_ERROR),
    ((InvalidChunkLength,), Outcome.PROTOCOL_ERROR),
    ((IncompleteRead, http.client.IncompleteRead), Outcome.CONNECTION_ERROR),
    ((http.client.RemoteDisconnected, ConnectionError), Outcome.CONNECTION_ERROR),
    ((http.client.HTTPException,), Outcome.PROTOCOL_ERROR),
    ((ProxyError,), Outcome.CONNECTION_ERROR),
    ((LocationValueError,), Outcome.BAD_URL),
    ((HTTPError,), Outcome.PROTOCOL_ERROR),
    ((OSError,), Outcome.CONNECTION_ERROR),
    # What a server sends can reach a plain ValueError in http.client and urllib3 (a negative chunk size does).
    ((ValueError, OverflowError), Outcome.PROTOCOL_ERROR),
)
"""First match wins, so a subclass stands before its base."""


def _inner(error: Exception) -> Exception | None:
    """The exception that urllib3 wrapped, where the wrapper alone does not tell what happened."""
    if isinstance(error, (ProtocolError, SSLError, ProxyError)) and not isinstance(error, IncompleteRead):
        wrapped = [argument for argument in error.args if isinstance(argument, Exception)]
        if isinstance(error, ProxyError):
            wrapped = [error.original_error]
        return wrapped[-1] if wrapped else None
    return None

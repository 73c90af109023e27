"""The exceptions of a request, sorted into outcomes by type: urllib3's, http.client's, ssl's and the socket's."""

from __future__ import annotations

import http.client
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
            message = redacted(one_line(str(error) or type(error).__name__))
            return error.outcome if isinstance(error, RefusedError) else outcome, message
    raise error  # not a failure of the request but a fault of ours, which must not pass for one


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

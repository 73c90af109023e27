"""The way through one proxy. What fails before it stands speaks of the proxy, and of no photo: it stops the run.

One request tries the way before the others may, so that a wrong password is sent once and not by every thread, which
in some companies locks an account.
"""

from __future__ import annotations

import contextlib
import http
import socket
import threading
from typing import TYPE_CHECKING

from scraper.errors import StoppedEarlyError
from scraper.texts import one_line, redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.web.proxies import Proxy

_AGAIN = "then run the same command again"


class Gateway:
    """The way through a proxy, for many threads."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self._changed = threading.Condition()
        self._trying = False
        self._open = False
        self._problem: str | None = None

    @contextlib.contextmanager
    def trying(self, seconds: float) -> Iterator[None]:
        """Make a connection through the proxy inside: alone, as long as the proxy has let nobody through.

        Args:
            seconds: to wait for whoever tries at the moment.

        Raises:
            StoppedEarlyError: the proxy cannot be reached, or does not let us through.
        """
        if self._open or not self._wait_turn(seconds):
            yield
            return
        try:
            yield
        except StoppedEarlyError:
            raise
        except Exception as error:
            if self._open:
                raise  # the proxy let us through, and what lies behind it failed
            self._problem = self._unusable(_reason(error))
            raise StoppedEarlyError(self._problem) from error
        finally:
            with self._changed:
                self._trying = False
                self._changed.notify_all()

    def _wait_turn(self, seconds: float) -> bool:
        """Wait until it is known whether the proxy lets us through, or nobody tries; whether to try then."""
        with self._changed:
            known = self._changed.wait_for(lambda: self._open or self._problem or not self._trying, seconds)
            if self._problem is not None or not known:
                raise StoppedEarlyError(self._problem or self._unusable("no answer in time"))
            self._trying = not self._open
            return self._trying

    def _unusable(self, why: str) -> str:
        return f"the proxy {self.proxy} cannot be used ({why}): start it or correct {self.proxy.named}, {_AGAIN}"

    def opened(self) -> None:
        """Say that the proxy let a request through."""
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def refused(self, status: int, host: str) -> None:
        """Take in a status with which the proxy itself answered a request for `host`.

        A status from 500 says that the proxy could not reach the host, and so does one that comes after it has let
        others through: these are failures of a request.

        Raises:
            StoppedEarlyError: it wants another password, or lets nothing through.
        """
        if status == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            self._problem = self._unauthorized()
        elif status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            self.opened()
        elif not self._open:
            self._problem = (
                f"the proxy {self.proxy} does not let us through to {host} (status {status}): ask whoever runs it, or "
                f"name another in {self.proxy.named}, {_AGAIN}"
            )
        if self._problem is not None:
            raise StoppedEarlyError(self._problem)

    def _unauthorized(self) -> str:
        named = self.proxy.named
        if self.proxy.credentials is None:
            return (
                f"the proxy {self.proxy} asks for a user name and a password (407): put them into {named}, as in "
                f"http://USER:PASSWORD@HOST:PORT with special characters percent-encoded, {_AGAIN}"
            )
        return (
            f"the proxy {self.proxy} refuses the user name and password of {named} (407): correct them, special "
            f"characters percent-encoded, {_AGAIN}"
        )


def _reason(error: BaseException) -> str:
    """What an exception of the connection means, without the wrapping that libraries put around it."""
    cause = error.__cause__ or error
    if isinstance(cause, socket.gaierror):
        return "its name cannot be looked up"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause) or type(cause).__name__
    return redacted(one_line(said, 200))

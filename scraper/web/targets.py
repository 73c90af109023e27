"""A URL taken apart before it is asked for, and refused where it leads to what must not be reached."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final

from scraper.model import Outcome
from scraper.urls import taken_apart
from scraper.web.addresses import is_local_name, is_public, literal_address

_NO_HOST: Final = re.compile(r"[\x00-\x20]")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect and what to ask for."""

    url: str
    scheme: str
    host: str
    port: int
    path: str


class RefusedError(Exception):
    """A URL that will not be asked for, and the outcome that says why."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


class BlockedAddressError(Exception):
    """The host leads to an address that requests must not reach."""


def parse_target(url: str, *, allow_private: bool) -> Target:
    """Take a URL apart as urllib3 would, refusing what must not be asked for.

    Raises:
        RefusedError: `bad_url` where it is no URL, `blocked` where scheme, credentials or host are refused.
    """
    try:
        parsed = taken_apart(url)
        host, port = parsed.host, parsed.port
    except ValueError as error:
        raise RefusedError(Outcome.BAD_URL, f"not a URL: {error}") from error
    if parsed.scheme not in ("http", "https"):
        raise RefusedError(Outcome.BLOCKED, f"scheme {parsed.scheme!r} is not followed")
    if not host or port == 0 or _NO_HOST.search(host):
        raise RefusedError(Outcome.BAD_URL, "no host in the URL")
    problem = _problem(host)
    if problem is Outcome.BAD_URL:
        raise RefusedError(problem, "no address in the brackets")
    if parsed.auth:
        raise RefusedError(Outcome.BLOCKED, "a URL with a user name or password is not followed")
    if problem is Outcome.BLOCKED and not allow_private:
        raise RefusedError(problem, f"{host} is not a public address (--allow-private permits it)")
    return Target(
        (parsed if parsed.fragment is None else parsed._replace(fragment=None)).url,
        parsed.scheme,
        host,
        port or (443 if parsed.scheme == "https" else 80),
        parsed.request_uri,
    )


@functools.lru_cache(maxsize=4096)
def _problem(host: str) -> Outcome | None:
    """What a host's spelling alone says against it; many URLs share a host."""
    address = literal_address(host)
    if host.startswith("[") and address is None:
        return Outcome.BAD_URL
    return Outcome.BLOCKED if (address and not is_public(address)) or is_local_name(host) else None

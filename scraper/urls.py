"""URLs as text: how they begin in a list, which host they name, whether a domain has it. Nothing is looked up.

A host is read in two ways, on purpose: `host_of` is for what was asked for, whose hosts are counted, and is quick;
`host_in` tells of what stands in lists and settings whether it is a URL at all, and so reads it as it would be asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from urllib3.util import Url

LONGEST_URL: Final = 8192
"""Characters; no host of the lists serves longer ones, and hostile lists should cost nothing."""

BEGINNING: Final = r"[\s\"'<]*(?:https?://|(?://)?(?:[a-z0-9-]+\.)+[a-z]{2,}(?::[0-9]{1,5})?/)"
"""How a URL begins in a list, with a scheme or without; for ASCII, whatever the case."""

PLAIN: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+)(?::(?P<port>[0-9]+))?(?P<path>/.*)?", re.IGNORECASE | re.ASCII
)
"""An http or https URL without a user, whose host is a name or an address of IPv4."""

_PRINTED: Final = re.compile(r"https?://([a-z0-9.-]+)(?::[0-9]{1,5})?(?:/[!-~]*)?", re.IGNORECASE | re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)


def on_domain(host: str, domains: tuple[str, ...]) -> bool:
    """Whether `host` is one of `domains` or below it. Containing the name is not enough.

    >>> on_domain("farm1.static.flickr.com", ("flickr.com",)), on_domain("notflickr.com", ("flickr.com",))
    (True, False)
    """
    host = host.lower().rstrip(".")
    return any(host == domain or host.endswith("." + domain) for domain in domains)


def has_scheme(text: str) -> bool:
    """Whether a text begins as an http or https URL does."""
    return _SCHEME.match(text) is not None


def host_of(url: str) -> str | None:
    """The host of a plain http or https URL in lower case, None where the URL has another form."""
    match = PLAIN.fullmatch(url)
    return match["host"].lower() if match else None


def host_in(url: str) -> str | None:
    """The host of an http or https URL, None where the text is not one. Spaces inside do occur and are let pass."""
    plain = _PRINTED.fullmatch(url)
    if plain:
        return plain[1].lower() if len(url) <= LONGEST_URL else None
    if len(url) > LONGEST_URL or _CONTROL.search(url) or not has_scheme(url):
        return None
    try:
        return taken_apart(url).host or None
    except ValueError:
        return None


def taken_apart(url: str) -> Url:
    """The parts of any URL as the client asks for them.

    Raises:
        ValueError: it is none.
    """
    from urllib3.util import parse_url  # noqa: PLC0415 - costs the start, and is rarely needed

    return parse_url(url)

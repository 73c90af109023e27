"""What may become of a Flickr URL or of a class's list, and what a fetcher should make of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Fate(Enum):
    """How the stand-in answers for one Flickr URL."""

    ALIVE = "alive"
    GONE_404 = "gone_404"
    GONE_410 = "gone_410"
    PLACEHOLDER_REDIRECT = "placeholder_redirect"
    PLACEHOLDER_DIRECT = "placeholder_direct"
    FORBIDDEN = "forbidden"
    OPTED_OUT = "opted_out"
    HTML = "html"
    EMPTY = "empty"
    TINY = "tiny"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    MOVED = "moved"
    REDIRECT_LOOP = "redirect_loop"
    THROTTLED_ONCE = "throttled_once"
    THROTTLED_ALWAYS = "throttled_always"
    ERROR_ONCE = "error_once"
    ERROR_ALWAYS = "error_always"
    CUT_ONCE = "cut_once"
    CUT_ALWAYS = "cut_always"
    RESET_ALWAYS = "reset_always"
    SLOW = "slow"
    SAME_BYTES = "same_bytes"


class ListingFate(Enum):
    """How the stand-in answers for one class's list of URLs."""

    LISTED = "listed"
    INVALID_URL = "invalid_url"
    NOT_READY = "not_ready"
    HTML_PAGE = "html_page"
    EMPTY = "empty"
    NOT_FOUND = "not_found"
    ERROR_ONCE = "error_once"
    ERROR_ALWAYS = "error_always"
    SILENT = "silent"

    @property
    def resolves(self) -> bool:
        """Whether a patient client gets the list in the end."""
        return self in {ListingFate.LISTED, ListingFate.ERROR_ONCE}


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a URL ends after enough retries.

    `status` is the HTTP status of the last answer, None if no answer ever came.
    """

    outcome: str
    status: int | None


# `duplicate` supposes that the photo with the same bytes was saved before; fetched first or alone, it is `saved`.
EXPECTED: Mapping[Fate, Expected] = MappingProxyType(
    {
        Fate.ALIVE: Expected("saved", 200),
        Fate.GONE_404: Expected("gone", 404),
        Fate.GONE_410: Expected("gone", 410),
        Fate.PLACEHOLDER_REDIRECT: Expected("placeholder", 200),
        Fate.PLACEHOLDER_DIRECT: Expected("placeholder", 200),
        Fate.FORBIDDEN: Expected("forbidden", 403),
        Fate.OPTED_OUT: Expected("opted_out", 200),
        Fate.HTML: Expected("not_image", 200),
        Fate.EMPTY: Expected("not_image", 200),
        Fate.TINY: Expected("too_small", 200),
        Fate.TRUNCATED: Expected("truncated", 200),
        Fate.CORRUPT: Expected("corrupt", 200),
        Fate.MOVED: Expected("saved", 200),
        Fate.REDIRECT_LOOP: Expected("redirect_error", 302),
        Fate.THROTTLED_ONCE: Expected("saved", 200),
        Fate.THROTTLED_ALWAYS: Expected("throttled", 429),
        Fate.ERROR_ONCE: Expected("saved", 200),
        Fate.ERROR_ALWAYS: Expected("server_error", 500),
        Fate.CUT_ONCE: Expected("saved", 200),
        Fate.CUT_ALWAYS: Expected("connection_error", 200),
        Fate.RESET_ALWAYS: Expected("connection_error", None),
        Fate.SLOW: Expected("saved", 200),
        Fate.SAME_BYTES: Expected("duplicate", 200),
    }
)

# Near what users of such tools measured: about a quarter broken, mostly deleted photos.
DEFAULT_MIX: Mapping[Fate, float] = MappingProxyType(
    {
        Fate.ALIVE: 0.725,
        Fate.GONE_404: 0.075,
        Fate.GONE_410: 0.040,
        Fate.PLACEHOLDER_REDIRECT: 0.080,
        Fate.PLACEHOLDER_DIRECT: 0.008,
        Fate.FORBIDDEN: 0.010,
        Fate.OPTED_OUT: 0.004,
        Fate.HTML: 0.004,
        Fate.EMPTY: 0.003,
        Fate.TINY: 0.003,
        Fate.TRUNCATED: 0.004,
        Fate.CORRUPT: 0.004,
        Fate.MOVED: 0.012,
        Fate.REDIRECT_LOOP: 0.001,
        Fate.THROTTLED_ONCE: 0.005,
        Fate.THROTTLED_ALWAYS: 0.001,
        Fate.ERROR_ONCE: 0.006,
        Fate.ERROR_ALWAYS: 0.001,
        Fate.CUT_ONCE: 0.003,
        Fate.CUT_ALWAYS: 0.001,
        Fate.RESET_ALWAYS: 0.001,
        Fate.SLOW: 0.004,
        Fate.SAME_BYTES: 0.005,
    }
)

"""The closed sets that all share: what becomes of requests, lists and candidates, and what there is to choose from."""

from __future__ import annotations

import enum
from typing import Final, NewType

Wnid = NewType("Wnid", str)
"""A WordNet 3.0 noun synset: `n` and the eight-digit offset, such as `n01440764` (tench)."""


class Kind(enum.StrEnum):
    """What an outcome says of the photo behind the URL."""

    IMAGE = "image"
    DEAD = "dead"
    DENIED = "denied"
    UNUSABLE = "unusable"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class Outcome(enum.StrEnum):
    """How a request for a photo ended: the closed set that the manifest, the report and every policy share."""

    SAVED = "saved"
    DUPLICATE = "duplicate"
    GONE = "gone"
    PLACEHOLDER = "placeholder"
    FORBIDDEN = "forbidden"
    OPTED_OUT = "opted_out"
    NOT_IMAGE = "not_image"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    DNS_ERROR = "dns_error"
    CONNECTION_ERROR = "connection_error"
    TLS_ERROR = "tls_error"
    PROTOCOL_ERROR = "protocol_error"
    REDIRECT_ERROR = "redirect_error"
    BAD_STATUS = "bad_status"
    BLOCKED = "blocked"
    BAD_URL = "bad_url"
    INTERCEPTED = "intercepted"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"

    @property
    def kind(self) -> Kind:
        """What this outcome says of the photo."""
        return _KINDS[self]

    @property
    def final(self) -> bool:
        """Whether the URL has answered for good, so that it is never asked again unless someone reopens it."""
        return self.kind is not Kind.UNKNOWN

    @property
    def retryable(self) -> bool:
        """Whether another try soon may end otherwise. A redirect that leads nowhere will lead nowhere again."""
        return self.kind is Kind.UNKNOWN and self is not Outcome.REDIRECT_ERROR


_KINDS: Final[dict[Outcome, Kind]] = {
    Outcome.SAVED: Kind.IMAGE,
    Outcome.DUPLICATE: Kind.IMAGE,
    Outcome.GONE: Kind.DEAD,
    Outcome.PLACEHOLDER: Kind.DEAD,
    Outcome.FORBIDDEN: Kind.DENIED,
    Outcome.OPTED_OUT: Kind.DENIED,
    Outcome.NOT_IMAGE: Kind.UNUSABLE,
    Outcome.TRUNCATED: Kind.UNUSABLE,
    Outcome.CORRUPT: Kind.UNUSABLE,
    Outcome.TOO_SMALL: Kind.UNUSABLE,
    Outcome.TOO_LARGE: Kind.UNUSABLE,
    Outcome.THROTTLED: Kind.UNKNOWN,
    Outcome.SERVER_ERROR: Kind.UNKNOWN,
    Outcome.TIMEOUT: Kind.UNKNOWN,
    Outcome.DNS_ERROR: Kind.UNKNOWN,
    Outcome.CONNECTION_ERROR: Kind.UNKNOWN,
    Outcome.TLS_ERROR: Kind.UNKNOWN,
    Outcome.PROTOCOL_ERROR: Kind.UNKNOWN,
    Outcome.REDIRECT_ERROR: Kind.UNKNOWN,
    Outcome.BAD_STATUS: Kind.UNKNOWN,
    Outcome.BLOCKED: Kind.REFUSED,
    Outcome.BAD_URL: Kind.REFUSED,
    Outcome.INTERCEPTED: Kind.UNKNOWN,
    Outcome.CHANGED: Kind.UNUSABLE,
    Outcome.WITHDRAWN: Kind.REFUSED,
}

DECIDED_KINDS: Final = (Kind.IMAGE, Kind.DEAD, Kind.DENIED, Kind.UNUSABLE)
"""The kinds that count in a denominator: the host answered for this photo. Unknown and refused never do."""


def outcome_of_status(status: int | None) -> Outcome:
    """What an HTTP status other than 200 means (RFC 9110; 429 of RFC 6585; 451 of RFC 7725)."""
    match status:
        case 404 | 410:
            return Outcome.GONE
        case 401 | 403 | 451:
            return Outcome.FORBIDDEN
        case 429:
            return Outcome.THROTTLED
        case int() if 500 <= status <= 599:
            return Outcome.SERVER_ERROR
        case _:
            return Outcome.BAD_STATUS


class State(enum.StrEnum):
    """Where a candidate stands. Being in flight is not a state: it lives in memory only."""

    WAITING = "waiting"
    SAVED = "saved"
    LOST = "lost"
    UNKNOWN = "unknown"


class Form(enum.StrEnum):
    """Another form of a URL that may still lead to a photo whose own URL is dead."""

    LIVE = "live"


class Check(enum.StrEnum):
    """How thoroughly a picture is checked before it is kept: decoded to its end, or its header and end marker only."""

    DECODE = "decode"
    HEADER = "header"


class Withdrawn(enum.StrEnum):
    """What someone asked to be left out by: a Flickr photo in every size and class, a URL, or bytes by their digest."""

    PHOTO = "photo"
    URL = "url"
    SHA256 = "sha256"


class Labels(enum.StrEnum):
    """Whose labels classes get: WordNet's names, the clean names of the 1,000 of ILSVRC, or those that the list has."""

    WORDNET = "wordnet"
    CLEAN = "clean"
    LIST = "list"


class Frame(enum.StrEnum):
    """What a survey draws from: all listed URLs, asked for or not, or those that were answered for good."""

    LISTED = "listed"
    ANSWERED = "answered"


class ListingOutcome(enum.StrEnum):
    """How asking a source for the list of one class ended, where the request itself did not fail.

    A request for a list that fails does so with an `Outcome`, as any other request.
    """

    LISTED = "listed"
    NOT_IN_SOURCE = "not_in_source"
    INVALID_WNID = "invalid_wnid"
    NOT_READY = "not_ready"
    EMPTY = "empty"
    NOT_A_LIST = "not_a_list"
    NOT_FOUND = "not_found"
    UNREADABLE = "unreadable"


LISTING_OUTCOMES: Final[tuple[ListingOutcome | Outcome, ...]] = (*ListingOutcome, *Outcome)
"""All that can be on record for the list of a class."""


class Oddity(enum.StrEnum):
    """What is odd about a line of a list. All but `LEFT_OFF` are set aside and never asked for."""

    NO_URL = "no_url"
    NOT_A_PHOTO = "not_a_photo"
    NO_CLASS = "no_class"
    CLASS_NAME = "class_name"
    OTHER_CLASS = "other_class"
    BROKEN = "broken"
    TOO_LONG = "too_long"
    LEFT_OFF = "left_off"

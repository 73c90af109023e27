"""The values that pass between the layers: small, frozen, picklable, free of behaviour that needs the world."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final, NamedTuple, NewType

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


_MALFORMED: Final = frozenset({Oddity.NO_URL, Oddity.BROKEN, Oddity.TOO_LONG})


class OddLines(NamedTuple):
    """Lines of a list that are odd alike: how many, and the first of them, made fit to be shown."""

    kind: Oddity
    lines: int
    example: str


@dataclass(frozen=True, slots=True)
class ClassRequest:
    """A class someone asked for: its id and, where the input gave one, its label."""

    wnid: Wnid
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table hold the URL and the class: their heads, or their places from 1. None where not told."""

    url: str | None = None
    wnid: str | None = None

    def __bool__(self) -> bool:
        return self.url is not None or self.wnid is not None


class Listed(NamedTuple):
    """One candidate as a list gives it: its URL, the Flickr photo id in it, and the file name it will get.

    `usual` is whether the URL alone says the file name. A tuple, because an index file has millions of them.
    """

    url: str
    photo_id: int | None
    filename: str
    usual: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source said of one class.

    Attributes:
        outcome: `LISTED`, or why there is no list.
        candidates: the URLs on the wanted hosts, in rank order, each once.
        listed: URLs in the list, candidates or not.
        duplicates: wanted URLs that stood in the list before.
        odd: lines of the list that are odd, by kind.
        form: of the list, by its short name: `index`, `urls`, `table`.
        sha256: of the list's bytes as they came (index files: of the class's lines).
        http_status: of the answer, where there was one.
        error: one line about a failure.
    """

    outcome: ListingOutcome | Outcome
    candidates: tuple[Listed, ...] = ()
    listed: int = 0
    duplicates: int = 0
    odd: tuple[OddLines, ...] = ()
    form: str | None = None
    sha256: str | None = None
    http_status: int | None = None
    error: str | None = None

    @property
    def malformed(self) -> int:
        """Lines that are not a URL."""
        return sum(odd.lines for odd in self.odd if odd.kind in _MALFORMED)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One URL that may become an image of its class.

    Attributes:
        id: the manifest's key.
        rank: place in the class's list, from 1.
        filename: the name it gets in the class's folder.
        tries: requests made for it before, in all runs.
        not_before: Unix time in seconds before which it must not be asked again; 0 for any time.
        form: the other form of the URL that is asked for in its place, None for the URL itself.
        fate: how the URL itself ended, where another form is asked for.
        expected: SHA-256 of the only bytes that are kept, where a lock names them.
    """

    id: int
    wnid: Wnid
    rank: int
    url: str
    filename: str
    photo_id: int | None = None
    tries: int = 0
    not_before: float = 0.0
    form: Form | None = None
    fate: Outcome | None = None
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """A redirect that was followed: the URL that answered, its status, and where it pointed."""

    url: str
    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A body that was judged to be a whole picture and stands in a temporary file.

    Attributes:
        temporary: path of the file, to be renamed or removed by whoever takes the picture.
        sha256: hex digest of the bytes as they came.
        bytes: their number.
        format: `JPEG`, `PNG`, `GIF` or `WEBP`.
        width: in pixels.
        height: in pixels, as stored: a camera's note on rotation is not applied.
        checked: how thoroughly.
    """

    temporary: str
    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    checked: Check = Check.DECODE


@dataclass(frozen=True, slots=True)
class Look:
    """What an answer without a picture looks like.

    Attributes:
        key: the same for answers that are alike; empty where it is like no other.
        words: for people, such as `the page 'Guest Wi-Fi login'`.
        usual: whether a host answers so for many photos of its own accord, as it does for deleted ones.
    """

    key: str
    words: str
    usual: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try for one candidate, redirects included.

    Attributes:
        started_at: Unix time in seconds.
        seconds: from the first byte sent to the verdict.
        status: of the last answer, None where none came.
        final_url: the URL that gave the last answer.
        bytes: body bytes received.
        retry_after: seconds the server asked to wait, None where it did not.
        hops: the redirects that led to `final_url`.
        sha256: hex digest of a whole body.
        picture: the stored picture where the outcome is `saved`.
        look: what the answer looks like, where it is no picture.
    """

    candidate: Candidate
    started_at: float
    seconds: float
    outcome: Outcome
    status: int | None = None
    final_url: str | None = None
    bytes: int = 0
    content_type: str | None = None
    retry_after: float | None = None
    error: str | None = None
    hops: tuple[Hop, ...] = ()
    sha256: str | None = None
    picture: Picture | None = field(default=None, repr=False)
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a candidate after a try.

    Attributes:
        state: its new state.
        outcome: what is on record for it from now on.
        not_before: Unix time in seconds before which it is not asked again; 0 for any time.
        form: the form of its URL that is asked for next, or was asked for last.
        fate: how the URL itself ended, where another form is asked for.
        everybodys: whether the host refused everybody with what it answered, so that it says nothing of the photo.
    """

    state: State
    outcome: Outcome
    not_before: float = 0.0
    form: Form | None = None
    fate: Outcome | None = None
    everybodys: bool = False


@dataclass(frozen=True, slots=True)
class ClassState:
    """What fetch must know of a class to drain it: the target, what it has, and how far its list was used.

    Attributes:
        n: images wanted.
        budget: ranks 1..budget may be tried.
        candidates: length of the class's list.
        saved: images it has.
        next_rank: the first rank that was never handed out.
    """

    wnid: Wnid
    n: int
    budget: int
    candidates: int
    saved: int
    next_rank: int


@dataclass(frozen=True, slots=True)
class Revision:
    """A candidate whose state changes without a request, and why: what it was stays on record."""

    candidate_id: int
    state: State
    outcome: Outcome | None
    reason: str
    form: Form | None = None
    fate: Outcome | None = None


@dataclass(frozen=True, slots=True)
class BudgetRaise:
    """More budget for a class that spent its own and is still short, and the survival rate it was sized by."""

    wnid: Wnid
    before: int
    after: int
    survival: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one GET, redirects followed: the facts that a verdict is made from.

    Attributes:
        url: the URL that gave the last answer.
        status: of the last answer, None where none came.
        body: its bytes; none where the answer was larger than the limit asked for, and of one that is neither 200 nor
            206 at most the beginning.
        received: body bytes that arrived.
        oversize: whether the body was, or declared itself, larger than the limit.
        content_type: the header as sent.
        retry_after: seconds the server asked to wait.
        robots: the values of X-Robots-Tag.
        hops: the redirects on the way.
        failure: why there is no whole answer; None where there is one.
        error: one line about the failure.
    """

    url: str
    status: int | None = None
    body: bytes = field(default=b"", repr=False)
    received: int = 0
    oversize: bool = False
    content_type: str | None = None
    retry_after: float | None = None
    robots: tuple[str, ...] = ()
    hops: tuple[Hop, ...] = ()
    failure: Outcome | None = None
    error: str | None = None

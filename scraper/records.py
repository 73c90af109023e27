"""The values that pass between the packages: small, frozen, picklable, free of behaviour that needs the world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.model import Check, Oddity

if TYPE_CHECKING:
    from scraper.model import Form, ListingOutcome, Outcome, State, Wnid

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


class Temporary(NamedTuple):
    """A temporary file: its name, its inode, and when it was written, in Unix nanoseconds."""

    name: str
    inode: int
    modified: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A body that was judged to be a whole picture and stands in a temporary file.

    Attributes:
        temporary: the file, to be renamed or removed by whoever takes the picture.
        sha256: hex digest of the bytes as they came.
        bytes: their number.
        format: `JPEG`, `PNG`, `GIF` or `WEBP`.
        width: in pixels.
        height: in pixels, as stored: a camera's note on rotation is not applied.
        checked: how thoroughly.
    """

    temporary: Temporary
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

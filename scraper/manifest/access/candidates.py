"""For fetch: the classes that are short, the candidates to ask for, and the images that there are."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from scraper.flickr import file_name
from scraper.manifest.schema import RANKS, REST_RUNS, REST_SECONDS, candidate_id, wnid_of
from scraper.manifest.values import columns
from scraper.model import Outcome
from scraper.records import Candidate, ClassState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scraper.manifest.core import Manifest
    from scraper.model import Form, State, Wnid


class Image(NamedTuple):
    """An image on record: path below the output folder, size in bytes."""

    candidate_id: int
    path: str
    bytes: int


class Lost(NamedTuple):
    """A candidate that came to nothing for good."""

    candidate_id: int
    url: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Twin:
    """A candidate that given bytes came for: an image with its path, or a duplicate without.

    An image that is not on record yet has no mark, and may still get another path.
    """

    candidate_id: int
    url: str
    photo_id: int | None
    path: str | None
    form: Form | None = None
    fate: Outcome | None = None
    mark: str | None = None

    @property
    def wnid(self) -> str:
        """The candidate's class."""
        return wnid_of(self.candidate_id)


def count_listed(book: Manifest) -> int:
    """Classes that have a list."""
    return book.count("FROM classes WHERE resolve_outcome = 'listed'")


def count_classes(book: Manifest) -> int:
    """Classes that are wanted, with a list or not."""
    return book.count("FROM classes WHERE dropped_at IS NULL")


def count_wanted(book: Manifest) -> int:
    """Images wanted in all classes together."""
    return sum(book.column("classes.n", "FROM classes WHERE dropped_at IS NULL"))


def hosts_of_lists(book: Manifest) -> set[str]:
    """The domains that candidates of any class may be on."""
    found = book.column("classes.hosts", "FROM classes WHERE resolve_outcome = 'listed' GROUP BY hosts")
    return {host for hosts in found for host in (hosts or "").split(",") if host}


_STATE: Final = (
    columns("classes.wnid", "classes.n", "classes.budget", "classes.candidates")
    + ', coalesce(class_outcomes.candidates, 0) AS "class_outcomes.candidates" FROM classes '
    "LEFT JOIN class_outcomes ON class_outcomes.wnid = classes.wnid AND outcome = 'saved' "
    "WHERE resolve_outcome = 'listed' AND dropped_at IS NULL ORDER BY classes.wnid"
)


def class_states(book: Manifest) -> list[ClassState]:
    """Every class that is wanted and has a list, in the order of their ids."""
    return list(book.select(_state, _STATE))


def _state(wnid: Wnid, n: int, budget: int, candidates: int, saved: int) -> ClassState:
    return ClassState(wnid, n, budget, candidates, saved, 1)


_WAITING: Final = (
    columns(
        "candidate.id",
        "candidate.url",
        "candidate.photo_id",
        "candidate.filename",
        "candidate.tries",
        "candidate.not_before",
        "candidate.form",
        "candidate.fate",
    )
    + ', locked.sha256 AS "expected" FROM candidate LEFT JOIN locked ON locked.candidate_id = candidate.id '
    "WHERE candidate.id BETWEEN ? AND ? AND state IN (0, 3) "
    f"AND NOT (state = 3 AND coalesce(unknown_runs, 0) >= {REST_RUNS} AND unknown_since <= ?) "
    "ORDER BY candidate.id LIMIT ?"
)
_RESTING: Final = f"FROM candidate WHERE state = 3 AND unknown_runs >= {REST_RUNS} AND unknown_since <= ?"


def resting(book: Manifest, now: float) -> dict[Outcome, int]:
    """How many candidates rest at `now`, Unix time in seconds: for days, runs have learnt nothing of them."""
    return dict(Counter(book.column("candidate.outcome", _RESTING, (now - REST_SECONDS,))))


def resting_in(book: Manifest, wnid: Wnid, outcomes: Iterable[Outcome], now: float) -> list[Lost]:
    """Those of a class that rest with one of these outcomes."""
    names = frozenset(outcomes)
    columns_ = columns("candidate.id", "candidate.url", "candidate.outcome")
    rows = book.select(Lost, f"{columns_} {_RESTING} AND id BETWEEN ? AND ?", (now - REST_SECONDS, *_ids(wnid)))
    return [row for row in rows if row.outcome in names]


def waiting(book: Manifest, wnid: Wnid, first: int, last: int, count: int, *, now: float) -> list[Candidate]:
    """Up to `count` candidates of a class with ranks from `first` to `last`, in rank order.

    They wait at `now`, Unix time in seconds, or are unknown and do not rest.

    A class's list is read once in each run, from its start, so that those are of an
    earlier run; and they come before what was never asked for, since ranks are used in order.
    """

    def candidate(*row: Any) -> Candidate:
        number, url, photo, filename, tries, not_before, form, fate, expected = row
        name, due = filename or file_name(url), not_before or 0.0
        return Candidate(number, wnid, number % RANKS, url, name, photo, tries, due, form, fate, expected)

    bounds = (candidate_id(wnid, first), candidate_id(wnid, min(last, RANKS - 1)), now - REST_SECONDS, count)
    return list(book.select(candidate, _WAITING, bounds))


def _ids(wnid: Wnid) -> tuple[int, int]:
    """The first and the last id that a candidate of a class may have."""
    return candidate_id(wnid, 1), candidate_id(wnid, RANKS - 1)


_IMAGE: Final = (
    columns("image.candidate_id", "image.path", "image.bytes")
    + " FROM image WHERE candidate_id BETWEEN ? AND ? ORDER BY candidate_id"
)


def images(book: Manifest, wnid: Wnid) -> list[Image]:
    """The images of a class."""
    return list(book.select(Image, _IMAGE, _ids(wnid)))


class ListedUrl(NamedTuple):
    """A URL of a class's list: how it stands, and how it ended; None where it was not asked for."""

    candidate_id: int
    url: str
    state: State
    outcome: Outcome | None
    tries: int

    @property
    def rank(self) -> int:
        """Its place in the list, from 1."""
        return self.candidate_id % RANKS


_LISTED: Final = (
    columns("candidate.id", "candidate.url", "candidate.state", "candidate.outcome", "candidate.tries")
    + " FROM candidate WHERE id BETWEEN ? AND ? ORDER BY id"
)


def listed_urls(book: Manifest, wnid: Wnid) -> Iterator[ListedUrl]:
    """Every URL of a class's list, in its order."""
    return book.select(ListedUrl, _LISTED, _ids(wnid))


def photos(book: Manifest, wnid: Wnid) -> list[int]:
    """The Flickr photo ids of the images of a class."""
    joined = (
        "FROM candidate JOIN image ON image.candidate_id = candidate.id "
        "WHERE candidate.id BETWEEN ? AND ? AND photo_id IS NOT NULL"
    )
    return list(book.column("candidate.photo_id", joined, _ids(wnid)))


_TWIN: Final = ("candidate.id", "candidate.url", "candidate.photo_id", "candidate.form", "candidate.fate")
_IMAGES: Final = f"""
WITH wanted AS (SELECT value AS digest FROM json_each(?))
{columns("image.sha256", *_TWIN, "image.path", "image.mark")} FROM wanted
-- The index has no more than the beginning of a digest, by which it stays small.
CROSS JOIN image ON substr(image.sha256, 1, 12) = substr(digest, 1, 12) AND image.sha256 = digest
JOIN candidate ON candidate.id = candidate_id
"""  # noqa: S608 - names of ours
_UNKEPT: Final = tuple(
    f"""
WITH wanted AS (SELECT value AS digest FROM json_each(?))
{columns("attempt.sha256", *_TWIN)} FROM wanted
CROSS JOIN attempt ON attempt.sha256 = digest AND attempt.outcome = '{outcome}'
JOIN candidate ON candidate.id = candidate_id WHERE candidate.outcome = '{outcome}'
"""  # noqa: S608 - names of ours
    for outcome in (Outcome.DUPLICATE, Outcome.CHANGED)
)

_CAME: Final = """
SELECT value AS "attempt.sha256" FROM json_each(?)
WHERE EXISTS (SELECT 1 FROM image WHERE substr(image.sha256, 1, 12) = substr(value, 1, 12) AND image.sha256 = value)
OR EXISTS (SELECT 1 FROM attempt WHERE attempt.sha256 = value AND outcome = 'duplicate')
OR EXISTS (SELECT 1 FROM attempt WHERE attempt.sha256 = value AND outcome = 'changed')
"""


def same_bytes(book: Manifest, digests: Iterable[str]) -> dict[str, list[Twin]]:
    """The candidates that bytes with these digests came for, images, duplicates and not the lock's, by digest."""
    found: dict[str, list[Twin]] = {}
    # Nearly all bytes are new, and with each query other threads get the interpreter, for a while.
    came = list(book.select(str, _CAME, (json.dumps(list(digests)),)))
    wanted = (json.dumps(came),)
    for sql in (_IMAGES, *_UNKEPT) if came else ():
        for digest, twin in book.select(_twin, sql, wanted):
            found.setdefault(digest, []).append(twin)
    return found


def _twin(digest: str, *row: Any) -> tuple[str, Twin]:
    number, url, photo, form, fate, *image = row
    path, mark = image or (None, None)
    return digest, Twin(number, url, photo, path, form, fate, mark)


def placeholders(book: Manifest) -> set[str]:
    """Digests of pictures that were found to stand for deleted photos."""
    return set(book.column("placeholders.sha256", "FROM placeholders"))


_LOST: Final = (
    columns("candidate.id", "candidate.url", "candidate.outcome", "candidate.photo_id")
    + " FROM candidate WHERE id BETWEEN ? AND ? AND state = 2 AND form IS NULL"
)


def lost(book: Manifest, wnid: Wnid, outcomes: Iterable[Outcome]) -> list[Lost]:
    """Candidates of a class lost with one of these outcomes, in no other form yet."""
    names = frozenset(outcomes)
    if not names:
        return []
    there = set(photos(book, wnid))  # by another URL, so that nothing is to be gained
    rows = book.select(lambda *values: values, _LOST, _ids(wnid))
    return [
        Lost(number, url, outcome) for number, url, outcome, photo in rows if outcome in names and photo not in there
    ]

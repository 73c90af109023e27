"""For drop, trace and forget: candidates by what a person knows of them, and what is left out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.manifest.schema import RANKS, candidate_id, wnid_of
from scraper.manifest.values import columns, iso
from scraper.model import Withdrawn, Wnid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scraper.manifest.core import Manifest
    from scraper.model import Form, Outcome, State


class Known(NamedTuple):
    """A candidate as it stands."""

    candidate_id: int
    url: str
    photo_id: int | None
    state: State
    outcome: Outcome | None
    tries: int
    form: Form | None
    fate: Outcome | None

    @property
    def wnid(self) -> Wnid:
        """Its class."""
        return Wnid(wnid_of(self.candidate_id))

    @property
    def rank(self) -> int:
        """Its place in the list of its class."""
        return self.candidate_id % RANKS


class KnownImage(NamedTuple):
    """The image of a candidate: `bytes` its size, `width` and `height` in pixels."""

    candidate_id: int
    path: str
    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    saved_at: str


class Request(NamedTuple):
    """One request for a candidate, as in `attempts`."""

    run_id: int
    number: int
    started_at: str
    seconds: float
    status: int | None
    outcome: Outcome
    final_url: str | None
    bytes: int
    error: str | None


class Change(NamedTuple):
    """A change without a request, as in `revisions`."""

    run_id: int
    revised_at: str
    outcome_after: Outcome | None
    reason: str


class Origin(NamedTuple):
    """Where the class of a candidate has its list from."""

    label: str | None
    source: str | None
    listing_sha256: str | None
    resolved_at: str | None


class Withdrawal(NamedTuple):
    """What someone asked to be left out."""

    kind: Withdrawn
    value: str


WITHDRAWN_WHY: Final = "someone asked for it to be left out"
"""The reason that revisions of withdrawn candidates have."""

_KNOWN: Final = columns(
    "candidate.id",
    "candidate.url",
    "candidate.photo_id",
    "candidate.state",
    "candidate.outcome",
    "candidate.tries",
    "candidate.form",
    "candidate.fate",
)
_IMAGE: Final = columns(
    "image.candidate_id",
    "image.path",
    "image.sha256",
    "image.bytes",
    "image.format",
    "image.width",
    "image.height",
    "image.saved_at",
)
_REQUEST: Final = columns(
    "attempt.run_id",
    "attempt.try",
    "attempt.started_at",
    "attempt.seconds",
    "attempt.status",
    "attempt.outcome",
    "attempt.final_url",
    "attempt.bytes",
    "attempt.error",
)
_CHANGE: Final = columns("revisions.run_id", "revisions.revised_at", "revisions.outcome_after", "revisions.reason")
_ORIGIN: Final = columns("classes.label", "classes.source", "classes.listing_sha256", "classes.resolved_at")
_MATCHING: Final = f"""
{_KNOWN} FROM candidate WHERE id BETWEEN :first AND :last AND (
  photo_id IN (SELECT value FROM json_each(:photos)) OR url IN (SELECT value FROM json_each(:urls))
  OR id IN (SELECT candidate_id FROM image WHERE sha256 IN (SELECT value FROM json_each(:digests)))
  OR id IN (SELECT candidate_id FROM attempt WHERE sha256 IN (SELECT value FROM json_each(:digests)))
) ORDER BY id
"""  # noqa: S608 - names of ours


_BY_PATH: Final = _KNOWN + " FROM candidate WHERE id = (SELECT candidate_id FROM image WHERE path = ?)"  # noqa: S608


def matching(book: Manifest, wanted: Iterable[Withdrawal], wnid: Wnid | None = None) -> list[Known]:
    """The candidates that any of these name, by class and rank; of one class, or of all."""
    given = list(wanted)
    by = {kind: [one.value for one in given if one.kind is kind] for kind in Withdrawn}
    parameters: dict[str, object] = {
        "first": candidate_id(wnid, 1) if wnid else 0,
        "last": candidate_id(wnid, RANKS - 1) if wnid else 10**16,
        "photos": json.dumps([int(value) for value in by[Withdrawn.PHOTO]]),
        "urls": json.dumps(by[Withdrawn.URL]),
        "digests": json.dumps(by[Withdrawn.SHA256]),
    }
    return list(book.select(Known, _MATCHING, parameters))


def by_path(book: Manifest, path: str) -> list[Known]:
    """The candidate whose image has this path, relative to the output folder."""
    return list(book.select(Known, _BY_PATH, (path,)))


def image_of(book: Manifest, candidate: int) -> KnownImage | None:
    """The image of a candidate."""
    return next(iter(list(book.select(KnownImage, f"{_IMAGE} FROM image WHERE candidate_id = ?", (candidate,)))), None)


def digests_of(book: Manifest, candidate: int) -> set[str]:
    """The SHA-256 of every whole body that came for a candidate."""
    return set(book.column("attempt.sha256", "FROM attempt WHERE candidate_id = ? AND sha256 NOT NULL", (candidate,)))


def requests_of(book: Manifest, candidate: int) -> list[Request]:
    """Every request for a candidate, in order."""
    return list(book.select(Request, f"{_REQUEST} FROM attempt WHERE candidate_id = ? ORDER BY id", (candidate,)))


def changes_of(book: Manifest, candidate: int) -> list[Change]:
    """Every change of a candidate without a request, in order."""
    return list(book.select(Change, f"{_CHANGE} FROM revisions WHERE candidate_id = ? ORDER BY id", (candidate,)))


def origin_of(book: Manifest, wnid: Wnid) -> Origin | None:
    """Where the list of a class is from."""
    return next(iter(list(book.select(Origin, f"{_ORIGIN} FROM classes WHERE wnid = ?", (wnid,)))), None)


def withdrawals(book: Manifest) -> Iterator[Withdrawal]:
    """All that is left out for good, in the order in which it was said."""
    return book.select(
        Withdrawal, columns("withdrawals.kind", "withdrawals.value") + " FROM withdrawals ORDER BY kind, value"
    )


def withdraw(book: Manifest, run_id: int, given: Iterable[Withdrawal], now: float) -> None:
    """Record what is left out from now on; what is recorded already stays as it is."""
    with book.transaction() as connection:
        connection.executemany(
            "INSERT OR IGNORE INTO withdrawals (kind, value, run_id, withdrawn_at) VALUES (?, ?, ?, ?)",
            [(one.kind, one.value, run_id, iso(now)) for one in given],
        )


class Recorded(NamedTuple):
    """An image as recorded.

    Attributes:
        adopted: whether its file was there before, so that it is somebody else's too.
        mark: what told its file from any other when it was written; None where an earlier version wrote it.
    """

    candidate_id: int
    path: str
    bytes: int
    sha256: str
    adopted: int
    mark: str | None


_RECORDED: Final = (
    columns("image.candidate_id", "image.path", "image.bytes", "image.sha256", "image.adopted", "image.mark")
    + " FROM image WHERE candidate_id BETWEEN ? AND ? ORDER BY candidate_id"
)


def drop(book: Manifest, wnids: Iterable[Wnid], now: float) -> None:
    """Take classes out of what is wanted; `now` is Unix time in seconds. Their rows stay."""
    with book.transaction() as connection:
        connection.executemany(
            "UPDATE classes SET dropped_at = coalesce(dropped_at, ?) WHERE wnid = ?",
            [(iso(now), wnid) for wnid in wnids],
        )


def images_of(book: Manifest, wnid: Wnid) -> list[Recorded]:
    """The images of a class."""
    return list(book.select(Recorded, _RECORDED, (candidate_id(wnid, 1), candidate_id(wnid, RANKS - 1))))

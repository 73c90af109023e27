"""What each column of every table may hold, whatever its type in SQL is.

The schema's own checks hold for those who write by SQL; these hold for whatever stands in a file.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scraper.config import MOST_PER_CLASS
from scraper.manifest.schema import FORMATS, RANKS, STATES
from scraper.model import LISTING_OUTCOMES, Check, Form, Frame, Oddity, Outcome, State, Withdrawn
from scraper.urls import LONGEST_URL

if TYPE_CHECKING:
    import enum
    from collections.abc import Callable, Iterable, Mapping, Sequence

_MOST: Final = 2**53
"""What no count, size or number of seconds in a manifest comes near; JSON still has it exactly."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column may hold.

    Many values are judged at a time, by functions that loop in C: a report of a large manifest reads a million.

    Attributes:
        meaning: of a value, for errors.
        right: whether all of some values, none of them NULL, are such.
        words: what each value of a closed set becomes; None where values stay as they are.
        null: whether NULL may stand for a value.
    """

    meaning: str
    right: Callable[[Sequence[Any]], bool]
    words: Mapping[Any, Any] | None = None
    null: bool = False

    def read(self, values: Sequence[Any]) -> Sequence[Any]:
        """Values of the column as our own.

        Raises:
            ValueError, KeyError, TypeError: one of them is not what the column may hold.
        """
        if self.words is not None:
            return list(map(self.words.__getitem__, values))
        there = [value for value in values if value is not None] if self.null else values
        if there and not self.right(there):
            raise ValueError
        return values

    def fits(self, value: object) -> bool:
        """Whether a value may stand in the column."""
        try:
            self.read([value])
        except WRONG:
            return False
        return True


WRONG: Final = (ValueError, KeyError, TypeError)
"""What `Kind.read` raises."""


def _all_are(kind: type, values: Iterable[Any]) -> bool:
    return set(map(type, values)) == {kind}


def _whole(low: int, high: int, what: str = "a whole number") -> Kind:
    def right(values: Sequence[int]) -> bool:
        return _all_are(int, values) and low <= min(values) and max(values) <= high

    return Kind(f"{what} from {low:,} to {high:,}", right)


def _number(low: float, high: float) -> Kind:
    def right(values: Sequence[float]) -> bool:
        return _all_are(float, values) and low <= min(values) and max(values) <= high

    return Kind(f"a number from {low:g} to {high:g}", right)


def _matching(pattern: str, meaning: str) -> Kind:
    matches = re.compile(pattern, re.ASCII).fullmatch
    return Kind(meaning, lambda values: _all_are(str, values) and all(map(matches, set(values))))


def _one_of(words: Iterable[Any], values: Iterable[Any]) -> Kind:
    """A closed set: `values` as SQLite has them, and the words that they become."""
    known = dict(zip(values, words, strict=True))
    return Kind(f"one of {', '.join(map(str, known))}", lambda found: set(found) <= known.keys(), known)


def _word(words: Iterable[enum.StrEnum]) -> Kind:
    every = list(words)
    return _one_of(every, [word.value for word in every])


def _or_null(kind: Kind) -> Kind:
    words = None if kind.words is None else {**kind.words, None: None}
    return Kind(f"{kind.meaning}, or NULL", kind.right, words, null=True)


def _are_candidates(values: Sequence[int]) -> bool:
    if not _all_are(int, values) or min(values) <= 0 or max(values) >= 10**8 * RANKS:
        return False
    return all(map(RANKS.__rmod__, values))  # a rank is never 0


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be to another of its row. A query of the one must be one of the other too.

    Attributes:
        meaning: of the value, for errors.
        beside: columns of which the query must have one; the first is of the same table.
        holds: whether a value may stand beside one of those.
    """

    meaning: str
    beside: tuple[str, ...]
    holds: Callable[[Any, Any], bool]


def _in_its_class(path: str, candidate: int) -> bool:
    return path.startswith(f"n{candidate // RANKS:08d}/")


def _is_of_its_kind(value: str, kind: str) -> bool:
    return {Withdrawn.PHOTO: PHOTO, Withdrawn.URL: URL, Withdrawn.SHA256: DIGEST}[Withdrawn(kind)].fits(value)


_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,249}"

ID = _whole(1, _MOST)
COUNT = _whole(0, _MOST)
SIGNED = _whole(-_MOST, _MOST)
TEXT = Kind("text", lambda values: _all_are(str, values))
WNID = _matching(r"n[0-9]{8}", "a wnid such as n01440764")
CANDIDATE = Kind("a class's number times 10,000,000, plus a rank", _are_candidates)
TIME = _matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "a time such as 2026-01-31T12:00:00.000Z")
URL = _matching(rf"[^\x00-\x1f\x7f\ud800-\udfff]{{1,{LONGEST_URL}}}", "a URL")
DIGEST = _matching(r"[0-9a-f]{64}", "a SHA-256 in hex")
PHOTO = _matching(r"[0-9]{1,18}", "a Flickr photo id")
STATUS = _whole(100, 999, "an HTTP status")
SECONDS = _number(0, _MOST)
SHARE = _number(0, 1)
MEAN = _number(0, _MOST)
OUTCOME = _word(Outcome)
LISTING = _word(LISTING_OUTCOMES)

COLUMNS: Final[dict[str, Kind]] = {
    "manifest.id": _whole(1, 1),
    "manifest.identity": _matching(r"[0-9a-f]{12,64}", "an identity in hex"),
    "manifest.made_at": TIME,
    "manifest.made_by": TEXT,
    "manifest.batch": _matching(r"[0-9a-f]*", "a word in hex"),
    "classes.wnid": WNID,
    "classes.label": _or_null(TEXT),
    "classes.n": _whole(1, MOST_PER_CLASS),
    "classes.budget": _whole(1, 10**9),
    "classes.source": _or_null(TEXT),
    "classes.hosts": _or_null(TEXT),
    "classes.shuffle": _or_null(TEXT),
    "classes.resolved_at": _or_null(TIME),
    "classes.resolve_outcome": _or_null(LISTING),
    "classes.resolve_error": _or_null(TEXT),
    "classes.http_status": _or_null(STATUS),
    "classes.listed": COUNT,
    "classes.candidates": _whole(0, RANKS - 1),
    "classes.malformed": COUNT,
    "classes.repeated": COUNT,
    "classes.listing_sha256": _or_null(DIGEST),
    "classes.listing_form": _or_null(TEXT),
    "classes.dropped_at": _or_null(TIME),
    "candidate.id": CANDIDATE,
    "candidate.url": URL,
    "candidate.photo_id": _or_null(_whole(0, 10**18)),
    "candidate.filename": _or_null(_matching(_NAME, "a file name of letters, digits, `.`, `_` and `-`")),
    "candidate.state": _one_of(map(State, STATES), range(len(STATES))),
    "candidate.outcome": _or_null(OUTCOME),
    "candidate.tries": _whole(0, 10**6),
    "candidate.not_before": _or_null(_number(0, 1e12)),
    "candidate.form": _or_null(_word(Form)),
    "candidate.fate": _or_null(OUTCOME),
    "candidate.unknown_runs": _or_null(_whole(1, 10**6)),
    "candidate.unknown_since": _or_null(_number(0, 1e12)),
    "image.candidate_id": CANDIDATE,
    "image.path": _matching(rf"n[0-9]{{8}}/{_NAME}", "`wnid/file name`, the folder being that of its class"),
    "image.sha256": DIGEST,
    "image.bytes": COUNT,
    "image.format": _one_of(FORMATS, FORMATS),
    "image.width": ID,
    "image.height": ID,
    "image.saved_at": TIME,
    "image.checked": _word(Check),
    "image.adopted": _whole(0, 1),
    "image.mark": _or_null(_matching(r"[0-9]+--?[0-9]+", "a file's number and time of change")),
    "runs.id": ID,
    "runs.command": TEXT,
    "runs.argv": TEXT,
    "runs.version": TEXT,
    "runs.started_at": TIME,
    "runs.ended_at": _or_null(TIME),
    "runs.exit_code": _or_null(_whole(0, 255)),
    "attempt.id": ID,
    "attempt.candidate_id": CANDIDATE,
    "attempt.run_id": ID,
    "attempt.try": ID,
    "attempt.started_at": TIME,
    "attempt.seconds": SECONDS,
    "attempt.status": _or_null(STATUS),
    "attempt.outcome": OUTCOME,
    "attempt.final_url": _or_null(TEXT),
    "attempt.bytes": COUNT,
    "attempt.content_type": _or_null(TEXT),
    "attempt.retry_after": _or_null(SECONDS),
    "attempt.error": _or_null(TEXT),
    "attempt.hops": _or_null(TEXT),
    "attempt.sha256": _or_null(DIGEST),
    "revisions.id": ID,
    "revisions.candidate_id": CANDIDATE,
    "revisions.run_id": ID,
    "revisions.revised_at": TIME,
    "revisions.outcome_before": _or_null(OUTCOME),
    "revisions.outcome_after": _or_null(OUTCOME),
    "revisions.state_after": _word(State),
    "revisions.reason": TEXT,
    "withdrawals.id": ID,
    "withdrawals.kind": _word(Withdrawn),
    "withdrawals.value": TEXT,
    "withdrawals.run_id": ID,
    "withdrawals.withdrawn_at": TIME,
    "locked.candidate_id": CANDIDATE,
    "locked.rank": _whole(1, RANKS - 1),
    "locked.sha256": DIGEST,
    "locked.bytes": ID,
    "locked_classes.wnid": WNID,
    "locked_classes.run_id": ID,
    "locked_classes.listing_sha256": _or_null(DIGEST),
    "paces.id": ID,
    "paces.run_id": ID,
    "paces.host_group": _matching(r"[^\x00-\x20\x7f\ud800-\udfff]{1,255}", "the name of a group of hosts"),
    "paces.found_at": TIME,
    "paces.rate": _or_null(_number(1e-9, 1e6)),
    "paces.at_once": _or_null(_whole(1, 10**6)),
    "paces.usually_closed": _or_null(SECONDS),
    "paces.closed": _or_null(SECONDS),
    "paces.refusal": _or_null(OUTCOME),
    "placeholders.sha256": DIGEST,
    "placeholders.run_id": ID,
    "placeholders.found_at": TIME,
    "placeholders.photos": ID,
    "rechecks.id": ID,
    "rechecks.candidate_id": CANDIDATE,
    "rechecks.run_id": ID,
    "rechecks.asked_at": TIME,
    "rechecks.seconds": SECONDS,
    "rechecks.outcome_before": _or_null(OUTCOME),
    "rechecks.outcome": OUTCOME,
    "rechecks.status": _or_null(STATUS),
    "rechecks.final_url": _or_null(TEXT),
    "rechecks.error": _or_null(TEXT),
    "surveys.run_id": ID,
    "surveys.frame": _word(Frame),
    "surveys.urls": COUNT,
    "surveys.seed": _or_null(TEXT),
    "surveys.sample": _or_null(ID),
    "surveys.until": _or_null(_number(0, 1)),
    "listings.id": ID,
    "listings.wnid": WNID,
    "listings.run_id": ID,
    "listings.try": ID,
    "listings.started_at": TIME,
    "listings.seconds": SECONDS,
    "listings.status": _or_null(STATUS),
    "listings.outcome": LISTING,
    "listings.url": TEXT,
    "listings.error": _or_null(TEXT),
    "whole_lists.id": ID,
    "whole_lists.run_id": ID,
    "whole_lists.read_at": TIME,
    "whole_lists.source": TEXT,
    "whole_lists.url": _or_null(TEXT),
    "whole_lists.form": TEXT,
    "whole_lists.bytes": COUNT,
    "whole_lists.sha256": _or_null(DIGEST),
    "whole_lists.classes": COUNT,
    "odd_lines.id": ID,
    "odd_lines.run_id": ID,
    "odd_lines.source": TEXT,
    "odd_lines.wnid": _or_null(WNID),
    "odd_lines.kind": _word(Oddity),
    "odd_lines.lines": ID,
    "odd_lines.example": TEXT,
    "forecasts.id": ID,
    "forecasts.run_id": ID,
    "forecasts.made_at": TIME,
    "forecasts.survival": SHARE,
    "forecasts.correlation": SHARE,
    "forecasts.decided": COUNT,
    "forecasts.classes": COUNT,
    "forecasts.wanted": COUNT,
    "forecasts.images": MEAN,
    "forecasts.requests": MEAN,
    "forecasts.bytes": MEAN,
    "forecasts.short": MEAN,
    "raises.id": ID,
    "raises.wnid": WNID,
    "raises.run_id": ID,
    "raises.raised_at": TIME,
    "raises.budget_before": COUNT,
    "raises.budget_after": COUNT,
    "raises.survival": SECONDS,
    "class_outcomes.wnid": WNID,
    "class_outcomes.outcome": OUTCOME,
    "class_outcomes.candidates": COUNT,
    "class_outcomes.unasked": COUNT,
    "class_outcomes.repaired": COUNT,
    "class_outcomes.bytes": COUNT,
    "host_outcomes.host": TEXT,
    "host_outcomes.outcome": OUTCOME,
    "host_outcomes.candidates": COUNT,
    "statuses.status": _matching(r"none|[1-9][0-9]{2}", "an HTTP status, or none"),
    "statuses.requests": COUNT,
    # What is computed from several values.
    "count": COUNT,
    "signed": SIGNED,
    "text": TEXT,
    "expected": _or_null(DIGEST),
    "locked_rank": _or_null(_whole(1, RANKS - 1)),
}
"""What each column of every table may hold, whatever its type in SQL is."""

RULES: Final[dict[str, Rule]] = {
    "image.path": Rule(COLUMNS["image.path"].meaning, ("image.candidate_id", "candidate.id"), _in_its_class),
    "class_outcomes.repaired": Rule("some of `candidates`", ("class_outcomes.candidates",), operator.le),
    "withdrawals.value": Rule(
        "a photo's id, a URL or a SHA-256, as `kind` says", ("withdrawals.kind",), _is_of_its_kind
    ),
}
"""What values must be to others of their row, by column."""

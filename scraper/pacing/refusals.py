"""Whether an outcome is a refusal by a whole group of hosts, one of a URL alone, or none.

429 says so. Any other answer that may stand for it (403, 503, 400, 408, 420, 999, silence) counts once many URLs in a
row end so; from then on each such answer does. A URL that is refused again and again while others are answered is
refused for itself.
"""

from __future__ import annotations

import enum
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from scraper.model import Kind, Outcome

IN_A_ROW: Final = 12
"""Different URLs in a row that end in a way that may stand for a refusal, which make it one."""
FIRST_IN_A_ROW: Final = 48
"""The same where a host has said nothing else yet: it may be no host at all that speaks, which others find out."""
_FEW: Final = 3
"""Refusals in a row that are no longer the URLs' own."""
_BETWEEN: Final = 4
"""Answers to others, since a URL was refused first, that make it its own when it is refused again."""
_REMEMBERED: Final = 8
_TWO: Final = 2
_LAST: Final = 24
_RECENT: Final = 256
_SHARE: Final = 0.035
"""Of the last first tries, a share of refusals that no fault of a moment makes; or three of the last 24."""
_KEPT: Final = 4096

SUSPICIOUS: Final = frozenset(
    {
        Outcome.FORBIDDEN,
        Outcome.SERVER_ERROR,
        Outcome.BAD_STATUS,
        Outcome.TIMEOUT,
        Outcome.DNS_ERROR,
        Outcome.CONNECTION_ERROR,
        Outcome.TLS_ERROR,
    }
)


class Meaning(enum.Enum):
    """What an outcome says of the group: it answered, it refused, it refused this URL alone, or nothing."""

    ANSWER = enum.auto()
    REFUSAL = enum.auto()
    OWN = enum.auto()
    NOTHING = enum.auto()


class Refusals:
    """Takes in the outcomes of one group in the order in which they come."""

    def __init__(self) -> None:
        self._codes: set[int | Outcome] = set()
        """What has stood for a refusal, beside 429."""
        self._row = 0
        self._answers = 0
        self._failed: deque[bool] = deque(maxlen=_REMEMBERED)
        """Whether the last first tries failed, in whatever way."""
        self._recent: deque[bool] = deque(maxlen=_RECENT)
        """Whether the last first tries were refused."""
        self._asked = 0
        self._refused: OrderedDict[int, _Refused] = OrderedDict()
        self._own: deque[bool] = deque(maxlen=_REMEMBERED)
        """Of the last URLs that were asked for again after a refusal: whether they were refused for themselves."""
        self._owners = 0

    @property
    def mostly_own(self) -> bool:
        """Whether what is refused here is mostly refused for itself."""
        return len(self._own) >= _FEW and sum(self._own) > 0.6 * len(self._own)

    def judge(
        self, number: int, outcome: Outcome, status: int | None, *, first: bool, left_over: bool, plain: bool = False
    ) -> Meaning:
        """Take in how a request ended.

        Args:
            number: of the URL.
            outcome: of the request.
            status: of the answer, None where none came.
            first: whether it was the first try of its URL in this run. That a URL which failed fails again says little
                of the group: the last ones of a run are all such.
            left_over: whether an earlier run has asked for the URL, and it is asked for again all the same.
            plain: whether one refusal is enough, since the host names a time to come back, or is asked so slowly that
                the next answer is far away.
        """
        if outcome.kind is Kind.REFUSED:
            return Meaning.NOTHING
        throttled = outcome is Outcome.THROTTLED
        if not throttled and outcome not in SUSPICIOUS:
            return self._answered(number, first=first)
        if left_over and outcome.final:
            return Meaning.NOTHING  # it is asked again for what it answered before
        self._note(first=first, failed=True)
        telling = first or 2 * sum(self._failed) > len(self._failed)
        self._row += telling
        code = outcome if status is None else status
        if self._row >= (IN_A_ROW if self._answers or status is None else FIRST_IN_A_ROW) and telling:
            self._codes.add(code)
        if not throttled and code not in self._codes:
            return Meaning.NOTHING
        if left_over and self._row < IN_A_ROW:
            return Meaning.OWN
        before = self._refused.get(number)
        return self._refused_first(number, plain=plain) if before is None else self._refused_again(before)

    def _note(self, *, first: bool, failed: bool) -> None:
        if first:
            self._failed.append(failed)
            self._recent.append(False)
            self._asked += 1

    def _answered(self, number: int, *, first: bool) -> Meaning:
        self._note(first=first, failed=False)
        self._row = 0
        self._answers += 1
        if self._refused.pop(number, None) is not None:
            self._own.append(False)
        return Meaning.ANSWER

    def _refused_first(self, number: int, *, plain: bool) -> Meaning:
        self._refused[number] = _Refused(self._answers)
        if len(self._refused) > _KEPT:
            self._refused.popitem(last=False)
        return Meaning.REFUSAL if self._are_many() or (plain and not self.mostly_own) else Meaning.OWN

    def _are_many(self) -> bool:
        """Whether so many are refused that they are not refused for themselves, or by some fault of the moment."""
        usual = self._owners / max(self._asked, 1) if self.mostly_own else 0.0
        if self._recent:
            self._recent[-1] = True
        last = list(self._recent)[-_LAST:]
        many = (
            self._row >= (_FEW if self.mostly_own else _TWO)
            or sum(last) >= _FEW + 2 * usual * len(last)
            or sum(self._recent) >= _SHARE * _RECENT + 2 * usual * len(self._recent)
        )
        if many:
            self._recent.clear()
        return many

    def _refused_again(self, before: _Refused) -> Meaning:
        between = self._answers - before.answers
        if not between or self._row >= _FEW:
            return Meaning.REFUSAL
        if between >= _BETWEEN:
            self._own.append(True)
            self._owners += not before.own
            before.own = True
        return Meaning.OWN


@dataclass(slots=True)
class _Refused:
    """A URL that was refused: the answers that others had by then, and whether it is known to be its own fault."""

    answers: int
    own: bool = False

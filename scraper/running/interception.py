"""Whether a network, a proxy or a block answers in the host's place: many photos answered alike, and no picture.

A page that asks to log in, a refusal for everybody, a redirect to one place: such an answer says nothing of the photo
that was asked for. What it says of the network shows in the *streak*, the answers since the last picture, in two ways.

**Alike.** One kind of page or refusal is rare among honest answers: 403 is some 1 % of them, pages are fewer still, and
5 % is a generous bound. Sixteen in a row, by chance, are one case in 0.05^-16 = 10^20; even where eight photos of one
owner were made private together, another eight follow once in 10^10. They are counted as Page's CUSUM does (E. S. Page,
"Continuous inspection schemes", 1954, https://doi.org/10.1093/biomet/41.1-2.100): one up for each answer of the kind,
one down for each other, never below none, so that it does not matter when the network changed. Of requests that were
under way together, one counts: a host that is asked too much refuses all of them for one reason.

**No picture at all.** 404 is an honest answer, and one page serves for all of them. Lists are a quarter to 60 % dead;
at 60 %, two hundred without a picture are one case in 0.6^-200 = 10^44, and at 95 %, the worst that is plausible for a
whole class, one in 30,000. But a class can be dead altogether, with 150 URLs in a row, so once a picture has come, one
class counts for a hundred of the two hundred at most, unless five hundred of it are dead.

Until a picture has come, every answer is in doubt that is not a usual one; later, two alike in a row are. From a dozen
without a picture on (at 60 %, one case in 460), all of them are.
A picture ends the doubt about what was asked before it, except where `burst` answers alike stood together: 0.05^4 is
one case in 160,000, and a host that refuses all for a minute refuses none of them for good. What the same URL has
answered three times is its own answer.

Pure: times are given.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scraper.records import Look

OWN_ANSWER: Final = 3
"""Tries after which an answer is believed to be the URL's own, unless very many others are answered so."""
_PICTURES: Final = 8
"""Pictures that are remembered; some may turn out to be none, hardly all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From how many answers on something shows.

    Attributes:
        alike: answers of one kind in a row for which a network or a block must stand.
        burst: answers of one kind that a picture does not make believable; one fewer before the first picture.
        pictureless: answers without a picture for which there must be a reason.
        one_class: of these, how many may be of one class once there are pictures.
        one_class_alone: answers of one class for which there must be a reason all the same.
        dozen: answers without a picture from which all of them are in doubt.
    """

    alike: int = 16
    burst: int = 4
    pictureless: int = 200
    one_class: int = 100
    one_class_alone: int = 500
    dozen: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer without a picture.

    Attributes:
        number: of the candidate that was asked for.
        wnid: its class.
        look: what the answer looks like.
        started_at: Unix time in seconds when it was asked for.
        ended_at: when the answer was there.
        tries: how often its URL has been asked for by then.
        final: whether it would be the last word on the photo; if not, there is nothing to save it from.
        waited_for: whether a host that goes on answering so is waited for, so that it is for patience to end the run.
    """

    number: int
    wnid: str
    look: Look
    started_at: float
    ended_at: float
    tries: int = 1
    final: bool = True
    waited_for: bool = False

    @property
    def at_stake(self) -> bool:
        """Whether a photo may be lost by it that is not known to answer so."""
        return self.final and self.tries < OWN_ANSWER


@dataclass(frozen=True, slots=True)
class Freed:
    """A candidate that is no longer in doubt, and whether its answer was that of a network or a block."""

    number: int
    intercepted: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """What shows: `answers` in a row, each as `words` say; `usual` where a host may answer so of its own accord."""

    words: str
    answers: int
    usual: bool


@dataclass(slots=True)
class _Alike:
    """The answers of one kind, since they began to prevail."""

    words: str
    known_at: float
    score: int = 0
    counted: int = 0
    members: set[int] = field(default_factory=set)

    def add(self, answer: Answer) -> None:
        self.counted += not answer.waited_for and (not self.members or answer.started_at >= self.known_at)
        self.score += 1
        self.members.add(answer.number)


class Detector:
    """Watches the answers of one group of hosts in the order they come."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self._least = thresholds or Thresholds()
        self._streak: dict[int, Answer] = {}
        self._kinds: dict[str, _Alike] = {}
        self._classes: Counter[str] = Counter()
        self._pictures: dict[str, None] = {}
        self.shown: Sighting | None = None
        """What has shown; nothing is believed after it."""

    @property
    def alive(self) -> bool:
        """Whether a picture has come that is still believed to be one."""
        return bool(self._pictures)

    def knows(self, sha256: str) -> bool:
        """Whether a picture with these bytes is among the last that came."""
        return sha256 in self._pictures

    @property
    def answers(self) -> int:
        """Answers since the last picture."""
        return len(self._streak)

    def picture(self, sha256: str, started_at: float) -> list[Freed]:
        """Take in a picture that was asked for at `started_at`; whom that frees."""
        if self.shown is not None:
            return []
        self._pictures[sha256] = None
        if len(self._pictures) > _PICTURES:
            del self._pictures[next(iter(self._pictures))]
        freed = self._free(answer for answer in self._streak.values() if answer.started_at < started_at)
        if freed:
            self._recount(list(self._streak.values()))
        return freed

    def no_picture_after_all(self, sha256: str) -> None:
        """Say that what came as a picture came for too many photos to be one."""
        self._pictures.pop(sha256, None)

    def forget(self, number: int) -> None:
        """Say that a candidate is asked for again, so that what it answered before is of no interest."""
        if self._streak.pop(number, None) is not None:
            self._recount(list(self._streak.values()))

    def answer(self, answer: Answer) -> None:
        """Take in an answer without a picture."""
        self._count(answer)
        if self.shown is None:
            self.shown = self._alike() or self._pictureless()

    def doubted(self) -> list[int]:
        """The candidates whose answers must not be taken for good at this moment."""
        if self.shown is not None or len(self._streak) >= self._least.dozen:
            return list(self._streak)
        if not self.alive:
            return [number for number, answer in self._streak.items() if not answer.look.usual]
        return [number for kind in self._kinds.values() if len(kind.members) > 1 for number in kind.members]

    def close(self) -> list[Freed]:
        """Say that no more answers come; whom that frees, where nothing has shown by then."""
        if self.shown is not None:
            return []
        largest = max(self._kinds.values(), key=lambda kind: len(kind.members), default=None)
        freed = self._free(self._streak.values())
        if largest is not None and any(one.intercepted for one in freed):
            self.shown = Sighting(largest.words, len(largest.members), usual=False)
        self._recount([])
        return freed

    def _count(self, answer: Answer) -> None:
        self._streak[answer.number] = answer
        self._classes[answer.wnid] += 1
        key = "" if answer.look.usual else answer.look.key
        for other in [name for name in self._kinds if name != key]:
            self._kinds[other].score -= 1
            if self._kinds[other].score <= 0:
                del self._kinds[other]
        if key:
            self._kinds.setdefault(key, _Alike(answer.look.words, answer.ended_at)).add(answer)

    def _free(self, answers: Iterable[Answer]) -> list[Freed]:
        burst = self._least.burst - (not self.alive)
        held = {
            number
            for kind in self._kinds.values()
            if sum(self._streak[each].at_stake for each in kind.members) >= burst
            for number in kind.members
            if self._streak[number].at_stake
        }
        freed = [Freed(answer.number, answer.number in held) for answer in answers]
        for one in freed:
            del self._streak[one.number]
        return freed

    def _recount(self, answers: list[Answer]) -> None:
        self._streak.clear()
        self._kinds.clear()
        self._classes.clear()
        for answer in answers:
            self._count(answer)

    def _alike(self) -> Sighting | None:
        for kind in self._kinds.values():
            if min(kind.counted, kind.score) >= self._least.alike:
                return Sighting(kind.words, len(kind.members), usual=False)
        return None

    def _pictureless(self) -> Sighting | None:
        answers = len(self._streak)
        most = self._least.one_class if self.alive else answers
        telling = sum(min(count, most) for count in self._classes.values())
        if max(telling, answers - self._least.one_class_alone + self._least.pictureless) < self._least.pictureless:
            return None
        looks = Counter(answer.look.words for answer in self._streak.values())
        words, count = looks.most_common(1)[0]
        usual = any(answer.look.usual for answer in self._streak.values())
        return Sighting(words if count > 0.9 * answers else "one without a picture", answers, usual)

"""Answers of a survey that may be those of a network or a block: kept back until it is known whose they are.

Nothing of them is on record as long as that is open, so that a survey that is killed has told of no death that may be
none. What has turned out to be somebody else's is recorded as `intercepted`, which is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scraper.manifest.schema import wnid_of
from scraper.model import Outcome
from scraper.pacing.refusals import SUSPICIOUS
from scraper.records import Look
from scraper.running.interception import Answer
from scraper.running.learning import Learning
from scraper.running.watching import DOUBTED, Watch, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scraper.manifest.access.surveys import SurveyAnswer
    from scraper.running.interception import Freed

_SAME: Final = 3
"""Photos with the same first bytes from which these are no picture of them. People do upload a photo twice."""
_REMEMBERED: Final = 1024
"""Pictures that are remembered to tell them apart: whoever sends one for all photos sends it in a row."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer.

    Attributes:
        row: what is to be on record of it.
        url: that was asked for.
        number: of the try.
        last: whether the URL is not asked for again in this survey.
        look: what it looks like, where it is no picture.
        digest: SHA-256 of its first bytes.
    """

    row: SurveyAnswer
    url: str
    number: int
    last: bool
    look: Look | None
    digest: str


class Held:
    """What a survey believes of the answers it gets. For the one coordinator."""

    def __init__(self, notice: Callable[[str], None], *, believe: bool) -> None:
        """With `believe`, no answer is doubted."""
        self._notice = notice
        self._believe = believe
        self._learning = Learning()
        self._watch = Watch()
        self._held: dict[int, Heard] = {}
        self._photos: dict[str, set[str]] = {}
        self._first: list[SurveyAnswer] = []
        self._cause: str | None = None

    def note(self, heard: Heard) -> list[SurveyAnswer]:
        """Take in an answer; the rows that can be recorded now, be they of it or of others."""
        row, last = heard.row, heard.last
        self._learning.note(row.candidate_id, row.outcome, row.error, fresh=True, answered=row.status is not None)
        if self._believe:
            return [row] if last else []
        detector = self._watch.over(heard.url)
        if self._held.pop(row.candidate_id, None) is not None:
            detector.forget(row.candidate_id)
        look = heard.look
        if row.outcome is Outcome.SAVED:
            if self._photos_of(heard) < _SAME:
                return self._picture(heard)
            detector.no_picture_after_all(heard.digest)
            look = Look(f"bytes {heard.digest}", "the same picture")
        elif row.outcome is row.before:  # what was known before tells nothing of the network
            look = None
        if look is None:
            return [row] if last else []
        self._held[row.candidate_id] = heard
        detector.answer(
            Answer(
                number=row.candidate_id,
                wnid=wnid_of(row.candidate_id),
                look=look,
                started_at=row.asked_at,
                ended_at=row.asked_at + row.seconds,
                tries=heard.number,
                final=row.outcome.final,
                waited_for=detector.alive and row.outcome in SUSPICIOUS,
            )
        )
        return []

    def _photos_of(self, heard: Heard) -> int:
        """For how many photos a picture has come by now."""
        photos = self._photos.pop(heard.digest, set()) | {heard.url}
        self._photos[heard.digest] = photos
        if len(self._photos) > _REMEMBERED:
            del self._photos[next(iter(self._photos))]
        return len(photos)

    def _picture(self, heard: Heard) -> list[SurveyAnswer]:
        """Take in a picture: it ends doubts, but as long as there is no other it may be the one for all photos."""
        if len(self._photos) == 1:
            self._first.append(heard.row)
            return []
        first, self._first = self._first, []
        freed = self._watch.over(heard.url).picture(heard.digest, heard.row.asked_at)
        return [*first, *self._free(freed), heard.row]

    def _free(self, freed: Iterable[Freed]) -> list[SurveyAnswer]:
        ended = [(self._held.pop(one.number), one.intercepted) for one in freed]
        intercepted = sum(heard.last and theirs for heard, theirs in ended)
        if intercepted and self._watch.shown is None:
            self._notice(f"{intercepted} photos in a row were answered alike, which says nothing of them")
        return [_theirs(heard.row) if theirs else heard.row for heard, theirs in ended if heard.last]

    def close(self) -> list[SurveyAnswer]:
        """Say that the survey is at its end: what no one can tell by now is believed. The rows that are left."""
        for answers in self._watch.pictureless():
            self._notice(
                f"not one picture came, and {answers} answers without: if that cannot be, look at some of the URLs in "
                "a browser"
            )
        rows = [row for detector in self._watch for row in self._free(detector.close())]
        self._cause = self._learning.cause(before=False)
        return [*rows, *self.give_up()]

    def give_up(self) -> list[SurveyAnswer]:
        """Say that the survey is cut short: what is in doubt rests as unknown. The rows that are left."""
        doubted = {number for detector in self._watch for number in detector.doubted()}
        rows = [
            _theirs(heard.row) if number in doubted else heard.row
            for number, heard in self._held.items()
            if number in doubted or heard.last
        ]
        first = [_theirs(row) if self._watch.shown else row for row in self._first]
        self._held.clear()
        self._first.clear()
        return [*first, *rows]

    @property
    def problem(self) -> str | None:
        """Why the survey must not go on or end well, and what to do about it; None as long as there is no reason."""
        shown = self._watch.shown
        return self._cause if shown is None else explain(shown)


def _theirs(row: SurveyAnswer) -> SurveyAnswer:
    return replace(row, outcome=Outcome.INTERCEPTED, error=DOUBTED)

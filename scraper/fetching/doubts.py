"""Answers of a fetch that may be those of a network or a block, and what becomes of their candidates.

As long as an answer is in doubt, its candidate rests as unknown in the manifest, so that a run that is killed has
spent none; a revision says so, and another one takes it back when the doubt ends.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scraper.flickr import host_group
from scraper.model import Outcome, State
from scraper.pacing.refusals import SUSPICIOUS
from scraper.records import Decision, Look, Revision
from scraper.running.interception import Answer
from scraper.running.learning import Learning
from scraper.running.watching import DOUBTED, Watch, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scraper.manifest.access.candidates import Twin
    from scraper.model import Form
    from scraper.records import Attempt
    from scraper.running.interception import Detector, Freed

FOR_THE_PACE: Final = "its host refused everybody in these words soon after"
_LATELY: Final = 64
_SOON: Final = 60.0
"""Seconds within which refusals have one reason."""
BELIEVED: Final = "pictures came between, or too few were answered alike"


@dataclass(slots=True)
class _Doubt:
    """What the last try of a candidate came to.

    Attributes:
        decision: what was decided thereby.
        form: the other form of its URL that was asked for, where it is beyond doubt that the URL itself is dead.
        fate: how the URL itself ended then.
        held: whether the manifest has the candidate as unknown for the doubt.
    """

    decision: Decision
    form: Form | None
    fate: Outcome | None
    held: bool = False

    def hold(self, number: int) -> Revision:
        self.held = True
        return Revision(number, State.UNKNOWN, Outcome.INTERCEPTED, DOUBTED, self.form, self.fate)

    def believe(self, number: int) -> Revision:
        decision = self.decision
        return Revision(number, decision.state, decision.outcome, BELIEVED, decision.form, decision.fate)


class Doubts:
    """What a fetch believes of the answers it gets. For the one coordinator."""

    def __init__(self, retried: Iterable[Outcome], notice: Callable[[str], None], *, believe: bool) -> None:
        """For a run that asks again for candidates lost with one of the outcomes `retried`.

        That these are answered as before is to be expected, and tells nothing of the others. With `believe`, no answer
        is doubted.
        """
        self._retried = frozenset(retried)
        self._notice = notice
        self._believe = believe
        self._learning = Learning()
        self._watch = Watch()
        self._doubts: dict[int, _Doubt] = {}
        self._shared: set[str] = set()
        self._revisions: list[Revision] = []
        self._lately_lost: deque[Attempt] = deque(maxlen=_LATELY)
        self._cause: str | None = None

    def note(self, attempt: Attempt, decision: Decision, taken_back: Iterable[Twin] = ()) -> None:
        """Take in how a request ended, what was decided of its candidate, and which images it showed to be none."""
        self._learning.note(
            attempt.candidate.id,
            attempt.outcome,
            attempt.error,
            fresh=attempt.candidate.tries == 0,
            answered=attempt.status is not None,
        )
        if not self._believe:
            for twin in taken_back:
                self._take_back(twin, attempt)
            self._doubt(attempt, decision)

    def _doubt(self, attempt: Attempt, decision: Decision) -> None:
        candidate, outcome = attempt.candidate, attempt.outcome
        detector = self._watch.over(candidate.url)
        before = self._doubts.pop(candidate.id, None)
        if before is not None:
            detector.forget(candidate.id)
        if decision.everybodys:
            self._doubt_lately_lost(attempt)
            return  # the host speaks, and is waited for: neither the photo's own answer nor somebody else's
        digest = attempt.sha256 or ""
        if outcome in (Outcome.SAVED, Outcome.CHANGED) and not self._came_before(detector, digest, outcome):
            self._free(detector.picture(digest, attempt.started_at))
            return
        if outcome is Outcome.FORBIDDEN and decision.state is State.LOST and outcome not in self._retried:
            self._lately_lost.append(attempt)
        look = attempt.look
        if outcome in (Outcome.PLACEHOLDER, Outcome.CHANGED) and look is None:
            # Before there is any other picture, a picture that comes for all may be that of whoever answers for all.
            look = Look(f"bytes {digest}", "the same picture", usual=detector.alive)
        if look is None or (outcome in self._retried and candidate.tries):
            return
        sure = candidate.form is not None and before is None
        self._doubts[candidate.id] = _Doubt(
            decision, candidate.form if sure else None, candidate.fate if sure else None
        )
        ended_at = attempt.started_at + attempt.seconds
        answer = Answer(
            number=candidate.id,
            wnid=candidate.wnid,
            look=look,
            started_at=attempt.started_at,
            ended_at=ended_at,
            tries=candidate.tries + 1,
            final=outcome.final,
            waited_for=detector.alive and outcome in SUSPICIOUS,
        )
        detector.answer(answer)

    def _doubt_lately_lost(self, attempt: Attempt) -> None:
        """Take back what was lost in the words in which its host, as has shown since, refuses everybody for the pace.

        The first of such refusals come among pictures, and look like the photos' own answers.
        """
        lost, self._lately_lost = list(self._lately_lost), deque(maxlen=_LATELY)
        group = host_group(attempt.candidate.url)
        for one in lost if attempt.outcome is Outcome.FORBIDDEN else ():
            candidate = one.candidate
            if attempt.started_at - one.started_at > _SOON or host_group(candidate.url) != group:
                continue
            self._watch.over(candidate.url).forget(candidate.id)
            doubt = self._doubts.pop(candidate.id, None)
            if doubt is None or not doubt.held:
                said = Revision(
                    candidate.id, State.UNKNOWN, Outcome.INTERCEPTED, FOR_THE_PACE, candidate.form, candidate.fate
                )
                self._revisions.append(said)

    def _came_before(self, detector: Detector, digest: str, outcome: Outcome) -> bool:
        """Whether a picture that is not the one of the lock came for another photo before."""
        if outcome is not Outcome.CHANGED:
            return False
        if detector.knows(digest):
            self._shared.add(digest)
            detector.no_picture_after_all(digest)
        return digest in self._shared

    def _take_back(self, twin: Twin, attempt: Attempt) -> None:
        """Take in an image or a duplicate whose picture has come for too many photos to be one, as `attempt` shows."""
        self._watch.over(twin.url).no_picture_after_all(attempt.sha256 or "")
        candidate = replace(attempt.candidate, id=twin.candidate_id, url=twin.url, tries=0)
        decision = Decision(State.LOST, Outcome.PLACEHOLDER, form=twin.form, fate=twin.fate)
        self._doubt(replace(attempt, candidate=candidate, outcome=Outcome.PLACEHOLDER, picture=None), decision)

    def take_revisions(self) -> list[Revision]:
        """The revisions since the last call that say what is in doubt now, and what no longer is."""
        for detector in self._watch:
            shown = detector.shown is not None
            for number in detector.doubted():
                doubt = self._doubts[number]
                # A candidate that is asked for again in this run is not lost yet.
                if not doubt.held and (shown or doubt.decision.state is State.LOST):
                    self._revisions.append(doubt.hold(number))
        revisions, self._revisions = self._revisions, []
        return revisions

    def close(self, *, before: bool) -> None:
        """Say that the run is at its end: what no one can tell by now is believed.

        Args:
            before: whether an earlier run has learnt something of the manifest's photos.
        """
        for answers in self._watch.pictureless():
            self._notice(
                f"not one picture came, and {answers} answers without: if that cannot be, look at some of the URLs in "
                "a browser; `scraper fetch --retry OUTCOME` asks again"
            )
        for detector in self._watch:
            self._free(detector.close())
        self._cause = self._learning.cause(before=before)

    @property
    def problem(self) -> str | None:
        """Why the run must not go on or end well, and what to do about it; None as long as there is no reason."""
        shown = self._watch.shown
        return self._cause if shown is None else explain(shown)

    def _free(self, freed: list[Freed]) -> None:
        intercepted = 0
        for one in freed:
            doubt = self._doubts.pop(one.number)
            if one.intercepted and doubt.decision.state is State.LOST:
                intercepted += 1
                if not doubt.held:
                    self._revisions.append(doubt.hold(one.number))
            elif doubt.held:
                self._revisions.append(doubt.believe(one.number))
        if intercepted and self.problem is None:
            self._notice(
                f"{intercepted} photos in a row were answered alike, which says nothing of them: "
                "the next fetch asks again"
            )

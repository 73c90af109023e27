"""What a fetch believes of its answers, and what becomes of the candidates while it does not know."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scraper.fetching.doubts import BELIEVED, FOR_THE_PACE, Doubts
from scraper.manifest.access.candidates import Twin
from scraper.model import Form, Outcome, State, Wnid
from scraper.records import Attempt, Candidate, Decision, Look, Picture, Revision, Temporary
from scraper.running.watching import DOUBTED

GONE = Look("status 404", "404 Not Found", usual=True)
DENIED = Look("status 403", "403 Forbidden")
PAGE = Look("title login", "the page 'Login'")
LOST = {Outcome.GONE: GONE, Outcome.FORBIDDEN: DENIED, Outcome.NOT_IMAGE: PAGE}


class Run:
    """A fetch in which one photo after the other is asked for, each answer there before the next is asked for."""

    def __init__(self, *retried: Outcome, believe: bool = False) -> None:
        self.told: list[str] = []
        self.doubts = Doubts(retried, self.told.append, believe=believe)
        self.asked = 0
        self.revisions: list[Revision] = []

    def ask(
        self,
        outcome: Outcome,
        *,
        number: int | None = None,
        state: State = State.LOST,
        digest: str | None = None,
        twins: tuple[Twin, ...] = (),
        look: Look | None = None,
        decided: Decision | None = None,
        status: int | None = 200,
        **of: object,
    ) -> Attempt:
        attempt = self.note_only(
            outcome,
            number=number,
            state=state,
            digest=digest,
            twins=twins,
            look=look,
            decided=decided,
            status=status,
            **of,
        )
        self.revisions += self.doubts.take_revisions()
        return attempt

    def note_only(
        self,
        outcome: Outcome,
        *,
        number: int | None = None,
        state: State = State.LOST,
        digest: str | None = None,
        twins: tuple[Twin, ...] = (),
        look: Look | None = None,
        decided: Decision | None = None,
        status: int | None = 200,
        **of: object,
    ) -> Attempt:
        """As `ask`, in the middle of a batch."""
        self.asked += 1
        number = number or self.asked
        url = f"https://live.staticflickr.com/1/{number}_a.jpg"
        candidate = Candidate(number, Wnid(f"n{number % 9:08d}"), number, url, f"{number}_a.jpg", photo_id=number)
        candidate = replace(candidate, **of)  # type: ignore[arg-type]
        digest = digest or f"{number:064x}"
        picture = (
            Picture(temporary=Temporary("t", 1, 1), format="JPEG", width=9, height=9, bytes=9, sha256=digest)
            if outcome is Outcome.SAVED
            else None
        )
        attempt = Attempt(
            candidate,
            float(self.asked),
            0.5,
            outcome,
            status,
            error="why",
            sha256=digest,
            picture=picture,
            look=look or LOST.get(outcome),
        )
        self.doubts.note(attempt, decided or Decision(state, outcome), twins)
        return attempt

    def pictures(self, number: int = 1) -> None:
        for _ in range(number):
            self.ask(Outcome.SAVED, state=State.SAVED)

    @property
    def problem(self) -> str | None:
        return self.doubts.problem

    def held(self) -> dict[int, tuple[State, Outcome | None, str]]:
        """The last word on each candidate that was revised."""
        return {one.candidate_id: (one.state, one.outcome, one.reason) for one in self.revisions}

    def close(self, *, before: bool = False) -> None:
        self.doubts.close(before=before)
        self.revisions += self.doubts.take_revisions()


HELD = (State.UNKNOWN, Outcome.INTERCEPTED, DOUBTED)


def test_before_a_picture_a_refusal_is_in_doubt_and_a_404_is_not() -> None:
    run = Run()
    run.ask(Outcome.FORBIDDEN)
    run.ask(Outcome.GONE)
    assert run.held() == {1: HELD}
    run.pictures()
    assert run.held() == {1: (State.LOST, Outcome.FORBIDDEN, BELIEVED)}
    run.ask(Outcome.FORBIDDEN)  # now one is believed, two alike are not
    assert len(run.revisions) == 2
    run.ask(Outcome.FORBIDDEN)
    assert {4, 5} <= set(run.held())
    assert run.problem is None


def test_nothing_is_said_twice() -> None:
    run = Run()
    run.ask(Outcome.FORBIDDEN)
    run.ask(Outcome.FORBIDDEN)
    run.ask(Outcome.GONE)
    assert len(run.revisions) == 2
    assert run.doubts.take_revisions() == []


def test_sixteen_alike_end_the_run_and_spend_nobody() -> None:
    run = Run()
    run.pictures()
    for _ in range(16):
        assert run.problem is None
        run.ask(Outcome.NOT_IMAGE)
    assert run.held() == dict.fromkeys(range(2, 18), HELD)
    said = "16 photos in a row and no picture: every answer is the page 'Login'. "
    assert str(run.problem).startswith(said)
    run.close()
    assert str(run.problem).startswith(said)
    assert run.told == []


def test_a_burst_is_asked_again_and_told() -> None:
    run = Run()
    run.pictures()
    for _ in range(5):
        run.ask(Outcome.FORBIDDEN)
    run.pictures()
    assert run.held() == dict.fromkeys(range(2, 7), HELD)
    assert run.told == ["5 photos in a row were answered alike, which says nothing of them: the next fetch asks again"]
    run.close()
    assert run.problem is None


def test_a_candidate_that_is_tried_again_is_not_held_yet() -> None:
    """It is not lost, and its next answer takes the place of this one."""
    run = Run()
    run.pictures()
    for _ in range(3):
        run.ask(Outcome.BAD_STATUS, number=5, state=State.WAITING, look=Look("status 400", "400 Bad Request"))
    assert run.revisions == []
    for number in range(6, 9):
        run.ask(Outcome.BAD_STATUS, number=number, state=State.WAITING, look=Look("status 400", "400 Bad Request"))
    run.pictures()
    run.close()
    assert run.revisions == []


def test_one_photo_asked_sixteen_times_is_no_network() -> None:
    run = Run()
    for _ in range(40):
        run.ask(Outcome.BAD_STATUS, number=5, state=State.WAITING, look=Look("status 400", "400 Bad Request"))
    assert run.problem is None


def test_when_something_has_shown_candidates_that_wait_are_held_too() -> None:
    run = Run()
    run.ask(Outcome.BAD_STATUS, state=State.WAITING, look=DENIED)
    for _ in range(16):
        run.ask(Outcome.FORBIDDEN)
    assert run.held() == dict.fromkeys(range(1, 18), HELD)


def test_what_was_asked_for_again_and_answers_as_before_tells_nothing_of_others() -> None:
    run = Run(Outcome.FORBIDDEN)
    for _ in range(40):
        run.ask(Outcome.FORBIDDEN, tries=1)
    assert (run.problem, run.revisions) == (None, [])
    for _ in range(16):
        run.ask(Outcome.FORBIDDEN)  # never asked for before
    assert run.problem is not None


def test_who_knows_better_is_believed_and_nothing_is_doubted() -> None:
    run = Run(believe=True)
    for _ in range(300):
        run.ask(Outcome.FORBIDDEN)
    run.close()
    assert (run.problem, run.revisions, run.told) == (None, [], [])


@pytest.mark.parametrize(("number", "told"), [(11, False), (12, True)])
def test_a_run_without_a_picture_is_worth_a_word(number: int, told: bool) -> None:
    run = Run()
    for _ in range(number):
        run.ask(Outcome.GONE)
    run.close()
    word = (
        f"not one picture came, and {number} answers without: if that cannot be, look at some of the URLs in a "
        "browser; `scraper fetch --retry OUTCOME` asks again"
    )
    assert run.told == [word] * told
    assert run.problem is None


def test_a_run_that_learnt_nothing_says_so_at_its_end_only() -> None:
    run = Run()
    run.ask(Outcome.TIMEOUT, state=State.UNKNOWN)
    assert run.problem is None
    run.close()
    assert "nothing was learnt of the one photo" in str(run.problem)


def test_a_later_run_that_asks_again_for_a_few_need_not_learn() -> None:
    run = Run()
    run.ask(Outcome.TIMEOUT, state=State.UNKNOWN, tries=2)
    run.close(before=True)
    assert run.problem is None


# --- one picture for all ----------------------------------------------------------------------------------------------


def test_one_picture_for_all_is_the_networks() -> None:
    """Two of them are images for a moment; the third takes them back, and all stand as answers alike."""
    run = Run()
    one = "f" * 64
    first, second = (run.ask(Outcome.SAVED, state=State.SAVED, digest=one) for _ in range(2))
    twins = tuple(Twin(a.candidate.id, a.candidate.url, a.candidate.photo_id, "p") for a in (first, second))
    run.ask(Outcome.PLACEHOLDER, digest=one, twins=twins)
    assert {1, 2, 3} == set(run.held())
    for _ in range(15):
        assert run.problem is None
        run.ask(Outcome.PLACEHOLDER, digest=one)
    assert "every answer is the same picture" in str(run.problem)
    assert run.held() == dict.fromkeys(range(1, 19), HELD)


def test_a_picture_for_deleted_photos_among_pictures_is_usual() -> None:
    run = Run()
    run.pictures(3)
    for _ in range(20):
        run.ask(Outcome.PLACEHOLDER, digest="f" * 64)
    assert run.problem is None


def test_a_picture_that_is_not_that_of_the_lock_is_a_picture_once() -> None:
    """Another one for each photo is what owners change; the same one for all is a network's."""
    run = Run()
    for _ in range(30):
        run.ask(Outcome.CHANGED)
    assert run.problem is None
    run = Run()
    for _ in range(17):
        run.ask(Outcome.CHANGED, digest="f" * 64)
    assert "every answer is the same picture" in str(run.problem)


# --- another form of the URL ------------------------------------------------------------------------------------------


def test_what_is_known_of_the_url_itself_stays_known() -> None:
    """It was dead before the network came; its other form is what nothing is known of."""
    run = Run()
    run.ask(Outcome.FORBIDDEN, form=Form.LIVE, fate=Outcome.GONE, tries=1)
    assert run.revisions == [
        Revision(1, State.UNKNOWN, Outcome.INTERCEPTED, DOUBTED, form=Form.LIVE, fate=Outcome.GONE)
    ]


def test_what_was_in_doubt_itself_is_not_known_by_the_answer_of_its_other_form() -> None:
    run = Run()
    run.ask(Outcome.GONE, number=1, state=State.WAITING)
    run.ask(Outcome.FORBIDDEN, number=1, form=Form.LIVE, fate=Outcome.GONE, tries=1)
    assert run.revisions == [Revision(1, State.UNKNOWN, Outcome.INTERCEPTED, DOUBTED)]


def test_hosts_of_others_are_watched_apart_from_flickrs() -> None:
    run, other = Run(), Run()
    for number in range(10):
        run.ask(Outcome.FORBIDDEN)
        run.ask(Outcome.FORBIDDEN, url=f"https://host{number}.example/{number}.jpg")
    assert run.problem is None
    for number in range(16):
        other.ask(Outcome.FORBIDDEN, url=f"https://host{number}.example/{number}.jpg")
    assert str(other.problem).startswith("16 photos in a row")


def test_of_a_burst_those_that_were_not_held_yet_are() -> None:
    """A picture frees what was asked for before it, and only then shows that four stood together."""
    run = Run()
    run.pictures()
    for _ in range(4):
        run.note_only(Outcome.FORBIDDEN)
    run.pictures()
    assert run.held() == dict.fromkeys(range(2, 6), HELD)


def test_a_believed_answer_keeps_the_form_and_the_fate_that_were_decided() -> None:
    run = Run()
    run.ask(Outcome.FORBIDDEN, decided=Decision(State.LOST, Outcome.GONE, form=Form.LIVE, fate=Outcome.PLACEHOLDER))
    run.pictures()
    assert run.revisions[-1] == Revision(
        1, State.LOST, Outcome.GONE, BELIEVED, form=Form.LIVE, fate=Outcome.PLACEHOLDER
    )


def test_images_that_are_taken_back_keep_what_is_known_of_their_urls() -> None:
    run = Run()
    one = "f" * 64
    first = run.ask(Outcome.SAVED, state=State.SAVED, digest=one)
    twin = Twin(1, first.candidate.url, 1, "p", Form.LIVE, Outcome.GONE)
    run.ask(Outcome.PLACEHOLDER, digest=one, twins=(twin,))
    run.pictures()
    assert run.revisions[-2:] == [
        Revision(1, State.LOST, Outcome.PLACEHOLDER, BELIEVED, form=Form.LIVE, fate=Outcome.GONE),
        Revision(2, State.LOST, Outcome.PLACEHOLDER, BELIEVED),
    ]


def test_what_a_url_has_answered_three_times_is_its_own() -> None:
    for tries, own in ((1, False), (2, True)):
        run = Run()
        run.pictures()
        for _ in range(5):
            run.ask(Outcome.FORBIDDEN, tries=tries)
        run.pictures()
        last = (State.LOST, Outcome.FORBIDDEN, BELIEVED) if own else HELD
        assert run.held() == dict.fromkeys(range(2, 7), last)


def test_a_dead_class_among_living_ones_is_dead() -> None:
    run = Run()
    run.pictures()
    for number in range(10, 160):
        run.ask(Outcome.GONE, number=9 * number)
    assert run.problem is None
    run.ask(Outcome.SAVED, state=State.SAVED, number=5000)
    assert {one[:2] for one in run.held().values()} == {(State.LOST, Outcome.GONE)}


def test_hundreds_of_dead_photos_of_all_classes_are_a_networks() -> None:
    run = Run()
    run.pictures()
    for _ in range(200):
        assert run.problem is None
        run.ask(Outcome.GONE)
    assert str(run.problem).startswith("not one picture among 200 photos, nearly every answer is 404 Not Found")


def test_silence_and_other_pictures_than_those_of_a_lock_are_no_answers_alike() -> None:
    for outcome in (Outcome.TIMEOUT, Outcome.CHANGED):
        run = Run()
        for _ in range(250):
            run.ask(outcome, state=State.UNKNOWN)
        assert run.problem is None


@pytest.mark.parametrize(
    ("number", "tries", "status", "fails"),
    [(2, 0, 503, True), (2, 1, 503, False), (9, 1, 503, False), (8, 1, None, False), (9, 1, None, True)],
)
def test_what_a_later_run_has_not_learnt(number: int, tries: int, status: int | None, fails: bool) -> None:
    run = Run()
    for _ in range(number):
        run.ask(Outcome.TIMEOUT, state=State.UNKNOWN, tries=tries, status=status)
    run.close(before=True)
    said = f"nothing was learnt of any of the {number} photos that were asked for: timeout (why)"
    assert str(run.problem).startswith(said) is fails


def test_what_the_host_refuses_everybody_with_is_no_answer_in_the_place_of_photos() -> None:
    run = Run()
    run.pictures()
    for number in range(100, 140):
        refused = Decision(State.WAITING, Outcome.FORBIDDEN, 9.0, everybodys=True)
        run.ask(Outcome.FORBIDDEN, number=number, decided=refused)
    assert run.problem is None
    run.close()
    assert run.held() == {}


def test_what_was_lost_just_before_its_host_refused_everybody_so_is_asked_for_again() -> None:
    run = Run()
    run.pictures(3)
    run.ask(Outcome.FORBIDDEN, number=50)
    run.pictures()
    assert run.held() == {}
    run.ask(Outcome.FORBIDDEN, number=51, decided=Decision(State.WAITING, Outcome.FORBIDDEN, 9.0, everybodys=True))
    assert run.held() == {50: (State.UNKNOWN, Outcome.INTERCEPTED, FOR_THE_PACE)}
    run.close()
    assert run.held().keys() == {50}


def test_what_was_lost_long_before_stays_so() -> None:
    run = Run()
    run.pictures()
    run.ask(Outcome.FORBIDDEN, number=500)
    run.pictures(70)
    run.ask(Outcome.FORBIDDEN, number=501, decided=Decision(State.WAITING, Outcome.FORBIDDEN, 9.0, everybodys=True))
    run.close()
    assert run.held() == {}

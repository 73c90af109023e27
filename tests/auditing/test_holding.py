"""What a survey believes of its answers, one by one."""

from __future__ import annotations

import pytest

from scraper.auditing.holding import Heard, Held
from scraper.manifest.access.surveys import SurveyAnswer
from scraper.manifest.schema import candidate_id
from scraper.model import Outcome, Wnid
from scraper.records import Look
from scraper.running.watching import DOUBTED

GONE = Look("status 404", "404 Not Found", usual=True)
DENIED = Look("status 403", "403 Forbidden")
LOOKS = {Outcome.GONE: GONE, Outcome.FORBIDDEN: DENIED, Outcome.BAD_STATUS: Look("status 400", "400 Bad Request")}


class Run:
    """A survey in which one photo after the other is asked for, and what it has recorded of each."""

    def __init__(self, *, believe: bool = False) -> None:
        self.told: list[str] = []
        self.held = Held(self.told.append, believe=believe)
        self.asked = 0
        self.recorded: list[tuple[int, Outcome]] = []
        self.errors: dict[int, str | None] = {}

    def ask(
        self,
        outcome: Outcome,
        *,
        number: int | None = None,
        digest: str = "",
        before: Outcome | None = None,
        last: bool = True,
        tries: int = 1,
        behind: float = 0.0,
    ) -> None:
        self.asked += 1
        number = number or self.asked
        row = SurveyAnswer(
            candidate_id=candidate_id(Wnid(f"n{number % 9:08d}"), number),
            asked_at=self.asked - behind,
            seconds=0.5,
            before=before,
            outcome=outcome,
            status=None if outcome is Outcome.TIMEOUT else 200,
            final_url="",
            error="why",
        )
        url = f"https://live.staticflickr.com/1/{number}_a.jpg"
        self.keep(self.held.note(Heard(row, url, tries, last, LOOKS.get(outcome), digest or f"{number:064x}")))

    def keep(self, rows: list[SurveyAnswer]) -> None:
        for row in rows:
            number = row.candidate_id % 1_000_000
            assert number not in self.errors
            self.recorded.append((number, row.outcome))
            self.errors[number] = row.error

    def close(self) -> None:
        self.keep(self.held.close())

    def outcomes(self) -> dict[int, Outcome]:
        return dict(self.recorded)


def test_an_answer_is_recorded_when_a_picture_has_come_after_it() -> None:
    run = Run()
    run.ask(Outcome.SAVED)
    assert run.recorded == []  # it may be the one picture for all
    run.ask(Outcome.SAVED)
    assert run.recorded == [(1, Outcome.SAVED), (2, Outcome.SAVED)]
    run.ask(Outcome.GONE)
    run.ask(Outcome.FORBIDDEN)
    assert len(run.recorded) == 2
    run.ask(Outcome.SAVED)
    assert run.recorded[2:] == [(3, Outcome.GONE), (4, Outcome.FORBIDDEN), (5, Outcome.SAVED)]
    assert run.errors[3] == "why"


def test_an_answer_that_nobody_gave_is_recorded_at_once() -> None:
    run = Run()
    run.ask(Outcome.TIMEOUT, last=False)
    assert run.recorded == []
    run.ask(Outcome.TIMEOUT, number=1)
    assert run.recorded == [(1, Outcome.TIMEOUT)]
    run.ask(Outcome.TIMEOUT)
    run.close()
    assert "nothing was learnt of any of the 2 photos that were asked for: timeout (why)" in str(run.held.problem)


def test_what_was_known_before_is_recorded_at_once_and_tells_nothing_of_others() -> None:
    run = Run()
    for _ in range(300):
        run.ask(Outcome.FORBIDDEN, before=Outcome.FORBIDDEN)
    assert run.outcomes() == dict.fromkeys(range(1, 301), Outcome.FORBIDDEN)
    run.close()
    assert run.held.problem is None


def test_sixteen_alike_are_nobodys_death() -> None:
    run = Run()
    for _ in range(16):
        assert run.held.problem is None
        run.ask(Outcome.FORBIDDEN, before=Outcome.SAVED)
    assert "16 photos in a row and no picture: every answer is 403 Forbidden" in str(run.held.problem)
    run.keep(run.held.give_up())
    assert run.outcomes() == dict.fromkeys(range(1, 17), Outcome.INTERCEPTED)
    assert set(run.errors.values()) == {DOUBTED}


def test_what_was_to_be_asked_again_when_something_showed_rests_as_unknown() -> None:
    run = Run()
    for _ in range(16):
        run.ask(Outcome.BAD_STATUS, last=False)
    assert run.held.problem is not None
    run.keep(run.held.give_up())
    assert run.outcomes() == dict.fromkeys(range(1, 17), Outcome.INTERCEPTED)


def test_only_the_last_answer_of_a_url_counts() -> None:
    run = Run()
    for tries in (1, 2, 3):
        run.ask(Outcome.BAD_STATUS, number=70, last=tries == 3, tries=tries)
    for _ in range(2):
        run.ask(Outcome.SAVED)
    assert run.recorded[-2:] == [(70, Outcome.BAD_STATUS), (5, Outcome.SAVED)]
    run.ask(Outcome.BAD_STATUS, last=False)
    run.ask(Outcome.SAVED)
    assert 6 not in run.outcomes()  # it is asked again
    run.close()
    assert 6 not in run.outcomes()


def test_a_burst_rests_as_unknown_and_is_told() -> None:
    run = Run()
    for outcome in [Outcome.SAVED] * 2 + [Outcome.FORBIDDEN] * 5 + [Outcome.SAVED]:
        run.ask(outcome)
    assert run.outcomes() == dict.fromkeys((1, 2, 8), Outcome.SAVED) | dict.fromkeys(range(3, 8), Outcome.INTERCEPTED)
    assert run.told == ["5 photos in a row were answered alike, which says nothing of them"]
    run.close()
    assert run.held.problem is None


@pytest.mark.parametrize(("number", "told"), [(11, False), (12, True)])
def test_a_small_sample_may_be_dead_altogether(number: int, told: bool) -> None:
    run = Run()
    for _ in range(number):
        run.ask(Outcome.GONE)
    assert run.recorded == []
    run.close()
    assert run.outcomes() == dict.fromkeys(range(1, number + 1), Outcome.GONE)
    word = (
        f"not one picture came, and {number} answers without: if that cannot be, look at some of the URLs in a browser"
    )
    assert run.told == [word] * told
    assert run.held.problem is None


def test_a_survey_that_is_cut_short_keeps_what_is_beyond_doubt() -> None:
    """Of 404 the first dozen are, as they come from honest hosts; a refusal before any picture is not."""
    run = Run()
    for outcome in (Outcome.GONE, Outcome.FORBIDDEN, Outcome.GONE, Outcome.SAVED):
        run.ask(outcome)
    run.ask(Outcome.BAD_STATUS, last=False)
    run.keep(run.held.give_up())
    # The refusal to be asked again is one of two things that nobody knows of.
    assert run.outcomes() == {
        1: Outcome.GONE,
        2: Outcome.INTERCEPTED,
        3: Outcome.GONE,
        4: Outcome.SAVED,
        5: Outcome.INTERCEPTED,
    }
    assert run.held.give_up() == []


def test_the_same_picture_for_all_is_none() -> None:
    run = Run()
    while run.held.problem is None:
        assert run.asked < 40
        run.ask(Outcome.SAVED, digest="f" * 64)
    assert run.asked == 18
    assert "every answer is the same picture" in run.held.problem
    run.keep(run.held.give_up())
    assert run.outcomes() == dict.fromkeys(range(1, 19), Outcome.INTERCEPTED)


def test_the_same_picture_for_all_from_some_moment_on() -> None:
    run = Run()
    for _ in range(3):
        run.ask(Outcome.SAVED)
    while run.held.problem is None:
        assert run.asked < 40
        run.ask(Outcome.SAVED, digest="f" * 64)
    run.keep(run.held.give_up())
    assert run.outcomes() == dict.fromkeys(range(1, 6), Outcome.SAVED) | dict.fromkeys(
        range(6, run.asked + 1), Outcome.INTERCEPTED
    )


def test_a_photo_that_was_listed_thrice_is_a_picture() -> None:
    run = Run()
    for _ in range(3):
        run.ask(Outcome.SAVED, number=1 + len(run.recorded), digest="e" * 64)
        run.ask(Outcome.SAVED, number=100 + run.asked)
    run.close()
    assert set(run.outcomes().values()) == {Outcome.SAVED}


def test_who_knows_better_is_believed() -> None:
    run = Run(believe=True)
    for _ in range(300):
        run.ask(Outcome.FORBIDDEN)
    run.ask(Outcome.BAD_STATUS, last=False)
    assert run.outcomes() == dict.fromkeys(range(1, 301), Outcome.FORBIDDEN)
    run.close()
    assert (run.held.problem, run.told, len(run.recorded)) == (None, [], 300)


def test_one_photo_that_is_asked_for_again_and_again_is_no_network() -> None:
    run = Run()
    for tries in range(1, 41):
        run.ask(Outcome.BAD_STATUS, number=50, last=False, tries=tries)
    assert run.held.problem is None


def test_a_dead_class_among_living_ones_is_dead() -> None:
    run = Run()
    run.ask(Outcome.SAVED)
    run.ask(Outcome.SAVED)
    for number in range(150):
        run.ask(Outcome.GONE, number=9 * (number + 10))
    assert run.held.problem is None
    run.ask(Outcome.SAVED, number=5000)
    assert list(run.outcomes().values()).count(Outcome.GONE) == 150


def test_requests_that_were_under_way_together_count_once() -> None:
    run = Run()
    for number in range(40):
        run.ask(Outcome.FORBIDDEN, behind=float(number))
    assert run.held.problem is None


@pytest.mark.parametrize("outcome", [Outcome.FORBIDDEN, Outcome.BAD_STATUS])
def test_what_a_url_has_answered_three_times_and_what_is_not_the_last_word_is_its_own(outcome: Outcome) -> None:
    run = Run()
    run.ask(Outcome.SAVED)
    run.ask(Outcome.SAVED)
    for _ in range(5):
        run.ask(outcome, tries=3 if outcome is Outcome.FORBIDDEN else 1)
    run.ask(Outcome.SAVED)
    assert list(run.outcomes().values()).count(outcome) == 5
    assert run.told == []


def test_a_thousand_other_pictures_let_one_be_forgotten() -> None:
    run = Run()
    for number, digest in enumerate(["f" * 64, "f" * 64, *(f"{each:064x}" for each in range(1023)), "f" * 64]):
        run.ask(Outcome.SAVED, digest=digest, number=number + 1)
    assert set(run.outcomes().values()) == {Outcome.SAVED}
    assert len(run.recorded) == 1025  # the third of three is held
    for number, digest in enumerate([f"{each:064x}" for each in range(2000, 3024)], start=2000):
        run.ask(Outcome.SAVED, digest=digest, number=number)
    run.ask(Outcome.SAVED, digest="f" * 64, number=4000)
    run.close()
    assert set(run.outcomes().values()) == {Outcome.SAVED}
    assert run.held.problem is None


def test_hundreds_of_dead_photos_of_all_classes_are_a_networks() -> None:
    run = Run()
    run.ask(Outcome.SAVED)
    run.ask(Outcome.SAVED)
    for _ in range(200):
        assert run.held.problem is None
        run.ask(Outcome.GONE)
    assert "not one picture among 200 photos, nearly every answer is 404 Not Found" in str(run.held.problem)

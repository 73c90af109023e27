"""When many answers alike are a network's or a block's, and when they are the photos' own."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.records import Look
from scraper.running.interception import Answer, Detector, Sighting, Thresholds

if TYPE_CHECKING:
    from scraper.running.interception import Freed

GONE = Look("status 404", "404 Not Found", usual=True)
DENIED = Look("status 403", "403 Forbidden")
PAGE = Look("title guest wi-fi login", "the page 'Guest Wi-Fi login'")
LEAST = Thresholds()
CLASSES = 40
KINDS = st.sampled_from([DENIED, PAGE, Look("empty", "an empty body"), Look("status 400", "400 Bad Request")])


@dataclass
class Run:
    """A detector fed one request after the other, and what it has said of whom."""

    detector: Detector = field(default_factory=Detector)
    asked: int = 0
    freed: dict[int, bool] = field(default_factory=dict)
    noted: set[int] = field(default_factory=set)

    def ask(self, look: Look | None, *, wnid: str = "", behind: float = 0.0, tries: int = 1) -> None:
        """One request: a picture if `look` is None; asked `behind` seconds before the answer of the one before it."""
        self.asked += 1
        started_at = self.asked - behind
        if look is None:
            self.free(self.detector.picture(f"{self.asked:064}", started_at))
            return
        self.noted.add(self.asked)
        ended_at = self.asked + 0.5
        wnid = wnid or f"n{self.asked % CLASSES:08d}"
        answer = Answer(number=self.asked, wnid=wnid, look=look, started_at=started_at, ended_at=ended_at, tries=tries)
        self.detector.answer(answer)

    def free(self, freed: list[Freed]) -> None:
        for one in freed:
            assert one.number not in self.freed
            self.freed[one.number] = one.intercepted

    @property
    def shown(self) -> Sighting | None:
        return self.detector.shown


# --- what must show ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", [PAGE, DENIED])
def test_alike_from_the_first_answer_on(look: Look) -> None:
    run = Run()
    for _ in range(LEAST.alike):
        assert run.shown is None
        run.ask(look)
    assert run.shown == Sighting(look.words, LEAST.alike, usual=False)
    assert set(run.detector.doubted()) == run.noted


def test_hundreds_of_404_without_one_picture() -> None:
    run = Run()
    for _ in range(LEAST.pictureless):
        assert run.shown is None
        run.ask(GONE)
    assert run.shown == Sighting("404 Not Found", LEAST.pictureless, usual=True)
    assert set(run.detector.doubted()) == run.noted


def test_hundreds_without_a_picture_however_they_differ() -> None:
    run = Run()
    for number in range(LEAST.pictureless):
        run.ask(Look(f"bytes {number}", "the same 7 bytes"))
    assert run.shown == Sighting("the same 7 bytes", LEAST.pictureless, usual=False)


@given(
    seed=st.integers(0, 2**32),
    alive=st.floats(0.2, 0.9),
    length=st.integers(0, 300),
    look=KINDS,
    flying=st.integers(0, 64),
)
def test_a_network_that_changes_at_any_time_shows_soon_and_spends_nobody(
    seed: int, alive: float, length: int, look: Look, flying: int
) -> None:
    """Requests that were under way when it changed end as before, a slow picture among them."""
    rng = random.Random(seed)
    run = Run()
    for _ in range(length):
        run.ask(None if rng.random() < alive else GONE)
    before = set(run.noted)
    late = [rng.randrange(flying + LEAST.alike) for _ in range(3)] if length else []
    for number in range(flying + 2 * LEAST.alike + 1):
        if number in late:
            run.ask(rng.choice([None, GONE]), behind=number + 2.0)  # asked for before the change
        run.ask(look, behind=min(number, flying) + 0.0)
        if run.shown:
            break
    else:
        raise AssertionError("nothing has shown")
    taken = {number for number in run.noted - before if run.freed.get(number) is False}
    assert len(taken) <= len(late)  # what was asked for before the change
    assert set(run.detector.doubted()) >= run.noted - set(run.freed)


# --- what must not ----------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), dead=st.floats(0.0, 0.6), odd=st.floats(0.0, 0.05), flying=st.integers(0, 32))
def test_honest_answers_never_look_like_a_network(seed: int, dead: float, odd: float, flying: int) -> None:
    """Lists as they are: up to 60 % dead, and up to 5 % each of refusals and of pages."""
    rng = random.Random(seed)
    run = Run()
    looks = [PAGE, DENIED, GONE, None]
    for _ in range(2000):
        look = rng.choices(looks, [odd, odd, dead, 1 - dead - 2 * odd])[0]
        run.ask(look, behind=rng.uniform(0, flying))
    run.free(run.detector.close())
    assert run.shown is None or odd > 0.03  # the last few may be alike by chance
    # Where 404 stand between them, four alike of an eighth of the rest are a chance in 4,000: three times at most.
    assert sum(run.freed.values()) <= 15
    assert set(run.freed) == run.noted


@given(before=st.integers(1, 50), length=st.integers(1, 150), after=st.integers(1, 50))
def test_a_dead_class_among_living_ones_is_dead(before: int, length: int, after: int) -> None:
    run = Run()
    for look, count, wnid in ((None, before, ""), (GONE, length, "n00000007"), (None, after, "")):
        for _ in range(count):
            run.ask(look, wnid=wnid)
    assert run.shown is None
    assert run.freed == dict.fromkeys(run.noted, False)


def test_a_dead_class_of_many_hundred_is_dead_where_pictures_came_before_it() -> None:
    run = Run()
    run.ask(None)
    for _ in range(LEAST.one_class_alone - 1):
        run.ask(GONE, wnid="n00000007")
    assert run.shown is None
    run.ask(GONE, wnid="n00000007")
    assert run.shown is not None


def test_a_dead_class_with_refusals_in_it_is_no_block() -> None:
    run = Run()
    for number in range(150):
        run.ask(DENIED if number % 5 == 0 else GONE)
    assert run.shown is None


def test_a_few_answers_of_a_small_run_are_believed_at_its_end() -> None:
    run = Run()
    for look in [GONE] * 40 + [DENIED, PAGE, DENIED]:
        run.ask(look)
    assert len(run.detector.doubted()) == 43
    run.free(run.detector.close())
    assert run.shown is None
    assert run.freed == dict.fromkeys(run.noted, False)


def test_three_alike_at_the_end_of_a_run_without_a_picture_are_not() -> None:
    run = Run()
    for _ in range(3):
        run.ask(PAGE)
    run.free(run.detector.close())
    assert run.freed == {1: True, 2: True, 3: True}
    assert run.shown == Sighting(PAGE.words, 3, usual=False)


# --- in between -------------------------------------------------------------------------------------------------------


def test_a_host_that_refuses_all_for_a_minute_refuses_none_of_them_for_good() -> None:
    run = Run()
    for look in [None, DENIED, None] + [DENIED] * LEAST.burst + [None]:
        run.ask(look)
    assert run.freed == {2: False} | dict.fromkeys(range(4, 4 + LEAST.burst), True)
    assert run.shown is None


def test_what_was_under_way_together_counts_once() -> None:
    """A host that is asked too much refuses all requests of that moment, be they two or two hundred."""
    run = Run()
    run.ask(None)
    for number in range(100):
        run.ask(DENIED, behind=float(number))
    assert run.shown is None
    for _ in range(LEAST.alike - 1):
        assert run.shown is None
        run.ask(DENIED)
    assert run.shown is not None


def test_the_same_answer_three_times_is_the_photos_own() -> None:
    run = Run()
    run.ask(None)
    for tries in [1, 1, 1, 3, 3]:
        run.ask(DENIED, tries=tries)
    run.ask(None)
    assert not any(run.freed.values())
    for tries in [1, 1, 1, 1, 3]:
        run.ask(DENIED, tries=tries)
    run.ask(None)
    assert list(run.freed.values())[5:] == [True, True, True, True, False]


def test_a_picture_speaks_of_what_was_asked_before_it_only() -> None:
    run = Run()
    for _ in range(10):
        run.ask(PAGE)
    run.ask(None, behind=8.5)  # a slow one, asked for when only two of the pages had been
    assert run.freed == {1: True, 2: True}
    for _ in range(LEAST.alike - 8):
        assert run.shown is None
        run.ask(PAGE)
    assert run.shown is not None


def test_a_picture_that_turns_out_to_be_none_proves_nothing() -> None:
    detector = Detector()
    alive = []
    for digest in "a" * 64, "b" * 64, "c" * 64:
        detector.picture(digest, 1.0)
        alive.append(detector.alive)
        if digest[0] in "ab":
            detector.no_picture_after_all("a" * 64)
        alive.append(detector.alive)
    assert alive == [True, False, True, True, True, True]


def test_what_is_in_doubt_before_and_after_the_first_picture() -> None:
    run = Run()
    for look in [GONE, PAGE, GONE, DENIED]:
        run.ask(look)
    assert run.detector.doubted() == [2, 4]
    run.ask(None)
    for look in [GONE, PAGE, GONE, DENIED]:
        run.ask(look)
    assert run.detector.doubted() == []
    run.ask(DENIED)
    assert run.detector.doubted() == [9, 10]
    for _ in range(LEAST.dozen - 5):
        run.ask(GONE)
    assert run.detector.doubted() == list(range(6, 6 + LEAST.dozen))


def test_a_candidate_that_is_asked_again_is_no_longer_in_doubt() -> None:
    run = Run()
    for _ in range(5):
        run.ask(Look("status 400", "400 Bad Request"))
    run.detector.forget(3)
    run.detector.forget(99)
    assert run.detector.doubted() == [1, 2, 4, 5]
    assert run.detector.answers == 4


@settings(max_examples=200)
@given(st.lists(st.tuples(st.none() | KINDS | st.just(GONE), st.floats(0, 5), st.integers(1, 4)), max_size=400))
def test_everybody_is_in_doubt_or_freed_once(asked: list[tuple[Look | None, float, int]]) -> None:
    run = Run()
    for look, behind, tries in asked:
        run.ask(look, behind=behind, tries=tries)
        doubted = run.detector.doubted()
        assert len(doubted) == len(set(doubted))
        assert not set(doubted) & set(run.freed)
    run.free(run.detector.close())
    if run.shown is None:
        assert set(run.freed) == run.noted


# --- how they are counted ---------------------------------------------------------------------------------------------


def test_one_up_for_each_alike_and_one_down_for_each_other() -> None:
    """So that two in three show after a while, and one in two never do."""
    run = Run()
    run.ask(None)
    for _ in range(45):
        run.ask(DENIED)
        run.ask(GONE)
    assert run.shown is None
    run = Run()
    run.ask(None)
    for number in range(1, 45):
        assert run.shown is None
        run.ask(GONE if number % 3 == 0 else DENIED)
    assert run.shown == Sighting("403 Forbidden", 30, usual=False)


def test_a_request_that_began_as_the_first_answer_came_counts() -> None:
    detector = Detector()
    for number in range(LEAST.alike):
        assert detector.shown is None
        times = (0.0, 1.0) if number == 0 else (1.0, 2.0)
        detector.answer(Answer(number=number, wnid="n1", look=DENIED, started_at=times[0], ended_at=times[1]))
    assert detector.shown is not None


@pytest.mark.parametrize(("denied", "words"), [(19, "404 Not Found"), (21, "one without a picture")])
def test_what_nine_in_ten_are_is_told(denied: int, words: str) -> None:
    run = Run()
    for number in range(LEAST.pictureless):
        run.ask(DENIED if number % 9 == 0 and number < 9 * denied else GONE)
    assert run.shown == Sighting(words, LEAST.pictureless, usual=True)


def test_the_last_eight_pictures_are_known() -> None:
    detector = Detector()
    for number in range(9):
        detector.picture(f"{number}", 1.0)
        assert detector.knows(f"{number}")
        assert detector.knows("0") is (number < 8)
    detector.no_picture_after_all("8")
    assert not detector.knows("8")
    assert detector.alive
    for number in range(1, 8):
        detector.no_picture_after_all(f"{number}")
    assert not detector.alive

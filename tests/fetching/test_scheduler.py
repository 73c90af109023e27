"""The scheduler: quotas, turns, budgets, top-up, due times, rate and pacers, with time given by hand."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from scraper.fetching.deciding import Limits
from scraper.fetching.scheduler import Scheduler
from scraper.model import Form, Outcome, State, Wnid
from scraper.pacing.pacer import Pace
from scraper.records import Attempt, Candidate, ClassState
from scraper.running.retry import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scraper.records import BudgetRaise

A, B, C = Wnid("n00000001"), Wnid("n00000002"), Wnid("n00000003")


def candidates(wnid: Wnid, count: int, host: str = "static.flickr.com") -> list[Candidate]:
    """A class's list."""
    base = int(wnid[1:]) * 100_000
    return [
        Candidate(base + rank, wnid, rank, f"http://{host}/1/{base + rank}_a.jpg", f"{base + rank}_a.jpg")
        for rank in range(1, count + 1)
    ]


@dataclass
class Bench:
    """A scheduler with lists to feed it from, in place of the manifest and the workers."""

    lists: dict[Wnid, list[Candidate]]
    scheduler: Scheduler
    now: float = 1000.0
    asked: list[Candidate] = field(default_factory=list)
    raises: list[BudgetRaise] = field(default_factory=list)
    starts: dict[int, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *classes: tuple[ClassState, list[Candidate]],
        limits: Limits | None = None,
        known: Mapping[str, Pace] | None = None,
    ) -> Bench:
        states = [state for state, _ in classes]
        scheduler = Scheduler(states, limits or Limits(32), random.Random(1), known=known)
        return cls({state.wnid: listed for state, listed in classes}, scheduler)

    def load(self) -> None:
        """Answer every want from the lists."""
        for want in self.scheduler.wants(1000):
            fitting = [one for one in self.lists[want.wnid] if want.first <= one.rank <= want.last]
            self.scheduler.supply(want, fitting[: want.count])
        self.raises += self.scheduler.take_raises()

    def next(self) -> Candidate | None:
        """The next candidate at this moment."""
        self.load()
        candidate = self.scheduler.next(self.now)
        if candidate is not None:
            self.asked.append(candidate)
            self.starts[candidate.id] = self.now
        return candidate

    def all_now(self) -> list[Candidate]:
        """Everything that may start at this moment."""
        return list(iter(self.next, None))

    def end(self, candidate: Candidate, outcome: Outcome, retry_after: float | None = None) -> State:
        """Say how a request ended, just now."""
        attempt = Attempt(candidate, self.starts[candidate.id], 0.0, outcome, retry_after=retry_after)
        state = self.scheduler.done(attempt, self.now).state
        self.load()
        return state


def state(wnid: Wnid, n: int, budget: int, listed: int, saved: int = 0) -> ClassState:
    return ClassState(wnid, n, budget, listed, saved, 1)


WARM = {"flickr": Pace(at_once=64)}
"""A group that is known to allow many requests at once."""


def one_class(
    n: int, budget: int, listed: int, saved: int = 0, limits: Limits | None = None, *, warm: bool = False
) -> Bench:
    known = WARM if warm else None
    return Bench.of((state(A, n, budget, listed, saved), candidates(A, listed)), limits=limits, known=known)


def again(candidate: Candidate, tries: int = 1) -> Candidate:
    """The candidate as it comes back after this many tries."""
    return replace(candidate, tries=tries)


def ranks(found: list[Candidate]) -> list[int]:
    return [one.rank for one in found]


# --- quota and order --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "saved", "room"), [(5, 0, 5), (5, 3, 2), (5, 4, 1), (1, 0, 1), (40, 0, 40)])
def test_a_class_has_at_most_n_less_saved_requests_under_way(n: int, saved: int, room: int) -> None:
    bench = one_class(n, 60, 60, saved, warm=True)
    assert ranks(bench.all_now()) == list(range(1, room + 1))
    assert bench.scheduler.in_flight == room


def test_a_failure_releases_the_next_candidate_and_a_success_none() -> None:
    bench = one_class(3, 10, 10)
    first, second, third = bench.all_now()
    assert bench.end(first, Outcome.SAVED) is State.SAVED
    assert bench.all_now() == []
    assert bench.end(second, Outcome.GONE) is State.LOST
    assert ranks(bench.all_now()) == [4]
    assert bench.end(third, Outcome.DUPLICATE) is State.LOST
    assert ranks(bench.all_now()) == [5]


def test_a_full_class_asks_for_nothing_and_the_run_is_over() -> None:
    bench = one_class(2, 10, 10)
    for candidate in bench.all_now():
        assert not bench.scheduler.finished
        bench.end(candidate, Outcome.SAVED)
    assert bench.all_now() == []
    assert bench.scheduler.wants(10) == []
    assert bench.scheduler.finished


@pytest.mark.parametrize("saved", [5, 6])
def test_a_class_that_has_its_images_is_finished_before_it_starts(saved: int) -> None:
    bench = one_class(5, 10, 10, saved)
    assert bench.scheduler.finished
    assert bench.all_now() == []


def test_nothing_to_do_is_finished() -> None:
    assert Bench.of().scheduler.finished


def test_a_class_with_an_empty_list_finishes() -> None:
    bench = one_class(5, 7, 0)
    assert bench.all_now() == []
    assert bench.scheduler.finished


def test_classes_take_turns() -> None:
    bench = Bench.of(*((state(wnid, 2, 50, 50), candidates(wnid, 50)) for wnid in (A, B, C)), known=WARM)
    assert [(one.wnid, one.rank) for one in bench.all_now()] == [(wnid, rank) for rank in (1, 2) for wnid in (A, B, C)]


def test_a_class_that_keeps_failing_does_not_hold_up_the_others() -> None:
    bench = Bench.of(
        (state(A, 50, 50, 50), candidates(A, 50)), (state(B, 5, 50, 50), candidates(B, 50)), limits=Limits(1)
    )
    order = []
    for _ in range(10):
        candidate = bench.next()
        assert candidate is not None
        order.append(candidate.wnid)
        bench.end(candidate, Outcome.GONE)
    assert Counter(order) == {A: 5, B: 5}


def test_no_more_than_twice_the_threads_are_handed_out() -> None:
    assert len(one_class(100, 200, 200, limits=Limits(8), warm=True).all_now()) == 16


def test_wants_are_within_the_budget_and_ahead_of_the_room_only_a_little() -> None:
    bench = one_class(10, 14, 500)
    (want,) = bench.scheduler.wants(10)
    assert (want.wnid, want.first, want.last) == (A, 1, 14)
    assert 10 <= want.count <= 30
    assert bench.scheduler.wants(10) == []


def test_wants_are_limited_to_the_number_asked_for() -> None:
    bench = Bench.of(*((state(wnid, 3, 5, 5), candidates(wnid, 5)) for wnid in (A, B, C)))
    assert [want.wnid for want in bench.scheduler.wants(2)] == [A, B]
    assert [want.wnid for want in bench.scheduler.wants(2)] == [C]


def test_what_is_loaded_ahead_does_not_grow_with_the_classes_times_their_rooms() -> None:
    wnids = [Wnid(f"n{number:08d}") for number in range(1, 20_001)]
    bench = Bench.of(*((state(wnid, 1000, 1000, 1000), []) for wnid in wnids))
    wants = bench.scheduler.wants(20_000)
    assert len(wants) == 20_000
    assert min(want.count for want in wants) >= 1
    assert sum(want.count for want in wants) <= 200_000


def test_classes_in_turn_are_counted_with_those_whose_host_is_busy() -> None:
    bench = Bench.of(*((state(wnid, 3, 5, 5), candidates(wnid, 5)) for wnid in (A, B, C)), limits=Limits(1))
    assert bench.scheduler.in_turn == 0
    bench.all_now()
    assert bench.scheduler.in_turn == 3


def test_gaps_in_a_list_that_an_earlier_run_left_are_passed_over() -> None:
    waiting = [one for one in candidates(A, 40) if one.rank % 7 == 0]
    bench = Bench.of((state(A, 10, 40, 40), waiting), limits=Limits(32, top_up=False))
    asked = []
    while (candidate := bench.next()) is not None:
        asked.append(candidate.rank)
        bench.end(candidate, Outcome.GONE)
    assert asked == [7, 14, 21, 28, 35]
    assert bench.scheduler.finished


# --- budget and top-up ------------------------------------------------------------------------------------------------


def drain(bench: Bench, outcome: Outcome = Outcome.GONE) -> None:
    """Let every request end with this outcome until there is none."""
    while found := bench.all_now():
        for candidate in found:
            bench.end(candidate, outcome)


def test_a_budget_that_is_loaded_in_portions_has_no_gap_between_them() -> None:
    bench = one_class(1, 40, 40, limits=Limits(32, top_up=False))
    (want,) = bench.scheduler.wants(1)
    assert want.count < 40 / 2  # several portions are needed
    bench.scheduler.supply(want, bench.lists[A][: want.count])
    drain(bench)
    assert ranks(bench.asked) == list(range(1, 41))


def test_without_top_up_the_budget_is_the_end() -> None:
    bench = one_class(5, 7, 100, limits=Limits(32, top_up=False))
    drain(bench)
    assert sorted(ranks(bench.asked)) == list(range(1, 8))
    assert bench.raises == []
    assert bench.scheduler.finished


def test_with_top_up_the_whole_list_is_tried_once_and_in_order() -> None:
    bench = one_class(5, 7, 100)
    drain(bench)
    assert ranks(bench.asked) == list(range(1, 101))
    assert bench.scheduler.finished


def test_every_raise_is_recorded_without_a_gap_and_bounded_by_the_list() -> None:
    bench = one_class(5, 7, 100)
    drain(bench)
    assert bench.raises[0].before == 7
    assert bench.raises[-1].after == 100
    for raised in bench.raises:
        assert raised.wnid == A
        assert raised.before < raised.after <= 100
        assert 0 < raised.survival <= 1
    assert all(one.after == two.before for one, two in itertools.pairwise(bench.raises))


def test_raises_are_handed_over_once() -> None:
    bench = one_class(5, 7, 100)
    for candidate in bench.all_now() + bench.all_now():
        bench.end(candidate, Outcome.GONE)
    drain(bench)
    assert bench.raises
    assert bench.scheduler.take_raises() == []


def test_a_class_that_met_its_target_is_not_raised() -> None:
    bench = one_class(5, 7, 100)
    drain(bench, Outcome.SAVED)
    assert ranks(bench.asked) == [1, 2, 3, 4, 5]
    assert bench.raises == []


def test_a_raise_is_sized_by_the_survival_measured() -> None:
    bench = one_class(100, 133, 10_000, limits=Limits(500))
    found = bench.all_now()
    while len(bench.asked) < 133 or bench.scheduler.in_flight:
        for number, candidate in enumerate(found):
            bench.end(candidate, Outcome.SAVED if number % 2 else Outcome.GONE)
        if bench.raises:
            break
        found = bench.all_now()
    raised = bench.raises[0]
    assert 0.4 < raised.survival < 0.6
    assert (raised.after - raised.before) * raised.survival < 100


def test_hopeless_survival_still_raises_by_a_bounded_step() -> None:
    bench = one_class(1, 1000, 100_000)
    while not bench.raises:
        found = bench.all_now()
        assert found
        for candidate in found:
            bench.end(candidate, Outcome.GONE)
    assert bench.raises[0].before == 1000
    assert bench.raises[0].after - 1000 <= math.ceil(1 / 0.02)


def test_a_retry_that_is_still_to_come_holds_the_top_up_back() -> None:
    bench = one_class(1, 1, 100)
    (only,) = bench.all_now()
    assert bench.end(only, Outcome.TIMEOUT) is State.WAITING
    assert bench.all_now() == []
    assert bench.raises == []
    assert not bench.scheduler.finished
    bench.now += 100
    assert bench.all_now() == [again(only)]
    bench.end(again(only), Outcome.SAVED)
    assert bench.raises == []
    assert bench.scheduler.finished


# --- retries ----------------------------------------------------------------------------------------------------------


def test_an_unknown_outcome_is_tried_as_often_as_allowed_and_then_rests() -> None:
    bench = one_class(1, 1, 1, limits=Limits(4, policy=Policy(tries=3)))
    states = []
    for _ in range(3):
        (only,) = bench.all_now()
        states.append(bench.end(only, Outcome.TIMEOUT))
        bench.now += 100
    assert states == [State.WAITING, State.WAITING, State.UNKNOWN]
    assert bench.all_now() == []
    assert bench.scheduler.finished


def test_tries_of_earlier_runs_do_not_count() -> None:
    old = Candidate(1, A, 1, "http://static.flickr.com/1/1_a.jpg", "1_a.jpg", tries=30)
    bench = Bench.of((state(A, 1, 1, 1), [old]), limits=Limits(4, policy=Policy(tries=2)))
    assert bench.all_now() == [old]
    assert bench.end(old, Outcome.TIMEOUT) is State.WAITING


def test_retries_come_in_the_order_of_their_time() -> None:
    bench = one_class(3, 3, 3)
    found = bench.all_now()
    for candidate, wait in zip(found, (90.0, 30.0, 60.0), strict=True):
        bench.end(candidate, Outcome.SERVER_ERROR, retry_after=wait)
    order = []
    while (due := bench.scheduler.next_due(bench.now)) is not None:
        bench.now = due
        order += [(candidate.rank, due) for candidate in bench.all_now()]
    assert order == [(2, 1030.0), (3, 1060.0), (1, 1090.0)]


def test_a_retry_does_not_start_before_retry_after() -> None:
    bench = one_class(1, 1, 1)
    (only,) = bench.all_now()
    bench.end(only, Outcome.THROTTLED, retry_after=100.0)
    assert bench.scheduler.delayed == 1
    bench.now = 1099.9
    assert bench.all_now() == []
    assert bench.scheduler.next_due(bench.now) == 1101.0
    bench.now = 1101.0
    assert bench.all_now() == [again(only)]


def test_a_slow_start_meets_a_host_with_few_requests_at_once() -> None:
    bench = one_class(64, 64, 64, limits=Limits(32))
    found = bench.all_now()
    assert len(found) == 4
    for candidate in found:
        bench.end(candidate, Outcome.GONE)
    assert len(bench.all_now()) == 8


def test_while_a_retry_waits_a_fresh_candidate_takes_its_room() -> None:
    bench = one_class(1, 3, 3)
    (first,) = bench.all_now()
    bench.end(first, Outcome.TIMEOUT)
    assert ranks(bench.all_now()) == [2]


def test_a_retry_never_takes_a_class_over_its_target() -> None:
    bench = one_class(1, 3, 3)
    (first,) = bench.all_now()
    bench.end(first, Outcome.TIMEOUT)
    (second,) = bench.all_now()
    bench.now += 100
    assert bench.all_now() == []
    bench.end(second, Outcome.SAVED)
    assert bench.all_now() == []
    assert bench.scheduler.finished


def test_a_retry_of_a_class_that_is_full_by_then_is_not_waited_for() -> None:
    bench = one_class(1, 2, 2)
    (first,) = bench.all_now()
    bench.end(first, Outcome.SERVER_ERROR, retry_after=100.0)
    (second,) = bench.all_now()
    bench.end(second, Outcome.SAVED)
    assert bench.scheduler.finished
    assert bench.scheduler.delayed == 0


def test_a_retry_that_a_full_class_did_not_need_is_made_once_an_image_is_taken_back() -> None:
    bench = Bench.of(
        (state(A, 1, 2, 2), candidates(A, 2)), (state(B, 1, 1, 1), candidates(B, 1)), limits=Limits(8, Policy(tries=2))
    )
    first, other = bench.all_now()
    bench.end(first, Outcome.SERVER_ERROR, retry_after=50.0)
    bench.end(other, Outcome.SERVER_ERROR, retry_after=100.0)
    (second,) = bench.all_now()
    bench.end(second, Outcome.SAVED)
    assert not bench.scheduler.finished
    assert bench.scheduler.delayed == 1
    bench.scheduler.take_back(state(A, 1, 2, 2), [])
    assert bench.all_now() == []
    assert bench.scheduler.next_due(bench.now) == 1050.0
    bench.now = 1050.0
    assert bench.all_now() == [again(first)]
    assert bench.end(again(first), Outcome.TIMEOUT) is State.UNKNOWN  # its first try still counts


def test_a_retry_comes_before_fresh_candidates_of_its_class() -> None:
    bench = one_class(2, 10, 10)
    first, second = bench.all_now()
    bench.end(first, Outcome.TIMEOUT)
    (third,) = bench.all_now()
    bench.now += 100
    bench.end(second, Outcome.GONE)
    assert bench.all_now() == [again(first)]
    bench.end(third, Outcome.GONE)
    assert ranks(bench.all_now()) == [4]


def test_a_candidate_whose_time_of_an_earlier_run_is_to_come_waits_for_it() -> None:
    late = Candidate(1, A, 1, "http://static.flickr.com/1/1_a.jpg", "1_a.jpg", tries=1, not_before=1050.0)
    bench = Bench.of((state(A, 1, 1, 1), [late]))
    assert bench.all_now() == []
    assert not bench.scheduler.finished
    assert bench.scheduler.next_due(bench.now) == 1050.0
    bench.now = 1050.0
    assert bench.all_now() == [late]


# --- the same photo under several URLs --------------------------------------------------------------------------------


def twins(*photo_ids: int) -> list[Candidate]:
    """A class's list whose URLs show these photos."""
    listed = candidates(A, len(photo_ids))
    return [replace(one, photo_id=photo) for one, photo in zip(listed, photo_ids, strict=True)]


def test_a_photo_that_is_in_flight_is_not_asked_for_under_another_url() -> None:
    bench = Bench.of((state(A, 5, 5, 5), twins(7, 7, 8, 7, 9)))
    assert ranks(bench.all_now()) == [1, 3, 5]


def test_once_a_photo_is_saved_its_other_urls_are_skipped() -> None:
    bench = Bench.of((state(A, 5, 5, 5), twins(7, 7, 8, 7, 9)))
    for candidate in bench.all_now():
        bench.end(candidate, Outcome.SAVED)
    assert bench.all_now() == []
    assert sorted(ranks(bench.scheduler.take_skipped())) == [2, 4]
    assert bench.scheduler.take_skipped() == []
    assert bench.scheduler.finished


def test_where_one_url_fails_the_next_of_the_photo_gets_its_turn() -> None:
    bench = Bench.of((state(A, 5, 4, 4), twins(7, 7, 8, 7)))
    first, third = bench.all_now()
    bench.end(first, Outcome.GONE)
    (other,) = bench.all_now()
    assert other.photo_id == 7
    bench.end(other, Outcome.SAVED)
    bench.end(third, Outcome.SAVED)
    assert bench.all_now() == []
    (skipped,) = bench.scheduler.take_skipped()
    assert {first.rank, other.rank, skipped.rank} == {1, 2, 4}
    assert bench.scheduler.finished


def test_photos_an_earlier_run_saved_are_not_asked_for_again() -> None:
    bench = Bench.of((state(A, 5, 5, 5, saved=1), twins(7, 8, 7, 9, 7)))
    bench.scheduler.know_photos(A, [7])
    assert ranks(bench.all_now()) == [2, 4]
    assert ranks(bench.scheduler.take_skipped()) == [1, 3, 5]


def test_a_photo_whose_image_was_taken_back_is_asked_for_under_its_next_url() -> None:
    bench = Bench.of((state(A, 2, 3, 3), twins(7, 8, 7)))
    first, _ = bench.all_now()
    bench.end(first, Outcome.SAVED)
    bench.scheduler.take_back(state(A, 2, 3, 3), [7])
    assert ranks(bench.all_now()) == [3]
    assert bench.scheduler.take_skipped() == []


def test_the_urls_of_a_photo_are_tried_in_rank_order() -> None:
    bench = Bench.of((state(A, 4, 4, 4), twins(7, 7, 7, 7)))
    order = []
    while found := bench.all_now():
        order += [one.rank for one in found]
        for candidate in found:
            bench.end(candidate, Outcome.GONE)
    assert order == [1, 2, 3, 4]


def test_the_same_photo_may_serve_two_classes() -> None:
    of_b = [replace(one, photo_id=7) for one in candidates(B, 1)]
    bench = Bench.of((state(A, 1, 1, 1), twins(7)), (state(B, 1, 1, 1), of_b))
    assert [one.wnid for one in bench.all_now()] == [A, B]


def test_a_dead_url_is_asked_for_in_its_other_form_once() -> None:
    listed = [replace(one, photo_id=one.id) for one in candidates(A, 2)]
    limits = Limits(4, policy=Policy(second_try=Form.LIVE))
    bench = Bench.of((state(A, 1, 2, 2), listed), limits=limits)
    (first,) = bench.all_now()
    assert bench.end(first, Outcome.GONE) is State.WAITING
    (second,) = bench.all_now()
    assert (second.id, second.form, second.fate) == (first.id, Form.LIVE, Outcome.GONE)
    assert bench.end(second, Outcome.GONE) is State.LOST
    assert ranks(bench.all_now()) == [2]


# --- rate -------------------------------------------------------------------------------------------------------------


def test_the_rate_spaces_the_starts() -> None:
    bench = one_class(50, 50, 50, limits=Limits(100, rate=4.0))
    starts: list[float] = []
    while len(starts) < 20:
        found = bench.all_now()
        assert len(found) <= 1
        starts += [bench.now] * len(found)
        for candidate in found:
            bench.end(candidate, Outcome.GONE)
        due = bench.scheduler.next_due(bench.now)
        assert due is not None
        assert due > bench.now
        bench.now = due
    assert starts == [1000.0 + 0.25 * number for number in range(20)]


def test_time_that_passed_unused_is_not_made_up_for_in_a_burst() -> None:
    bench = one_class(50, 50, 50, limits=Limits(100, rate=1.0))
    assert len(bench.all_now()) == 1
    bench.now += 60
    assert len(bench.all_now()) == 1


# --- pacers -----------------------------------------------------------------------------------------------------------


def test_a_group_that_refuses_is_left_alone_and_then_asked_for_one_thing() -> None:
    bench = one_class(100, 200, 200, limits=Limits(4))
    found = bench.all_now()
    assert len(found) == 8
    for candidate in found:
        bench.end(candidate, Outcome.THROTTLED)
    assert list(bench.scheduler.held()) == ["flickr"]
    assert bench.all_now() == []
    bench.now += 0.9
    assert bench.all_now() == []
    bench.now += 0.1
    (one,) = bench.all_now()
    assert one.rank >= 9, "another photo than those that were refused"
    bench.now += 1
    bench.end(one, Outcome.SAVED)
    assert not bench.scheduler.held()["flickr"].closed


def test_a_final_answer_that_everybody_gets_is_no_answer_to_a_candidate() -> None:
    bench = one_class(40, 40, 40, limits=Limits(8))
    for candidate in bench.all_now():
        bench.end(candidate, Outcome.GONE)
    states = []
    for _ in range(20):
        for candidate in bench.all_now():
            bench.now += 0.01
            states.append(bench.end(candidate, Outcome.FORBIDDEN))
        bench.now = bench.scheduler.next_due(bench.now) or bench.now
    assert states[:11] == [State.LOST] * 11, "nobody can tell as yet"
    assert set(states[12:]) == {State.WAITING}


def test_a_host_that_refuses_does_not_hold_up_the_others_of_a_class() -> None:
    """Nor where these stand far down in its list."""
    listed = candidates(A, 100)[:60] + candidates(A, 100, "images.example.org")[60:]
    bench = Bench({A: listed}, Scheduler([state(A, 20, 100, 100)], Limits(4), random.Random(1), mixed=True))
    for candidate in bench.all_now():
        bench.end(candidate, Outcome.THROTTLED)
    elsewhere = [candidate for _ in range(9) for candidate in bench.all_now()]  # further down with each look
    assert elsewhere
    assert {candidate.url.split("/")[2] for candidate in elsewhere} == {"images.example.org"}
    for candidate in elsewhere:
        assert bench.end(candidate, Outcome.SAVED) is State.SAVED
    bench.now += 600
    assert min(ranks(bench.all_now())) <= 60, "what was passed over has its turn again"


def test_hosts_of_flickr_share_a_pacer_and_others_do_not() -> None:
    bench = Bench.of(
        (state(A, 50, 50, 50), candidates(A, 50, "farm1.static.flickr.com")),
        (state(B, 50, 50, 50), candidates(B, 50, "live.staticflickr.com")),
        (state(C, 50, 50, 50), candidates(C, 50, "images.example.org")),
        limits=Limits(4),
    )
    found = bench.all_now()
    assert Counter(one.wnid for one in found) == {A: 4, B: 4, C: 8}
    bench.now += 1
    for candidate in found:
        if candidate.wnid == A:
            bench.end(candidate, Outcome.THROTTLED, retry_after=3600.0)
    assert list(bench.scheduler.held()) == ["flickr"]
    for candidate in found:
        if candidate.wnid != A:
            bench.end(candidate, Outcome.GONE)
    groups = Counter("flickr" if one.wnid in (A, B) else "other" for one in bench.all_now())
    assert groups == {"other": 8}


@pytest.mark.parametrize("seconds", [20.0, 120.0, 1800.0])
def test_a_retry_after_is_honoured_in_full(seconds: float) -> None:
    bench = one_class(1, 100, 100, limits=Limits(4))
    asked = 0
    while found := bench.all_now():
        (candidate,) = found
        asked += 1
        bench.now += 1
        bench.end(candidate, Outcome.THROTTLED, retry_after=seconds)
    assert asked == (1 if seconds <= 120 else 2), "a long time is to be said twice"
    assert not bench.scheduler.finished
    told = bench.now
    assert bench.scheduler.next_due(bench.now) == told + seconds
    bench.now = told + seconds - 0.1
    assert bench.all_now() == []
    bench.now = told + seconds
    assert len(bench.all_now()) == 1


def test_a_host_that_wants_more_patience_than_there_is_is_given_up_at_once() -> None:
    bench = one_class(1, 100, 100, limits=Limits(4, patience=600))
    for _ in range(2):
        (candidate,) = bench.all_now()
        bench.end(candidate, Outcome.THROTTLED, retry_after=1800.0)
    assert bench.scheduler.given_up() == "flickr"


def test_one_photo_to_come_back_for_in_a_year_does_not_hold_the_run() -> None:
    bench = one_class(2, 100, 100, limits=Limits(4))
    first, second = bench.all_now()
    bench.now += 1
    assert bench.end(first, Outcome.THROTTLED, retry_after=31_536_000.0) is State.UNKNOWN
    bench.end(second, Outcome.SAVED)
    (third,) = bench.all_now()
    bench.end(third, Outcome.SAVED)
    assert bench.scheduler.finished


@pytest.mark.parametrize("threads", [1, 2, 8, 64])
@pytest.mark.parametrize("outcome", [Outcome.THROTTLED, Outcome.SERVER_ERROR, Outcome.FORBIDDEN])
def test_a_host_that_only_refuses_is_asked_seldom_and_given_up_when_patience_ends(
    threads: int, outcome: Outcome
) -> None:
    bench = one_class(1000, 5000, 5000, limits=Limits(threads, patience=3600.0))
    for candidate in bench.all_now():
        bench.end(candidate, Outcome.GONE)
    while bench.scheduler.given_up() is None:
        found = bench.all_now()
        bench.now += 0.2
        for candidate in found:
            bench.end(candidate, outcome)
        if bench.scheduler.given_up() is None:
            bench.now = bench.scheduler.next_due(bench.now) or bench.now + 1
        assert bench.now < 1000 + 2 * 3600
    assert bench.now >= 1000 + 3600
    assert len(bench.asked) <= 20 + 40


def test_a_host_out_of_reach_from_the_beginning_is_given_up_within_a_minute() -> None:
    bench = one_class(1000, 5000, 5000, limits=Limits(4))
    while bench.scheduler.given_up() is None:
        found = bench.all_now()
        bench.now += 0.2
        for candidate in found:
            bench.end(candidate, Outcome.CONNECTION_ERROR)
        if bench.scheduler.given_up() is None:
            bench.now = bench.scheduler.next_due(bench.now) or bench.now + 1
        assert bench.now <= 1000 + 120


def test_a_group_that_is_given_up_does_not_end_the_others() -> None:
    bench = Bench.of(
        (state(A, 50, 50, 50), candidates(A, 50)),
        (state(C, 2, 50, 50), candidates(C, 50, "images.example.org")),
        limits=Limits(1, patience=10),
    )
    found = bench.all_now()
    bench.end(next(one for one in found if one.wnid == A), Outcome.THROTTLED, retry_after=60.0)
    assert bench.scheduler.given_up() is None
    for candidate in (one for one in found if one.wnid == C):
        bench.end(candidate, Outcome.SAVED)
    assert [one.wnid for one in found if one.wnid == C] == [C, C]
    for candidate in [one for one in found if one.wnid == A][1:]:
        bench.end(candidate, Outcome.THROTTLED, retry_after=60.0)
    assert bench.scheduler.given_up() == "flickr"


# --- a random world ---------------------------------------------------------------------------------------------------


@dataclass
class World:
    """Photos that are alive, dead, slow to answer or never do; a record of what became of each."""

    seed: int
    rng: random.Random = field(init=False)
    lists: dict[Wnid, list[Candidate]] = field(default_factory=dict)
    fates: dict[int, list[Outcome]] = field(default_factory=dict)
    states: dict[int, State] = field(default_factory=dict)
    saved: Counter[Wnid] = field(default_factory=Counter)
    targets: dict[Wnid, int] = field(default_factory=dict)
    budgets: dict[Wnid, int] = field(default_factory=dict)
    asked: Counter[int] = field(default_factory=Counter)
    raises: list[BudgetRaise] = field(default_factory=list)
    skipped: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        hosts = ("static.flickr.com", "live.staticflickr.com", "a.example", "b.example")
        for number in range(1, self.rng.randint(2, 25)):
            wnid = Wnid(f"n{number:08d}")
            self.targets[wnid] = self.rng.randint(1, 15)
            length = self.rng.choice((0, 1, 5, 20, 60))
            self.budgets[wnid] = math.ceil(self.targets[wnid] * self.rng.choice((1, 1.33, 3)))
            self.lists[wnid] = []
            for listed in candidates(wnid, length, self.rng.choice(hosts)):
                photo = self.rng.choice((None, listed.id, listed.id, listed.id - self.rng.randrange(listed.rank)))
                one = replace(listed, photo_id=photo)
                self.lists[wnid].append(one)
                self.fates[one.id] = self.fate()
                self.states[one.id] = State.WAITING

    def fate(self) -> list[Outcome]:
        """What a photo's URL answers, try after try; the last answer stays."""
        stumbles = [Outcome.THROTTLED, Outcome.SERVER_ERROR, Outcome.TIMEOUT, Outcome.CONNECTION_ERROR]
        final = [Outcome.SAVED] * 5 + [Outcome.GONE, Outcome.PLACEHOLDER, Outcome.FORBIDDEN, Outcome.NOT_IMAGE]
        never = [Outcome.TIMEOUT, Outcome.REDIRECT_ERROR]
        before = [self.rng.choice(stumbles) for _ in range(self.rng.choice((0, 0, 0, 1, 2)))]
        return [*before, self.rng.choice(final + never)]

    def run(self, limits: Limits, *, seconds: float = 1e6) -> Scheduler:
        """Drain the lists as fetch does, on a clock of its own."""
        classes = [
            ClassState(wnid, n, self.budgets[wnid], len(self.lists[wnid]), self.saved[wnid], 1)
            for wnid, n in self.targets.items()
        ]
        scheduler = Scheduler(classes, limits, self.rng)
        for wnid in self.targets:
            if self.saved[wnid] < self.targets[wnid]:
                scheduler.know_photos(wnid, self.photos(wnid))
        now, flying, order = 1000.0, list[tuple[float, int, float, Candidate]](), itertools.count()
        while not scheduler.finished:
            assert now < 1000.0 + seconds
            for want in scheduler.wants(self.rng.randint(1, 5)):
                fresh = [
                    one
                    for one in self.lists[want.wnid]
                    if want.first <= one.rank <= want.last and self.states[one.id] in (State.WAITING, State.UNKNOWN)
                ]
                scheduler.supply(want, fresh[: want.count])
            while (candidate := scheduler.next(now)) is not None:
                self.check_start(candidate, flying)
                heapq.heappush(flying, (now + self.rng.uniform(0.01, 3.0), next(order), now, candidate))
            due = scheduler.next_due(now)
            assert due is None or due > now
            times = [now + 0.25, *([due] if due is not None else []), *(entry[0] for entry in flying[:1])]
            now = min(times)
            while flying and flying[0][0] <= now:
                _, _, started, candidate = heapq.heappop(flying)
                self.land(scheduler, candidate, started, now)
            for one in scheduler.take_skipped():
                assert self.states[one.id] in (State.WAITING, State.UNKNOWN)
                self.states[one.id] = State.LOST
                self.skipped.add(one.id)
            self.raises += (raised := scheduler.take_raises())
            for step in raised:
                assert self.budgets[step.wnid] == step.before < step.after <= len(self.lists[step.wnid])
                self.budgets[step.wnid] = step.after
        assert not flying
        assert scheduler.in_flight == 0
        return scheduler

    def check_start(self, candidate: Candidate, flying: list[tuple[float, int, float, Candidate]]) -> None:
        """A start must be of a candidate that is open, once at a time, within the quota and the budget."""
        assert self.states[candidate.id] in (State.WAITING, State.UNKNOWN)
        assert candidate.id not in {entry[3].id for entry in flying}
        of_class = sum(entry[3].wnid == candidate.wnid for entry in flying)
        assert of_class < self.targets[candidate.wnid] - self.saved[candidate.wnid]

    def land(self, scheduler: Scheduler, candidate: Candidate, started: float, now: float) -> None:
        """Answer a request by the photo's fate."""
        fate = self.fates[candidate.id]
        outcome = fate[min(self.asked[candidate.id], len(fate) - 1)]
        self.asked[candidate.id] += 1
        decision = scheduler.done(Attempt(candidate, started, now - started, outcome), now)
        assert decision.not_before == 0.0 or decision.not_before > now
        self.states[candidate.id] = decision.state
        self.saved[candidate.wnid] += decision.state is State.SAVED

    def photos(self, wnid: Wnid) -> list[int]:
        """The photo ids of a class's images."""
        saved = (one for one in self.lists[wnid] if self.states[one.id] is State.SAVED)
        return [one.photo_id for one in saved if one.photo_id is not None]

    def alive(self, wnid: Wnid, tries: int) -> int:
        """Photos of a class that are had within so many tries, each once however many URLs show it."""
        found = set()
        for one in self.lists[wnid]:
            fate = self.fates[one.id]
            if fate[-1] is Outcome.SAVED and len(fate) <= tries:
                found.add(one.photo_id or -one.id)
        return len(found)


SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_random_world_every_class_gets_what_its_list_can_give(seed: int) -> None:
    world = World(seed)
    world.run(Limits(threads=world.rng.choice((2, 8, 32)), policy=Policy(tries=3)))
    for wnid, n in world.targets.items():
        assert world.saved[wnid] == min(n, world.alive(wnid, tries=3)), wnid
        states = [world.states[one.id] for one in world.lists[wnid]]
        assert states.count(State.SAVED) == world.saved[wnid]
        assert len(set(world.photos(wnid))) == len(world.photos(wnid))
        if world.saved[wnid] < n:
            assert State.WAITING not in states


@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_random_world_final_candidates_are_asked_once_and_unknown_ones_as_often_as_allowed(seed: int) -> None:
    world = World(seed)
    world.run(Limits(threads=8, policy=Policy(tries=3)))
    for candidate, fate in world.fates.items():
        if candidate in world.skipped:
            assert world.asked[candidate] < len(fate) or fate[-1] is not Outcome.SAVED
            continue
        match world.states[candidate]:
            case State.SAVED | State.LOST if (
                Outcome.FORBIDDEN in fate
            ):  # in a row of failures it may speak for the host
                assert world.asked[candidate] >= len(fate)
            case State.SAVED | State.LOST:
                assert world.asked[candidate] == len(fate)
            case State.UNKNOWN:
                assert world.asked[candidate] == (len(fate) if fate[-1] is Outcome.REDIRECT_ERROR else 3)
            case State.WAITING:
                assert world.asked[candidate] < 3


@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_random_world_without_top_up_no_rank_beyond_the_budget_is_asked_for(seed: int) -> None:
    world = World(seed)
    budgets = dict(world.budgets)
    world.run(Limits(threads=8, policy=Policy(tries=2), top_up=False))
    assert world.raises == []
    for wnid, listed in world.lists.items():
        done = [one.rank for one in listed if world.asked[one.id] or one.id in world.skipped]
        assert max(done, default=0) <= budgets[wnid]
        if world.saved[wnid] < world.targets[wnid]:
            assert done == [one.rank for one in listed if one.rank <= budgets[wnid]]


@pytest.mark.parametrize("seed", range(12))
def test_in_a_random_world_a_second_run_asks_only_for_what_is_open(seed: int) -> None:
    world = World(seed)
    world.run(Limits(threads=8, policy=Policy(tries=1)))
    asked, states = Counter(world.asked), dict(world.states)
    world.run(Limits(threads=8, policy=Policy(tries=3)))
    for candidate, before in states.items():
        if before in (State.SAVED, State.LOST):
            assert world.asked[candidate] == asked[candidate]
            assert world.states[candidate] is before
    for wnid, n in world.targets.items():
        assert world.saved[wnid] <= n
        assert world.saved[wnid] == min(n, world.alive(wnid, tries=3)), wnid


@pytest.mark.parametrize("seed", range(8))
def test_in_a_random_world_a_rate_is_kept(seed: int) -> None:
    world = World(seed)
    requests_a_second = 5.0
    world.run(Limits(threads=8, policy=Policy(tries=3), rate=requests_a_second))
    for wnid, n in world.targets.items():
        assert world.saved[wnid] == min(n, world.alive(wnid, tries=3)), wnid

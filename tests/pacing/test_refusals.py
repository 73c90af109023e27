"""Which outcomes are refusals of a group of hosts, and which of one URL alone."""

from __future__ import annotations

import pytest

from scraper.model import Outcome
from scraper.pacing.refusals import IN_A_ROW, Meaning, Refusals

OUTCOMES = {
    403: Outcome.FORBIDDEN,
    503: Outcome.SERVER_ERROR,
    400: Outcome.BAD_STATUS,
    999: Outcome.BAD_STATUS,
    None: Outcome.TIMEOUT,
}


def fresh(refusals: Refusals, number: int, outcome: Outcome, status: int | None = None) -> Meaning:
    return refusals.judge(number, outcome, status, first=True, left_over=False)


def again(refusals: Refusals, number: int, outcome: Outcome, status: int | None = None) -> Meaning:
    return refusals.judge(number, outcome, status, first=False, left_over=False)


def test_two_of_429_in_a_row_are_a_refusal_and_one_alone_is_not() -> None:
    refusals = Refusals()
    found = [fresh(refusals, number, Outcome.THROTTLED, 429) for number in range(3)]
    assert found == [Meaning.OWN, Meaning.REFUSAL, Meaning.REFUSAL]


def test_one_is_enough_where_the_host_names_a_time_or_is_asked_slowly() -> None:
    assert Refusals().judge(1, Outcome.THROTTLED, 429, first=True, left_over=False, plain=True) is Meaning.REFUSAL


def test_a_fault_now_and_then_is_no_refusal_and_many_are() -> None:
    refusals, found = Refusals(), []
    for number in range(1000):
        fresh(refusals, 2 * number, Outcome.SAVED, 200)
        found.append(
            fresh(refusals, 2 * number + 1, *((Outcome.THROTTLED, 429) if number % 50 == 0 else (Outcome.SAVED, 200)))
        )
    assert Meaning.REFUSAL not in found
    for number in range(2000, 2032, 2):
        fresh(refusals, number, Outcome.SAVED, 200)
        found.append(fresh(refusals, number + 1, Outcome.THROTTLED, 429))
    assert Meaning.REFUSAL in found[-16:-8]


@pytest.mark.parametrize("status", OUTCOMES)
def test_other_answers_are_refusals_once_many_in_a_row_are_such_and_each_one_from_then_on(status: int | None) -> None:
    refusals = Refusals()
    fresh(refusals, 99, Outcome.SAVED, 200)
    found = [fresh(refusals, number, OUTCOMES[status], status) for number in range(IN_A_ROW)]
    assert found == [Meaning.NOTHING] * (IN_A_ROW - 1) + [Meaning.REFUSAL]
    assert fresh(refusals, 100, Outcome.SAVED, 200) is Meaning.ANSWER
    assert [fresh(refusals, number, OUTCOMES[status], status) for number in (101, 102)][1] is Meaning.REFUSAL


def test_other_answers_between_pictures_are_none() -> None:
    refusals = Refusals()
    for number in range(0, 400, 2):
        assert fresh(refusals, number, Outcome.FORBIDDEN, 403) is Meaning.NOTHING
        assert fresh(refusals, number + 1, Outcome.SAVED, 200) is Meaning.ANSWER


@pytest.mark.parametrize("outcome", [Outcome.GONE, Outcome.PLACEHOLDER, Outcome.NOT_IMAGE, Outcome.OPTED_OUT])
def test_what_is_said_of_the_photo_is_an_answer_however_often(outcome: Outcome) -> None:
    refusals = Refusals()
    assert {fresh(refusals, number, outcome, 404) for number in range(100)} == {Meaning.ANSWER}


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.BAD_URL])
def test_what_we_refuse_says_nothing_of_the_host(outcome: Outcome) -> None:
    refusals = Refusals()
    assert {fresh(refusals, number, outcome) for number in range(100)} == {Meaning.NOTHING}


def test_the_last_urls_of_a_run_which_failed_and_fail_again_are_no_refusal() -> None:
    refusals = Refusals()
    for number in range(100):
        fresh(refusals, number, Outcome.SAVED, 200)
        fresh(refusals, 1000 + number, Outcome.SERVER_ERROR, 500) if number < 4 else None
    found = [again(refusals, 1000 + number % 40, Outcome.SERVER_ERROR, 500) for number in range(80)]
    assert set(found) == {Meaning.NOTHING}


def test_a_url_that_is_refused_again_while_others_are_answered_is_refused_for_itself() -> None:
    refusals = Refusals()
    fresh(refusals, 1, Outcome.THROTTLED, 429)
    for number in range(2, 8):
        fresh(refusals, number, Outcome.SAVED, 200)
    assert again(refusals, 1, Outcome.THROTTLED, 429) is Meaning.OWN
    assert not refusals.mostly_own


def test_a_url_that_is_refused_again_and_nothing_was_answered_since_is_not() -> None:
    refusals = Refusals()
    fresh(refusals, 1, Outcome.THROTTLED, 429)
    assert again(refusals, 1, Outcome.THROTTLED, 429) is Meaning.REFUSAL


def some_refused_for_themselves() -> Refusals:
    refusals = Refusals()
    for number in range(0, 400, 20):
        fresh(refusals, number, Outcome.THROTTLED, 429)
        for other in range(1, 20):
            fresh(refusals, number + other, Outcome.SAVED, 200)
        again(refusals, number, Outcome.THROTTLED, 429)
    assert refusals.mostly_own
    return refusals


def test_where_urls_are_refused_for_themselves_one_more_is_too() -> None:
    assert fresh(some_refused_for_themselves(), 1000, Outcome.THROTTLED, 429) is Meaning.OWN


def test_but_three_in_a_row_are_not() -> None:
    refusals = some_refused_for_themselves()
    fresh(refusals, 999, Outcome.SAVED, 200)
    found = [fresh(refusals, 1000 + number, Outcome.THROTTLED, 429) for number in range(3)]
    assert found == [Meaning.OWN, Meaning.OWN, Meaning.REFUSAL]


def test_nor_are_more_than_usual() -> None:
    refusals = some_refused_for_themselves()
    found = []
    for number in range(1000, 1060, 2):
        found.append(fresh(refusals, number, Outcome.THROTTLED, 429))
        fresh(refusals, number + 1, Outcome.SAVED, 200)
    assert Meaning.REFUSAL in found[:12]


def test_a_handful_that_earlier_runs_have_left_is_refused_for_itself() -> None:
    refusals = Refusals()
    found = [
        refusals.judge(number, Outcome.THROTTLED, 429, first=True, left_over=True) for number in range(IN_A_ROW + 1)
    ]
    assert found == [Meaning.OWN] * (IN_A_ROW - 1) + [Meaning.REFUSAL] * 2


def test_what_was_forbidden_before_may_be_forbidden_again() -> None:
    refusals = Refusals()
    found = {refusals.judge(number, Outcome.FORBIDDEN, 403, first=True, left_over=True) for number in range(100)}
    assert found == {Meaning.NOTHING}

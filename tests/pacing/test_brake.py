"""The brake of a host group: cut at a refusal, grown back by answers, paused and at last blocked."""

from __future__ import annotations

import pytest

from scraper.model import Outcome
from scraper.pacing.brake import BURST, LONGEST_PAUSE, PATIENCE, Brake

SUSPICIOUS = [
    Outcome.FORBIDDEN,
    Outcome.SERVER_ERROR,
    Outcome.TIMEOUT,
    Outcome.DNS_ERROR,
    Outcome.CONNECTION_ERROR,
    Outcome.TLS_ERROR,
]


def busy(most: int, in_flight: int | None = None) -> Brake:
    """A brake with requests under way."""
    brake = Brake(most)
    brake.in_flight = most if in_flight is None else in_flight
    return brake


def refuse(brake: Brake, at: float, *, began: float | None = None, retry_after: float | None = None) -> bool:
    """Record a 429 that arrives at `at`."""
    started = at if began is None else began
    return brake.record(Outcome.THROTTLED, started_at=started, retry_after=retry_after, now=at)


def answer(brake: Brake, at: float, outcome: Outcome = Outcome.SAVED) -> None:
    brake.record(outcome, started_at=at, retry_after=None, now=at)


def refused_till_blocked(brake: Brake) -> float:
    """Refuse, wait for the pause to end, ask and be refused again; returns the time when it counts as blocked."""
    now = 1000.0
    for _ in range(PATIENCE):
        assert not brake.blocked
        now = max(now + 1, brake.resume_at)
        assert refuse(brake, now)
    return now


def test_a_fresh_brake_lets_twice_the_threads_through() -> None:
    brake = Brake(8)
    assert not brake.braked
    assert not brake.blocked
    allowed = 0
    while brake.allows(0.0):
        brake.in_flight += 1
        allowed += 1
    assert allowed == 16


def test_a_refusal_halves_what_is_under_way() -> None:
    brake = busy(32, 31)
    assert refuse(brake, 100.0)
    assert brake.braked
    assert brake.limit == 16.0


def test_a_refusal_with_little_under_way_cuts_below_that() -> None:
    brake = busy(32, 3)
    refuse(brake, 100.0)
    assert brake.limit == 2.0


def test_one_overload_is_cut_once() -> None:
    brake = busy(32, 31)
    assert refuse(brake, 100.0, began=99.0)
    for late in range(20):
        brake.in_flight -= 1
        assert not refuse(brake, 100.1 + late / 10, began=99.0 + late / 100)
    assert brake.limit == 16.0
    assert brake.refusals == 1


def test_a_refusal_of_a_request_begun_after_the_cut_cuts_again() -> None:
    brake = busy(32, 31)
    refuse(brake, 100.0, began=99.0)
    brake.in_flight = 15
    assert refuse(brake, 101.0, began=100.5)
    assert brake.limit == 8.0


def test_a_braked_group_gets_no_more_than_its_limit() -> None:
    brake = busy(32, 31)
    refuse(brake, 100.0)
    brake.in_flight = 15
    assert brake.allows(100.0)
    brake.in_flight = 16
    assert not brake.allows(100.0)


def test_the_limit_never_falls_below_one_request() -> None:
    brake = busy(16, 0)
    for at in range(100, 120):
        refuse(brake, float(at))
        assert brake.limit >= 1.0
    brake.in_flight = 0
    assert brake.allows(brake.resume_at)


def test_answers_grow_the_limit_back_by_about_one_a_round() -> None:
    brake = busy(32, 31)
    refuse(brake, 100.0)
    for _ in range(16):
        answer(brake, 101.0)
    assert 16.9 < brake.limit < 17.0


def test_the_limit_grows_back_to_the_users_and_not_beyond() -> None:
    brake = busy(8, 7)
    refuse(brake, 100.0)
    for _ in range(200):
        answer(brake, 101.0)
    assert not brake.braked
    assert brake.limit == 8.0


@pytest.mark.parametrize(
    "outcome",
    [Outcome.SAVED, Outcome.DUPLICATE, Outcome.GONE, Outcome.PLACEHOLDER, Outcome.NOT_IMAGE, Outcome.TOO_SMALL],
)
def test_any_answer_about_the_photo_counts_as_an_answer(outcome: Outcome) -> None:
    brake = busy(32, 31)
    refuse(brake, 100.0)
    answer(brake, 101.0, outcome)
    assert brake.limit > 16.0
    assert brake.refusals == 0


@pytest.mark.parametrize("outcome", [*SUSPICIOUS, Outcome.PROTOCOL_ERROR, Outcome.BAD_STATUS, Outcome.REDIRECT_ERROR])
def test_what_says_nothing_of_the_photo_does_not(outcome: Outcome) -> None:
    brake = busy(32, 31)
    refuse(brake, 100.0)
    answer(brake, 101.0, outcome)
    assert brake.limit == 16.0
    assert brake.refusals == 1


def test_the_first_refusal_alone_does_not_pause() -> None:
    brake = busy(4, 0)
    refuse(brake, 100.0)
    assert brake.allows(100.0)


def test_refusals_in_a_row_pause_each_time_for_twice_as_long() -> None:
    brake = busy(4, 0)
    now, pauses = 100.0, []
    for _ in range(9):
        refuse(brake, now)
        pauses.append(max(0.0, brake.resume_at - now))
        now = max(now, brake.resume_at) + 1
    assert pauses == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_pause_holds_until_its_end() -> None:
    brake = busy(4, 0)
    refuse(brake, 100.0)
    refuse(brake, 101.0)
    assert not brake.allows(101.0)
    assert not brake.allows(101.999)
    assert brake.allows(102.0)


def test_retry_after_lengthens_a_pause_up_to_a_bound() -> None:
    brake = busy(4, 0)
    refuse(brake, 100.0)
    refuse(brake, 101.0, retry_after=20.0)
    assert brake.resume_at == 121.0
    refuse(brake, 130.0, retry_after=4000.0)
    assert brake.resume_at == 130.0 + LONGEST_PAUSE


def test_an_answer_ends_the_row_of_refusals() -> None:
    brake = busy(4, 0)
    now = 100.0
    for _ in range(40):
        refuse(brake, now)
        answer(brake, now + 0.5)
        now += 1
    assert not brake.blocked
    assert brake.allows(now)


@pytest.mark.parametrize("most", [1, 2, 32])
def test_refusals_without_an_answer_block_the_group_in_the_end(most: int) -> None:
    brake = busy(most, 0)
    refused_till_blocked(brake)
    assert brake.blocked


def test_being_blocked_takes_patience_and_not_one_burst_of_refusals() -> None:
    brake = busy(32, 32)
    for _ in range(32):
        brake.in_flight -= 1
        refuse(brake, 100.0, began=90.0)
    # All were under way at the first cut or arrived with it, at the same moment.
    assert not brake.blocked


def test_blocking_takes_at_least_a_quarter_of_a_minute() -> None:
    brake = busy(32, 0)
    assert refused_till_blocked(brake) - 1000.0 >= 15.0


@pytest.mark.parametrize("outcome", SUSPICIOUS)
def test_a_long_row_of_suspicious_outcomes_is_a_refusal(outcome: Outcome) -> None:
    brake = busy(32, 31)
    cuts = [brake.record(outcome, started_at=100.0 + n, retry_after=None, now=100.5 + n) for n in range(BURST)]
    assert cuts == [False] * (BURST - 1) + [True]
    assert brake.braked
    assert brake.last_refusal is outcome


@pytest.mark.parametrize("outcome", SUSPICIOUS)
def test_suspicious_outcomes_with_answers_between_them_are_none(outcome: Outcome) -> None:
    brake = busy(32, 31)
    for at in range(20 * BURST):
        answer(brake, float(at), Outcome.SAVED if at % (BURST - 1) == 0 else outcome)
    assert not brake.braked
    assert brake.refusals == 0


def test_a_dead_network_blocks_in_the_end() -> None:
    brake = busy(8, 0)
    now = 100.0
    for _ in range(PATIENCE * BURST):
        now = max(now + 1, brake.resume_at)
        brake.record(Outcome.DNS_ERROR, started_at=now, retry_after=None, now=now)
    assert brake.blocked
    assert "cannot be reached" in brake.explain("flickr", now)
    assert "network" in brake.explain("flickr", now)


def test_the_explanation_says_who_refuses_how_and_when_to_come_back() -> None:
    brake = busy(8, 0)
    now = refused_till_blocked(brake)
    text = brake.explain("the host flickr", now)
    assert "the host flickr keeps refusing (throttled)" in text
    assert "run the same command again after" in text


def test_a_long_retry_after_moves_the_time_to_come_back() -> None:
    plain, asked = busy(8, 0), busy(8, 0)
    refuse(plain, 100.0)
    refuse(asked, 100.0, retry_after=86_400.0)
    assert plain.explain("x", 100.0) != asked.explain("x", 100.0)
    refuse(asked, 110.0)
    assert plain.explain("x", 110.0) != asked.explain("x", 110.0)


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.BAD_URL])
def test_what_we_refused_ourselves_is_no_answer_of_the_host(outcome: Outcome) -> None:
    brake = Brake(8)
    now = 0.0
    for _ in range(PATIENCE):
        now = max(now, brake.resume_at) + 1
        brake.record(Outcome.THROTTLED, started_at=now, retry_after=None, now=now)
        brake.record(outcome, started_at=now, retry_after=None, now=now)
    assert brake.blocked


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.BAD_URL])
def test_what_we_refused_ourselves_does_not_end_a_row_of_failures(outcome: Outcome) -> None:
    brake = Brake(8)
    for at in range(BURST * 4):
        brake.record(outcome if at % 8 == 0 else Outcome.TIMEOUT, started_at=at, retry_after=None, now=at)
    assert brake.refusals

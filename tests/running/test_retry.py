"""What follows an outcome: the state, and the time of the next try."""

from __future__ import annotations

import random

import pytest

from scraper.model import Form, Outcome, State, Wnid
from scraper.records import Attempt, Candidate, Decision
from scraper.running.retry import FIRST_WAIT, LONGEST_RETRY_AFTER, LONGEST_WAIT, Policy, decide

NOW = 1_700_000_000.0
RETRYABLE = [
    Outcome.THROTTLED,
    Outcome.SERVER_ERROR,
    Outcome.TIMEOUT,
    Outcome.DNS_ERROR,
    Outcome.CONNECTION_ERROR,
    Outcome.TLS_ERROR,
    Outcome.PROTOCOL_ERROR,
    Outcome.BAD_STATUS,
]
LOST = [outcome for outcome in Outcome if outcome.final and outcome is not Outcome.SAVED]


OLD = "http://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg"
"""A URL that has another form on the live host."""


def after(
    outcome: Outcome,
    tries: int = 1,
    limit: int = 3,
    retry_after: float | None = None,
    seed: int = 0,
    *,
    repair: Form | None = None,
    form: Form | None = None,
    fate: Outcome | None = None,
    url: str = OLD,
) -> Decision:
    """What is decided after the given try of a candidate ended so."""
    candidate = Candidate(1, Wnid("n00000001"), 1, url, "a.jpg", form=form, fate=fate)
    attempt = Attempt(candidate, NOW, 0.5, outcome, retry_after=retry_after)
    return decide(attempt, Policy(tries=limit, second_try=repair), tries=tries, now=NOW, rng=random.Random(seed))


@pytest.mark.parametrize("tries", [1, 2, 3, 50])
def test_a_saved_photo_is_saved_for_good(tries: int) -> None:
    assert after(Outcome.SAVED, tries) == Decision(State.SAVED, Outcome.SAVED)


@pytest.mark.parametrize("outcome", LOST)
@pytest.mark.parametrize("retry_after", [None, 5.0, 1e6])
def test_every_other_final_outcome_loses_the_candidate_whatever_the_server_asks(
    outcome: Outcome, retry_after: float | None
) -> None:
    assert after(outcome, retry_after=retry_after) == Decision(State.LOST, outcome)


@pytest.mark.parametrize("outcome", RETRYABLE)
def test_an_unknown_outcome_is_tried_again_until_the_limit_and_then_rests(outcome: Outcome) -> None:
    assert [after(outcome, tries, limit=4).state for tries in (1, 2, 3, 4, 5)] == [
        State.WAITING,
        State.WAITING,
        State.WAITING,
        State.UNKNOWN,
        State.UNKNOWN,
    ]


@pytest.mark.parametrize("outcome", RETRYABLE)
def test_with_one_try_allowed_there_is_no_second(outcome: Outcome) -> None:
    assert after(outcome, limit=1) == Decision(State.UNKNOWN, outcome)


def test_a_redirect_that_leads_nowhere_rests_unknown_at_once() -> None:
    assert after(Outcome.REDIRECT_ERROR) == Decision(State.UNKNOWN, Outcome.REDIRECT_ERROR)


@pytest.mark.parametrize(("tries", "most"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (7, 60.0), (8, 60.0), (99, 60.0)])
def test_waits_double_up_to_a_bound_and_are_jittered_by_up_to_half(tries: int, most: float) -> None:
    waits = [after(Outcome.TIMEOUT, tries, limit=100, seed=seed).not_before - NOW for seed in range(300)]
    assert most / 2 - 1e-6 <= min(waits) < most * 0.55
    assert most * 0.95 < max(waits) <= most + 1e-6


def test_candidates_that_failed_together_do_not_come_back_together() -> None:
    attempt = Attempt(Candidate(1, Wnid("n00000001"), 1, OLD, "a.jpg"), NOW, 0.5, Outcome.TIMEOUT)
    rng = random.Random(1)
    times = {decide(attempt, Policy(), tries=1, now=NOW, rng=rng).not_before for _ in range(100)}
    assert len(times) == 100


def test_the_same_seed_gives_the_same_time() -> None:
    assert after(Outcome.TIMEOUT, seed=7) == after(Outcome.TIMEOUT, seed=7)


@pytest.mark.parametrize("outcome", [Outcome.THROTTLED, Outcome.SERVER_ERROR])
@pytest.mark.parametrize("asked", [5.0, 60.5, LONGEST_RETRY_AFTER])
def test_retry_after_is_honoured(outcome: Outcome, asked: float) -> None:
    assert after(outcome, retry_after=asked) == Decision(State.WAITING, outcome, NOW + asked)


@pytest.mark.parametrize("asked", [LONGEST_RETRY_AFTER + 0.1, 3600.0, 31_536_000.0])
def test_retry_after_beyond_the_bound_lets_the_candidate_rest_unknown(asked: float) -> None:
    assert after(Outcome.THROTTLED, retry_after=asked) == Decision(State.UNKNOWN, Outcome.THROTTLED)


def test_retry_after_shorter_than_our_own_wait_does_not_hurry() -> None:
    for seed in range(50):
        assert after(Outcome.THROTTLED, 7, limit=9, retry_after=0.0, seed=seed).not_before >= NOW + LONGEST_WAIT / 2


def test_retry_after_does_not_add_tries() -> None:
    assert after(Outcome.THROTTLED, 3, limit=3, retry_after=1.0) == Decision(State.UNKNOWN, Outcome.THROTTLED)


def test_a_retry_is_never_due_before_now() -> None:
    for tries in range(1, 100):
        assert after(Outcome.TIMEOUT, tries, limit=100).not_before >= NOW + FIRST_WAIT / 2


# --- the same photo in another form -----------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Outcome.GONE, Outcome.PLACEHOLDER])
def test_a_dead_url_is_tried_in_another_form_where_the_run_may(outcome: Outcome) -> None:
    assert after(outcome, repair=Form.LIVE) == Decision(State.WAITING, outcome, form=Form.LIVE, fate=outcome)
    assert after(outcome) == Decision(State.LOST, outcome)


@pytest.mark.parametrize("outcome", [outcome for outcome in LOST if outcome not in (Outcome.GONE, Outcome.PLACEHOLDER)])
def test_only_dead_urls_are(outcome: Outcome) -> None:
    assert after(outcome, repair=Form.LIVE) == Decision(State.LOST, outcome)


@pytest.mark.parametrize(
    "url",
    ["https://live.staticflickr.com/1/2_a.jpg", "http://photos11.flickr.com/2_a.jpg", "http://example.org/1/2_a.jpg"],
)
def test_a_url_without_another_form_is_lost(url: str) -> None:
    assert after(Outcome.GONE, repair=Form.LIVE, url=url) == Decision(State.LOST, Outcome.GONE)


@pytest.mark.parametrize("second", [Outcome.GONE, Outcome.PLACEHOLDER, Outcome.FORBIDDEN, Outcome.NOT_IMAGE])
def test_the_second_form_is_the_last_and_the_first_answer_stays_on_record(second: Outcome) -> None:
    decision = after(second, repair=Form.LIVE, form=Form.LIVE, fate=Outcome.GONE)
    assert decision == Decision(State.LOST, Outcome.GONE, form=Form.LIVE, fate=Outcome.GONE)


def test_a_photo_had_in_another_form_is_saved_and_its_fate_kept() -> None:
    decision = after(Outcome.SAVED, repair=Form.LIVE, form=Form.LIVE, fate=Outcome.GONE)
    assert decision == Decision(State.SAVED, Outcome.SAVED, form=Form.LIVE, fate=Outcome.GONE)


def test_throttling_of_the_second_form_is_tried_again_and_not_taken_for_more_than_the_first_answer() -> None:
    again = after(Outcome.THROTTLED, repair=Form.LIVE, form=Form.LIVE, fate=Outcome.GONE)
    assert (again.state, again.form, again.fate) == (State.WAITING, Form.LIVE, Outcome.GONE)
    last = after(Outcome.THROTTLED, 3, repair=Form.LIVE, form=Form.LIVE, fate=Outcome.GONE)
    assert (last.state, last.outcome) == (State.LOST, Outcome.GONE)

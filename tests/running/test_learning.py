"""Whether a run has learnt anything, and what it says if not."""

from __future__ import annotations

import pytest

from scraper.model import Outcome
from scraper.running.learning import Learning


def learning(*outcomes: Outcome, fresh: bool = True, answered: bool = False, error: str | None = "why") -> Learning:
    """What a run is that asked for one photo after the other, and they ended so."""
    found = Learning()
    for number, outcome in enumerate(outcomes):
        found.note(number, outcome, error, fresh=fresh, answered=answered)
    return found


def test_a_run_that_asked_for_nothing_need_not_have_learnt() -> None:
    assert learning().cause(before=False) is None
    assert learning(Outcome.BLOCKED, Outcome.BAD_URL).cause(before=False) is None  # nobody was asked


@pytest.mark.parametrize("outcome", [Outcome.SAVED, Outcome.GONE, Outcome.FORBIDDEN, Outcome.NOT_IMAGE])
def test_one_photo_is_enough(outcome: Outcome) -> None:
    assert learning(Outcome.TIMEOUT, outcome, Outcome.TIMEOUT).cause(before=False) is None
    assert learning(Outcome.TIMEOUT, Outcome.TIMEOUT).cause(before=False) is not None


NETWORK = "check the network, and --connect-to or the proxy where you use one"
TRUST = "check whom to trust (--ca-certs, SSL_CERT_FILE) and the clock of this machine"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.DNS_ERROR, "dns error (why); check the network and its name servers"),
        (Outcome.CONNECTION_ERROR, f"connection error (why); {NETWORK}"),
        (Outcome.TIMEOUT, f"timeout (why); {NETWORK}"),
        (Outcome.TLS_ERROR, f"tls error (why); {TRUST}"),
        (Outcome.THROTTLED, "throttled (why); wait a while"),
    ],
)
def test_the_cause_is_told_with_what_to_do(outcome: Outcome, said: str) -> None:
    assert learning(outcome).cause(before=False) == (
        f"nothing was learnt of the one photo that was asked for: {said}, then run the same command again"
    )


def test_the_most_frequent_cause_is_told_with_its_first_error() -> None:
    found = Learning()
    for number, (outcome, error) in enumerate(
        [
            (Outcome.DNS_ERROR, "no such name"),
            (Outcome.TIMEOUT, "nothing in 30 s"),
            (Outcome.TIMEOUT, "nothing in 31 s"),
        ]
    ):
        found.note(number, outcome, error, fresh=True, answered=False)
    assert "of any of the 3 photos that were asked for: timeout (nothing in 30 s); " in (
        found.cause(before=False) or ""
    )
    assert "timeout; wait" not in str(found.cause(before=False))


def test_without_an_error_there_is_none_in_the_line() -> None:
    cause = learning(Outcome.THROTTLED, error=None).cause(before=False)
    assert "photo that was asked for: throttled; wait" in str(cause)


def test_a_photo_that_is_tried_again_is_one_photo() -> None:
    found = Learning()
    for _ in range(3):
        found.note(7, Outcome.TIMEOUT, None, fresh=True, answered=False)
    assert "the one photo that was" in str(found.cause(before=False))
    assert "any of the 2 photos that were" in str(learning(Outcome.TIMEOUT, Outcome.TIMEOUT).cause(before=False))
    many = learning(*[Outcome.TIMEOUT] * 1200)
    assert "any of the 1,200 photos that were" in str(many.cause(before=False))


@pytest.mark.parametrize(
    ("number", "fresh", "answered", "fails"),
    [
        (8, False, False, False),  # a handful that was unknown before
        (9, False, False, True),  # so many say something of the network
        (9, False, True, False),  # but not where it brings answers
        (1, True, False, True),  # a photo that was never asked for should have told something
        (1, True, True, True),
    ],
)
def test_what_stays_unknown_after_a_run_that_has_learnt(number: int, fresh: bool, answered: bool, fails: bool) -> None:
    found = learning(*[Outcome.SERVER_ERROR] * number, fresh=fresh, answered=answered)
    assert (found.cause(before=True) is not None) is fails
    assert found.cause(before=False) is not None


def test_one_fresh_photo_or_one_answer_among_many_tells() -> None:
    outcomes = [Outcome.SERVER_ERROR] * 20
    fresh, answered = learning(*outcomes, fresh=False), learning(*outcomes, fresh=False)
    fresh.note(3, Outcome.SERVER_ERROR, None, fresh=True, answered=False)
    fresh.note(4, Outcome.SERVER_ERROR, None, fresh=False, answered=False)
    answered.note(3, Outcome.SERVER_ERROR, None, fresh=False, answered=True)
    answered.note(4, Outcome.SERVER_ERROR, None, fresh=False, answered=False)
    assert fresh.cause(before=True) is not None
    assert answered.cause(before=True) is None

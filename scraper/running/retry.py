"""What follows an outcome: the state of the candidate, and when it may be asked again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.flickr import live_url
from scraper.model import Kind, Outcome, State
from scraper.records import Decision

if TYPE_CHECKING:
    import random

    from scraper.model import Form
    from scraper.records import Attempt

FIRST_WAIT: Final = 1.0
"""Seconds before the second try; doubled for each one after."""
LONGEST_WAIT: Final = 60.0
"""Seconds between tries at most, unless the server asks for more."""
LONGEST_RETRY_AFTER: Final = 120.0
"""Seconds of Retry-After that a run waits for; asked for more, the candidate rests until a later run."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a run may do about a failure: tries per candidate, and whether dead URLs are tried in another form."""

    tries: int = 3
    second_try: Form | None = None


def decide(attempt: Attempt, policy: Policy, *, tries: int, now: float, rng: random.Random) -> Decision:
    """Decide what follows a try.

    Args:
        attempt: the try.
        policy: what the run may do.
        tries: made for this form of the candidate in this run, this one included.
        now: Unix time in seconds.
        rng: for jitter, so that candidates that failed together do not come back together.
    """
    candidate, outcome = attempt.candidate, attempt.outcome
    form, fate = candidate.form, candidate.fate
    if outcome is Outcome.SAVED:
        return Decision(State.SAVED, outcome, form=form, fate=fate)
    if outcome.kind is Kind.DEAD and policy.second_try is not None and form is None and live_url(candidate.url):
        return Decision(State.WAITING, outcome, form=policy.second_try, fate=outcome)
    wait = _wait(attempt, policy, tries, rng)
    if wait is not None:
        return Decision(State.WAITING, outcome, now + wait, form, fate)
    if fate is not None and outcome is not Outcome.DUPLICATE:
        return Decision(State.LOST, fate, form=form, fate=fate)  # the second try told nothing new of a dead URL
    return Decision(State.LOST if outcome.final else State.UNKNOWN, outcome, form=form, fate=fate)


def put_off(attempt: Attempt, until: float) -> Decision:
    """Decide what follows an answer that would be final, if the host did not give it to everybody: nothing was learnt.

    Such a try is not counted among those that a candidate has.
    """
    candidate = attempt.candidate
    return Decision(State.WAITING, attempt.outcome, until, candidate.form, candidate.fate)


def _wait(attempt: Attempt, policy: Policy, tries: int, rng: random.Random) -> float | None:
    """Seconds until the next try, None where there is none in this run."""
    asked = attempt.retry_after or 0.0
    if not attempt.outcome.retryable or tries >= policy.tries or asked > LONGEST_RETRY_AFTER:
        return None
    return max(asked, backoff(tries, rng))


def backoff(tries: int, rng: random.Random) -> float:
    """Seconds to wait after the given number of tries: doubling, with jitter, never more than `LONGEST_WAIT`."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries - 1, 16)) * rng.uniform(0.5, 1.0)

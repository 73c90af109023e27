"""What follows an outcome: the state of the candidate, and when it may be asked again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.model import Outcome, State

if TYPE_CHECKING:
    import random

FIRST_WAIT: Final = 1.0
"""Seconds before the second try; doubled for each one after."""
LONGEST_WAIT: Final = 60.0
"""Seconds between tries at most, unless the server asks for more."""
LONGEST_RETRY_AFTER: Final = 120.0
"""Seconds of Retry-After that a run waits for; asked for more, the candidate rests until a later run."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A candidate's state after a try, and the Unix time in seconds before which it is not asked again (0: none)."""

    state: State
    not_before: float = 0.0


def decide(
    outcome: Outcome, *, tries: int, limit: int, retry_after: float | None, now: float, rng: random.Random
) -> Decision:
    """Decide what follows a try.

    Args:
        outcome: of this try.
        tries: made for the candidate in this run, this one included.
        limit: tries a candidate gets in a run.
        retry_after: seconds the server asked to wait.
        now: Unix time in seconds.
        rng: for jitter, so that candidates that failed together do not come back together.
    """
    if outcome.final:
        return Decision(State.SAVED if outcome is Outcome.SAVED else State.LOST)
    patient = retry_after is None or retry_after <= LONGEST_RETRY_AFTER
    if not outcome.retryable or tries >= limit or not patient:
        return Decision(State.UNKNOWN)
    backoff = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1)) * rng.uniform(0.5, 1.0)
    return Decision(State.WAITING, now + max(backoff, retry_after or 0.0))

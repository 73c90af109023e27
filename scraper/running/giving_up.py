"""What people are told of a host that refuses: since when, until when, and what to do."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Final

from scraper.model import Outcome

if TYPE_CHECKING:
    from scraper.pacing.pacer import Pacer

COME_BACK: Final = 900.0
"""Seconds to advise waiting for, where the host names no time."""
_MINUTE: Final = 60.0
_SHORT: Final = 90
"""Seconds that are told as such; what is further away has a time of day."""
_UNREACHED: Final = frozenset({Outcome.DNS_ERROR, Outcome.CONNECTION_ERROR, Outcome.TLS_ERROR, Outcome.TIMEOUT})


def clock_time(seconds: float, now: float) -> str:
    """A time of day, with its date where that is not today's."""
    then, today = (dt.datetime.fromtimestamp(time).astimezone() for time in (seconds, now))
    return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%H:%M on %d %B}"


def moment(seconds: float, now: float) -> str:
    """When something will be, as people say it who wait for it: `in 12 seconds`, `at 14:35`."""
    left = math.ceil(seconds - now)
    if left < _SHORT:
        return f"in {max(left, 1)} second{'' if left <= 1 else 's'}"
    return f"at {clock_time(seconds, now)}"


def explain(group: str, pacer: Pacer, now: float) -> str:
    """One line for people on why the run stops and when to come back."""
    if pacer.refusal in _UNREACHED:
        return f"{group} cannot be reached ({pacer.refusal}): check the network, then run the same command again"
    named = pacer.named_until
    # A minute is told by its beginning, and who comes back in it must not be too early.
    back = clock_time((named if named > now else max(pacer.back_at, now + COME_BACK)) + _MINUTE - 1, now)
    if not pacer.asked:
        told = f"an earlier run was told by {group} to come back later ({pacer.refusal})"
        return f"{told}: run the same command again after {back}"
    return (
        f"{group} keeps refusing ({pacer.refusal}), and has answered nothing since "
        f"{clock_time(pacer.silent_since, now)}: everything so far is kept; run the same command again after {back}, "
        "or with a longer --patience to wait for it"
    )

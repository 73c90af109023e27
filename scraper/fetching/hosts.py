"""What a run knows of the pace of groups of hosts, from earlier runs and its own: kept in the manifest, and told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import humanize

from scraper.manifest.access.paces import last_paces, record_paces
from scraper.running.giving_up import clock_time, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scraper.manifest.core import Manifest
    from scraper.pacing.pacer import Pace, Pacer

LASTS: Final = 24 * 3600.0
"""Seconds for which a pace found by one run is where the next one begins: the limits of hosts differ by the day."""
_SET_BACK: Final = 60.0
"""Seconds by which clocks may differ; a pace that was found later than that tells of a clock that was set since."""
RECORD_EVERY: Final = 30.0
_CHANGE: Final = 0.1
"""A pace is recorded again when its rate has changed by this share, or it has closed or opened."""
_LASTING: Final = 5.0
"""Seconds of a closure, or added to one, that are recorded at once."""
_JITTER: Final = 0.1
_TELL_EVERY: Final = 600.0
_ONE_A_SECOND: Final = 0.67
_SOON_DONE: Final = 2.0
_LONG: Final = 60.0
"""Seconds of waiting that are worth a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPace:
    """How hard a group of hosts is asked, and why. Times are Unix seconds.

    Attributes:
        group: its name: `flickr`, or a host.
        pace: what is known of it.
        silent_since: when it answered last, or was first asked.
        gives_up_at: when patience with it ends, as long as it is closed.
    """

    group: str
    pace: Pace
    silent_since: float
    gives_up_at: float


def allowed(rate: float) -> str:
    """A rate as people say it.

    >>> allowed(3.0), allowed(0.1), allowed(1 / 300)
    ('about 3 requests a second', 'about 1 request in 10 seconds', 'about 1 request in 5 minutes')
    """
    if rate > _ONE_A_SECOND:
        many = f"{max(rate, 1):.2g}" if rate < 100 else f"{round(rate, -1):,.0f}"
        return f"about {many} request{'' if many == '1' else 's'} a second"
    return f"about 1 request in {humanize.naturaldelta(dt.timedelta(seconds=1 / rate))}"


def duration(seconds: float) -> str:
    """Some time as people say it, a day at most: `22 hours`."""
    if seconds < 48 * 3600 and seconds >= 3600:
        hours = round(seconds / 3600)
        return f"{hours} hour{'' if hours == 1 else 's'}"
    return humanize.naturaldelta(dt.timedelta(seconds=seconds))


def in_words(held: tuple[HostPace, ...], seconds_left: float | None, now: float) -> str:
    """How the hosts that hold a run back stand, as a progress line has room for; nothing where none does."""
    closed = [host for host in held if host.pace.closed_until is not None]
    if closed and len(closed) == len(held):
        host = min(closed, key=lambda host: host.pace.closed_until or 0.0)
        again = moment(host.pace.closed_until or now, now)
        return (
            f"no answer from {host.group} since {clock_time(host.silent_since, now)}: asked again {again}, "
            f"given up at {clock_time(host.gives_up_at, now)}"
        )
    rates = [(host.group, host.pace.rate) for host in held if host.pace.rate is not None]
    if not rates:
        return ""
    group, rate = max(rates, key=lambda each: each[1])
    return f"{group} allows {allowed(rate)}{_left(seconds_left)}"


def _left(seconds: float | None) -> str:
    return "" if seconds is None or seconds < _SOON_DONE else f": done in about {duration(seconds)}"


class Paces:
    """The paces of one run."""

    def __init__(self, book: Manifest, run_id: int, now: float) -> None:
        """For a run that begins at `now`, Unix time in seconds."""
        self._book = book
        self._run_id = run_id
        self.known = last_paces(book, since=now - LASTS, until=now + _SET_BACK)
        self._recorded: dict[str, tuple[float, Pace]] = {}
        self._told: dict[str, tuple[float, float | None]] = {}
        self._told_closed: dict[str, float] = {}

    # --- kept ------------------------------------------------------------------------------------------------------

    def record(self, held: Mapping[str, Pacer], now: float, *, last: bool = False) -> None:
        """Record what has changed; `last` is for the end of the run."""
        changed = {group: pacer.pace for group, pacer in held.items() if self._is_news(group, pacer.pace, now, last)}
        if changed:
            record_paces(self._book, self._run_id, changed, now)
            self._recorded.update((group, (now, pace)) for group, pace in changed.items())

    def _is_news(self, group: str, pace: Pace, now: float, last: bool) -> bool:
        recorded = self._recorded.get(group)
        if recorded is None:
            return True
        at, before = recorded
        if pace.closed_until is not None and pace.closed_until > max(now, before.closed_until or 0.0) + _LASTING:
            return True  # the next run is to know it, should this one be killed while it waits
        changed = (pace.closed_until is None) != (before.closed_until is None) or _differ(pace.rate, before.rate)
        return changed and (last or now - at >= RECORD_EVERY)

    # --- told ------------------------------------------------------------------------------------------------------

    def shown(self, held: Mapping[str, Pacer]) -> tuple[HostPace, ...]:
        """How it stands, for who watches."""
        return tuple(
            HostPace(group=group, pace=pacer.pace, silent_since=pacer.silent_since, gives_up_at=pacer.gives_up_at)
            for group, pacer in held.items()
        )

    def news(self, held: Mapping[str, Pacer], now: float, seconds_left: float | None) -> list[str]:
        """Lines that a person watching should see; `seconds_left` is a guess of how long the run will take."""
        lines = []
        for group, pacer in held.items():
            pace = pacer.pace
            if pace.closed_until is not None:
                lines += self._closed(group, pacer, pace.closed_until, now)
            elif pace.rate is not None and pacer.settled:
                lines += self._forecast(group, pace.rate, now, seconds_left)
        return lines

    def _closed(self, group: str, pacer: Pacer, until: float, now: float) -> list[str]:
        if pacer.exhausted:
            return []  # the run is about to end, and says so
        if group not in self._told:
            self._told[group] = (now, None)
            if self._is_from_before(group, until):
                self._told_closed[group] = until
                return [f"{group} refused an earlier run ({pacer.refusal}): asked again {moment(until, now)}"]
            return [f"{group} refuses ({pacer.refusal}): finding out how fast it may be asked"]
        if until - now < _LONG or now < self._told_closed.get(group, 0.0):
            return []
        self._told_closed[group] = max(until, now + _TELL_EVERY)
        since, end = clock_time(pacer.silent_since, now), clock_time(pacer.gives_up_at, now)
        again = moment(until, now)
        return [f"no answer from {group} since {since} ({pacer.refusal}): asked again {again}, given up at {end}"]

    def _is_from_before(self, group: str, until: float) -> bool:
        """Whether it is by the word of an earlier run that a group is closed until then."""
        known = self.known.get(group)
        return known is not None and known.closed_until is not None and until <= known.closed_until + _JITTER

    def _forecast(self, group: str, rate: float, now: float, seconds_left: float | None) -> list[str]:
        at, before = self._told.get(group, (now, None))
        if before is not None and (now - at < _TELL_EVERY or 1 / 2 <= rate / before <= 2):
            return []
        self._told[group] = (now, rate)
        return [f"{group} allows {allowed(rate)}{_left(seconds_left)}"]


def _differ(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) > _CHANGE * other

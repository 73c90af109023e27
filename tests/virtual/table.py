"""The hosts that the pacer is held to, each with what is the best to be had of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.virtual.hosts import DAY, HOUR, AtOnce, Bucket, FixedWindow, Host, Open, Penalty, SlidingWindow
from tests.virtual.loop import WARM_UP, Loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.virtual.loop import Course


@dataclass(frozen=True, slots=True)
class Case:
    """A host, how long it is asked, and the best that anybody could get of it.

    Attributes:
        name: what it is.
        make: a new one.
        seconds: of virtual time.
        best: pictures a second, at most.
        threads: requests at once.
    """

    name: str
    make: Callable[[], Host]
    seconds: float
    best: float
    threads: int = 32

    def run(self) -> Course:
        """Ask it."""
        return Loop({"static.flickr.com": self.make()}, threads=self.threads).run(self.seconds)

    def reached(self, course: Course) -> float:
        """The share of the best throughput that a course came to after the first minutes."""
        return course.throughput() / self.best


def night(now: float) -> float:
    """A limit that is four times as high every other hour."""
    return 2.0 if int(now // HOUR) % 2 == 0 else 8.0


_QUOTA: Final = 2000
_LATENCY: Final = 0.1

CASES: Final = (
    Case("no limit", lambda: Host(Open()), 750, 40.0, threads=4),
    Case("token bucket, 3 a second, burst 10", lambda: Host(Bucket(3, 10)), HOUR, 3),
    Case("token bucket, 1 in 10 s, burst 25", lambda: Host(Bucket(0.1, 25)), 8 * HOUR, 0.1),
    Case("token bucket, 50 a second, burst 200", lambda: Host(Bucket(50, 200)), 900, 50),
    Case("fixed window, 60 a minute", lambda: Host(FixedWindow(60, 60)), 2 * HOUR, 1),
    Case("fixed window, 1,000 an hour", lambda: Host(FixedWindow(1000, HOUR)), 16 * HOUR, 1000 / HOUR),
    Case("sliding window, 100 a minute", lambda: Host(SlidingWindow(100, 60)), 2 * HOUR, 100 / 60),
    Case("3 a second, burst 10, closed 5 s", lambda: Host(Penalty(Bucket(3, 10), 5)), HOUR, 3),
    Case("2 a second, closed 10 s", lambda: Host(Penalty(Bucket(2, 1), 10)), HOUR, 2),
    Case("25, then 1 in 10 s, closed 30 s", lambda: Host(Penalty(Bucket(0.1, 25), 30)), 12 * HOUR, 0.1),
    Case("the same, refusals prolong it", lambda: Host(Penalty(Bucket(0.1, 25), 30, extended=True)), 12 * HOUR, 0.1),
    Case("5 a second, closed 60 s, prolonged", lambda: Host(Penalty(Bucket(5, 20), 60, extended=True)), 2 * HOUR, 5),
    Case("10 at once", lambda: Host(AtOnce(10)), 750, 10 / _LATENCY),
    Case("4 at once, closed 5 s", lambda: Host(Penalty(AtOnce(4), 5)), 900, 4 / _LATENCY),
    Case("2,000 a day", lambda: Host(FixedWindow(_QUOTA, DAY)), 4 * DAY, 3 * _QUOTA / (4 * DAY - WARM_UP)),
    Case("2 a second, 8 every other hour", lambda: Host(Bucket(night, 10)), 4 * HOUR, 71000 / 13800),
    Case("a URL in 20 refused for itself", lambda: Host(Open(), own=0.05), 750, 40 * 0.95 / 1.075, threads=4),
    Case("a URL in 100 refused once", lambda: Host(Open(), once=0.01), 750, 40 * 0.99, threads=4),
    Case("503 in place of 429", lambda: Host(Penalty(Bucket(3, 10), 5), status=503), HOUR / 2, 3),
    Case("403 to everybody", lambda: Host(Penalty(Bucket(5, 10), 5), status=403), HOUR / 2, 5),
    Case("400 to everybody", lambda: Host(Penalty(Bucket(5, 10), 5), status=400), HOUR / 2, 5),
    Case("408 to everybody", lambda: Host(Penalty(Bucket(5, 10), 5), status=408), HOUR / 2, 5),
    Case("420 to everybody", lambda: Host(Penalty(Bucket(5, 10), 5), status=420), HOUR / 2, 5),
    Case("999 to everybody", lambda: Host(Bucket(20, 10), status=999), 900, 20),
    Case("slow: 5 a second are served", lambda: Host(Open(), served=5), HOUR / 2, 5),
    Case("slow: 1 in 2 s is served", lambda: Host(Open(), served=0.5), HOUR, 0.5),
    Case("Retry-After 20 s", lambda: Host(Penalty(Bucket(3, 10), 20), retry_after=20), HOUR, 3),
)


def main() -> None:
    """Print the table in Markdown."""
    print("| the host allows | of the best | refused |\n|---|---|---|")
    for case in CASES:
        course = case.run()
        print(f"| {case.name} | {case.reached(course):.0%} | {course.refusals():.1%} |", flush=True)


if __name__ == "__main__":
    main()

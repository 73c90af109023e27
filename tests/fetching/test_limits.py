"""Hosts that limit the rate, on real HTTP: in what words they refuse, when they want to be asked again, and stops."""

from __future__ import annotations

import signal
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from tests.command import Scraper, check, check_manifest, finish, until
from tests.conftest import TENCH
from tests.standin import Fate, StandIn, World
from tests.standin.limiters import Limits
from tests.standin.replies import Reply
from tests.virtual.hosts import Bucket, Penalty

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standin import Request

N = 40
HURRIED = 400.0
STATES = "SELECT state, outcome FROM candidates WHERE outcome IS NOT NULL GROUP BY 1, 2"


class Closed:
    """Refuses with a Retry-After until a time on the wall clock; `asked` holds when it was asked."""

    def __init__(self, retry_after: str, until: float) -> None:
        self._reply = Reply(429, b"later", (("Retry-After", retry_after),))
        self.until = until
        self.asked: list[float] = []

    def __call__(self, _request: Request) -> Reply | None:
        self.asked.append(time.time())
        return self._reply if self.asked[-1] < self.until else None


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(World.of(47, [(TENCH, "tench")], flickr=2 * N, other=0, mix={Fate.ALIVE: 1})) as running:
        yield running


@pytest.fixture
def planned(tmp_path: Path, standin: StandIn) -> Scraper:
    scraper = Scraper(tmp_path, standin)
    scraper.done("plan", TENCH, "-n", str(N))
    return scraper


@pytest.mark.parametrize("status", [429, 503, 403, 400, 999])
def test_whatever_words_a_host_refuses_everybody_in_it_is_waited_for_and_no_photo_is_lost(
    planned: Scraper, standin: StandIn, status: int
) -> None:
    standin.between = limits = Limits(Penalty(Bucket(40, 10), 1.5), status=status, hurried=HURRIED)
    planned.done("fetch")
    assert limits.refused
    assert planned.one("SELECT count(*) FROM images") == N
    assert "lost" not in {state for state, _ in planned.rows(STATES)}
    check(planned)


@pytest.mark.parametrize("status", [429, 403])
def test_a_survey_waits_too_and_takes_no_refusal_for_an_answer(planned: Scraper, standin: StandIn, status: int) -> None:
    standin.between = limits = Limits(Penalty(Bucket(40, 20), 1.5), status=status, hurried=HURRIED)
    # On a machine so busy that the last refusals come together, the survey ends with them, and says what helps.
    assert planned.run("survey", "--sample", str(N)).code in ((0,) if status in (429, 503) else (0, 4))
    assert limits.refused
    outcomes = dict(planned.rows("SELECT outcome, count(*) FROM rechecks GROUP BY 1"))
    assert sum(outcomes.values()) == N
    assert set(outcomes) <= {"saved", "intercepted", "forbidden"}
    assert outcomes["saved"] >= N / 2
    assert outcomes.get("forbidden", 0) <= 4, "the first ones, between pictures, are on record at once"


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_nobody_asks_before_the_time_that_the_host_names(planned: Scraper, standin: StandIn, form: str) -> None:
    back = time.time() + 8
    standin.between = closed = Closed("9" if form == "seconds" else formatdate(back, usegmt=True), back)
    planned.done("fetch")
    assert len([at for at in closed.asked if at < int(back)]) <= 8, "those that were under way together"
    assert planned.one("SELECT count(*) FROM images") == N


def test_a_time_beyond_patience_ends_the_run_and_is_named(planned: Scraper, standin: StandIn) -> None:
    back = time.time() + 6 * 3600
    standin.between = Closed(formatdate(back, usegmt=True), back)
    result = planned.done("fetch", code=4)
    assert time.strftime("%H:%M", time.localtime(back + 59)) in result.err.splitlines()[-1]
    assert "asked again" not in result.err
    check_manifest(planned)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_time_that_a_host_names_outlives_a_stop(planned: Scraper, standin: StandIn, how: signal.Signals) -> None:
    standin.between = closed = Closed("6", time.time() + 3600)
    process = planned.start("fetch")
    until(lambda: planned.one("SELECT count(closed) FROM paces") > 0, process)
    process.send_signal(how)
    if how is signal.SIGKILL:
        process.communicate()
    else:
        assert finish(process).code == 130
        assert planned.one("SELECT exit_code FROM runs ORDER BY id DESC LIMIT 1") == 130
    first, asked = closed.asked[-1], len(closed.asked)
    closed.until = 0
    planned.done("fetch")
    assert closed.asked[asked] - first >= 5.5
    assert planned.one("SELECT count(*) FROM images") == N
    check(planned)

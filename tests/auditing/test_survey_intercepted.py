"""A network, a proxy or a block answers in the host's place: no survey takes that for a wave of deaths."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.command import Scraper, check_manifest, finish, until
from tests.fetching.test_intercepted import ALIKE, closed_port
from tests.standin import Fate, StandIn, World, between

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standin import Request
    from tests.standin.replies import Reply

CLASSES = [(f"n{10_000_000 + number:08d}", f"class {number}") for number in range(12)]
ANSWERS = "SELECT outcome, count(*) FROM rechecks GROUP BY outcome ORDER BY outcome"
CANDIDATES = "SELECT * FROM candidates ORDER BY id"


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn(World.of(51, CLASSES, flickr=40, other=0, mix={Fate.ALIVE: 1})) as running:
        yield running


@pytest.fixture
def planned(tmp_path: Path, standin: StandIn) -> Iterator[Scraper]:
    scraper = Scraper(tmp_path, standin)
    scraper.done("plan", *(wnid for wnid, _ in CLASSES), "-n", "2")
    scraper.done("fetch")
    standin.reset_counts()
    yield scraper
    standin.between, standin.latency = None, 0.0


def nobody_has_died(scraper: Scraper) -> None:
    """Whatever was answered, no survey says that a photo is gone, or no picture, or forbidden."""
    check_manifest(scraper)
    assert {outcome for outcome, _ in scraper.rows(ANSWERS)} <= {"intercepted", "saved"}
    for row in scraper.report()["surveys"]:
        assert not row["rate"]
    assert {wave["outcome"] for wave in scraper.report()["waves"]} <= {"intercepted", "saved"}


@pytest.mark.parametrize("name", ALIKE)
def test_answers_alike_are_no_wave_of_deaths(planned: Scraper, standin: StandIn, name: str) -> None:
    before = planned.rows(CANDIDATES)
    standin.between, said = ALIKE[name]
    err = planned.done("survey", "--sample", "400", code=4).err
    assert said in err
    assert "--believe-answers" in err
    assert len(standin.requests) <= 100
    assert planned.rows("SELECT exit_code FROM runs ORDER BY id DESC LIMIT 1") == [(4,)]
    nobody_has_died(planned)
    assert {outcome for outcome, _ in planned.rows(ANSWERS)} == {"intercepted"}
    assert planned.rows(CANDIDATES) == before
    standin.between = None
    assert "0.0% of the URLs of the lists are dead" in planned.done("survey", "--sample", "100").out


def test_404_for_everything_ends_early_and_nobody_is_dead(planned: Scraper, standin: StandIn) -> None:
    standin.between = between.refusing(404)
    err = planned.done("survey", "--sample", "480", code=4).err
    assert "nearly every answer is 404 Not Found" in err
    assert 200 <= len(standin.requests) <= 300
    nobody_has_died(planned)


@pytest.mark.parametrize("answer", [between.portal, between.picture])
def test_a_network_that_changes_in_the_middle(planned: Scraper, standin: StandIn, answer: between.Between) -> None:
    asked = []

    def later(request: Request) -> Reply | None:
        asked.append(request)
        return answer(request) if len(asked) > 30 else None

    standin.between = later
    result = planned.done("survey", "--sample", "400", "--threads", "1", code=4)
    assert "photos in a row and no picture: every answer is" in result.err
    nobody_has_died(planned)
    found = dict(planned.rows(ANSWERS))
    assert 30 <= found["saved"] <= 32  # two of the same picture may be a picture
    assert found["intercepted"] >= 14


def test_a_host_that_refuses_all_from_the_middle_on_is_waited_for_while_there_is_patience(
    planned: Scraper, standin: StandIn
) -> None:
    refuse, asked = between.refusing(403), []

    def later(request: Request) -> Reply | None:
        asked.append(request)
        return refuse(request) if len(asked) > 30 else None

    standin.between = later
    result = planned.done("survey", "--sample", "400", "--threads", "1", "--patience", "4s", code=4)
    assert "keeps refusing (forbidden)" in result.err
    nobody_has_died(planned)
    found = dict(planned.rows(ANSWERS))
    assert found["saved"] == 30
    assert set(found) == {"saved", "intercepted"}


def test_a_host_that_refuses_all_for_a_moment_refuses_nobody_for_good(planned: Scraper, standin: StandIn) -> None:
    refuse = between.refusing(403)
    asked = []

    def answer(request: Request) -> Reply | None:
        asked.append(request)
        return refuse(request) if 10 <= len(asked) <= 16 else None

    standin.between = answer
    result = planned.done("survey", "--sample", "60", "--threads", "1")
    assert "7 photos in a row were answered alike" in result.err
    assert planned.rows(ANSWERS) == [("intercepted", 7), ("saved", 53)]
    nobody_has_died(planned)


def test_an_honest_refusal_here_and_there_is_recorded(planned: Scraper, standin: StandIn) -> None:
    refuse, asked = between.refusing(403), []

    def answer(request: Request) -> Reply | None:
        asked.append(request)
        return refuse(request) if len(asked) % 10 == 0 else None

    standin.between = answer
    planned.done("survey", "--sample", "60", "--threads", "1")
    assert planned.rows(ANSWERS) == [("forbidden", 6), ("saved", 54)]


def test_who_knows_better_says_so(planned: Scraper, standin: StandIn) -> None:
    standin.between = between.portal
    planned.done("survey", "--sample", "100", "--believe-answers")
    assert planned.rows(ANSWERS) == [("not_image", 100)]


def test_what_was_dead_before_may_be_dead_again(tmp_path: Path) -> None:
    """Three hundred in a row without a picture tell of no network where that is what was known."""
    with StandIn(World.of(52, CLASSES[:4], flickr=75, other=0, mix={Fate.GONE_404: 1})) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", *(wnid for wnid, _ in CLASSES[:4]), "-n", "10")
        scraper.done("fetch", "--believe-answers")
        scraper.done("survey", "--of", "answered", "--outcomes", "gone")
        assert scraper.rows(ANSWERS) == [("gone", 300)]


def test_a_small_list_may_be_dead_altogether(tmp_path: Path) -> None:
    with StandIn(World.of(53, CLASSES[:1], flickr=40, other=0, mix={Fate.GONE_404: 1})) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", CLASSES[0][0])
        result = scraper.done("survey")
        assert "not one picture came, and 40 answers without" in result.err
        assert scraper.rows(ANSWERS) == [("gone", 40)]


def test_the_only_picture_of_a_survey_counts(planned: Scraper) -> None:
    planned.done("survey", "--sample", "1")
    assert planned.rows(ANSWERS) == [("saved", 1)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_survey_that_is_cut_short_tells_of_no_deaths(planned: Scraper, standin: StandIn, number: int) -> None:
    standin.between, standin.latency = between.portal, 0.3
    process = planned.start("survey", "--sample", "400", "--threads", "2")
    planned.wait("SELECT count(*) FROM surveys", 1, process)
    until(lambda: len(standin.requests) >= 4, process)
    os.kill(process.pid, number)
    if number == signal.SIGINT:
        assert finish(process).code == 130
    else:
        process.communicate()
    nobody_has_died(planned)


def test_a_survey_that_reaches_nobody_does_not_end_well(planned: Scraper) -> None:
    planned.standin = None
    err = planned.done("survey", "--sample", "20", "--connect-to", f":443:127.0.0.1:{closed_port()}", code=4).err
    assert "Connection refused" in err or "cannot be reached" in err or "nothing was learnt" in err
    assert {outcome for outcome, _ in planned.rows(ANSWERS)} <= {"connection_error"}

"""A network, a proxy or a block answers in the host's place: no photo is spent by it, and the run says what it saw."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.command import Scraper, check, check_files, check_manifest, finish
from tests.conftest import TENCH
from tests.standin import Fate, StandIn, World, between
from tests.standin.replies import NOT_FOUND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standin import Request
    from tests.standin.replies import Reply

N = 10
CLASSES = [(f"n{10_000_000 + number:08d}", f"class {number}") for number in range(12)]
STATES = "SELECT state, outcome, count(*) FROM candidates GROUP BY state, outcome ORDER BY state, outcome"
ALIKE = {
    "portal": (between.portal, "every answer is the page 'Guest Wi-Fi login'"),
    "changing portal": (between.changing_portal, "every answer is the page 'Guest Wi-Fi login 1"),
    "untitled portal": (between.untitled_portal, "every answer is a page without a title"),
    "portal with noindex": (between.unindexed_portal, "every answer is the page 'Guest Wi-Fi login'"),
    "redirect to a login": (between.to_login, "every answer is the page 'Guest Wi-Fi login' at portal.example.com"),
    "redirect into the network": (between.to_private_login, "every answer is a redirect to 10.0.0.1/login"),
    "redirect to itself": (between.to_itself, "every answer is a redirect that leads nowhere"),
    "the same picture": (between.picture, "every answer is the same picture"),
    "nothing": (between.nothing, "every answer is an empty body"),
    "401": (between.refusing(401), "every answer is 401 Unauthorized, the page 'Access denied'"),
    "403": (between.refusing(403), "every answer is 403 Forbidden, the page 'Access denied'"),
    "451": (between.refusing(451), "every answer is 451 Unavailable For Legal Reasons"),
    "400": (between.refusing(400), "every answer is 400 Bad Request"),
    "408": (between.refusing(408), "every answer is 408 Request Timeout"),
    "420": (between.refusing(420), "every answer is 420"),
    "999": (between.refusing(999), "every answer is 999"),
}


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn(World.of(41, [(TENCH, "tench")], flickr=40, other=0, mix={Fate.ALIVE: 1})) as running:
        yield running


@pytest.fixture
def planned(tmp_path: Path, standin: StandIn) -> Iterator[Scraper]:
    scraper = Scraper(tmp_path, standin)
    scraper.done("plan", TENCH, "-n", str(N))
    standin.reset_counts()
    yield scraper
    standin.between, standin.latency = None, 0.0


def nothing_spent(scraper: Scraper) -> None:
    """No candidate is lost or saved; those that were asked for rest as unknown."""
    check_manifest(scraper)
    assert scraper.rows("SELECT outcome, error FROM attempts WHERE outcome = 'tls_error'") == []
    assert {(state, outcome) for state, outcome, _ in scraper.rows(STATES)} <= {
        ("waiting", None),
        ("unknown", "intercepted"),
    }
    report = scraper.report()
    assert set(report["outcomes"]) <= {"intercepted"}
    assert report["totals"]["unknown"] == sum(report["outcomes"].values())
    assert report["link_rot"]["decided"] == 0


@pytest.mark.parametrize("name", ALIKE)
def test_answers_alike_spend_no_photo_and_the_next_fetch_asks_again(
    planned: Scraper, standin: StandIn, name: str
) -> None:
    standin.between, said = ALIKE[name]
    err = planned.done("fetch", "--retries", "1", code=4).err
    assert said in err
    assert "--believe-answers" in err
    assert planned.one("SELECT count(*) FROM attempts") <= 40
    assert planned.rows("SELECT exit_code FROM runs ORDER BY id DESC LIMIT 1") == [(4,)]
    nothing_spent(planned)
    planned.done("fetch", "--retries", "1", code=4)
    nothing_spent(planned)
    standin.between = None
    planned.done("fetch")
    assert planned.one("SELECT count(*) FROM images") == N
    check(planned)


@pytest.mark.parametrize("threads", ["1", "64"])
def test_a_portal_is_known_after_some_dozen_requests(tmp_path: Path, threads: str) -> None:
    world = World.of(42, CLASSES, flickr=60, other=0, mix={Fate.ALIVE: 1})
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", *(wnid for wnid, _ in CLASSES), "-n", "20")
        standin.reset_counts()
        standin.between = between.portal
        scraper.done("fetch", "--threads", threads, code=4)
        assert len(standin.requests) <= 20 + 3 * int(threads)
        nothing_spent(scraper)


@pytest.mark.parametrize("answer", [between.portal, between.refusing(403), between.refusing(404), between.picture])
def test_a_kill_while_nothing_is_known_yet_spends_no_photo(
    planned: Scraper, standin: StandIn, answer: between.Between
) -> None:
    standin.between, standin.latency = answer, 0.1
    process = planned.start("fetch", "--threads", "2")
    # Of 404, which is an honest answer too, the first dozen are believed until there is a dozen.
    held = "SELECT count(*) FROM revisions WHERE outcome_after = 'intercepted'"
    planned.wait(held, 13 if answer is not between.portal else 1, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    nothing_spent(planned)
    standin.between, standin.latency = None, 0.0
    planned.done("fetch")
    assert planned.one("SELECT count(*) FROM images") == N
    check(planned)


def test_ctrl_c_in_the_middle_spends_no_photo(planned: Scraper, standin: StandIn) -> None:
    standin.between, standin.latency = between.portal, 0.3
    process = planned.start("fetch", "--threads", "2")
    planned.wait("SELECT count(*) FROM attempts", 2, process)
    process.send_signal(signal.SIGINT)
    assert finish(process).code == 130
    nothing_spent(planned)


@pytest.mark.parametrize("answer", [between.portal, between.refusing(403)])
def test_a_network_that_changes_in_the_middle(planned: Scraper, standin: StandIn, answer: between.Between) -> None:
    """What was saved before stays; what is answered alike afterwards is nobody's own answer."""
    planned.done("plan", TENCH, "-n", "30")
    standin.latency = 0.1
    process = planned.start("fetch", "--threads", "2", "--patience", "4s")
    planned.wait("SELECT count(*) FROM images", 5, process)
    standin.between = answer
    result = finish(process)
    assert result.code == 4
    portal = answer is between.portal
    assert ("no picture: every answer is" if portal else "keeps refusing (forbidden)") in result.err
    check(planned)
    states = {(state, outcome) for state, outcome, _ in planned.rows(STATES)}
    assert states >= {("saved", "saved"), ("unknown", "intercepted")}
    assert states <= {
        ("saved", "saved"),
        ("unknown", "intercepted"),
        ("waiting", "forbidden"),
        ("waiting", None),
    }
    standin.between, standin.latency = None, 0.0
    planned.done("fetch")
    assert planned.one("SELECT count(*) FROM images") == 30
    check(planned)


def test_a_host_that_refuses_all_for_a_moment_refuses_nobody_for_good(planned: Scraper, standin: StandIn) -> None:
    refuse = between.refusing(403)
    asked = []

    def answer(request: Request) -> Reply | None:
        asked.append(request)
        return refuse(request) if 3 <= len(asked) <= 9 else None

    standin.between = answer
    result = planned.done("fetch", "--threads", "1")
    assert "7 photos in a row were answered alike" in result.err
    assert planned.rows(STATES)[:2] == [("saved", "saved", N), ("unknown", "intercepted", 7)]
    check(planned)


def test_who_knows_better_says_so(planned: Scraper, standin: StandIn) -> None:
    standin.between = between.portal
    planned.done("fetch", "--believe-answers")
    assert planned.rows(STATES) == [("lost", "not_image", 40)]
    reason = planned.report()["classes"][0]["reason"]
    assert reason == "list exhausted: 40 of 40 not_image (`scraper fetch --retry not_image` asks again)"
    standin.between = None
    planned.done("fetch", "--retry", "not_image")
    assert planned.one("SELECT count(*) FROM images") == N
    check(planned)


# --- 404 for everything -----------------------------------------------------------------------------------------------


def test_404_for_everything_ends_early_and_nobody_is_dead(tmp_path: Path) -> None:
    world = World.of(43, CLASSES, flickr=100, other=0, mix={Fate.ALIVE: 1})
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", *(wnid for wnid, _ in CLASSES), "-n", "10")
        standin.reset_counts()
        standin.between = between.refusing(404)
        err = scraper.done("fetch", code=4).err
        assert "not one picture among 2" in err
        assert "nearly every answer is 404 Not Found" in err
        assert 200 <= len(standin.requests) <= 200 + 3 * 32
        nothing_spent(scraper)
        assert "are dead" not in scraper.done("report").out
        standin.between = None
        scraper.done("fetch")
        assert scraper.one("SELECT count(*) FROM images") == 120
        check(scraper)


def test_a_few_dead_photos_and_no_picture_are_believed_with_a_word(planned: Scraper, standin: StandIn) -> None:
    """A list of forty may be dead altogether: 200 may not."""
    standin.between = between.refusing(404)
    result = planned.done("fetch")
    assert "not one picture came, and 40 answers without" in result.err
    assert planned.rows(STATES) == [("lost", "gone", 40)]
    reason = planned.report()["classes"][0]["reason"]
    assert reason == "list exhausted: 40 of 40 gone (`scraper fetch --retry gone` asks again)"
    check(planned)


def test_a_dead_class_among_living_ones_is_dead(tmp_path: Path) -> None:
    world = World.of(44, CLASSES[:4], flickr=150, other=0, mix={Fate.ALIVE: 1})
    dead = CLASSES[1][0]
    addresses = {url.partition("://")[2] for url in world.flickr_urls(dead)}
    with StandIn(world) as standin:
        standin.between = lambda request: NOT_FOUND if request.address in addresses else None
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", *(wnid for wnid, _ in CLASSES[:4]), "-n", "30")
        scraper.done("fetch")
        rows = scraper.rows(
            "SELECT wnid, outcome, count(*) FROM candidates WHERE tries GROUP BY wnid, outcome ORDER BY wnid"
        )
        assert (dead, "gone", 150) in rows
        assert scraper.one("SELECT count(*) FROM images") == 90
        assert scraper.rows("SELECT outcome FROM candidates WHERE outcome = 'intercepted'") == []
        check(scraper)


def test_a_second_try_elsewhere_does_not_hide_a_network(planned: Scraper, standin: StandIn) -> None:
    """Nothing of a doubted answer is kept, the other form of its URL included."""
    standin.between = between.portal
    planned.done("fetch", "--second-try", "live", code=4)
    nothing_spent(planned)
    assert planned.rows("SELECT DISTINCT form, fate FROM candidates") == [(None, None)]


# --- honest refusals --------------------------------------------------------------------------------------------------


def test_what_was_forbidden_before_may_be_forbidden_again(tmp_path: Path) -> None:
    mix = {Fate.ALIVE: 1.0, Fate.FORBIDDEN: 1.0}
    with StandIn(World.of(45, [(TENCH, "tench")], flickr=60, other=0, mix=mix)) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, "-n", "60")
        scraper.done("fetch", "--threads", "4")
        forbidden = scraper.one("SELECT count(*) FROM attempts WHERE outcome = 'forbidden'")
        assert forbidden > 16
        scraper.done("fetch", "--retry", "forbidden", "--threads", "4")
        assert scraper.one("SELECT count(*) FROM attempts WHERE outcome = 'forbidden'") > forbidden
        check(scraper)


def test_a_few_that_are_refused_run_after_run_are_refused_in_the_end(planned: Scraper, standin: StandIn) -> None:
    refuse = between.refusing(403)
    refused = {url.partition("://")[2] for url in standin.world.flickr_urls(TENCH)[:5]}
    standin.between = lambda request: refuse(request) if request.address in refused else None
    planned.done("plan", TENCH, "-n", "40")
    codes = [planned.run("fetch", "--threads", "1").code for _ in range(4)]
    assert codes == [0, 4, 0, 0]
    assert planned.rows(STATES) == [("lost", "forbidden", 5), ("saved", "saved", 35)]
    check(planned)


# --- nothing learnt ---------------------------------------------------------------------------------------------------


def closed_port() -> int:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_a_run_that_reaches_nobody_does_not_end_well(planned: Scraper) -> None:
    planned.standin = None
    words = ("fetch", "--retries", "1", "--patience", "3s", "--connect-to", f":443:127.0.0.1:{closed_port()}")
    err = planned.done(*words, code=4).err
    assert "Connection refused" in err or "cannot be reached" in err
    assert planned.one("SELECT count(*) FROM candidates WHERE state = 'lost'") == 0
    check_manifest(planned)
    planned.done(*words, code=4)


def test_a_run_that_is_only_told_to_come_back_does_not_end_well(planned: Scraper, standin: StandIn) -> None:
    planned.done("plan", TENCH, "-n", "1")
    planned.done("fetch")
    standin.between = between.refusing(500)
    planned.done("plan", TENCH, "-n", "3")
    err = planned.done("fetch", "--retries", "1", "--no-top-up", code=4).err
    assert "nothing was learnt of any of the" in err
    assert "server error" in err


def test_a_handful_that_stays_unknown_is_no_failure_of_later_runs(tmp_path: Path) -> None:
    mix = {Fate.ALIVE: 9.0, Fate.CUT_ALWAYS: 1.0}
    with StandIn(World.of(46, [(TENCH, "tench")], flickr=30, other=0, mix=mix)) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, "-n", "30")
        scraper.done("fetch", "--retries", "1")
        assert 1 <= scraper.one("SELECT count(*) FROM candidates WHERE state = 'unknown'") <= 8
        scraper.done("fetch", "--retries", "1")
        check_files(scraper)


# --- what earlier versions have spoilt --------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["bad_url", "not_image", "forbidden", "gone"])
def test_a_manifest_that_was_spoilt_is_mended(planned: Scraper, standin: StandIn, outcome: str) -> None:
    """As earlier versions left it, for which a proxy that was spelled otherwise made every URL a bad one."""
    standin.between = between.refusing(404)
    planned.done("fetch")
    with closing(sqlite3.connect(planned.manifest)) as database, database:
        for table in ("attempt", "candidate", "class_outcomes", "host_outcomes"):
            database.execute(f"UPDATE {table} SET outcome = ? WHERE outcome = 'gone'", (outcome,))  # noqa: S608
    standin.between = None
    assert "0 images" in planned.done("fetch").out
    reason = planned.report()["classes"][0]["reason"]
    assert reason == f"list exhausted: 40 of 40 {outcome} (`scraper fetch --retry {outcome}` asks again)"
    planned.done("fetch", "--retry", outcome)
    assert planned.one("SELECT count(*) FROM images") == N
    check(planned)

"""Another chance, end to end: dead URLs in another form, final outcomes once more, and looser rules on request."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from scraper.fetching.doubts import BELIEVED, FOR_THE_PACE
from scraper.running.watching import DOUBTED
from tests.command import Scraper, check
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standin import Request, Wire

LIVE = "live.staticflickr.com"
MIX = {Fate.ALIVE: 2.0, Fate.GONE_404: 3.0, Fate.PLACEHOLDER_REDIRECT: 2.0, Fate.FORBIDDEN: 1.0}
OLD = ("static.flickr.com", *(f"farm{n}.static{dot}flickr.com" for n in range(1, 9) for dot in (".", "")))
"""The hosts whose photos moved."""
DOUBTS = (DOUBTED, BELIEVED, FOR_THE_PACE)
"""Why candidates are revised for what is in doubt for a while: refusals in a row, as the order of answers has them."""


def old(url: str) -> bool:
    return urlsplit(url).hostname in OLD


def target(url: str) -> str:
    """Path and query, as asked for on the new host."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@dataclass(frozen=True, slots=True)
class Moved:
    """A world where some dead URLs are alive at the same path on the new host."""

    world: World
    standin: StandIn
    scraper: Scraper
    dead: frozenset[str]
    back: frozenset[str]

    def host_counts(self) -> dict[tuple[str, str], int]:
        rows = self.scraper.rows("SELECT host, outcome, candidates FROM host_outcomes WHERE candidates > 0")
        return {(host, outcome): candidates for host, outcome, candidates in rows}


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[Moved]:
    world = World.of(17, CLASSES, flickr=40, other=0, mix=MIX)
    dead = world.urls(Fate.GONE_404, Fate.PLACEHOLDER_REDIRECT)
    back = frozenset([url for url in dead if old(url)][::2])
    bodies = {target(url): world.photo_bytes(url) for url in back}

    async def live(request: Request, wire: Wire) -> None:
        body = bodies.get(request.path)
        head = b"404 Not Found" if body is None else b"200 OK"
        wire.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (head, len(body or b"")) + (body or b""))
        await wire.flush()

    with StandIn(world) as standin:
        standin.script(LIVE, "*", live)
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "100")
        standin.reset_counts()
        yield Moved(world, standin, scraper, frozenset(dead), back)


def repaired(moved: Moved) -> None:
    """What holds after every URL was tried with --second-try live, in one run or in two."""
    scraper, world = moved.scraper, moved.world
    rows = scraper.rows("SELECT url, state, outcome, form, fate FROM candidates")
    assert {url for url, *_ in rows} == set(world.urls())
    assert len(moved.back) >= 5
    assert len({fate for url, _, _, _, fate in rows if url in moved.back}) == 2
    for url, state, outcome, form, fate in rows:
        own = world.expected(url).outcome
        if url in moved.back:
            assert (state, outcome, form, fate) == ("saved", "saved", "live", own)
        elif url in moved.dead and old(url):
            assert (state, outcome, form, fate) == ("lost", own, "live", own)
        else:
            assert (outcome, form, fate) == (own, None, None)
    # What came is the photo, under the name of its own URL, and the attempts tell both stories.
    for url, path in scraper.rows("SELECT url, path FROM images"):
        assert (scraper.images / path).read_bytes() == world.photo_bytes(url)
        assert path.rpartition("/")[2] == urlsplit(url).path.rpartition("/")[2]
    asked = scraper.rows(
        "SELECT url, try, attempts.outcome, final_url FROM attempts JOIN candidates ON candidates.id = candidate_id "
        "WHERE form = 'live' ORDER BY candidate_id, attempts.id"
    )
    for (url, *first), (same, *second) in zip(asked[::2], asked[1::2], strict=True):
        assert url == same
        assert first[:2] == [1, world.expected(url).outcome]
        assert second == [2, "saved" if url in moved.back else "gone", f"https://{LIVE}{target(url)}"]
    # A host's counts are of its URLs as they were listed.
    assert moved.host_counts() == Counter(
        (urlsplit(url).hostname or "", world.expected(url).outcome) for url in world.urls()
    )
    check(scraper)
    report = scraper.report()
    assert report["link_rot"]["dead"] == len(moved.dead)
    assert report["link_rot"]["alive"] == len(world.urls(Fate.ALIVE))
    assert report["totals"]["saved"] == len(world.urls(Fate.ALIVE)) + len(moved.back)
    assert (
        sum(row["dead"] for row in report["hosts"]) == sum(row["dead"] for row in report["classes"]) == len(moved.dead)
    )


def test_dead_urls_are_tried_in_their_live_form(moved: Moved) -> None:
    moved.scraper.done("fetch", "--second-try", "live")
    repaired(moved)
    assert moved.scraper.one("SELECT count(*) FROM revisions WHERE reason NOT IN (?, ?, ?)", *DOUBTS) == 0
    live = Counter(seen.path for seen in moved.standin.requests if seen.host == LIVE)
    assert live == dict.fromkeys((target(url) for url in moved.dead if old(url)), 1)
    moved.standin.reset_counts()
    moved.scraper.done("fetch", "--second-try", "live")
    assert moved.standin.requests == []
    assert moved.scraper.done("verify").out.endswith("all as recorded\n")


def test_dead_urls_of_an_earlier_run_are_too(moved: Moved) -> None:
    scraper = moved.scraper
    scraper.done("fetch")
    counts = moved.host_counts()
    assert scraper.one("SELECT count(*) FROM candidates WHERE form IS NOT NULL OR fate IS NOT NULL") == 0
    moved.standin.reset_counts()
    scraper.done("fetch", "--second-try", "live")
    assert {seen.host for seen in moved.standin.requests} == {LIVE}  # nothing else is asked for again
    repaired(moved)
    assert moved.host_counts() == counts
    revised = scraper.rows(
        "SELECT url, outcome_before, outcome_after, state_after, reason, command FROM revisions "
        "JOIN candidates ON candidates.id = candidate_id JOIN runs ON runs.id = run_id WHERE reason NOT IN (?, ?, ?)",
        *DOUBTS,
    )
    assert sorted(revised) == sorted(
        (url, own, own, "waiting", "--second-try live", "fetch")
        for url in moved.dead
        if old(url)
        for own in (moved.world.expected(url).outcome,)
    )
    moved.standin.reset_counts()
    scraper.done("fetch", "--second-try", "live")
    assert moved.standin.requests == []


def test_a_survey_asks_for_the_url_itself(moved: Moved) -> None:
    moved.scraper.done("fetch", "--second-try", "live")
    moved.standin.reset_counts()
    moved.scraper.done("survey", "--of", "answered")
    assert LIVE not in {seen.host for seen in moved.standin.requests}
    assert moved.scraper.one("SELECT count(*) FROM rechecks WHERE outcome <> outcome_before") == 0


def test_repair_leaves_full_classes_alone(moved: Moved) -> None:
    scraper = moved.scraper
    scraper.done("plan", TENCH, CLOCK, "-n", "3")
    scraper.done("fetch")
    assert scraper.one("SELECT count(*) FROM shortfall") == 0
    moved.standin.reset_counts()
    scraper.done("fetch", "--second-try", "live")
    assert moved.standin.requests == []
    assert scraper.one("SELECT count(*) FROM revisions WHERE reason NOT IN (?, ?, ?)", *DOUBTS) == 0
    check(scraper)


def test_a_lost_file_of_a_repaired_image_comes_back(moved: Moved) -> None:
    scraper = moved.scraper
    scraper.done("fetch", "--second-try", "live")
    path = scraper.rows("SELECT path FROM images JOIN candidates ON candidates.id = candidate_id WHERE fate NOT NULL")[
        0
    ][0]
    body = (scraper.images / path).read_bytes()
    (scraper.images / path).unlink()
    result = scraper.done("fetch", "--second-try", "live")
    assert "1 image was missing" in result.err
    assert (scraper.images / path).read_bytes() == body
    check(scraper)


def test_a_forbidden_photo_is_asked_for_once_more(tmp_path: Path) -> None:
    world = World.of(19, CLASSES, flickr=25, other=0, mix=MIX)
    denied = world.urls(Fate.FORBIDDEN)
    assert len(denied) >= 3

    async def alive(_request: Request, wire: Wire) -> None:
        body = world.photo_bytes(denied[0])
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await wire.flush()

    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "100")
        scraper.done("fetch")
        standin.script(urlsplit(denied[0]).hostname or "", target(denied[0]), alive)
        standin.reset_counts()
        scraper.done("fetch")
        assert standin.requests == []  # nobody asked for it
        scraper.done("fetch", "--retry", "forbidden")
        assert {url: standin.count(url) for url in world.urls()} == {url: int(url in denied) for url in world.urls()}
    run = scraper.one("SELECT max(id) FROM runs")
    revised = scraper.rows(
        "SELECT run_id, outcome_before, outcome_after, state_after, reason, count(DISTINCT candidate_id) "
        "FROM revisions WHERE reason NOT IN (?, ?, ?) GROUP BY 1, 2, 3, 4, 5",
        *DOUBTS,
    )
    assert revised == [(run, "forbidden", None, "waiting", "--retry forbidden", len(denied))]
    tries = "SELECT try, attempts.outcome FROM attempts JOIN candidates ON candidates.id = candidate_id WHERE url = ?"
    assert scraper.rows(tries, denied[0]) == [(1, "forbidden"), (2, "saved")]
    assert scraper.rows(tries, denied[1]) == [(1, "forbidden"), (2, "forbidden")]
    assert scraper.rows("SELECT state, outcome, tries FROM candidates WHERE url = ?", denied[0]) == [
        ("saved", "saved", 2)
    ]
    (path,) = scraper.rows("SELECT path FROM images WHERE url = ?", denied[0])[0]
    assert (scraper.images / path).read_bytes() == world.photo_bytes(denied[0])
    check(scraper)


def test_how_thoroughly_images_were_checked_is_on_record(tmp_path: Path) -> None:
    """A picture that is damaged in its middle is let pass by its header, and not when it is decoded."""
    world = World.of(23, CLASSES, flickr=20, other=0, mix={Fate.ALIVE: 3, Fate.CORRUPT: 1, Fate.TRUNCATED: 1})
    found = {}
    with StandIn(world) as standin:
        for check_name in ("decode", "header"):
            scraper = Scraper(tmp_path / check_name, standin)
            scraper.folder.mkdir()
            scraper.done("plan", TENCH, CLOCK, "-n", "100")
            scraper.done("fetch", *(("--check", "header") if check_name == "header" else ()))
            assert scraper.rows("SELECT DISTINCT checked FROM images") == [(check_name,)]
            check(scraper)
            found[check_name] = Counter(dict(scraper.rows("SELECT outcome, count(*) FROM candidates GROUP BY outcome")))
    assert found["decode"]["saved"] == len(world.urls(Fate.ALIVE))
    assert found["decode"]["corrupt"] == len(world.urls(Fate.CORRUPT)) > 0
    assert found["header"]["saved"] > found["decode"]["saved"]
    assert found["header"]["truncated"] == found["decode"]["truncated"] == len(world.urls(Fate.TRUNCATED)) > 0


def test_pictures_that_opt_out_are_kept_only_on_request(tmp_path: Path) -> None:
    world = World.of(29, CLASSES, flickr=20, other=0, mix={Fate.ALIVE: 3, Fate.OPTED_OUT: 1})
    private = world.urls(Fate.OPTED_OUT)
    assert private
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "100")
        scraper.done("fetch")
        assert {url for (url,) in scraper.rows("SELECT url FROM candidates WHERE outcome = 'opted_out'")} == set(
            private
        )
        scraper.done("fetch", "--ignore-opt-out")  # that alone asks for nothing that was answered for good
        assert scraper.one("SELECT count(*) FROM candidates WHERE outcome = 'opted_out'") == len(private)
        scraper.done("fetch", "--ignore-opt-out", "--retry", "opted_out")
        assert scraper.one("SELECT count(*) FROM images") == len(world.urls())
        assert '"--ignore-opt-out"' in scraper.one("SELECT argv FROM runs ORDER BY id DESC LIMIT 1")
        check(scraper)


def test_bad_input_changes_nothing(copied: Scraper) -> None:
    before = copied.snapshot()
    says = {
        "--retry saved": "--retry cannot be saved, which is no failure",
        "--retry withdrawn": "--retry cannot be withdrawn, which is no failure",
        "--retry dead": "--retry must be one of ",
        "--second-try dead": "--second-try must be one of live, not 'dead'",
        "--check never": "--check must be one of decode, header, not 'never'",
        "--ignore-opt-out=maybe": "--ignore-opt-out is True or False",
    }
    for words, message in says.items():
        result = copied.done("fetch", *words.split(), code=2)
        assert message in result.err
        assert result.err.count("\n") == 1
    assert copied.snapshot() == before

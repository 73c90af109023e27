"""Phase two, end to end: the real command, real requests, real files."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import shutil
import signal
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.command import Scraper, check, finish
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World, photos
from tests.standin.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.command import Result
    from tests.standin import Request, Wire

STUBBORN = (Fate.REDIRECT_LOOP, Fate.THROTTLED_ALWAYS, Fate.ERROR_ALWAYS, Fate.CUT_ALWAYS, Fate.RESET_ALWAYS)
MIX = dict.fromkeys(Fate, 1.0) | dict.fromkeys(STUBBORN, 0.4) | {Fate.ALIVE: 6.0}
FINAL = "SELECT id, state, outcome, tries, url FROM candidates WHERE state IN ('saved', 'lost')"


@dataclass(frozen=True, slots=True)
class Whole:
    """A world of which every URL was tried, and what its server had seen by then."""

    world: World
    standin: StandIn
    scraper: Scraper
    result: Result
    counts: dict[str, int]
    schemes: Counter[str]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    world = World.of(1, CLASSES, flickr=110, mix=MIX)
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path_factory.mktemp("whole"), standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "1000")
        standin.reset_counts()
        result = scraper.done("fetch", "--threads", "8", "--retries", "2")
        counts = {url: standin.count(url) for url in world.urls()}
        schemes = Counter(seen.scheme for seen in standin.requests)
        yield Whole(world, standin, scraper, result, counts, schemes)


@pytest.fixture
def again(whole: Whole, tmp_path: Path) -> Scraper:
    """A copy of the whole folder, to run on."""
    shutil.copytree(whole.scraper.folder, tmp_path / "again")
    return Scraper(tmp_path / "again", whole.standin)


def test_the_world_has_every_fate(whole: Whole) -> None:
    assert {whole.world.fate(url) for url in whole.world.urls()} == set(Fate)


def test_every_candidate_ends_as_it_must(whole: Whole) -> None:
    found = dict(whole.scraper.rows("SELECT url, outcome FROM candidates"))
    assert set(found) == set(whole.world.urls())
    twins = {photo for photo in found if whole.world.fate(photo) is Fate.SAME_BYTES}
    bodies = {whole.world.photo_bytes(url) for url in twins}
    twins |= {url for url in found if whole.world.fate(url) is Fate.ALIVE and whole.world.photo_bytes(url) in bodies}
    wrong = {url: found[url] for url in set(found) - twins if found[url] != whole.world.expected(url).outcome}
    assert wrong == {}
    for body in bodies:  # too many photos to be one
        outcomes = Counter(found[url] for url in twins if whole.world.photo_bytes(url) == body)
        assert outcomes == {"placeholder": outcomes.total()}
        assert outcomes.total() >= 3


def test_the_same_bytes_for_several_photos_are_a_placeholder(whole: Whole) -> None:
    """Whichever came first was an image, and what came next a duplicate, until there were three."""
    found = dict(whole.scraper.rows("SELECT sha256, photos FROM placeholders"))
    direct = hashlib.sha256(whole.world.placeholder).hexdigest()
    same = {hashlib.sha256(whole.world.photo_bytes(url)).hexdigest() for url in whole.world.urls(Fate.SAME_BYTES)}
    assert found == dict.fromkeys(same | {direct}, 3)
    for sha256 in found:
        revised = whole.scraper.rows(
            "SELECT outcome_before, outcome_after, state_after, reason, attempts.outcome FROM revisions "
            "JOIN attempts USING (candidate_id) WHERE sha256 = ? ORDER BY attempts.id",
            sha256,
        )
        # In a class of its own each of them would be an image; in the same one the second is a duplicate.
        assert [row[0] for row in revised] in (["saved", "duplicate"], ["saved", "saved"])
        assert {row[1:4] for row in revised} == {("placeholder", "lost", "the same bytes came for several photos")}
        assert [row[0] for row in revised] == [row[4] for row in revised]  # attempts tell what was so then


def test_last_statuses_are_the_servers(whole: Whole) -> None:
    last = "(SELECT max(id) FROM attempts WHERE candidate_id = candidates.id)"
    sql = f"SELECT url, status FROM candidates JOIN attempts ON attempts.id = {last}"  # noqa: S608 - our own text
    for url, status in whole.scraper.rows(sql):
        fate, expected = whole.world.fate(url), whole.world.expected(url).status
        # The redirect's name tells, so the picture at its end is not asked for.
        assert status == (302 if fate is Fate.PLACEHOLDER_REDIRECT else expected), (url, fate)


def test_invariants_hold_and_unknown_is_never_lost(whole: Whole) -> None:
    check(whole.scraper)
    states = {(state, outcome) for state, outcome in whole.scraper.rows("SELECT state, outcome FROM candidates")}
    unknown = {"redirect_error", "throttled", "server_error", "connection_error"}
    assert {outcome for state, outcome in states if state == "unknown"} == unknown
    assert {state for state, _ in states} == {"saved", "lost", "unknown"}


def test_images_are_the_photos_byte_for_byte(whole: Whole) -> None:
    rows = whole.scraper.rows("SELECT wnid, url, path, sha256, bytes, format, width, height, saved_at FROM images")
    assert rows
    for wnid, url, path, sha256, size, form, width, height, saved_at in rows:
        body = whole.world.photo_bytes(url)
        assert path == f"{wnid}/{urlsplit(url).path.rpartition('/')[2]}"
        assert (whole.scraper.images / path).read_bytes() == body
        assert (sha256, size) == (hashlib.sha256(body).hexdigest(), len(body))
        with Image.open(io.BytesIO(body)) as image:
            assert (form, width, height) == (image.format, *image.size)
        assert saved_at.endswith("Z")
        assert len(saved_at) == len("2026-01-01T00:00:00.000Z")


def test_one_attempt_for_each_request(whole: Whole) -> None:
    tries = dict(whole.scraper.rows("SELECT url, tries FROM candidates"))
    assert tries == whole.counts  # the server's word against ours; redirects lead elsewhere
    for url, count in tries.items():
        fate = whole.world.fate(url)
        twice = fate.value.endswith("_once") or (fate in STUBBORN and fate is not Fate.REDIRECT_LOOP)
        assert count == (2 if twice else 1), fate
    run = whole.scraper.one("SELECT id FROM runs WHERE command = 'fetch'")
    assert whole.scraper.rows("SELECT DISTINCT run_id FROM attempts") == [(run,)]
    assert whole.scraper.one("SELECT min(seconds) FROM attempts") > 0
    assert whole.scraper.rows("SELECT DISTINCT retry_after FROM attempts WHERE status = 429") == [(1.0,)]
    assert whole.scraper.one("SELECT count(*) FROM attempts WHERE outcome IN ('corrupt', 'connection_error')") > 0
    silent = "SELECT count(*) FROM attempts WHERE outcome IN ('corrupt', 'connection_error') AND error IS NULL"
    assert whole.scraper.one(silent) == 0


def test_redirects_are_recorded_hop_by_hop(whole: Whole) -> None:
    sql = "SELECT url, hops, final_url FROM attempts JOIN candidates ON candidates.id = candidate_id"
    for url, hops, final_url in whole.scraper.rows(sql):
        asked = url.replace("http://", "https://")
        status = {Fate.MOVED: 301, Fate.PLACEHOLDER_REDIRECT: 302, Fate.REDIRECT_LOOP: 302}.get(whole.world.fate(url))
        if status is None:
            assert (hops, final_url) == (None, asked)
            continue
        (hop,) = json.loads(hops)
        assert (hop["url"], hop["status"]) == (asked, status)
        assert hop["location"] == final_url
        if status == 301:
            assert final_url.startswith("https://live.staticflickr.com/")


def test_http_urls_are_asked_for_over_https(whole: Whole) -> None:
    assert set(whole.schemes) == {"https"}
    assert any(url.startswith("https://") for url in whole.world.urls())  # these are not mangled either


def test_the_summary_and_the_run(whole: Whole) -> None:
    saved = whole.scraper.one("SELECT count(*) FROM images")
    requests = whole.scraper.one("SELECT count(*) FROM attempts")
    assert whole.result.out.startswith(f"{saved} images (")
    assert f"{requests} requests" in whole.result.out
    assert f"{saved:,} of 2,000 wanted" in whole.result.out
    assert "2 classes short" in whole.result.out
    ((argv, code, ended),) = whole.scraper.rows("SELECT argv, exit_code, ended_at FROM runs WHERE command = 'fetch'")
    assert json.loads(argv)[:3] == ["fetch", "--threads", "8"]
    assert (code, ended is None) == (0, False)


def test_a_rerun_asks_for_nothing_final(whole: Whole, again: Scraper) -> None:
    before = again.rows(FINAL)
    whole.standin.reset_counts()
    again.done("fetch", "--retries", "1")
    final = [url for *_, url in before]
    assert {url: whole.standin.count(url) for url in final} == dict.fromkeys(final, 0)
    unknown = [url for (url,) in whole.scraper.rows("SELECT url FROM candidates WHERE state = 'unknown'")]
    assert {url: whole.standin.count(url) for url in unknown} == dict.fromkeys(unknown, 1)
    assert set(before) <= set(again.rows(FINAL))
    check(again)


def test_lost_and_damaged_files_are_fetched_again(whole: Whole, again: Scraper) -> None:
    (gone, gone_url), (short, short_url) = again.rows(
        "SELECT path, images.url FROM images JOIN candidates ON candidates.id = candidate_id "
        "WHERE path LIKE '%.jpg' AND images.url NOT LIKE '%\\_m.jpg' ORDER BY rank LIMIT 2"
    )
    (again.images / gone).unlink()
    cut = (again.images / short).read_bytes()[:-100]
    (again.images / short).write_bytes(cut)
    whole.standin.reset_counts()
    result = again.done("fetch", "--retries", "1")
    assert "2 images were missing" in result.err
    assert "what was changed stays as it is" in result.err
    assert "1 image has another name than usual" in result.out
    assert (whole.standin.count(gone_url), whole.standin.count(short_url)) == (1, 1)
    assert (again.images / gone).read_bytes() == whole.world.photo_bytes(gone_url)
    assert (again.images / short).read_bytes() == cut  # it may be someone's work
    anew = again.one("SELECT path FROM images WHERE url = ?", short_url)
    assert (again.images / anew).read_bytes() == whole.world.photo_bytes(short_url)
    check(again, others={short})


def test_never_more_than_n_and_nothing_needless(tmp_path: Path) -> None:
    world = World.of(3, CLASSES, flickr=60, mix={Fate.ALIVE: 8, Fate.GONE_404: 2, Fate.SLOW: 1, Fate.ERROR_ONCE: 1})
    with StandIn(world, latency=0.01) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "5", "--oversample", "6")
        scraper.done("fetch", "--threads", "64")
        assert scraper.rows("SELECT wnid, count(*) FROM images GROUP BY wnid") == [(TENCH, 5), (CLOCK, 5)]
        assert scraper.one("SELECT count(*) FROM attempts WHERE status = 200") == 10
        check(scraper)
        standin.reset_counts()
        scraper.done("fetch")
        assert standin.requests == []


def test_connections_are_kept(tmp_path: Path) -> None:
    mix = {Fate.ALIVE: 6, Fate.GONE_404: 2, Fate.PLACEHOLDER_REDIRECT: 1, Fate.MOVED: 1, Fate.FORBIDDEN: 0.2}
    world = World.of(4, CLASSES, flickr=150, mix=mix)
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "1000")
        standin.reset_counts()
        scraper.done("fetch", "--threads", "2")
        hosts = {seen.host for seen in standin.requests}
        assert len(standin.requests) > 300
        assert standin.connections <= 2 * len(hosts) < len(standin.requests) / 3


POOR = {Fate.ALIVE: 3, Fate.GONE_404: 5, Fate.PLACEHOLDER_REDIRECT: 2}


def test_top_up(tmp_path: Path) -> None:
    world = World(2, [*World.of(2, CLASSES, flickr=50, mix=POOR).classes.values()], mix=POOR)
    plan = ("plan", TENCH, CLOCK, "-n", "10", "--oversample", "1.2")
    with StandIn(world) as standin:
        frugal, eager = (Scraper(tmp_path / name, standin) for name in ("frugal", "eager"))
        for scraper in (frugal, eager):
            scraper.folder.mkdir()
            scraper.done(*plan)
        assert "short of the target" in frugal.done("fetch", "--no-top-up").out
        assert frugal.rows("SELECT max(rank), count(*) FROM candidates WHERE tries > 0 GROUP BY wnid") == [(12, 12)] * 2
        assert frugal.one("SELECT count(*) FROM raises") == 0
        eager.done("fetch")
        for wnid, _ in CLASSES:
            alive = sum(world.fate(url) is Fate.ALIVE for url in world.flickr_urls(wnid))
            assert eager.one("SELECT count(*) FROM images WHERE wnid = ?", wnid) == min(10, alive)
            raises = eager.rows("SELECT budget_before, budget_after, survival FROM raises WHERE wnid = ?", wnid)
            steps = [12, *(after for _, after, _ in raises)]
            assert [(before, after) for before, after, _ in raises] == list(itertools.pairwise(steps))
            assert all(before < after <= 50 and 0 < survival <= 1 for before, after, survival in raises)
            assert eager.one("SELECT budget FROM classes WHERE wnid = ?", wnid) == steps[-1] > 12
        # The frugal one goes on where it stopped once it may.
        frugal.done("fetch", "--top-up")
        assert frugal.one("SELECT count(*) FROM images") == eager.one("SELECT count(*) FROM images")
        check(frugal)
        check(eager)


def test_an_image_is_taken_back_once_a_third_photo_has_its_bytes(tmp_path: Path) -> None:
    listed = [f"http://static.flickr.com/1/{number}_ab.jpg" for number in range(101, 106)]
    same, other = photos.photo("same.jpg"), photos.photo("other.jpg")
    bodies = {f"/1/{number}_ab.jpg": same for number in (101, 102, 103)} | {"/1/104_ab.jpg": other}

    async def answer(request: Request, wire: Wire) -> None:
        body = bodies.get(request.path)
        head = b"404 Not Found" if body is None else b"200 OK"
        wire.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (head, len(body or b"")) + (body or b""))
        await wire.flush()

    with StandIn(World(1, [])) as standin:
        standin.script("static.flickr.com", "*", answer)
        (tmp_path / "lists").mkdir()
        (tmp_path / "lists" / f"{TENCH}.txt").write_text("\n".join(listed), encoding="utf-8")
        (tmp_path / "lists" / f"{CLOCK}.txt").write_text("\n".join(listed[3:]), encoding="utf-8")
        scraper = Scraper(tmp_path, standin)
        outcomes = "SELECT rank, outcome FROM candidates WHERE outcome IS NOT NULL AND wnid = ? ORDER BY rank"
        scraper.done("plan", TENCH, "-n", "1", "--source", "lists")
        scraper.done("fetch")
        assert scraper.rows(outcomes, TENCH) == [(1, "saved")]
        assert (scraper.images / TENCH / "101_ab.jpg").read_bytes() == same
        scraper.done("plan", TENCH, CLOCK, "-n", "2", "--source", "lists")
        result = scraper.done("fetch")
        assert "1 image of it is taken back" in result.err
        names = ["placeholder"] * 3 + ["saved", "gone"]
        assert scraper.rows(outcomes, TENCH) == list(enumerate(names, start=1))
        # Two classes may have the same photo.
        assert scraper.rows(outcomes, CLOCK) == [(1, "saved"), (2, "gone")]
        assert scraper.rows("SELECT images, classes FROM shared_images") == [(2, 2)]
        # Others tell of answers that were in doubt until a picture came, which depends on their order.
        revised = (
            "SELECT candidate_id % 10, outcome_before, outcome_after FROM revisions "
            "WHERE reason LIKE '%same bytes%' ORDER BY candidate_id"
        )
        assert scraper.rows(revised) == [(1, "saved", "placeholder"), (2, "duplicate", "placeholder")]
        assert [path.name for path in (scraper.images / TENCH).iterdir()] == ["104_ab.jpg"]
        check(scraper)
        standin.reset_counts()
        scraper.done("fetch")
        assert standin.requests == []


def test_the_bytes_of_two_photos_are_an_image_and_a_duplicate(tmp_path: Path) -> None:
    mix = {Fate.ALIVE: 2, Fate.SAME_BYTES: 1}
    world = next(
        world
        for seed in range(99)
        if len((world := World.of(seed, CLASSES[:1], flickr=6, mix=mix)).urls(Fate.SAME_BYTES)) == 1
    )
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, "-n", "100")
        scraper.done("fetch")
    outcomes = scraper.rows("SELECT outcome, count(*) FROM candidates GROUP BY outcome ORDER BY outcome")
    assert outcomes == [("duplicate", 1), ("saved", 5)]
    check(scraper)


NAMES = (
    "http://farm1.photos.example.org/1/pic_xy.jpg",
    "http://farm2.photos.example.org/2/pic_xy.jpg",
    "http://farm2.photos.example.org/2/pic_XY.jpg",
    "http://farm3.photos.example.org/3/..%2f..%2fescape.jpg",
    "http://farm3.photos.example.org/3/.hidden.jpg",
    "http://farm3.photos.example.org/3/two words.jpg",
    "http://farm3.photos.example.org/3/con.jpg",
    "http://farm3.photos.example.org/4/a.jpg",
    "http://farm3.photos.example.org/3/" + "x" * 300 + ".jpg",
    "http://farm3.photos.example.org/3/größe.jpg",
)


def test_file_names_are_safe_and_stable(tmp_path: Path) -> None:
    async def any_photo(request: Request, wire: Wire) -> None:
        body = photos.photo(hashlib.sha256(request.address.encode()).hexdigest() + ".jpg")
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await wire.flush()

    found = []
    with StandIn(World(1, [])) as standin:
        for host in {urlsplit(url).hostname or "" for url in NAMES}:
            standin.script(host, "*", any_photo)
        for name in ("first", "second"):
            lists = tmp_path / name / "lists"
            lists.mkdir(parents=True)
            (lists / f"{TENCH}.txt").write_text("\r\n".join(NAMES) + "\r\n", encoding="utf-8")
            scraper = Scraper(tmp_path / name, standin)
            scraper.done("plan", TENCH, "--source", "lists", "--hosts", "example.org")
            scraper.done("fetch")
            check(scraper)
            found.append(scraper.rows("SELECT url, path FROM images ORDER BY url"))
    assert found[0] == found[1]
    paths = [path for _, path in found[0]]
    assert len({path.lower() for path in paths}) == len(NAMES)
    for path in paths:
        wnid, _, name = path.partition("/")
        assert wnid == TENCH
        assert name.isascii()
        assert name.replace("-", "").replace("_", "").replace(".", "").isalnum()
        assert not name.startswith(".")
        assert len(name) <= 200
    assert f"{TENCH}/pic_xy.jpg" in paths


def test_out_elsewhere(copied: Scraper) -> None:
    shutil.move(copied.images, copied.folder / "elsewhere")
    before = copied.snapshot()
    result = copied.done("fetch", "--out", "empty/one", code=2)
    assert "none of the" in result.err
    assert result.err.count("\n") == 1
    assert copied.snapshot() == before
    assert copied.standin is not None
    copied.standin.reset_counts()
    copied.done("fetch", "--out", str(copied.folder / "elsewhere"))
    assert [copied.standin.count(url) for (url,) in copied.rows("SELECT url FROM images")] == [0] * copied.one(
        "SELECT count(*) FROM images"
    )
    copied.images = copied.folder / "elsewhere"
    check(copied)


def test_too_large_is_not_kept(copied: Scraper, filled: Scraper) -> None:
    assert filled.standin is not None
    small = Scraper(copied.folder / "small", filled.standin)
    small.folder.mkdir()
    small.done("plan", TENCH, "-n", "3", "--source", str(filled.folder / "lists"))
    small.done("fetch", "--max-bytes", "1kB", "--no-top-up")
    outcomes = dict(small.rows("SELECT outcome, count(*) FROM candidates WHERE tries > 0 GROUP BY outcome"))
    assert outcomes.get("too_large", 0) > 0
    assert "saved" not in outcomes
    check(small)


def test_the_stand_in_and_its_browser_agree_with_the_tool(filled: Scraper) -> None:
    assert filled.standin is not None
    browser = Browser(filled.standin)
    try:
        for url, path in filled.rows("SELECT url, path FROM images LIMIT 5"):
            assert browser.get(url).data == (filled.images / path).read_bytes()
    finally:
        browser.close()


def test_a_host_that_keeps_refusing_ends_the_run_and_the_next_completes_it(tmp_path: Path) -> None:
    world = World.of(5, CLASSES, flickr=30, other=0, mix={Fate.ALIVE: 1})
    with StandIn(world, latency=0.2) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", *(wnid for wnid, _ in CLASSES), "-n", "20")
        process = scraper.start("fetch", "--threads", "4", "--patience", "4s")
        scraper.wait("SELECT count(*) FROM images", 3, process)
        standin.blocked = True
        result = finish(process)
        assert result.code == 4, result
        _completed(scraper, standin, result)


def _completed(scraper: Scraper, standin: StandIn, result: Result) -> None:
    last = result.err.splitlines()[-1]
    assert "keeps refusing" in last
    assert "run the same command again after" in last
    assert scraper.one("SELECT exit_code FROM runs ORDER BY id DESC LIMIT 1") == 4
    check(scraper)
    kept = set(scraper.rows("SELECT path, sha256 FROM images"))
    assert 3 <= len(kept) < 40
    assert scraper.one("SELECT count(*) FROM candidates WHERE state = 'lost'") == 0
    standin.blocked, standin.latency = False, 0.0
    standin.reset_counts()
    saved = [url for (url,) in scraper.rows("SELECT url FROM images")]
    scraper.done("fetch")
    assert scraper.one("SELECT count(*) FROM images") == 40
    assert kept <= set(scraper.rows("SELECT path, sha256 FROM images"))
    assert sum(standin.count(url) for url in saved) == 0
    check(scraper)


def test_a_run_cut_short_leaves_whole_classes_and_not_a_little_of_each(tmp_path: Path) -> None:
    classes = [(f"n{number:08d}", f"class {number}") for number in range(10_000_000, 10_000_160)]
    with StandIn(World.of(3, classes, flickr=6, other=0, mix={Fate.ALIVE: 1}), latency=0.05) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", *(wnid for wnid, _ in classes), "-n", "5")
        process = scraper.start("fetch", "--threads", "8")
        scraper.wait("SELECT count(*) FROM images", 200, process)
        process.send_signal(signal.SIGINT)
        assert finish(process).code == 130
        begun = int(scraper.one("SELECT count(DISTINCT wnid) FROM images"))
        saved = int(scraper.one("SELECT count(*) FROM images"))
        assert begun <= 64 + saved / 5

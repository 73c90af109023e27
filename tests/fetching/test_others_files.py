"""A folder shared with other manifests, with people and with other tools: nobody's files are removed or replaced."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from contextlib import closing, contextmanager
from itertools import count, islice
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

from scraper.files.names import names_for
from tests.command import Scraper, check, check_files, check_manifest, finish, until
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World, photos
from tests.standin.world import file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.nursery import Forked
    from tests.standin import Request, Wire

NOBODY: Final = ("--connect-to", "::127.0.0.1:1", "--retries", "1", "--patience", "2")
"""Flags by which nothing answers."""


def contents(scraper: Scraper) -> dict[str, bytes]:
    """Every file in the classes' folders."""
    return {str(path.relative_to(scraper.images)): path.read_bytes() for path in scraper.images.glob("n*/*")}


def kept(scraper: Scraper, before: dict[str, bytes]) -> bool:
    """Whether all files are there that were, as they were."""
    return before.items() <= contents(scraper).items()


def other(scraper: Scraper, name: str = "manifests/other.db") -> Scraper:
    """Another manifest over the same folder."""
    return Scraper(scraper.folder, scraper.standin, name)


def words(scraper: Scraper, *given: str) -> tuple[str, ...]:
    return (*given, "--manifest", str(scraper.manifest))


@contextmanager
def doctored(scraper: Scraper) -> Iterator[sqlite3.Connection]:
    """The manifest, for whoever knows a way around its checks."""
    with closing(sqlite3.connect(scraper.manifest)) as book, book:
        book.execute("PRAGMA ignore_check_constraints = ON")
        yield book


def forget(scraper: Scraper) -> None:
    """Delete the manifest."""
    for path in scraper.manifest.parent.glob(scraper.manifest.name + "*"):
        path.unlink()


def alone(scraper: Scraper) -> Scraper:
    """The same folder without a stand-in, for commands that get their own way of reaching nobody."""
    return Scraper(scraper.folder)


# --- two manifests with one folder -----------------------------------------------------------------------------------


def test_two_manifests_in_turn_keep_all_their_images(copied: Scraper) -> None:
    """The second wants fewer of the same classes."""
    before, second = contents(copied), other(copied)
    second.done(*words(second, "plan", TENCH, CLOCK, "-n", "3", "--source", "lists"))
    result = second.done(*words(second, "fetch"))
    assert contents(copied) == before
    assert "6 images of these were on disk already: files with the same bytes are shared" in result.out
    assert second.rows("SELECT DISTINCT adopted FROM images") == [(1,)]
    for one in (copied, second, copied):
        one.done(*words(one, "fetch"))
        check_manifest(one)
        check_files(one, strays=True)
    assert contents(copied) == before


def test_two_manifests_at_once_keep_all_their_images(tmp_path: Path) -> None:
    with StandIn(World.of(31, CLASSES, flickr=40, other=0, mix={Fate.ALIVE: 3, Fate.GONE_404: 1}), 0.05) as standin:
        both = [Scraper(tmp_path, standin, f"manifests/{name}.db") for name in ("one", "other")]
        for one, n in zip(both, ("20", "12"), strict=True):
            one.done(*words(one, "plan", TENCH, CLOCK, "-n", n))
        processes = [one.start(*words(one, "fetch", "--threads", "8")) for one in both]
        for process in processes:
            assert finish(process).code == 0
        paths = set()
        for one in both:
            check_manifest(one)
            check_files(one, strays=True)
            paths |= {path for (path,) in one.rows("SELECT path FROM images")}
        assert [one.one("SELECT count(*) FROM images") for one in both] == [40, 24]
        assert contents(both[0]).keys() == paths  # and nothing else is left
        assert not (both[0].images / ".partial").exists()


def test_an_image_taken_back_stays_where_another_manifest_shares_it(tmp_path: Path) -> None:
    """The same bytes for three photos are no photograph; to the other manifest, which saw one, they are an image."""
    same = photos.photo("same.jpg")

    async def answer(_: Request, wire: Wire) -> None:
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(same) + same)
        await wire.flush()

    with StandIn(World.of(32, CLASSES, flickr=9, other=0, mix={Fate.ALIVE: 1})) as standin:
        one = Scraper(tmp_path, standin)
        first = standin.world.flickr_urls(TENCH)[:3]
        for url in first:
            standin.script(urlsplit(url).netloc, urlsplit(url).path, answer)
        second = other(one)
        for manifest in (one, second):
            manifest.done(*words(manifest, "plan", TENCH, "-n", "1"))
            manifest.done(*words(manifest, "fetch"))
        (shared,) = second.rows("SELECT path FROM images")[0]
        one.done("plan", TENCH, "-n", "3")
        result = one.done("fetch")
        assert f"{shared} was taken back and stays on disk" in result.err
        assert one.one("SELECT count(*) FROM images WHERE path = ?", shared) == 0
        check_manifest(one)
        check(second, others=contents(one).keys() - {shared})


@pytest.mark.parametrize("killed", [False, True])
def test_an_image_taken_back_goes_where_it_is_ours_alone(tmp_path: Path, killed: bool) -> None:
    same = photos.photo("same.jpg")

    async def answer(_: Request, wire: Wire) -> None:
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(same) + same)
        await wire.flush()

    with StandIn(World.of(32, CLASSES, flickr=9, other=0, mix={Fate.ALIVE: 1})) as standin:
        one = Scraper(tmp_path, standin)
        for url in standin.world.flickr_urls(TENCH)[:3]:
            standin.script(urlsplit(url).netloc, urlsplit(url).path, answer)
        one.done("plan", TENCH, "-n", "1")
        if killed:
            process = one.start("fetch")
            one.wait("SELECT count(*) FROM images", 1, process)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        one.done("fetch")
        one.done("plan", TENCH, "-n", "3")
        assert "taken back" in one.done("fetch").err
        check(one)
        assert same not in contents(one).values()


# --- a manifest that is gone, or older than its images ---------------------------------------------------------------


def plan_again(copied: Scraper) -> None:
    forget(copied)
    copied.done("plan", "-n", "10", "--source", "lists", TENCH)
    copied.done("plan", "-n", "30", "--source", "lists", CLOCK)


def restore_older(copied: Scraper) -> None:
    """A copy from before the fetch."""
    with doctored(copied) as book:
        book.execute("DELETE FROM image")
        book.execute("DELETE FROM attempt")
        book.execute("UPDATE candidate SET state = 0, outcome = NULL, tries = 0")
        for counts in ("class_outcomes", "host_outcomes", "statuses", "raises", "revisions", "placeholders"):
            book.execute(f"DELETE FROM {counts}")  # noqa: S608 - our own names
        book.execute("UPDATE classes SET budget = n")


@pytest.mark.parametrize("lose", [plan_again, restore_older])
def test_nothing_is_deleted_where_the_manifest_is_new_and_nobody_answers(
    copied: Scraper, lose: Callable[[Scraper], None]
) -> None:
    before = contents(copied)
    assert len(before) > 20
    lose(copied)
    result = alone(copied).run("fetch", *NOBODY)
    assert result.code in (0, 4), result
    assert contents(copied) == before
    check_manifest(copied)


@pytest.mark.parametrize("lose", [plan_again, restore_older])
def test_the_same_bytes_are_shared_where_the_manifest_is_new(copied: Scraper, lose: Callable[[Scraper], None]) -> None:
    before = contents(copied)
    urls = copied.rows("SELECT url, path FROM images ORDER BY url")
    lose(copied)
    result = copied.done("fetch")
    assert contents(copied) == before
    assert copied.rows("SELECT url, path FROM images ORDER BY url") == urls
    assert f"{len(urls)} images of these were on disk already" in result.out
    check(copied)


def test_an_older_copy_does_not_take_back_what_a_killed_run_named(tmp_path: Path) -> None:
    """It is on record in the manifest that was there; the copy does not know, and does not guess."""
    with StandIn(World.of(33, CLASSES, flickr=40, other=0, mix={Fate.ALIVE: 1}), latency=0.1) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, "-n", "30")
        shutil.copy(scraper.manifest, tmp_path / "copy.db")
        process = scraper.start("fetch", "--threads", "4")
        scraper.wait("SELECT count(*) FROM images", 4, process)
        process.kill()
        process.communicate()
        recorded = {path for (path,) in scraper.rows("SELECT path FROM images")}
        newer = tmp_path / "newer"
        newer.mkdir()
        for path in scraper.manifest.parent.glob("scraper.db*"):
            path.rename(newer / path.name)
        shutil.copy(tmp_path / "copy.db", scraper.manifest)
        before = contents(scraper)
        assert alone(scraper).run("fetch", *NOBODY).code in (0, 4)
        assert contents(scraper) == before
        forget(scraper)
        for path in newer.iterdir():
            path.rename(scraper.manifest.parent / path.name)
        scraper.done("fetch")
        assert recorded <= {path for (path,) in scraper.rows("SELECT path FROM images")}
        check(scraper)


# --- files of the user's own -----------------------------------------------------------------------------------------


def test_an_image_that_was_edited_stays_and_the_new_one_gets_another_name(copied: Scraper) -> None:
    rows = copied.rows("SELECT path, url FROM images WHERE wnid = ? ORDER BY path LIMIT 3", TENCH)
    for path, _ in rows:
        file = copied.images / path
        file.write_bytes(b"cropped " + file.read_bytes()[:1000])
    before = contents(copied)
    result = copied.done("fetch")
    assert (
        "3 images were missing or of the wrong size; they will be fetched again; what was changed stays" in result.err
    )
    assert "3 images have another name than usual, since other files had that; those stay as they are" in result.out
    assert kept(copied, before)
    check(copied, others={path for path, _ in rows})
    paths = dict(copied.rows("SELECT url, path FROM images"))
    for path, url in rows:
        name = path.partition("/")[2]
        assert paths[url] == f"{TENCH}/{list(islice(names_for(name, url), 2))[1]}"
    assert copied.standin is not None
    copied.standin.reset_counts()
    copied.done("fetch")  # and so it stays
    assert copied.standin.requests == []
    check(copied, others={path for path, _ in rows})


@pytest.mark.parametrize("same", [False, True])
def test_files_with_the_names_of_waiting_candidates_stay(tmp_path: Path, same: bool) -> None:
    """As a plan made anew finds over photos that have changed since, or not."""
    with StandIn(World.of(34, CLASSES, flickr=12, other=0, mix={Fate.ALIVE: 1})) as standin:
        scraper, world = Scraper(tmp_path, standin), standin.world
        (scraper.images / TENCH).mkdir(parents=True)
        for url in world.flickr_urls(TENCH):
            body = world.photo_bytes(url) if same else b"of long ago"
            (scraper.images / TENCH / file_name(url)).write_bytes(body)
        before = contents(scraper)
        scraper.done("plan", TENCH, "-n", "12")
        result = scraper.done("fetch")
        assert kept(scraper, before)
        assert len(contents(scraper)) == (12 if same else 24)
        check(scraper, others=() if same else before.keys())
        assert ("12 images of these were on disk already" in result.out) == same
        assert ("12 images have another name than usual" in result.out) != same


def a_folder(path: Path) -> None:
    path.mkdir()
    (path / "mine.txt").write_text("mine")


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("odd", [a_folder, a_fifo, a_link])
@pytest.mark.parametrize("repair", [False, True])
def test_what_stands_in_an_images_place_costs_that_image_only(
    copied: Scraper,
    odd: Callable[[Path], None],
    repair: bool,
) -> None:
    (path, url), *_ = copied.rows("SELECT path, url FROM images ORDER BY path")
    (copied.images / path).unlink()
    odd(copied.images / path)
    mode = (copied.images / path).lstat().st_mode
    assert path in copied.done("verify", code=1).out
    if repair:
        copied.done("verify", "--repair")
    copied.done("fetch")
    check_manifest(copied)
    assert (copied.images / path).lstat().st_mode == mode
    for saved, size in copied.rows("SELECT path, bytes FROM images"):
        assert (copied.images / saved).stat().st_size == size
    assert copied.one("SELECT path FROM images WHERE url = ?", url) != path
    assert copied.one("SELECT count(*) FROM images WHERE wnid = ?", TENCH) == 10


def test_counts_that_are_off_cost_no_image(copied: Scraper) -> None:
    before = contents(copied)
    with doctored(copied) as book:
        book.execute("UPDATE class_outcomes SET candidates = 0 WHERE outcome = 'saved'")
    assert copied.standin is not None
    copied.standin.reset_counts()
    result = copied.done("fetch")
    assert "counted wrong: `scraper verify --repair` counts again" in result.err
    assert contents(copied) == before
    tench = set(copied.standin.world.flickr_urls(TENCH))
    assert not [url for url in tench if copied.standin.count(url)]  # the class has its images
    assert copied.run("fetch", "--out", "elsewhere").code == 2  # and the guard does not count by them
    copied.done("verify", "--repair")
    check(copied)


# --- a manifest that leads out of the folder -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../../evil.jpg", "/evil.jpg", "a\0b.jpg", "nul.jpg", "x" * 300, "..", ".hidden"])
def test_no_name_in_a_manifest_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with StandIn(World.of(35, CLASSES, flickr=4, other=0, mix={Fate.ALIVE: 1})) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, "-n", "4")
        with doctored(scraper) as book:
            book.execute("UPDATE candidate SET filename = ? WHERE id = (SELECT min(id) FROM candidate)", (name,))
        result = scraper.run("fetch")
        assert result.code == 3, result
        assert result.err.count("\n") == 1
        assert {path.parent for path in tmp_path.rglob("*.jpg")} <= {scraper.images / TENCH}


@pytest.mark.parametrize("flags", [("--repair",), ("--remove-strays",), ("--repair", "--missing-anyway")])
def test_no_path_in_a_manifest_leads_out_of_the_folder(copied: Scraper, flags: tuple[str, ...]) -> None:
    victim = copied.folder / "victim.txt"
    victim.write_text("mine")
    with doctored(copied) as book:
        path = f"{TENCH}/../../victim.txt"
        book.execute("UPDATE image SET path = ? WHERE candidate_id = (SELECT min(candidate_id) FROM image)", (path,))
    for words_ in (("verify", *flags), ("fetch",), ("verify",)):
        assert copied.run(*words_).code == 3
    assert victim.read_text() == "mine"


# --- kills -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [0, 1])
def test_nothing_stays_of_a_run_that_is_killed_while_it_takes_images_back(tmp_path: Path, before: int) -> None:
    """Images and what shows that they are none may come in one batch, or `before` of them in an earlier one."""
    worlds = (
        World.of(seed, CLASSES[:1], flickr=4, other=0, mix={Fate.ALIVE: 1, Fate.SAME_BYTES: 3}) for seed in count()
    )
    world = next(
        one for one in worlds if len(same := one.urls(Fate.SAME_BYTES)) == 3 and one.flickr_urls(TENCH)[0] == same[0]
    )

    def prepare(scraper: Scraper) -> None:
        if before:
            scraper.done("plan", TENCH, "-n", str(before))
            scraper.done("fetch", "--believe-answers")
            assert scraper.one("SELECT count(*) FROM images") == before
        scraper.done("plan", TENCH, "-n", "4")

    with StandIn(world, 0.05) as standin:
        for moment in range(1, 50):
            scraper = Scraper(tmp_path / str(moment), standin)
            scraper.folder.mkdir()
            prepare(scraper)
            code = scraper.killed_at(moment, *scraper.command("fetch", "--threads", "8", "--believe-answers")[5:])
            check_manifest(scraper)
            check_files(scraper, strays=True)
            scraper.done("fetch", "--believe-answers")
            check(scraper)
            if code == 0:
                break
    assert 8 < moment < 49


# --- what could not be recorded --------------------------------------------------------------------------------------


async def gone(_: Request, wire: Wire) -> None:
    wire.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


@contextmanager
def named_and_not_recorded(scraper: Scraper) -> Iterator[Forked]:
    """A fetch that has given names, and waits for the manifest, which another program holds meanwhile."""
    process = scraper.start("fetch", "--threads", "4")
    scraper.wait("SELECT count(*) FROM images", 4, process)
    with closing(sqlite3.connect(scraper.manifest, isolation_level=None, timeout=30)) as others:
        others.execute("BEGIN IMMEDIATE")
        ((recorded,),) = others.execute("SELECT count(*) FROM images").fetchall()
        until(lambda: len(contents(scraper)) > recorded, process)
        yield process
        others.execute("ROLLBACK")


def nothing_stays(scraper: Scraper, standin: StandIn) -> None:
    """The next run, for which every photo is gone, leaves nothing of the last that has no row."""
    for url in standin.world.urls():
        standin.script(urlsplit(url).netloc, "*", gone)
    scraper.run("fetch", "--believe-answers")
    check(scraper)


@pytest.mark.parametrize("wnid", [CLOCK, TENCH])
def test_nothing_stays_of_a_batch_whose_names_could_not_all_be_given(tmp_path: Path, wnid: str) -> None:
    """Whichever class comes first, one of the two gets its names before the other's folder turns out to be none."""
    with StandIn(World.of(36, CLASSES, flickr=12, other=0, mix={Fate.ALIVE: 1})) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "6")
        scraper.images.mkdir()
        (scraper.images / wnid).write_text("no folder")
        scraper.done("fetch", code=4)
        (scraper.images / wnid).unlink()
        nothing_stays(scraper, standin)


@pytest.mark.parametrize("held", [1.5, 3.2])
def test_a_batch_that_was_broken_off_while_it_waited_is_recorded_or_leaves_nothing(tmp_path: Path, held: float) -> None:
    """Another program has the manifest as the run is interrupted: for a moment, and until the run is broken off."""
    with StandIn(World.of(37, CLASSES, flickr=60, other=0, mix={Fate.ALIVE: 1}), 0.2) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "50")
        with named_and_not_recorded(scraper) as process:
            process.send_signal(signal.SIGINT)
            time.sleep(held)
        assert finish(process).code == 130
        asked = sum("flickr" in request.host for request in standin.requests)
        if not (scraper.images / ".partial").exists():  # it had the time to end in good order
            unanswered = asked - scraper.one("SELECT count(*) FROM attempts")
            assert 0 <= unanswered <= 4
            check(scraper)
        nothing_stays(scraper, standin)


def test_what_a_killed_run_named_goes_when_it_is_told_to_where_an_older_copy_was_put_back(tmp_path: Path) -> None:
    with StandIn(World.of(38, CLASSES, flickr=60, other=0, mix={Fate.ALIVE: 1}), 0.2) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "50")
        shutil.copy(scraper.manifest, tmp_path / "older.db")
        with named_and_not_recorded(scraper) as process:
            process.kill()
            process.communicate()
        forget(scraper)
        shutil.copy(tmp_path / "older.db", scraper.manifest)
        standin.latency = 0
        scraper.done("fetch")
        told = scraper.done("verify", code=1).out
        assert "that this manifest does not know" in told
        scraper.done("verify", "--remove-strays")
        check(scraper)


@pytest.mark.parametrize("seed", [1, 2])
def test_two_runs_on_one_folder_that_are_killed_over_and_over_lose_nothing(tmp_path: Path, seed: int) -> None:
    """Real processes and real kills, at any moment; at the end nothing is left that nobody knows."""
    rng = random.Random(seed)
    mix = {Fate.ALIVE: 6, Fate.GONE_404: 1, Fate.SAME_BYTES: 1, Fate.ERROR_ONCE: 1}
    with StandIn(World.of(36 + seed, CLASSES, flickr=60, other=0, mix=mix), 0.02) as standin:
        both = [Scraper(tmp_path, standin, f"manifests/{name}.db") for name in ("one", "other")]
        for one, n in zip(both, ("40", "30"), strict=True):
            one.done(*words(one, "plan", TENCH, CLOCK, "-n", n))
        mine = both[0].images / TENCH / file_name(standin.world.flickr_urls(TENCH)[0])
        mine.parent.mkdir(parents=True)
        mine.write_bytes(b"mine")
        for _ in range(5):
            processes = [one.start(*words(one, "fetch", "--threads", "4")) for one in both]
            for process in processes:
                time.sleep(rng.uniform(0.2, 1.2))
                process.kill()
                process.communicate()
            for one in both:
                check_manifest(one)
                check_files(one, strays=True)
            assert mine.read_bytes() == b"mine"
        paths = set()
        for one in both:
            one.done(*words(one, "fetch", "--threads", "4"))
            check_manifest(one)
        for one in both:
            check_files(one, strays=True)
            paths |= {path for (path,) in one.rows("SELECT path FROM images")}
        left = contents(both[0]).keys() - paths - {str(mine.relative_to(both[0].images))}
        # An image that was taken back stays where the other manifest shared it once.
        same = {standin.world.photo_bytes(url) for url in standin.world.urls(Fate.SAME_BYTES)}
        assert {contents(both[0])[path] for path in left} <= same
        assert not (both[0].images / ".partial").exists()

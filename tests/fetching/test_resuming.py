"""What a fetch finds of earlier runs in more classes than take turns at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.command import Scraper, check, check_manifest
from tests.standin import Fate, StandIn, World, photos

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standin import Request, Wire

MANY = [(f"n{number:08d}", f"class {number}") for number in range(1, 151)]
WNIDS = [wnid for wnid, _ in MANY]


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(World.of(5, MANY, flickr=4, mix={Fate.ALIVE: 3, Fate.GONE_404: 1})) as standin:
        yield standin


@pytest.fixture
def full(tmp_path: Path, standin: StandIn) -> Scraper:
    """One image of each class; of those without a living photo none."""
    scraper = Scraper(tmp_path, standin)
    scraper.done("plan", *WNIDS, "-n", "1")
    scraper.done("fetch")
    standin.reset_counts()
    return scraper


def test_files_lost_from_full_classes_come_back_and_are_told_of_twice_at_most(full: Scraper, standin: StandIn) -> None:
    lost = full.rows("SELECT path, url FROM images ORDER BY path")[::3]
    assert len(lost) > 40
    for path, _ in lost:
        (full.images / path).unlink()
    result = full.done("fetch")
    assert sorted(seen.host + seen.path for seen in standin.requests) == sorted(
        url.partition("://")[2] for _, url in lost
    )
    told = re.findall(r"(\d+) (?:more )?images were missing or of the wrong size", result.err)
    assert len(told) <= 2
    assert sum(map(int, told)) == len(lost)
    check(full)


def test_one_lost_file_is_told_of_in_the_singular(full: Scraper) -> None:
    ((path,),) = full.rows("SELECT path FROM images ORDER BY path DESC LIMIT 1")
    (full.images / path).unlink()
    assert "1 image was missing or of the wrong size; it will be fetched again" in full.done("fetch").err
    check(full)


def test_a_file_with_the_name_of_a_waiting_candidate_stays(full: Scraper, standin: StandIn) -> None:
    """A name tells nothing of who gave it."""
    wnid, name = full.rows(
        "SELECT wnid, replace(url, rtrim(url, replace(url, '/', '')), '') FROM candidates "
        "WHERE state = 'waiting' AND filename IS NULL ORDER BY id DESC"
    )[0]
    named, own = full.images / wnid / name, full.images / wnid / "notes.txt"
    named.write_bytes(b"half")
    own.write_text("mine")
    full.done("fetch")
    assert (named.read_bytes(), own.read_text()) == (b"half", "mine")
    assert standin.requests == []


def test_another_chance_is_given_in_classes_that_a_lost_file_made_short(tmp_path: Path) -> None:
    mix = {Fate.ALIVE: 1, Fate.GONE_404: 1}
    with StandIn(World.of(6, MANY[:3], flickr=12, mix=mix)) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", *WNIDS[:3], "-n", "4", "--oversample", "3")
        scraper.done("fetch")
        gone = {url for (url,) in scraper.rows("SELECT url FROM candidates WHERE outcome = 'gone'")}
        standin.reset_counts()
        scraper.done("fetch", "--retry", "gone")
        assert standin.requests == []  # every class has its images
        _, *emptied = [path for (path,) in scraper.rows("SELECT path FROM images")]
        for path in emptied:
            (scraper.images / path).write_bytes(b"")
        scraper.done("fetch", "--retry", "gone")
        assert {url for url in gone if standin.count(url)}
        check(scraper, others=emptied)


@pytest.mark.parametrize("instead", ["nothing", "no folder", "a folder"])
def test_an_image_that_is_gone_can_be_taken_back_before_its_class_is_looked_at(tmp_path: Path, instead: str) -> None:
    bodies = dict.fromkeys((f"/1/{number}_ab.jpg" for number in (1, 2, 3)), photos.photo("same.jpg"))
    bodies["/1/4_ab.jpg"] = photos.photo("other.jpg")

    async def answer(request: Request, wire: Wire) -> None:
        body = bodies.get(request.path, b"")
        head = b"200 OK" if body else b"404 Not Found"
        wire.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (head, len(body)) + body)
        await wire.flush()

    *others, kept, last = WNIDS
    with StandIn(World(1, [])) as standin:
        standin.script("static.flickr.com", "*", answer)
        (tmp_path / "lists").mkdir()
        for number, wnid in enumerate(WNIDS, start=1):
            photo = {WNIDS[0]: 1, WNIDS[1]: 2, last: 3, kept: 4}.get(wnid, 100 + number)
            (tmp_path / "lists" / f"{wnid}.txt").write_text(f"http://static.flickr.com/1/{photo}_ab.jpg\n")
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", kept, last, "-n", "1", "--source", "lists")
        scraper.done("fetch")
        image = scraper.images / last / "3_ab.jpg"
        image.unlink()
        if instead == "no folder":
            image.parent.rmdir()
        elif instead == "a folder":
            image.mkdir()
        scraper.done("plan", *others, "-n", "1", "--source", "lists")
        scraper.done("fetch", "--threads", "1")
        outcomes = "SELECT wnid, outcome FROM candidates WHERE outcome <> 'gone' ORDER BY wnid"
        found = dict.fromkeys((*WNIDS[:2], last), "placeholder") | {kept: "saved"}
        assert scraper.rows(outcomes) == sorted(found.items())
        assert image.is_dir() == (instead == "a folder")
        check_manifest(scraper)


def test_an_output_folder_without_any_image_is_refused(full: Scraper, tmp_path: Path) -> None:
    before = full.rows("SELECT count(*) FROM runs")
    result = full.run("fetch", "--out", str(tmp_path / "elsewhere"))
    assert (result.code, result.out) == (2, "")
    images = full.one("SELECT count(*) FROM images")
    assert f"none of the {images} images of this manifest are in" in result.err
    assert not (tmp_path / "elsewhere").exists()
    assert full.rows("SELECT count(*) FROM runs") == before

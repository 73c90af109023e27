"""Who asked to be left out stays out: file, candidates, bytes; and the history without the picture."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from scraper.files.names import Place
from scraper.files.store import Folder
from scraper.manifest.access.recording import Batch, record_removal
from scraper.manifest.access.withdrawing import WITHDRAWN_WHY
from scraper.model import Outcome, State
from scraper.records import Revision
from scraper.running.session import exclusive
from tests.command import Scraper, check, check_files, check_manifest
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORD = "0123456789abcdef"


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraper]:
    """Two classes that share photos, in another size too, with all that is listed fetched."""
    folder = tmp_path_factory.mktemp("fetched")
    world = World.of(9, CLASSES, flickr=16, other=0, mix={Fate.ALIVE: 1})
    with StandIn(world) as standin:
        lists = folder / "lists"
        world.write_folder(lists)
        urls = (lists / f"{TENCH}.txt").read_text(encoding="utf-8").split()
        more = (lists / f"{CLOCK}.txt").read_text(encoding="utf-8").split()
        (lists / f"{CLOCK}.txt").write_text("\n".join([*urls[:2], *more]) + "\n", encoding="utf-8")
        scraper = Scraper(folder, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "8", "--source", "lists")
        scraper.done("fetch")
        yield scraper


@pytest.fixture
def mine(fetched: Scraper, tmp_path: Path) -> Scraper:
    folder = tmp_path / "mine"
    shutil.copytree(fetched.folder, folder)
    return Scraper(folder, fetched.standin)


def shared_photo(scraper: Scraper) -> int:
    found = scraper.one(
        "SELECT min(photo_id) FROM (SELECT photo_id FROM candidates GROUP BY photo_id HAVING count(*) = 2)"
    )
    return int(found)


def ways(scraper: Scraper, photo: int) -> dict[str, str]:
    """Everything by which a person may know a photo."""
    path, sha256, url = scraper.rows(
        "SELECT path, sha256, images.url FROM images JOIN candidates ON candidates.id = candidate_id "
        "WHERE photo_id = ?",
        photo,
    )[0]
    return {"path": f"images/{path}", "digest": sha256, "photo": str(photo), "url": url}


@pytest.mark.parametrize("way", ["path", "digest", "photo", "url"])
def test_a_photo_is_forgotten_in_every_class_whatever_it_is_called(mine: Scraper, way: str) -> None:
    photo = shared_photo(mine)
    paths = [path for (path,) in mine.rows(
        "SELECT path FROM images JOIN candidates ON candidates.id = candidate_id WHERE photo_id = ?", photo
    )]  # fmt: skip
    attempts = mine.rows("SELECT * FROM attempts ORDER BY id")
    assert len(paths) == 2
    result = mine.done("forget", ways(mine, photo)[way])
    assert "2 images removed, 2 candidates withdrawn" in result.out
    assert not any((mine.images / path).exists() for path in paths)
    assert mine.rows("SELECT DISTINCT state, outcome FROM candidates WHERE photo_id = ?", photo) == [
        ("lost", "withdrawn")
    ]
    assert mine.rows("SELECT * FROM attempts ORDER BY id") == attempts
    check(mine)
    assert mine.standin is not None
    mine.standin.reset_counts()
    mine.done("fetch")
    urls = [url for (url,) in mine.rows("SELECT url FROM candidates WHERE photo_id = ?", photo)]
    assert [mine.standin.count(url) + mine.standin.count(url.replace("http:", "https:")) for url in urls] == [0, 0]
    check(mine)


def test_what_is_forgotten_is_in_no_export_and_no_lock(mine: Scraper) -> None:
    photo = str(shared_photo(mine))
    mine.done("forget", photo)
    for form in ("csv", "lock"):
        mine.done("export", form, f"list.{form}")
        assert photo not in (mine.folder / f"list.{form}").read_text(encoding="utf-8")


def test_the_list_of_what_is_forgotten(mine: Scraper) -> None:
    assert mine.done("forget", "--list").out == ""
    photo = shared_photo(mine)
    digest = ways(mine, photo)["digest"]
    mine.done("forget", str(photo), "12345", "https://example.org/a.jpg")
    assert mine.done("forget", "--list").out.splitlines() == [
        "photo 12345",
        f"photo {photo}",
        f"sha256 {digest}",
        "url https://example.org/a.jpg",
    ]
    again = mine.done("forget", str(photo))
    assert "0 images removed, 0 candidates withdrawn" in again.out


def test_a_file_that_was_edited_is_let_be_and_said(mine: Scraper) -> None:
    photo = shared_photo(mine)
    path = ways(mine, photo)["path"]
    (mine.folder / path).write_bytes(b"mine now")
    result = mine.done("forget", str(photo), code=1)
    assert "1 file with other bytes than recorded" in result.out
    assert (mine.folder / path).read_bytes() == b"mine now"
    check_manifest(mine)


def test_bad_input_changes_nothing(mine: Scraper) -> None:
    before = mine.snapshot()
    photo = str(shared_photo(mine))
    says = {
        ("forget",): "forget needs what to leave out",
        ("forget", photo, "n01440764/none.jpg"): "knows nothing of n01440764/none.jpg",
        ("forget", "--list", photo): "forget --list takes nothing else",
        ("forget", photo, "--out", "nowhere"): "there is no folder nowhere",
        ("trace",): "trace needs one thing",
        ("trace", "1", "2"): "trace needs one thing",
        ("trace", "none.jpg"): "knows nothing of none.jpg",
        ("trace", "0" * 64): "knows nothing of 000",
    }
    for words, message in says.items():
        assert message in mine.done(*words, code=2).err, words
    assert mine.snapshot() == before


def test_a_kill_at_any_moment_leaves_no_row_without_its_file_and_the_next_run_completes_it(
    fetched: Scraper, tmp_path: Path
) -> None:
    for moment in range(1, 100):
        mine = Scraper(tmp_path / str(moment))
        shutil.copytree(fetched.folder, mine.folder)
        photos = [str(photo) for (photo,) in mine.rows("SELECT photo_id FROM candidates WHERE state = 'saved'")]
        code = mine.killed_at(moment, "forget", *photos)
        check_manifest(mine)
        check_files(mine, strays=True)
        mine.done("forget", *photos)
        check(mine)
        assert mine.one("SELECT count(*) FROM images") == 0
        assert list(mine.images.rglob("*.jpg")) == []
        shutil.rmtree(mine.folder)
        if code == 0:
            break
    assert 12 < moment < 99


@pytest.mark.parametrize("recorded", [False, True])
def test_what_a_killed_run_was_about_to_remove_goes_with_the_next(mine: Scraper, recorded: bool) -> None:
    """The two moments that a kill rarely meets: names announced, rows there or gone, and every file still in place."""
    saved = mine.rows("SELECT id, photo_id, path, bytes, sha256 FROM images JOIN candidates ON id = candidate_id")
    photos = [str(photo) for _, photo, *_ in saved]
    with exclusive(mine.manifest, create=False) as book:
        run = book.start_run("forget", photos, "", time.time())
        with closing(Folder(mine.images, owner=book.owner)) as folder:
            claims = [folder.claim(Place.of(path), size=size, sha256=sha256) for *_, path, size, sha256 in saved]
            gone = [Revision(number, State.LOST, Outcome.WITHDRAWN, WITHDRAWN_WHY) for number, *_ in saved]
            batch = Batch(revisions=gone, word=WORD)
            folder.announce({claim: None for claim in claims if claim}, [batch.word])
            if recorded:
                record_removal(book, run, batch, time.time())
    check_manifest(mine)
    check_files(mine, strays=True)
    mine.done("forget", *photos)
    check(mine)
    assert mine.one("SELECT count(*) FROM images") == 0
    assert list(mine.images.rglob("*.jpg")) == []


def test_what_nobody_has_is_left_out_in_advance_without_a_folder(mine: Scraper) -> None:
    shutil.rmtree(mine.images)
    mine.done("forget", "12345")
    assert not mine.images.exists()


@pytest.mark.parametrize("way", ["path", "digest", "photo", "url"])
def test_a_trace_tells_all_that_is_known(mine: Scraper, way: str) -> None:
    photo = shared_photo(mine)
    known = ways(mine, photo)
    traces = json.loads(mine.done("trace", known[way], "--format", "json").out)
    assert {one["wnid"] for one in traces} == ({TENCH} if way == "path" else {TENCH, CLOCK})
    for one in traces:
        assert (one["photo_id"], one["state"], one["class"]["source"]) == (photo, "saved", "lists")
        body = (mine.images / one["image"]["path"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == one["image"]["sha256"] == known["digest"]
        assert [request["outcome"] for request in one["requests"]] == ["saved"]
        assert one["page"] == f"https://www.flickr.com/photo.gne?id={photo}"
    text = mine.done("trace", known[way]).out
    assert known["digest"] in text
    assert f"https://www.flickr.com/photo.gne?id={photo}" in text

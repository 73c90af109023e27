"""What someone asked to be left out is never asked for: by a file from elsewhere, and in lists that come later."""

from __future__ import annotations

import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.command import LONGEST, Scraper, check, check_manifest
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAN = ("plan", "-n", "20", "--source", "lists")


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraper]:
    """Lists of two classes that share photos, the second in another size; nothing is planned."""
    folder = tmp_path_factory.mktemp("yard")
    world = World.of(31, CLASSES, flickr=14, other=0, mix={Fate.ALIVE: 1})
    world.write_folder(folder / "lists")
    urls = (folder / "lists" / f"{TENCH}.txt").read_text(encoding="utf-8").split()
    sizes = [url.replace(".jpg", "_m.jpg") for url in urls if url.count("_") == 1][:3]
    more = (folder / "lists" / f"{CLOCK}.txt").read_text(encoding="utf-8").split()
    (folder / "lists" / f"{CLOCK}.txt").write_text("\n".join([*sizes, *more]) + "\n", encoding="utf-8")
    with StandIn(world) as standin:
        yield Scraper(folder, standin)


@pytest.fixture
def mine(yard: Scraper, tmp_path: Path) -> Scraper:
    shutil.copytree(yard.folder, tmp_path, dirs_exist_ok=True)
    return Scraper(tmp_path, yard.standin)


def shared(scraper: Scraper) -> list[int]:
    """Photos that are in both classes."""
    lists = [(scraper.folder / "lists" / f"{wnid}.txt").read_text(encoding="utf-8") for wnid, _ in CLASSES]
    photos = [{int(url.rpartition("/")[2].split("_")[0]) for url in text.split()} for text in lists]
    return sorted(photos[0] & photos[1])


def asked(scraper: Scraper) -> set[str]:
    """The paths of pictures that were asked for."""
    assert scraper.standin is not None
    return {seen.path for seen in scraper.standin.requests}


def suppress(scraper: Scraper, text: str) -> tuple[str, str]:
    (scraper.folder / "out.txt").write_text(text, encoding="utf-8")
    return "--suppress", "out.txt"


def test_what_another_manifest_forgot_is_asked_for_in_no_size_and_no_class(mine: Scraper) -> None:
    assert mine.standin is not None
    photos = shared(mine)
    assert len(photos) == 3
    elsewhere = ("--manifest", "elsewhere.db", "--out", "elsewhere")
    mine.done(*PLAN, TENCH, "--manifest", "elsewhere.db")
    mine.done("fetch", *elsewhere)
    mine.done("forget", *map(str, photos), *elsewhere)
    listed = mine.done("forget", "--list", "--manifest", "elsewhere.db").out
    assert [line for line in listed.splitlines() if line.startswith("sha256 ")] != []
    mine.standin.reset_counts()
    planned = mine.done(*PLAN, TENCH, CLOCK, *suppress(mine, listed))
    assert "6 photos, URLs and digests left out for good, since someone asked" in planned.out
    assert "6 candidates are withdrawn, and never asked for" in planned.out
    assert mine.done("forget", "--list").out == listed
    mine.done("fetch")
    assert not [path for path in asked(mine) if any(f"/{photo}_" in path for photo in photos)]
    states = mine.rows("SELECT DISTINCT state, outcome, tries FROM candidates WHERE photo_id IN (?, ?, ?)", *photos)
    assert states == [("lost", "withdrawn", 0)]
    assert mine.rows("SELECT DISTINCT reason FROM revisions") == [("someone asked for it to be left out",)]
    mine.done("fetch", "--retry", "gone,forbidden")
    mine.done("survey", "--sample", "40")
    assert not [path for path in asked(mine) if any(f"/{photo}_" in path for photo in photos)]
    check(mine)


def test_lists_that_come_later_are_looked_through_too(mine: Scraper) -> None:
    photos = shared(mine)
    mine.done(*PLAN, TENCH)
    mine.done("fetch")
    mine.done("forget", *map(str, photos))
    planned = mine.done(*PLAN, CLOCK)
    assert "3 candidates are withdrawn, and never asked for" in planned.out
    assert mine.rows("SELECT DISTINCT state, outcome FROM candidates WHERE photo_id IN (?, ?, ?)", *photos) == [
        ("lost", "withdrawn")
    ]
    mine.done("fetch")
    check(mine)


def test_what_is_planned_already_is_withdrawn_and_nobody_is_asked(mine: Scraper) -> None:
    assert mine.standin is not None
    mine.done(*PLAN, TENCH, CLOCK)
    mine.standin.reset_counts()
    photos = shared(mine)
    url = mine.one("SELECT url FROM candidates WHERE photo_id NOT IN (?, ?, ?) LIMIT 1", *photos)
    text = f"# from a letter\n\nphoto {photos[0]}\r\nphoto {photos[0]}\nurl {url}\n"
    said = mine.done("plan", *suppress(mine, text), stdin=b"")
    assert "3 photos, URLs and digests left out" in said.out
    assert "3 candidates are withdrawn" in said.out
    assert mine.standin.requests == []
    assert mine.one("SELECT count(*) FROM candidates WHERE outcome = 'withdrawn'") == 3
    again = mine.done("plan", *suppress(mine, text), stdin=b"")
    assert "withdrawn" not in again.out
    check(mine)


def test_a_lock_is_looked_through_too(mine: Scraper) -> None:
    mine.done(*PLAN, TENCH, CLOCK)
    mine.done("fetch")
    mine.done("export", "lock", "all.lock")
    photo, digest = shared(mine)[0], mine.one("SELECT sha256 FROM images WHERE path LIKE ? LIMIT 1", f"{CLOCK}/%")
    said = mine.done(
        "plan", "--lock", "all.lock", "--manifest", "other.db", *suppress(mine, f"photo {photo}\nsha256 {digest}\n")
    )
    assert "candidates are withdrawn" in said.out
    other = Scraper(mine.folder, mine.standin, manifest="other.db")
    left = other.rows("SELECT photo_id, sha256 FROM candidates JOIN locked ON candidate_id = id WHERE outcome IS NULL")
    assert photo not in [row[0] for row in left]
    assert digest not in [row[1] for row in left]
    check_manifest(other)


def test_images_that_are_there_are_to_be_forgotten_first(mine: Scraper) -> None:
    mine.done(*PLAN, TENCH, CLOCK)
    mine.done("fetch")
    before = mine.snapshot()
    photo = shared(mine)[0]
    for more in ((), ("--dry-run",)):
        said = mine.done("plan", TENCH, *more, *suppress(mine, f"photo {photo}\n"), code=2)
        assert f"remove them first: scraper forget {photo}" in said.err
    assert {name: digest for name, digest in mine.snapshot().items() if name != "out.txt"} == before
    mine.done("forget", str(photo))
    mine.done("plan", TENCH, *suppress(mine, f"photo {photo}\n"))
    check(mine)


def test_every_bad_line_is_named_and_nothing_is_changed(mine: Scraper) -> None:
    bad = [
        "photo 0", "photo 12345678901234567890", "photo", "photo x", "12345", "sha256 abc", "sha256 " + "A" * 64,
        "url ftp://example.org/a.jpg", "url example.org/a", "url http://", "url http://a.example/\x1b[2J", "photo 1 2",
        "path images/n01440764/1.jpg", "url http://a.example/" + "x" * 9000, "photo ١٢",
    ]  # fmt: skip
    words = suppress(mine, "photo 1\n" + "\n".join(bad) + "\nphoto 2\n")
    before = mine.snapshot()
    said = mine.done(*PLAN, TENCH, *words, code=2).err
    assert f"out.txt: {len(bad)} lines are not `photo`" in said
    assert [number for number in range(2, len(bad) + 2) if f"  line {number}: " not in said] == []
    assert "\x1b" not in said
    assert mine.snapshot() == before
    for path, message in {"none.txt": "no such file", "lists": "not an ordinary file"}.items():
        assert message in mine.done(*PLAN, TENCH, "--suppress", path, code=2).err
    assert mine.snapshot() == before


@pytest.mark.parametrize("number", range(4))
def test_a_kill_leaves_no_class_listed_with_what_is_left_out(mine: Scraper, number: int) -> None:
    photos = shared(mine)
    words = (*PLAN[:-1], "api", TENCH, CLOCK, *suppress(mine, "".join(f"photo {photo}\n" for photo in photos)))
    process = mine.start(*words)
    time.sleep(0.3 + 0.15 * number)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=LONGEST)
    wrong = "SELECT * FROM candidates WHERE photo_id IN (?, ?, ?) AND outcome IS NOT 'withdrawn'"
    if mine.manifest.exists() and mine.rows("SELECT name FROM sqlite_master WHERE name = 'candidates'"):
        assert mine.rows(wrong, *photos) == []
        check_manifest(mine)
    mine.done(*words)
    assert mine.rows(wrong, *photos) == []
    check_manifest(mine)

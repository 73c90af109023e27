"""Verify changes nothing that it is not told to, and nothing at all by a folder that is not that of the images."""

from __future__ import annotations

import hashlib
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.command import check, check_manifest, finish
from tests.conftest import CLOCK, TENCH

if TYPE_CHECKING:
    from pathlib import Path

    from tests.command import Scraper


def contents(folder: Path) -> dict[str, str]:
    """Everything below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


def wrong(copied: Scraper) -> Path:
    """A folder with classes' names that is the user's own."""
    folder = copied.folder / "wrong"
    for wnid in (TENCH, CLOCK):
        (folder / wnid).mkdir(parents=True)
        (folder / wnid / "mine.jpg").write_bytes(b"mine")
    return folder


@pytest.mark.parametrize("flag", ["--repair", "--remove-strays"])
@pytest.mark.parametrize("out", ["wrong", "nowhere", "nowhere/at/all"])
def test_a_wrong_folder_changes_nothing(copied: Scraper, flag: str, out: str) -> None:
    wrong(copied)
    before = copied.snapshot()
    result = copied.done("verify", flag, "--out", out, code=2)
    assert result.err.count("\n") == 1
    assert out in result.err
    assert copied.snapshot() == before
    copied.done("fetch", "--out", out, code=2)
    assert copied.snapshot() == before


def test_a_wrong_folder_with_files_of_the_same_names_changes_nothing(copied: Scraper) -> None:
    """As one of smaller pictures, made of the images."""
    for path in copied.images.glob("n*/*"):
        small = copied.folder / "small" / path.relative_to(copied.images)
        small.parent.mkdir(parents=True, exist_ok=True)
        small.write_bytes(path.read_bytes()[:500])
    before = copied.snapshot()
    for words in (("verify", "--repair"), ("verify", "--remove-strays"), ("fetch",)):
        assert copied.done(*words, "--out", "small", code=2).err.count("\n") == 1
        assert copied.snapshot() == before


def test_most_images_missing_asks_for_a_second_word(copied: Scraper) -> None:
    paths = sorted(path for (path,) in copied.rows("SELECT path FROM images"))
    for path in paths[1:]:
        (copied.images / path).unlink()
    before = copied.snapshot()
    result = copied.done("verify", "--repair", code=2)
    assert f"{len(paths) - 1} of {len(paths)} images are not in images as recorded" in result.err
    assert "`scraper verify --repair --missing-anyway` says so" in result.err
    assert copied.snapshot() == before
    assert copied.done("verify", "--missing-anyway", code=2).err.count("\n") == 1
    assert "repaired" in copied.done("verify", "--repair", "--missing-anyway").out
    assert copied.one("SELECT count(*) FROM images") == 1
    copied.done("fetch")
    assert sorted(path for (path,) in copied.rows("SELECT path FROM images")) == paths
    check(copied)


def test_a_folder_that_is_gone_is_not_made(copied: Scraper) -> None:
    copied.images.rename(copied.folder / "aside")
    copied.done("verify", "--repair", code=2)
    copied.done("verify", "--repair", "--missing-anyway")
    assert not copied.images.exists()
    assert copied.one("SELECT count(*) FROM images") == 0
    check_manifest(copied)


def test_a_damaged_image_is_left_to_whoever_changed_it(copied: Scraper) -> None:
    (path, size), *_ = copied.rows("SELECT path, bytes FROM images ORDER BY path")
    (copied.images / path).write_bytes(b"x" * size)  # of the same size, so that fetch alone would not see it
    assert "1 with other bytes than recorded: damaged, or changed by someone" in copied.done("verify", code=1).out
    assert "files with other bytes stay as they are" in copied.done("verify", "--repair").out
    copied.done("fetch")
    assert (copied.images / path).read_bytes() == b"x" * size
    check(copied, others={path})


def test_what_is_not_known_is_listed_and_stays(copied: Scraper) -> None:
    own = copied.images / TENCH / "labels.txt"
    own.write_text("mine")
    result = copied.done("verify", code=1)
    assert f"  {TENCH}/labels.txt\n" in result.out
    assert "--repair" not in result.out  # which has nothing to mend
    assert "may be yours" in result.out
    assert "`scraper verify --remove-strays` deletes all 1" in result.out
    for words in (("verify", "--repair"), ("fetch",), ("verify", "--repair"), ("fetch",)):
        copied.done(*words)
        assert own.read_text() == "mine"
    check(copied, others={f"{TENCH}/labels.txt"})


def test_strays_are_removed_by_their_flag_alone_and_counted_first(copied: Scraper) -> None:
    before = contents(copied.images)
    (copied.images / "mine.txt").write_text("in no class's folder")
    folder = copied.images / TENCH
    for name in ("labels.txt", "Größe 1.jpg"):
        (folder / name).write_text("mine")
    (folder / "folder").mkdir()
    (folder / "folder" / "deep.jpg").write_text("mine")
    (folder / "link").symlink_to("labels.txt")
    os.mkfifo(folder / "fifo")
    result = copied.done("verify", "--remove-strays", code=1)  # the link and the FIFO are still there
    assert "removing 2 files that the manifest does not know from images\n" in result.err
    assert "2 files unknown to the manifest removed\n" in result.out
    left = contents(copied.images).keys() - before.keys()
    assert left == {"mine.txt", *(f"{TENCH}/{name}" for name in ("folder", "folder/deep.jpg", "link", "fifo"))}
    assert before.items() <= contents(copied.images).items()


def test_strays_are_not_removed_while_another_manifest_writes_to_the_folder(copied: Scraper) -> None:
    assert copied.standin is not None
    stray = copied.images / TENCH / "stray.jpg"
    stray.write_bytes(b"")
    other = ("--manifest", "other.db")
    copied.done("plan", TENCH, "-n", "20", "--source", "lists", *other)
    copied.standin.latency = 2.0
    try:
        process = copied.start("fetch", *other)
        while not list(copied.images.glob(".partial/*/*.journal")):
            assert process.poll() is None
        result = copied.done("verify", "--remove-strays", code=3)
        assert "another run is writing to images" in result.err
        assert stray.exists()
        process.send_signal(signal.SIGTERM)
        assert finish(process).code == 130
    finally:
        copied.standin.latency = 0.0
    copied.done("verify", "--remove-strays")
    assert not stray.exists()


def test_what_killed_runs_of_others_left_goes_as_a_stray(copied: Scraper) -> None:
    """Unless a name of theirs may lack its row."""
    assert copied.standin is not None
    other = ("--manifest", "other.db")
    copied.done("plan", TENCH, "-n", "20", "--source", "lists", *other)
    copied.standin.latency = 2.0
    try:
        process = copied.start("fetch", *other)
        while not list(copied.images.glob(".partial/*/*.journal")):
            assert process.poll() is None
        process.kill()
        process.communicate()
    finally:
        copied.standin.latency = 0.0
    assert "  .partial/" in copied.done("verify", code=1).out
    copied.done("verify", "--remove-strays")
    check(copied)

"""Classes that are no longer wanted leave the report and are not fetched; their images go only where asked."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import pytest

from scraper import DropOptions, drop
from scraper.errors import InputError
from tests.command import Scraper, check, check_files, check_manifest
from tests.conftest import CLOCK, TENCH
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from pathlib import Path

SAVED: Final = "SELECT count(*) FROM images WHERE wnid = ?"
DROPPED: Final = "SELECT wnid FROM classes WHERE dropped_at NOT NULL"


def files_of(scraper: Scraper, wnid: str) -> list[str]:
    folder = scraper.images / wnid
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_dropped_class_leaves_the_report_and_is_not_fetched(copied: Scraper) -> None:
    before = copied.report()
    files = files_of(copied, CLOCK)
    result = copied.done("drop", "analog clock")
    assert result.out == "1 class dropped from manifests/scraper.db\n"
    after = copied.report()
    assert [row["wnid"] for row in after["classes"]] == [TENCH]
    assert (after["totals"]["classes"], after["totals"]["dropped"], after["totals"]["wanted"]) == (1, 1, 10)
    assert after["totals"]["requests"] == before["totals"]["requests"]
    assert sum(after["outcomes"].values()) == after["totals"]["tried"] < before["totals"]["tried"]
    assert "1 class dropped\n" in copied.done("report").out
    assert copied.done("report", "--check").code == 0
    requests = copied.one("SELECT count(*) FROM attempts")
    assert "10 of 10 wanted are there" in copied.done("fetch").out
    assert copied.one("SELECT count(*) FROM attempts") == requests
    assert files_of(copied, CLOCK) == files
    copied.done("verify")
    check(copied)


def test_its_record_stays_and_plan_takes_it_up_again(copied: Scraper) -> None:
    before = copied.rows("SELECT * FROM attempts")
    copied.done("drop", CLOCK)
    assert "1 class of 1 resolved (1 of them before)" in copied.done("plan", CLOCK, "--source", "lists").out
    assert copied.rows(DROPPED) == []
    assert copied.rows("SELECT n FROM classes WHERE wnid = ?", CLOCK) == [(30,)]
    assert copied.rows("SELECT * FROM attempts") == before
    assert {row["wnid"] for row in copied.report()["classes"]} == {TENCH, CLOCK}


def test_images_are_deleted_with_their_rows_where_asked(copied: Scraper) -> None:
    saved = copied.one(SAVED, CLOCK)
    result = copied.done("drop", CLOCK, "--delete-images")
    assert f"{saved} images (" in result.out
    assert result.out.endswith(" deleted\n")
    assert copied.one(SAVED, CLOCK) == 0
    assert files_of(copied, CLOCK) == []
    assert len(files_of(copied, TENCH)) == copied.one(SAVED, TENCH) == 10
    check(copied)
    copied.done("verify")
    copied.done("plan", CLOCK, "--source", "lists")
    copied.done("fetch")
    assert copied.one(SAVED, CLOCK) == saved
    check(copied)


def test_images_of_a_class_that_was_dropped_before(copied: Scraper) -> None:
    copied.done("drop", "tench")
    result = copied.done("drop", "tench", "--delete-images")
    assert result.out.startswith("1 class dropped from manifests/scraper.db (1 of them before)\n10 images (")
    assert files_of(copied, TENCH) == []


def test_only_files_that_are_as_recorded_are_deleted(copied: Scraper) -> None:
    first, second, third = copied.rows("SELECT path FROM images WHERE wnid = ? LIMIT 3", TENCH)
    edited, replaced = copied.images / first[0], copied.images / second[0]
    edited.write_bytes(b"mine now")
    replaced.unlink()
    replaced.symlink_to(copied.images / third[0])
    (copied.images / TENCH / "notes.txt").write_text("mine")
    result = copied.done("drop", TENCH, "--delete-images")
    assert "8 images (" in result.out
    assert "2 files are not this manifest's as recorded, and stayed:\n" in result.out
    assert files_of(copied, TENCH) == sorted([edited.name, replaced.name, "notes.txt"])
    assert edited.read_bytes() == b"mine now"
    check_manifest(copied)


def test_files_that_another_manifest_wrote_stay(copied: Scraper) -> None:
    """Two manifests with one folder: what the second one found there is not its own."""
    other = Scraper(copied.folder, copied.standin, manifest="other.db")
    where = ("--manifest", "other.db")
    other.done("plan", "tench", "-n", "4", "--source", "lists", *where)
    other.done("fetch", *where)
    files = files_of(copied, TENCH)
    assert "4 files are not this manifest's as recorded" in other.done("drop", TENCH, "--delete-images", *where).out
    assert files_of(copied, TENCH) == files
    copied.done("verify")


@pytest.mark.parametrize("kept", [True, False])
def test_files_that_another_manifest_has_begun_to_share_stay(tmp_path: Path, *, kept: bool) -> None:
    """The first one wrote them; the second one counts on them all the same."""
    world = World.of(17, [(TENCH, "tench")], flickr=8, other=0, mix={Fate.ALIVE: 1})
    with StandIn(world) as standin:
        first, second = Scraper(tmp_path, standin), Scraper(tmp_path, standin, manifest="other.db")
        first.done("plan", "tench", "-n", "6")
        first.done("fetch")
        if kept:
            second.done("plan", "tench", "-n", "4", "--manifest", "other.db")
            second.done("fetch", "--manifest", "other.db")
        result = first.done("drop", TENCH, "--delete-images")
        assert f"{2 if kept else 6} images (" in result.out
        assert ("4 files are not this manifest's as recorded, and stayed" in result.out) is kept
        assert len(files_of(first, TENCH)) == 4 * kept
        check_manifest(first)
        if kept:
            check_files(second)


def test_files_that_an_export_has_linked_stay_and_that_is_said(tmp_path: Path) -> None:
    """A link changes a file as another manifest that begins to share it does: which of them it was cannot be told."""
    with StandIn(World.of(17, [(TENCH, "tench")], flickr=8, other=0, mix={Fate.ALIVE: 1})) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", "tench", "-n", "3")
        scraper.done("fetch")
        scraper.done("export", "imagefolder", "dataset")
        result = scraper.done("drop", TENCH, "--delete-images")
        assert "3 files are not this manifest's as recorded, and stayed" in result.out
        assert "someone may have changed them" in result.out
        assert scraper.one("SELECT count(*) FROM images") == 0
        assert len(list(tmp_path.glob("dataset/**/*.jpg"))) == len(files_of(scraper, TENCH)) == 3


def test_another_folder_than_that_of_the_images_changes_nothing(copied: Scraper) -> None:
    """It may have folders of the classes' names, and more in them."""
    (copied.folder / "other" / TENCH).mkdir(parents=True)
    (copied.folder / "other" / TENCH / "mine.jpg").write_text("mine")
    before = copied.snapshot()
    photo = str(copied.one("SELECT photo_id FROM candidates WHERE state = 'saved' LIMIT 1"))
    for words in (("drop", TENCH, "--delete-images"), ("forget", photo)):
        err = copied.done(*words, "--out", "other", code=2).err
        assert "none of the 27 images of this manifest are in other: give the --out of the earlier run" in err
    assert copied.snapshot() == before


def test_a_folder_that_cannot_be_written_to_changes_nothing(copied: Scraper) -> None:
    (copied.images / ".partial").write_text("mine")
    before = copied.snapshot()
    assert "cannot write to the output folder" in copied.done("drop", TENCH, "--delete-images", code=2).err
    assert copied.snapshot() == before
    assert copied.rows(DROPPED) == []


REFUSED = {
    ("drop", "goldfish"): "goldfish is not planned here",
    ("drop", "n01443537"): "n01443537 is not planned here",
    ("drop", "tnech"): "tnech: no class has this name; near: tench",
    ("drop", TENCH, "goldfish", "tnech"): "2 of the classes cannot be taken, and nothing was changed:",
    ("drop", TENCH, "--delete-images", "--out", "nowhere"): "there is no folder nowhere",
    ("drop",): "no class was given",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_not_planned_changes_nothing(copied: Scraper, words: tuple[str, ...]) -> None:
    before = copied.snapshot()
    assert REFUSED[words] in copied.done(*words, code=2).err
    assert copied.snapshot() == before


def test_a_name_means_what_is_planned(copied: Scraper) -> None:
    """The clock is called so by its list; the tench by WordNet."""
    copied.done("drop", stdin=b"Tinca tinca\nANALOG_CLOCK\n")
    assert copied.rows(DROPPED) == [(TENCH,), (CLOCK,)]
    assert copied.report()["totals"]["wanted"] == 0


def test_the_same_from_python(copied: Scraper) -> None:
    summary = drop(["tench"], DropOptions(delete_images=True, out=copied.images), manifest=copied.manifest)
    assert (summary.classes, summary.deleted, summary.stayed) == ((TENCH,), 10, ())
    with pytest.raises(InputError, match="not planned"):
        drop(["goldfish"], manifest=copied.manifest)


def test_a_kill_at_any_moment(filled: Scraper, tmp_path: Path) -> None:
    """Whatever it was about to do to a file: rows have their files, and the same command again ends it well."""
    for moment in range(1, 100):
        folder = tmp_path / str(moment)
        shutil.copytree(filled.folder, folder)
        scraper = Scraper(folder, filled.standin)
        code = scraper.killed_at(moment, "drop", TENCH, "--delete-images")
        check_files(scraper, strays=True)
        check_manifest(scraper)
        scraper.done("drop", TENCH, "--delete-images")
        assert files_of(scraper, TENCH) == []
        check_manifest(scraper)
        check_files(scraper)
        assert not (scraper.images / ".partial").exists()
        shutil.rmtree(folder)
        if code == 0:
            break
    assert 12 < moment < 99

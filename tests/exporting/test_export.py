"""Exports from the command line, of a manifest that was really fetched."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.command import LONGEST, Scraper, finish, until
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import ClassSpec, Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMS = ("imagefolder", "webdataset")
"""Those that need nothing more; `make test-readers` has parquet too."""
LISTS = ("csv", "jsonl", "lock")
SPLIT = ("--split", "train=0.6,test=0.4", "--seed", "3")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def content(place: Path) -> dict[str, str]:
    """Every file at a place, by its digest."""
    if place.is_file():
        return {"": digest(place)}
    return {str(path.relative_to(place)): digest(path) for path in sorted(place.rglob("*")) if path.is_file()}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def recorded(scraper: Scraper) -> dict[str, str]:
    return dict(scraper.rows("SELECT path, sha256 FROM images"))


def test_an_imagefolder_is_what_the_manifest_says(copied: Scraper) -> None:
    result = copied.done("export", "imagefolder", "dest", *SPLIT)
    known = recorded(copied)
    rows = {}
    for split in ("train", "test"):
        for row in table(copied.folder / "dest" / split / "metadata.csv"):
            path = copied.folder / "dest" / split / row["file_name"]
            assert digest(path) == row["sha256"] == known[row["file_name"]]
            with Image.open(path) as image:
                assert [str(side) for side in image.size] == [row["width"], row["height"]]
            rows[row["file_name"]] = row
    assert set(rows) == set(known)
    assert list(rows[min(rows)]) == ["file_name", "wnid", "label", "photo_id", "url", "sha256", "width", "height"]
    assert {row["label"] for row in rows.values()} == {"tench", "analog clock"}
    assert f"{len(known)} images" in result.out
    classes = table(copied.folder / "dest" / "classes.csv")
    assert [(row["index"], row["wnid"], row["folder"]) for row in classes] == [("0", TENCH, TENCH), ("1", CLOCK, CLOCK)]


def test_files_are_linked_or_copied(copied: Scraper) -> None:
    copied.done("export", "imagefolder", "linked")
    copied.done("export", "imagefolder", "copied", "--files", "copy")
    path = min(recorded(copied))
    inode = (copied.images / path).stat().st_ino
    assert (copied.folder / "linked" / "train" / path).stat().st_ino == inode
    assert (copied.folder / "copied" / "train" / path).stat().st_ino != inode


def test_folders_may_be_called_by_labels(copied: Scraper) -> None:
    copied.done("export", "imagefolder", "dest", "--folders", "label")
    assert sorted(path.name for path in (copied.folder / "dest" / "train").iterdir() if path.is_dir()) == [
        "analog_clock",
        "tench",
    ]


LABELS = {
    TENCH: "../../etc",
    CLOCK: "CON",
    "n02084071": "dog \u202e=cmd|'x'!A1",
    "n02121620": "cat/dog",
    "n01443537": "cat dog",
    "n01496331": "猫" * 200,
    "n02123045": "cat_dog-n01443537",
    "n02123159": "???",
    "n07739125": "an apple that nobody has",
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Scraper:
    """Classes whose labels are no names of folders, or alike; the last has no image."""
    folder = tmp_path_factory.mktemp("odd")
    specs = [ClassSpec(wnid, label, 3, 0, mix={Fate.ALIVE: 1}) for wnid, label in LABELS.items()]
    specs[-1] = replace(specs[-1], mix={Fate.GONE_404: 1})
    world = World(6, specs)
    world.write_folder(folder / "lists")
    with StandIn(world) as standin:
        scraper = Scraper(folder, standin)
        names = json.dumps([{"wnid": wnid, "label": label} for wnid, label in LABELS.items()])
        scraper.done("plan", "-n", "2", "--source", "lists", stdin=names.encode())
        scraper.done("fetch")
    return scraper


def test_odd_labels_make_folders_of_their_own(odd: Scraper, tmp_path: Path) -> None:
    result = odd.done("export", "imagefolder", str(tmp_path / "dest"), "--folders", "label")
    assert "1 class without an image left out:\n  n07739125\n" in result.out
    classes = {row["wnid"]: row["folder"] for row in table(tmp_path / "dest" / "classes.csv")}
    assert len({folder.casefold() for folder in classes.values()}) == len(LABELS) - 1
    assert [folder for folder in classes.values() if not re.fullmatch(r"[\w-]+", folder)] == []
    for wnid, folder in classes.items():
        digests = {digest(path) for path in (tmp_path / "dest" / "train" / folder).iterdir()}
        assert digests == {found for (found,) in odd.rows("SELECT sha256 FROM images WHERE wnid = ?", wnid)}
    for form in ("webdataset", "csv", "jsonl"):
        odd.done("export", form, str(tmp_path / form))
    # The lock of it can be read again, and gives itself.
    odd.done("export", "lock", str(tmp_path / "odd.lock"))
    odd.done("plan", "--lock", str(tmp_path / "odd.lock"), "--manifest", str(tmp_path / "again.db"))


def test_classes_that_were_dropped_are_left_out(odd: Scraper, tmp_path: Path) -> None:
    shutil.copytree(odd.folder, tmp_path / "mine")
    mine = Scraper(tmp_path / "mine")
    mine.done("drop", TENCH)
    result = mine.done("export", "csv", "list.csv")
    assert TENCH not in {row["wnid"] for row in table(mine.folder / "list.csv")}
    assert "beyond the n" not in result.out


def test_an_export_during_a_fetch_is_of_one_moment(tmp_path: Path) -> None:
    world = World.of(8, CLASSES, flickr=60, other=0, mix={Fate.ALIVE: 1})
    world.write_folder(tmp_path / "lists")
    with StandIn(world, latency=0.1) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "50", "--source", "lists")
        process = scraper.start("fetch", "--threads", "2")
        scraper.wait("SELECT count(*) FROM images", 5, process)
        scraper.done("export", "imagefolder", "dest", "--files", "copy")
        scraper.done("export", "webdataset", "shards")
        assert finish(process).code == 0
    known = recorded(scraper)
    rows = table(tmp_path / "dest" / "train" / "metadata.csv")
    assert 5 <= len(rows) < len(known)
    assert {row["file_name"]: row["sha256"] for row in rows}.items() <= known.items()
    assert f"# {len(rows)} photographs" in (tmp_path / "dest" / "README.md").read_text(encoding="utf-8")


def test_a_full_disk_leaves_nothing(copied: Scraper) -> None:
    """Where no file may have more bytes than the first pictures take."""
    before = copied.snapshot()
    for form in (("webdataset",), ("imagefolder", "--files", "copy")):
        words = [
            "bash",
            "-c",
            'ulimit -f 64; trap "" XFSZ; exec "$@"',
            "bash",
            *copied.command("export", *form, "dest"),
        ]
        ended = subprocess.run(words, cwd=copied.folder, capture_output=True, text=True, check=False, timeout=LONGEST)
        assert ended.returncode == 4, ended
        assert "nothing was left there" in ended.stderr
    assert copied.snapshot() == before


def test_what_cannot_be_converted_is_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    world = World.of(12, CLASSES, flickr=12, other=0, mix={Fate.ALIVE: 3, Fate.CORRUPT: 1})
    world.write_folder(tmp_path / "lists")
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "12", "--source", "lists")
        scraper.done("fetch", "--check", "header")
    broken = {path for path, url in scraper.rows("SELECT path, url FROM images") if world.fate(url) is Fate.CORRUPT}
    every = set(recorded(scraper))
    assert len(broken) > 1
    result = scraper.done("export", "imagefolder", "dest", "--size", "64", "--encode", "jpeg", code=1)
    assert [path for path in broken if f"  {path} cannot be converted" not in result.out] == []
    rows = table(tmp_path / "dest" / "train" / "metadata.csv")
    assert {row["file_name"] for row in rows} == every - broken
    assert f"# {len(every - broken)} photographs" in (tmp_path / "dest" / "README.md").read_text(encoding="utf-8")
    scraper.done("export", "imagefolder", "whole")


def members(folder: Path) -> list[tuple[str, bytes]]:
    found = []
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as archive:
            for member in archive:
                assert (member.mtime, member.uid, member.uname) == (0, 0, "")
                plain = tarfile.TarInfo(member.name)
                plain.size = member.size
                archived = path.read_bytes()[member.offset : member.offset_data]
                assert archived == plain.tobuf(tarfile.USTAR_FORMAT)
                file = archive.extractfile(member)
                assert file is not None
                found.append((member.name, file.read()))
    return found


def test_a_webdataset_has_each_image_with_its_class_and_what_is_known(copied: Scraper) -> None:
    copied.done("export", "webdataset", "dest", "--shard-size", "1MB")
    shards = sorted((copied.folder / "dest").glob("train-*.tar"))
    assert len(shards) > 1
    assert all(path.stat().st_size <= 1_001_024 for path in shards)
    known = recorded(copied)
    found = members(copied.folder / "dest")
    assert {name.count(".") for name, _ in found} == {1}
    samples: dict[str, dict[str, bytes]] = {}
    for name, body in found:
        key, _, extension = name.partition(".")
        samples.setdefault(key, {})[extension] = body
    assert len(samples) == len(known)
    for sample in samples.values():
        facts = json.loads(sample["json"])
        (picture,) = [body for extension, body in sample.items() if extension in ("jpg", "png", "gif")]
        assert hashlib.sha256(picture).hexdigest() == facts["sha256"]
        assert sample["cls"] == (b"0" if facts["wnid"] == TENCH else b"1")


def test_lists_tell_where_every_image_is_from(copied: Scraper) -> None:
    for form in LISTS:
        copied.done("export", form, f"list.{form}")
    known = recorded(copied)
    rows = table(copied.folder / "list.csv")
    assert {row["file_name"]: row["sha256"] for row in rows} == known
    objects = [json.loads(line) for line in (copied.folder / "list.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {one["file_name"]: one["sha256"] for one in objects} == known
    header, *lines = (copied.folder / "list.lock").read_text(encoding="utf-8").splitlines()
    assert header == "# scraper lock 1"
    assert [line.split("\t")[0] for line in lines[:2]] == [f"# class {TENCH}", f"# class {CLOCK}"]
    assert sorted(line.split("\t")[4] for line in lines[2:]) == sorted(known.values())


@pytest.mark.parametrize("form", [*FORMS, *LISTS])
def test_the_same_twice_on_any_number_of_cores(copied: Scraper, form: str) -> None:
    convert = () if form in LISTS else ("--size", "64", "--encode", "jpeg")
    copied.done("export", form, "one", *SPLIT, *convert)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    try:
        copied.done("export", form, "two", *SPLIT, *convert)
    finally:
        os.sched_setaffinity(0, cores)
    assert content(copied.folder / "one") == content(copied.folder / "two")


def test_an_image_never_moves_when_more_come(copied: Scraper) -> None:
    copied.done("export", "csv", "all.csv", *SPLIT)
    copied.done("plan", TENCH, "-n", "4", "--source", "lists")
    copied.done("export", "csv", "some.csv", *SPLIT)
    every = {row["sha256"]: row["split"] for row in table(copied.folder / "all.csv")}
    some = {row["sha256"]: row["split"] for row in table(copied.folder / "some.csv")}
    assert len(some) < len(every)
    assert some.items() <= every.items()
    ranks = [int(row["rank"]) for row in table(copied.folder / "some.csv") if row["wnid"] == TENCH]
    assert ranks == [rank for (rank,) in copied.rows("SELECT rank FROM candidates WHERE wnid = ? AND state = 'saved' "
                                                     "ORDER BY rank LIMIT 4", TENCH)]  # fmt: skip


def test_what_cannot_be_linked_is_read_and_checked(copied: Scraper) -> None:
    elsewhere = Path("/dev/shm")  # noqa: S108 - a disk of its own where it is
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == copied.images.stat().st_dev:
        pytest.skip("there is no other disk to export to")
    damaged, *others = sorted(recorded(copied))
    body = bytearray((copied.images / damaged).read_bytes())
    body[len(body) // 2] ^= 1
    (copied.images / damaged).write_bytes(body)
    os.utime(copied.images / damaged, (0, 0))  # as old as if nobody had touched it
    with tempfile.TemporaryDirectory(dir=elsewhere) as folder:
        result = copied.done("export", "imagefolder", f"{folder}/dest", code=1)
        rows = {row["file_name"]: row["sha256"] for row in table(Path(folder, "dest", "train", "metadata.csv"))}
        assert rows == {path: digest(Path(folder, "dest", "train", path)) for path in others}
    assert f"{damaged} is damaged" in result.out


@pytest.mark.parametrize("form", FORMS)
def test_damaged_and_missing_images_are_named_and_left_out(copied: Scraper, form: str) -> None:
    damaged, missing, folder, *_ = sorted(recorded(copied))
    body = bytearray((copied.images / damaged).read_bytes())
    body[len(body) // 2] ^= 1
    (copied.images / damaged).write_bytes(body)
    future = time.time() + 100
    os.utime(copied.images / damaged, (future, future))
    (copied.images / missing).unlink()
    (copied.images / folder).unlink()
    os.mkfifo(copied.images / folder)
    result = copied.done("export", form, "dest", code=1)
    assert "3 images left out:" in result.out
    assert f"{damaged} is damaged" in result.out
    assert f"{missing} is missing" in result.out
    assert f"{folder} is missing" in result.out


def test_what_stands_at_the_place_is_replaced_only_where_an_export_wrote_it(copied: Scraper) -> None:
    dest = copied.folder / "dest"
    dest.mkdir()
    copied.done("export", "imagefolder", "dest")
    before = content(dest)
    assert "is there already" in copied.done("export", "imagefolder", "dest", code=2).err
    copied.done("export", "imagefolder", "dest", "--overwrite", *SPLIT)
    after = content(dest)
    assert before != after
    (dest / "train" / "mine.txt").write_text("mine", encoding="utf-8")
    assert "no export wrote train/mine.txt" in copied.done("export", "imagefolder", "dest", "--overwrite", code=2).err
    assert content(dest) == after | {"train/mine.txt": hashlib.sha256(b"mine").hexdigest()}
    (dest / "train" / "mine.txt").unlink()
    (dest / "README.md").write_text("A card that someone has worked on.", encoding="utf-8")
    assert "someone changed README.md in it" in copied.done("export", "imagefolder", "dest", "--overwrite", code=2).err
    (dest / "README.md").unlink()
    copied.done("export", "imagefolder", "dest", "--overwrite")
    assert content(dest) == before


def test_a_folder_or_a_file_of_somebody_is_never_replaced(copied: Scraper) -> None:
    (copied.folder / "mine").mkdir()
    (copied.folder / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    (copied.folder / "list.csv").write_text("my,own\n", encoding="utf-8")
    (copied.folder / "link").symlink_to("mine")
    before = copied.snapshot()
    for words in (
        ("imagefolder", "mine"),
        ("csv", "list.csv"),
        ("csv", "mine"),
        ("imagefolder", "list.csv"),
        ("imagefolder", "link"),
        ("imagefolder", "/proc/dest"),
        ("imagefolder", "images"),
    ):
        copied.done("export", *words, "--overwrite", code=2)
    assert copied.snapshot() == before


def test_lists_are_replaced_by_lists_of_the_same_form(copied: Scraper) -> None:
    for form in LISTS:
        copied.done("export", form, f"list.{form}")
        assert "is there already" in copied.done("export", form, f"list.{form}", code=2).err
        copied.done("export", form, f"list.{form}", "--overwrite")


def test_bad_input_changes_nothing(copied: Scraper) -> None:
    before = copied.snapshot()
    says = {
        "": "export needs a form and a place",
        "imagefolder": "export needs a form and a place",
        "zip dest": "is one of imagefolder, webdataset, parquet, csv, jsonl, lock, not 'zip'",
        "csv dest --split train": "--split must be as in",
        "csv dest --size 0": "--size must be from 1",
        "csv dest --resize stretch": "--resize must be one of",
        "csv dest --size 64": "--size is for imagefolder, webdataset, parquet, not for csv",
        "webdataset dest --folders label": "--folders is for imagefolder, not for webdataset",
        "imagefolder dest --shard-size 1MB": "--shard-size is for webdataset, parquet, not for imagefolder",
        "webdataset dest --resize crop": "--resize says how --size is meant",
        "webdataset dest --enlarge": "--enlarge says how --size is meant",
        "imagefolder dest --out nowhere": "there is no folder nowhere",
        "imagefolder dest --conflicts maybe": "--conflicts must be one of",
    }
    for words, message in says.items():
        assert message in copied.done("export", *words.split(), code=2).err, words
    copied.done("export", "csv", "dest", "--manifest", "none.db", code=3)
    assert copied.snapshot() == before


def test_a_manifest_without_an_image(scraper: Scraper, filled: Scraper) -> None:
    shutil.copytree(filled.folder / "lists", scraper.folder / "lists")
    scraper.done("plan", TENCH, "--source", "lists")
    assert "there is no image to export" in scraper.done("export", "csv", "dest", code=2).err
    assert not (scraper.folder / "dest").exists()


# --- the same photo in two classes -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraper]:
    """Two classes that list some of the same photos."""
    folder = tmp_path_factory.mktemp("shared")
    world = World.of(3, CLASSES, flickr=12, other=0, mix={Fate.ALIVE: 1})
    with StandIn(world) as standin:
        lists = folder / "lists"
        world.write_folder(lists)
        urls = (lists / f"{TENCH}.txt").read_text(encoding="utf-8").splitlines()
        more = (lists / f"{CLOCK}.txt").read_text(encoding="utf-8").splitlines()
        (lists / f"{CLOCK}.txt").write_text("\n".join([*urls[:3], *more]) + "\n", encoding="utf-8")
        scraper = Scraper(folder, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "6", "--source", "lists")
        scraper.done("fetch")
        yield scraper


@pytest.mark.parametrize(("conflicts", "tench", "clock"), [("keep", 6, 6), ("first", 6, 3), ("drop", 3, 3)])
def test_photos_in_two_classes(shared: Scraper, tmp_path: Path, conflicts: str, tench: int, clock: int) -> None:
    result = shared.done("export", "csv", str(tmp_path / "list.csv"), "--conflicts", conflicts)
    assert "3 photos in several classes" in result.out
    wnids = [row["wnid"] for row in table(tmp_path / "list.csv")]
    assert (wnids.count(TENCH), wnids.count(CLOCK)) == (tench, clock)


def test_photos_in_two_classes_may_be_an_error(shared: Scraper, tmp_path: Path) -> None:
    result = shared.done("export", "csv", str(tmp_path / "list.csv"), "--conflicts", "error", code=2)
    assert "3 photos are in several classes" in result.err
    assert not list(tmp_path.iterdir())


def test_a_photo_is_on_the_same_side_in_both_classes(shared: Scraper, tmp_path: Path) -> None:
    for seed in range(6):
        path = tmp_path / f"{seed}.csv"
        shared.done("export", "csv", str(path), "--split", "train=0.5,test=0.5", "--seed", str(seed))
        sides: dict[str, set[str]] = {}
        for row in table(path):
            sides.setdefault(row["photo_id"], set()).add(row["split"])
        assert {len(side) for side in sides.values()} == {1}


# --- kills -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(6))
def test_a_kill_leaves_the_old_export_or_the_new(copied: Scraper, number: int) -> None:
    copied.done("export", "webdataset", "dest")
    old = content(copied.folder / "dest")
    process = copied.start("export", "webdataset", "dest", "--overwrite", "--size", "48")
    time.sleep(0.1 + 0.12 * number)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=LONGEST)
    found = content(copied.folder / "dest")
    copied.done("export", "webdataset", "dest", "--overwrite", "--size", "48")
    assert found in (old, content(copied.folder / "dest"))
    assert [path.name for path in copied.folder.iterdir() if path.name.startswith(".dest")] == []


def test_an_interrupt_leaves_nothing(copied: Scraper) -> None:
    process = copied.start("export", "webdataset", "dest", "--size", "2000", "--enlarge", "--encode", "webp")
    until(lambda: any(path.name.startswith(".dest") for path in copied.folder.iterdir()), process)
    process.send_signal(signal.SIGINT)
    ended = finish(process)
    if ended.code == 130:
        assert not (copied.folder / "dest").exists()
    assert [path.name for path in copied.folder.iterdir() if path.name.startswith(".dest")] == []


# --- cards -----------------------------------------------------------------------------------------------------------


def test_the_card_tells_only_what_is_so(copied: Scraper) -> None:
    copied.done("export", "imagefolder", "dest", *SPLIT)
    card = (copied.folder / "dest" / "README.md").read_text(encoding="utf-8")
    images = len(recorded(copied))
    assert f"# {images} photographs of 2 ImageNet classes" in card
    assert str(copied.folder) not in card
    assert str(Path.home()) not in card
    asked = copied.one("SELECT count(*) FROM candidates WHERE tries > 0")
    gone = copied.one("SELECT count(*) FROM candidates WHERE outcome IN ('gone', 'placeholder')")
    assert f"{asked} URLs of these classes were asked for:" in card
    assert f"| gone, or a placeholder | {gone} |" in card
    described: dict[str, Any] = json.loads((copied.folder / "dest" / "croissant.json").read_text(encoding="utf-8"))
    tables = {one["@id"]: one["sha256"] for one in described["distribution"] if one["@type"] == "cr:FileObject"}
    assert tables == {name: digest(copied.folder / "dest" / name) for name in tables}
    assert {one["@id"] for one in described["recordSet"]} == {"classes", "train", "test"}


def test_converted_pictures_have_no_metadata_and_the_size_asked_for(copied: Scraper) -> None:
    copied.done("export", "webdataset", "dest", "--size", "50", "--resize", "crop", "--encode", "png")
    for name, body in members(copied.folder / "dest"):
        if name.endswith(".png"):
            with Image.open(io.BytesIO(body)) as image:
                assert (image.size, image.mode, dict(image.getexif())) == ((50, 50), "RGB", {})

"""`scraper classes`, as people and pipes use it."""

from __future__ import annotations

import csv
import io
import json
import lzma
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import scraper as package
from scraper.naming.presets import PRESETS
from scraper.naming.shipped import wordnet

if TYPE_CHECKING:
    from tests.command import Scraper

BIRD, MACHINE = "n02012849", "n03126707"


def test_in_a_pipe_it_writes_the_ids_that_plan_reads(scraper: Scraper) -> None:
    result = scraper.done("classes", "crane", "Golden_Retriever", "tench,n01440764")
    assert result.out.splitlines() == [BIRD, MACHINE, "n02099601", "n01440764"]
    assert result.err == "scraper: crane has 2 meanings, and all are listed\n"


def test_on_a_terminal_it_tells_two_cranes_apart(scraper: Scraper) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        scraper.command("classes", "crane"), cwd=scraper.folder, env=scraper.environment(), stdout=theirs, stdin=theirs
    ) as process:
        process.wait(60)
        os.close(theirs)
        shown = os.read(ours, 100_000).decode()
        os.close(ours)
    for part in (BIRD, MACHINE, "wading bird of marshes", "a kind of lifting device"):
        assert part in shown


@pytest.mark.parametrize("name", PRESETS)
def test_presets(scraper: Scraper, name: str) -> None:
    assert scraper.done("classes", "--preset", name).out.split() == wordnet().preset(name)


def test_names_from_standard_input(scraper: Scraper) -> None:
    given = b"# birds and fish\ncrane (bird)\r\n\n  tench  \nn02099601 golden\n"
    assert sorted(scraper.done("classes", stdin=given).out.split()) == ["n01440764", BIRD, "n02099601"]


def test_a_choice_from_flags_reads_no_standard_input(scraper: Scraper) -> None:
    given = b"no such name\n"
    assert scraper.done("classes", "--preset", "imagenette", "--under", "dog", stdin=given).out == "n02102040\n"


def test_under_except_leaves(scraper: Scraper) -> None:
    dogs = scraper.done("classes", "--under", "dog", "--leaves").out.split()
    assert "n02099601" in dogs
    fewer = scraper.done("classes", "--under=dog", "--leaves", "--except", "retriever,terrier").out.split()
    assert set(fewer) < set(dogs)
    assert "n02099601" not in fewer


def test_csv_and_json_have_the_same(scraper: Scraper) -> None:
    table = list(csv.DictReader(io.StringIO(scraper.done("classes", "crane", "person", "--format", "csv").out)))
    objects = json.loads(scraper.done("classes", "crane", "person", "--format", "json").out)
    for row, value in zip(table, objects, strict=True):
        assert {**value, **row} == {
            key: "|".join(cell) if isinstance(cell, list) else str(cell) for key, cell in value.items()
        }
    assert [row["label"] for row in table] == ["crane (wading bird)", "crane (lifting device)", "person"]
    assert [value["people"] for value in objects] == [False, False, True]


def test_a_tree(scraper: Scraper) -> None:
    assert scraper.done("classes", "--preset", "imagenette", "--tree", "--under", "vertebrate,device.n.01").out == (
        "vertebrate  (2)\n"
        "├── tench  n01440764  [ilsvrc2012]\n"
        "└── English springer  n02102040  [ilsvrc2012]\n"
        "device  (3)\n"
        "├── chain saw  n03000684  [ilsvrc2012]\n"
        "├── gas pump  n03425413  [ilsvrc2012]\n"
        "└── French horn  n03394916  [ilsvrc2012]\n"
    )


def test_people_are_marked(scraper: Scraper) -> None:
    result = scraper.done("classes", "sheep", "--format", "text")
    assert "n10588074  sheep  [people]" in result.out
    assert "1 of 2 is a class of people, which plan refuses without --include-people" in result.err
    everyone = scraper.done("classes", "--preset", "imagenet-21k")
    assert "2,833 of 21,841 are classes of people" in everyone.err


def test_nothing_found(scraper: Scraper) -> None:
    result = scraper.done("classes", "--search", "xyzzy", code=1)
    assert (result.out, result.err) == ("", "scraper: no class of ImageNet is all of that\n")


WRONG = {
    ("classes",): "say which classes: by name, or with --under, --preset or --search",
    ("classes", "--leaves"): "say which classes",
    ("classes", "--preset", "imagenete"): "did you mean imagenette?",
    ("classes", "tnech"): "near: tench (n01440764)",
    ("classes", "tnech", "crane", "n99999999"): "n99999999: ImageNet has no class with this id",
    ("classes", "--under", "cat"): "--under cat has 2 meanings",
    ("classes", "--except", "tnech", "crane"): "--except tnech: no class has this name",
    ("classes", "crane", "--tree", "--format", "json"): "--tree is text, and --format is json",
    ("classes", "--under", ","): "--under names nothing",
    ("classes", "giraffe", "--preset", "imagenette"): "giraffe is not among the classes asked for, but elsewhere:",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_is_not_clear_is_refused(scraper: Scraper, words: tuple[str, ...]) -> None:
    result = scraper.done(*words, code=2)
    assert result.out == ""
    assert WRONG[words] in result.err
    assert scraper.snapshot() == {}


def test_a_name_that_is_not_utf8_is_refused(scraper: Scraper) -> None:
    result = scraper.done("classes", stdin=b"tench\ncr\xffane\n", code=2)
    assert "no class has this name" in result.err
    done = subprocess.run(
        [os.fsencode(word) for word in scraper.command("classes")] + [b"cr\xffane"],
        cwd=scraper.folder,
        env=scraper.environment(),
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2
    assert b"no class has this name" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("damage", ["cut", "other", "gone"])
def test_a_damaged_table_says_to_install_again(tmp_path: Path, damage: str) -> None:
    home = Path(package.__file__).parent
    shutil.copytree(home, tmp_path / "scraper", ignore=shutil.ignore_patterns("__pycache__"))
    names = tmp_path / "scraper" / "naming" / "data" / "names.xz"
    body = names.read_bytes()
    names.unlink()
    if damage != "gone":
        names.write_bytes(body[:9000] if damage == "cut" else lzma.compress(b"nothing"))
    for words in (["classes", "crane"], ["classes", "--preset", "imagenette"]):
        done = subprocess.run(
            [sys.executable, "-m", "scraper", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "install scraper again" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("source", ["folder", "index"])
def test_urls_are_counted_in_lists_on_this_machine(scraper: Scraper, source: str) -> None:
    urls = {"n01440764": 3, BIRD: 1, MACHINE: 5}
    (scraper.folder / "folder").mkdir()
    index = []
    for wnid, count in urls.items():
        lines = [f"http://farm1.static.flickr.com/1/{number + 1}_{wnid[1:]}.jpg" for number in range(count)]
        lines.append(f"http://elsewhere.example/{wnid}.jpg")
        (scraper.folder / "folder" / f"{wnid}.txt").write_text("".join(f"{line}\n" for line in lines))
        index += [f"{wnid}_{number}\t{line}\n" for number, line in enumerate(lines)]
    (scraper.folder / "index").write_text("".join(index))
    words = ("classes", "tench", "crane", "goldfish", "--source", source)
    assert scraper.done(*words, "--min-urls", "3").out.split() == ["n01440764", MACHINE]
    shown = scraper.done(*words, "--format", "text").out
    assert "n01443537  goldfish, Carassius auratus  [ilsvrc2012]  0 URLs" in shown
    assert f"{BIRD}  crane  [ilsvrc2012]  1 URL\n" in shown
    table = csv.DictReader(io.StringIO(scraper.done(*words, "--format", "csv").out))
    assert {row["wnid"]: row["urls"] for row in table} == {"n01443537": "0", **{w: str(c) for w, c in urls.items()}}
    assert scraper.done(*words, "--min-urls", "9", code=1).out == ""


def test_urls_are_counted_nowhere_else(scraper: Scraper) -> None:
    for words, says in (
        (("--min-urls", "3"), "--min-urls counts in lists on this machine: give --source FILE or FOLDER"),
        (("--min-urls", "3", "--source", "https://www.image-net.org/{wnid}"), "counted in lists on this machine only"),
        (("--min-urls", "3", "--source", "nowhere"), "--source nowhere: no such file or folder"),
        (("--min-urls", "0", "--source", "nowhere"), "--min-urls must be from 1"),
    ):
        assert says in scraper.done("classes", "tench", *words, code=2).err

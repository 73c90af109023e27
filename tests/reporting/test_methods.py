"""The paragraph for a paper: it says what the manifest says, and nothing of the user's machine."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from scraper.version import PROJECT_URL, __version__
from tests.command import Scraper
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT = "CITATION.cff"


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraper]:
    """A dozen classes fetched, and a survey."""
    world = World.of(
        9,
        [(f"n{n:08d}", f"class {n}") for n in range(1, 13)],
        flickr=20,
        mix={Fate.ALIVE: 6, Fate.GONE_404: 3, Fate.ERROR_ALWAYS: 0.5},
    )
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path_factory.mktemp("studied"), standin)
        scraper.done("plan", *world.classes, "-n", "6", "--shuffle", "s 1")
        scraper.done("fetch", "--retries", "1")
        scraper.done("survey", "--sample", "60", "--seed", "1")
        yield scraper


def paragraph(scraper: Scraper) -> str:
    """On one line."""
    return " ".join(scraper.done("report", "--format", "methods").out.partition("\n\n")[0].split())


def test_the_paragraph_has_what_a_paper_needs(studied: Scraper) -> None:
    text, found = paragraph(studied), studied.report()
    (dead,) = [row for row in found["estimates"] if (row["of"], row["weighting"]) == ("dead", "class")]
    digests = studied.rows("SELECT wnid, listing_sha256 FROM classes ORDER BY wnid")
    digest = hashlib.sha256("".join(f"{wnid} {sha256}\n" for wnid, sha256 in digests).encode()).hexdigest()
    (day,) = {time[:10] for (time,) in studied.rows("SELECT started_at FROM attempts")}
    survey = found["surveys"][0]
    for said in (
        "The lists of 12 ImageNet classes (WordNet 3.0 noun synsets) were obtained on ",
        "from https://www.image-net.org/api/imagenet.synset.geturls?wnid={wnid}; they hold 240 URLs on ",
        "flickr.com and staticflickr.com",
        digest,
        'Each class was asked in a random order of its list (seed "s 1") until it had n = 6 images',
        f"{found['totals']['tried']} URLs were asked for on {day} in {found['totals']['requests']} requests",
        "HTTP status 404 or 410",
        "(Haldane, 1945)",
        f"{dead['rate']:.1%} (95 % interval {dead['low']:.1%} to {dead['high']:.1%}) of the URLs of the lists are dead",
        f"each class counting alike, by {dead['decided']} decided URLs of 12 classes",
        f"{dead['unknown']} URLs among these stayed unknown; were all of these alive, the interval would begin at ",
        f"{dead['low_if_unknown_alive']:.1%}, were all dead, it would end at {dead['high_if_unknown_dead']:.1%}.",
        "In a survey a random sample of 60 of the 240 listed URLs, stratified by class, was asked on ",
        f"of {survey['decided']} decided, {survey['rate']:.1%} were dead",
        f"scraper {__version__}",
    ):
        assert said in text, said
    assert str(studied.folder) not in text


def test_what_is_cited_is_in_bibtex(studied: Scraper) -> None:
    bibtex = studied.done("report", "--format", "methods").out.partition("\n\n")[2]
    assert re.findall(r"^@(\w+)\{(\w+),$", bibtex, re.MULTILINE) == [
        ("article", "haldane1945"),
        ("software", "scraper"),
    ]
    assert bibtex.count("{") == bibtex.count("}")
    assert f"version = {{{__version__}}}" in bibtex
    assert "10.1093/biomet/33.3.222" in bibtex


def test_the_citation_file_is_of_this_version(pytestconfig: pytest.Config) -> None:
    text = (pytestconfig.rootpath / ROOT).read_text(encoding="utf-8")
    keys = dict(re.findall(r"^([a-z-]+): *(.*)$", text, re.MULTILINE))
    assert keys["version"] == __version__
    assert keys["url"].strip('"') == PROJECT_URL
    assert {"cff-version", "message", "title", "authors", "type", "license", "references"} <= keys.keys()


@pytest.mark.parametrize("fetched", [False, True])
def test_little_is_said_of_little(tmp_path: Path, fetched: bool) -> None:
    World.of(13, CLASSES, flickr=5).write_folder(tmp_path / "lists")
    scraper = Scraper(tmp_path)
    scraper.done("plan", TENCH, CLOCK, "-n", "3", "--source", "lists")
    if fetched:
        scraper.run("fetch", "--retries", "1", "--connect-to", "::127.0.0.1:1")
    text = paragraph(scraper)
    assert "The lists of 2 ImageNet classes" in text
    assert str(tmp_path) not in text
    assert "are dead" not in text
    assert ("None of the URLs has been asked for." in text) is not fetched


def test_one_class_has_no_interval_to_tell_of(studied: Scraper, tmp_path: Path) -> None:
    assert "The interval over classes is that of the jackknife" in paragraph(studied)
    with StandIn(World.of(13, CLASSES[:1], flickr=9, mix={Fate.ALIVE: 1, Fate.GONE_404: 1})) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, "-n", "2")
        scraper.done("fetch")
    text = paragraph(scraper)
    assert "(too few classes for an interval) of the URLs at the head of the lists are dead" in text
    assert "jackknife" not in text


def test_nothing_is_said_of_nothing(tmp_path: Path) -> None:
    World.of(13, CLASSES[:1], flickr=5).write_folder(tmp_path / "lists")
    scraper = Scraper(tmp_path)
    scraper.done("plan", CLOCK, "--source", "lists", code=1)
    assert "No list of URLs was obtained." in paragraph(scraper)


def test_check_and_output_work_with_it(studied: Scraper, tmp_path: Path) -> None:
    told = studied.done("report", "--format", "methods").out
    short = studied.report()["totals"]["shortfall"]
    studied.done("report", "--format", "methods", "--output", str(tmp_path / "m.txt"), "--check", code=int(short > 0))
    assert (tmp_path / "m.txt").read_text(encoding="utf-8") == told

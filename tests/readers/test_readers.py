"""What Hugging Face's datasets, webdataset, pyarrow, mlcroissant and torchvision make of our exports."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlcroissant
import pyarrow.parquet as pq
import pytest
import webdataset
from datasets import load_dataset
from PIL import Image

from tests.command import Scraper
from tests.conftest import CLASSES, TENCH
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator

SPLIT = ("--split", "train=0.7,test=0.3")
FORMS = ("imagefolder", "webdataset", "parquet")


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraper]:
    """A fetched manifest, exported in every form, as it came and converted."""
    scraper = Scraper(tmp_path_factory.mktemp("exported"))
    world = World.of(4, CLASSES, flickr=24, other=0, mix={Fate.ALIVE: 1})
    with StandIn(world) as standin:
        scraper.standin = standin
        names = "".join(f"{label},{wnid}\n" for wnid, label in CLASSES)
        scraper.done("plan", "-n", "20", stdin=names.encode())
        scraper.done("fetch")
        for form in FORMS:
            scraper.done("export", form, form, *SPLIT)
            scraper.done("export", form, f"{form}-small", *SPLIT, "--size", "48", "--encode", "png")
        os.environ["HF_HUB_OFFLINE"] = "1"
        yield scraper


def digests(scraper: Scraper) -> dict[str, str]:
    """The class of each image, by digest."""
    return dict(scraper.rows("SELECT sha256, wnid FROM images"))


def places(folder: Path) -> dict[str, Any]:
    """Where datasets keeps what it makes."""
    return {"cache_dir": str(folder / "cache")}


@pytest.mark.parametrize("form", ["imagefolder", "imagefolder-small"])
def test_datasets_reads_an_imagefolder(exported: Scraper, tmp_path: Path, form: str) -> None:
    found = load_dataset("imagefolder", data_dir=str(exported.folder / form), **places(tmp_path))
    rows = [row for split in found.values() for row in split]
    assert set(found) == {"train", "test"}
    assert len(rows) == 40
    digest = "source_sha256" if form.endswith("small") else "sha256"
    assert {row[digest]: row["wnid"] for row in rows} == digests(exported)
    # datasets turns pictures upright, and their size is recorded as it is stored.
    assert all(sorted(row["image"].size) == sorted((row["width"], row["height"])) for row in rows)


@pytest.mark.parametrize("form", ["imagefolder", "imagefolder-small"])
def test_torchvision_reads_an_imagefolder(exported: Scraper, form: str) -> None:
    why = "torchvision is gigabytes with what it needs: pip install it into .venv-readers to try it"
    torchvision = pytest.importorskip("torchvision", reason=why)
    for split in ("train", "test"):
        found = torchvision.datasets.ImageFolder(str(exported.folder / form / split))
        assert found.classes == [wnid for wnid, _ in CLASSES]
        with (exported.folder / form / split / "metadata.csv").open(encoding="utf-8", newline="") as file:
            known = {row["file_name"]: row["wnid"] for row in csv.DictReader(file)}
        paths = {str(Path(path).relative_to(found.root)): found.classes[number] for path, number in found.samples}
        # It passes over GIFs, whose ending it does not know.
        assert paths == {name: wnid for name, wnid in known.items() if not name.endswith(".gif")}
        assert found[0][0].mode == "RGB"


@pytest.mark.parametrize("form", FORMS)
def test_datasets_reads_a_folder_by_its_card(exported: Scraper, tmp_path: Path, form: str) -> None:
    found = load_dataset(str(exported.folder / form), **places(tmp_path))
    assert sum(len(split) for split in found.values()) == 40
    assert set(found) == {"train", "test"}


@pytest.mark.parametrize("form", ["parquet", "parquet-small"])
def test_datasets_shows_pictures_and_names_of_parquet(exported: Scraper, tmp_path: Path, form: str) -> None:
    files = {split: str(exported.folder / form / "data" / f"{split}-*.parquet") for split in ("train", "test")}
    found = load_dataset("parquet", data_files=files, **places(tmp_path))
    assert found["train"].features["label"].names == [label for _, label in CLASSES]
    for split in found.values():
        for row in split:
            assert sorted(row["image"].size) == sorted((row["width"], row["height"]))
            assert row["wnid"] == CLASSES[row["label"]][0]


def test_pyarrow_finds_the_bytes_as_they_came(exported: Scraper) -> None:
    known = digests(exported)
    for path in (exported.folder / "parquet" / "data").iterdir():
        for row in pq.read_table(path).to_pylist():
            assert hashlib.sha256(row["image"]["bytes"]).hexdigest() == row["sha256"]
            assert known.pop(row["sha256"]) == row["wnid"]
    assert known == {}


@pytest.mark.parametrize("form", ["webdataset", "webdataset-small"])
def test_webdataset_reads_its_shards(exported: Scraper, form: str) -> None:
    shards = sorted(str(path) for path in (exported.folder / form).glob("*.tar"))
    samples = list(
        webdataset.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple("jpg;png;gif", "cls", "json")
    )
    assert len(samples) == 40
    assert Counter(number for _, number, _ in samples) == {0: 20, 1: 20}
    for image, number, facts in samples:
        assert isinstance(image, Image.Image)
        assert image.size == (facts["width"], facts["height"])
        assert facts["wnid"] == CLASSES[number][0]


@pytest.mark.parametrize("form", FORMS)
def test_croissant_is_accepted_and_loaded(exported: Scraper, form: str) -> None:
    dataset = mlcroissant.Dataset(jsonld=str(exported.folder / form / "croissant.json"))
    assert dataset.metadata.ctx.issues.errors == set()
    rows = [row for split in ("train", "test") for row in dataset.records(split)]
    assert len(rows) == 40
    classes = [row["classes/wnid"].decode() for row in dataset.records("classes")]
    assert classes == [wnid for wnid, _ in CLASSES]


@pytest.mark.parametrize("form", ["parquet"])
def test_the_same_twice_and_damage_left_out(exported: Scraper, tmp_path: Path, form: str) -> None:
    one, two = (exported.folder / f"{form}-{number}" for number in (1, 2))
    for place in (one, two):
        exported.done("export", form, str(place), *SPLIT, "--size", "48")
    files = [sorted(path.relative_to(place) for path in place.rglob("*") if path.is_file()) for place in (one, two)]
    assert files[0] == files[1]
    assert [(one / name).read_bytes() for name in files[0]] == [(two / name).read_bytes() for name in files[1]]
    path = exported.one("SELECT min(path) FROM images WHERE wnid = ?", TENCH)
    body = (exported.images / path).read_bytes()
    try:
        (exported.images / path).write_bytes(body[:-10])
        result = exported.done("export", form, str(tmp_path / "dest"), code=1)
        assert f"{path} is damaged" in result.out
    finally:
        (exported.images / path).write_bytes(body)
    with Image.open(io.BytesIO(body)) as image:
        assert image.size

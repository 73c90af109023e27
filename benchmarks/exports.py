"""Exports beside what does no more than move the same bytes: `cp -al`, `tar cf`, bare loops over pyarrow and Pillow."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measuring import interleave, table, timed
from scraper.manifest.core import Manifest
from tests.standin import photos

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.measuring import Cost

IMAGES: Final = 4000
LINKS: Final = 40_000
"""Small files, to see what a link costs; what is in them is not read."""
CLASSES: Final = 40
ROUNDS: Final = 3
SIDE: Final = 256
_SAVED_AT: Final = "2999-01-01T00:00:00.000Z"
"""Later than the files, as rows are."""

PARQUET: Final = """
import os, sys
import pyarrow as pa, pyarrow.parquet as pq
image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
schema = pa.schema([("image", image), ("label", pa.int64())])
with pq.ParquetWriter(sys.argv[2], schema, compression="none") as writer:
    rows = []
    for label, folder in enumerate(sorted(os.listdir(sys.argv[1]))):
        for name in sorted(os.listdir(f"{sys.argv[1]}/{folder}")):
            with open(f"{sys.argv[1]}/{folder}/{name}", "rb") as file:
                rows.append({"image": {"bytes": file.read(), "path": name}, "label": label})
            if len(rows) == 100:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                rows.clear()
    if rows:
        writer.write_table(pa.Table.from_pylist(rows, schema=schema))
"""
RESIZE: Final = """
import io, os, sys
from concurrent.futures import ThreadPoolExecutor
import simplejpeg
from PIL import Image
side = int(sys.argv[3])
def one(path):
    with open(path, "rb") as file:
        body = file.read()
    height, width, _, _ = simplejpeg.decode_jpeg_header(body)
    factor = side / min(width, height)
    wanted = (round(width * factor), round(height * factor))
    image = Image.fromarray(simplejpeg.decode_jpeg(body, min_height=2 * wanted[1], min_width=2 * wanted[0]))
    out = io.BytesIO()
    image.resize(wanted, Image.Resampling.BICUBIC, reducing_gap=2.0).save(out, "JPEG", quality=90, subsampling="4:4:4")
    with open(f"{sys.argv[2]}/{os.path.basename(path)}", "wb") as file:
        file.write(out.getvalue())
folders = [f"{sys.argv[1]}/{name}" for name in os.listdir(sys.argv[1])]
paths = [f"{folder}/{name}" for folder in folders for name in os.listdir(folder)]
os.mkdir(sys.argv[2])
with ThreadPoolExecutor(os.cpu_count()) as executor:
    list(executor.map(one, paths))
"""
RESIZER: Final = """
import io, os, sys
from concurrent.futures import ThreadPoolExecutor
from img2dataset.resizer import Resizer
resize = Resizer(int(sys.argv[3]), "keep_ratio", resize_only_if_bigger=True, encode_quality=90, encode_format="jpg")
def one(path):
    with open(path, "rb") as file:
        body, *_, error = resize(io.BytesIO(file.read()))
    assert error is None, error
    with open(f"{sys.argv[2]}/{os.path.basename(path)}", "wb") as file:
        file.write(body)
folders = [f"{sys.argv[1]}/{name}" for name in os.listdir(sys.argv[1])]
paths = [f"{folder}/{name}" for folder in folders for name in os.listdir(folder)]
os.mkdir(sys.argv[2])
with ThreadPoolExecutor(os.cpu_count()) as executor:
    list(executor.map(one, paths))
"""
IMG2DATASET: Final = Path(sys.prefix).parent / ".venv-img2dataset" / "bin" / "python"


def _make(folder: Path, images: int, picture: Callable[[str], bytes]) -> None:
    """A manifest and its images."""
    folder.mkdir()
    wnids = [f"n{number:08d}" for number in range(1, CLASSES + 1)]
    rows, pictures = [], []
    for number in range(images):
        wnid, rank = wnids[number % CLASSES], number // CLASSES + 1
        name = f"{number + 1}_abcdef.jpg"
        body = picture(name)
        path = folder / "images" / wnid / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        key = int(wnid[1:]) * 10_000_000 + rank
        rows.append((key, f"http://farm1.static.flickr.com/1/{name}", number + 1))
        digest = hashlib.sha256(body).hexdigest()
        pictures.append((key, f"{wnid}/{name}", digest, len(body), "JPEG", 500, 375, _SAVED_AT, "decode"))
    Manifest.create(folder / "scraper.db").close()
    with closing(sqlite3.connect(folder / "scraper.db")) as database, database:
        database.executemany(
            "INSERT INTO classes (wnid, n, budget, resolve_outcome, candidates) VALUES (?, ?, 1, 'listed', ?)",
            [(wnid, images, images) for wnid in wnids],
        )
        database.executemany(
            "INSERT INTO candidate (id, url, photo_id, state, outcome, tries) VALUES (?, ?, ?, 1, 'saved', 1)", rows
        )
        database.executemany(
            "INSERT INTO image (candidate_id, path, sha256, bytes, format, width, height, saved_at, checked) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            pictures,
        )


class _Bench:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def _dest(self) -> str:
        self._number += 1
        (self._folder / "dests").mkdir(exist_ok=True)
        return str(self._folder / "dests" / str(self._number))

    def export(self, *words: str) -> Cost:
        form, *flags = words
        command = [sys.executable, "-m", "scraper", "export", form, self._dest(), *flags]
        return timed([*command, "--manifest", "scraper.db", "--out", "images"], cwd=self._folder)

    def plain(self, *command: str) -> Cost:
        return timed([word.replace("DEST", self._dest()) for word in command], cwd=self._folder)


@dataclass(frozen=True, slots=True)
class _Pair:
    """An export, what it is held against, which ratio is the goal, and which images it is of."""

    name: str
    words: tuple[str, ...]
    yardstick: str
    command: tuple[str, ...]
    goal: str
    images: str = "photos"


def _pairs() -> list[_Pair]:
    resized = ("webdataset", "--size", str(SIDE), "--encode", "jpeg")
    resizing = ("images", "DEST", str(SIDE))
    name = f"webdataset, --size {SIDE} --encode jpeg"
    pairs = [
        _Pair("imagefolder, links", ("imagefolder",), "cp -al", ("cp", "-al", "images", "DEST"), "0.8", "small"),
        _Pair("imagefolder, copies", ("imagefolder", "--files", "copy"), "cp -a", ("cp", "-a", "images", "DEST"), ""),
        _Pair("webdataset", ("webdataset",), "tar cf", ("tar", "cf", "DEST", "images"), "0.8"),
        _Pair(name, resized, "a bare loop", (sys.executable, "-c", RESIZE, *resizing), "0.9"),
    ]
    if find_spec("pyarrow"):
        loop = (sys.executable, "-c", PARQUET, "images", "DEST")
        pairs.insert(3, _Pair("parquet", ("parquet",), "a bare pyarrow loop", loop, "0.8"))
    if IMG2DATASET.exists():
        pairs.append(_Pair(name, resized, "img2dataset's resizer", (str(IMG2DATASET), "-c", RESIZER, *resizing), "1"))
    return pairs


_LOSSES: Final = """
Where we lose: `cp` and `tar` are written in C and move bytes that the kernel has at hand. What is left of ours is
Python: a third of a second to start, then some 40 us for each image to be read from the manifest, judged, looked at
and written into tables, and SHA-256 over every byte that is not only linked. Links, shards and parquet miss their
goals. CPU, in seconds, is the steadier number where others use the machine: by it, resizing is level with both of its
yardsticks.
"""


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    images, links = (IMAGES // 10, LINKS // 10) if quick else (IMAGES, LINKS)
    _make(folder / "photos", images, photos.photo)
    _make(folder / "small", links, str.encode)
    rows: list[Sequence[object]] = []
    for pair in _pairs():
        bench = _Bench(folder / pair.images)
        subjects: dict[str, Callable[[], Cost]] = {
            "ours": lambda pair=pair, bench=bench: bench.export(*pair.words),  # type: ignore[misc]  # the default binds the loop's value
            "bare": lambda pair=pair, bench=bench: bench.plain(*pair.command),  # type: ignore[misc]  # as above
        }
        costs = interleave(subjects, 1 if quick else ROUNDS)
        shutil.rmtree(folder / pair.images / "dests", ignore_errors=True)
        ours, bare = costs["ours"], costs["bare"]
        seconds = (f"{ours.wall:.2f}", pair.yardstick, f"{bare.wall:.2f}", f"{bare.wall / ours.wall:.2f}", pair.goal)
        rows.append((pair.name, *seconds, f"{ours.cpu:.2f}", f"{bare.cpu:.2f}", f"{ours.peak:.0f}"))
    about = [
        f"{images} photos of about 100 kB in {CLASSES} classes, {links} small files for the links; start-up included.",
        "A ratio of 1 is as fast as the yardstick, which checks no digest and writes no tables, card or metadata.",
    ]
    if not find_spec("pyarrow"):
        about.append("parquet is left out: pyarrow is not installed here.")
    if not IMG2DATASET.exists():
        about.append("img2dataset's resizer is left out: `make .venv-img2dataset` installs it.")
    heads = ("export", "s", "yardstick", "s", "ratio", "goal", "CPU", "its CPU", "peak MB")
    return "\n".join(("## Exports\n", *about, _LOSSES, table(heads, rows)))

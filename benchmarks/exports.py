"""Exports beside what does no more than move the same bytes: `cp -al`, `tar cf`, bare loops over pyarrow and Pillow."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measuring import best, interleave, table, timed
from scraper.manifest.core import Manifest
from tests.standin import photos

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.measuring import Cost

IMAGES: Final = {"photos": 4000, "more photos": 16_000, "small": 40_000}
"""Photos of about 100 kB, four times as many to see what is left when the start counts for less, and files of a few
bytes to see what a link costs."""
CLASSES: Final = 40
ROUNDS: Final = 5
SIDE: Final = 256
_SAVED_AT: Final = "2999-01-01T00:00:00.000Z"
"""Later than the files, as rows are."""

LINKING: Final = """
import csv, os, sys
os.mkdir(sys.argv[2])
with open(f"{sys.argv[2]}/metadata.csv", "w", newline="") as table:
    writer = csv.writer(table)
    for folder in sorted(os.listdir(sys.argv[1])):
        os.mkdir(f"{sys.argv[2]}/{folder}")
        for name in sorted(os.listdir(f"{sys.argv[1]}/{folder}")):
            found = os.lstat(f"{sys.argv[1]}/{folder}/{name}")
            os.link(f"{sys.argv[1]}/{folder}/{name}", f"{sys.argv[2]}/{folder}/{name}")
            writer.writerow((f"{folder}/{name}", folder, name, found.st_size, found.st_mtime))
"""
TARRING: Final = """
import hashlib, io, os, sys, tarfile
with tarfile.open(sys.argv[2], "w") as archive:
    for folder in sorted(os.listdir(sys.argv[1])):
        for name in sorted(os.listdir(f"{sys.argv[1]}/{folder}")):
            with open(f"{sys.argv[1]}/{folder}/{name}", "rb") as file:
                body = file.read()
            hashlib.sha256(body).hexdigest()
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
"""
PARQUET: Final = """
import hashlib, os, sys
import pyarrow as pa, pyarrow.parquet as pq
image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
schema = pa.schema([("image", image), ("label", pa.int64())])
with pq.ParquetWriter(sys.argv[2], schema, compression="none") as writer:
    rows = []
    for label, folder in enumerate(sorted(os.listdir(sys.argv[1]))):
        for name in sorted(os.listdir(f"{sys.argv[1]}/{folder}")):
            with open(f"{sys.argv[1]}/{folder}/{name}", "rb") as file:
                body = file.read()
            if "sha256" in sys.argv:
                hashlib.sha256(body).hexdigest()
            rows.append({"image": {"bytes": body, "path": name}, "label": label})
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
        command = (sys.executable, "-m", "scraper", "export", form, "DEST", *flags)
        return self.plain(*command, "--manifest", "scraper.db", "--out", "images")

    def plain(self, *command: str) -> Cost:
        cost = timed([word.replace("DEST", self._dest()) for word in command], cwd=self._folder)
        # Before the system writes it to the disk, while others are measured.
        shutil.rmtree(self._folder / "dests")
        return cost


@dataclass(frozen=True, slots=True)
class _Pair:
    """An export, what it is held against, which ratio is the goal, and which images it is of."""

    name: str
    words: tuple[str, ...]
    yardstick: str
    command: tuple[str, ...]
    goal: str = ""
    images: str = "photos"


def _pairs() -> list[_Pair]:
    links, copies = ("imagefolder",), ("imagefolder", "--files", "copy")
    tar, loop = ("tar", "cf", "DEST", "images"), (sys.executable, "-c", TARRING, "images", "DEST")
    linking = (sys.executable, "-c", LINKING, "images", "DEST")
    pairs = [
        _Pair("imagefolder, links", links, "cp -al", ("cp", "-al", "images", "DEST"), "0.8", "small"),
        _Pair("imagefolder, links", links, "a bare loop over lstat, link and csv", linking, images="small"),
        _Pair("imagefolder, copies", copies, "cp -a", ("cp", "-a", "images", "DEST")),
    ]
    for images in ("photos", "more photos"):
        pairs.append(_Pair("webdataset", ("webdataset",), "tar cf", tar, "0.8", images))
        pairs.append(_Pair("webdataset", ("webdataset",), "a bare loop over tarfile and SHA-256", loop, images=images))
        pairs += _parquet_pairs(images)
    return pairs + _resizing_pairs()


def _parquet_pairs(images: str) -> list[_Pair]:
    if not find_spec("pyarrow"):
        return []
    loop = (sys.executable, "-c", PARQUET, "images", "DEST")
    return [
        _Pair("parquet", ("parquet",), "a bare pyarrow loop", loop, "0.8", images),
        _Pair("parquet", ("parquet",), "a bare pyarrow loop and SHA-256", (*loop, "sha256"), images=images),
    ]


def _resizing_pairs() -> list[_Pair]:
    resized = ("webdataset", "--size", str(SIDE), "--encode", "jpeg")
    resizing = ("images", "DEST", str(SIDE))
    name = f"webdataset, --size {SIDE} --encode jpeg"
    pairs = [_Pair(name, resized, "a bare loop", (sys.executable, "-c", RESIZE, *resizing), "0.9")]
    if IMG2DATASET.exists():
        pairs.append(_Pair(name, resized, "img2dataset's resizer", (str(IMG2DATASET), "-c", RESIZER, *resizing), "1"))
    return pairs


_WHY: Final = """
Each is the best of {rounds} interleaved rounds, since other programs on the machine add to a time and take nothing from
it; what was written is removed before the system writes it to the disk. CPU, in seconds, is the steadier number where
others use the machine: there, threads that read and check while another writes have no core to themselves.

`cp` and `tar` do nearly all of their work in the kernel, some 12 us for a link and 70 us for a photo, and so do we.
What comes on top of that is ours: a sixth of a second to start; SHA-256 over every byte that is not only linked, 0.5 ms
a MB; and in Python some 7 us for each image to be taken from the manifest, judged and put on its side, and 6 (a link)
to 20 (a sample of webdataset) to be written with its row. The bare loops in Python that check digests or write rows,
but read no manifest, show how much of that the language takes.
"""


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    counts = {name: images // 10 if quick else images for name, images in IMAGES.items()}
    for name, images in counts.items():
        _make(folder / name, images, str.encode if name == "small" else photos.photo)
    rows: list[Sequence[object]] = []
    for pair in _pairs():
        bench = _Bench(folder / pair.images)
        subjects: dict[str, Callable[[], Cost]] = {
            "ours": lambda pair=pair, bench=bench: bench.export(*pair.words),  # type: ignore[misc]  # the default binds the loop's value
            "bare": lambda pair=pair, bench=bench: bench.plain(*pair.command),  # type: ignore[misc]  # as above
        }
        costs = interleave(subjects, 1 if quick else ROUNDS, best)
        ours, bare = costs["ours"], costs["bare"]
        seconds = (f"{ours.wall:.2f}", pair.yardstick, f"{bare.wall:.2f}", f"{bare.wall / ours.wall:.2f}", pair.goal)
        cpu = (f"{ours.cpu:.2f}", f"{bare.cpu:.2f}", f"{bare.cpu / ours.cpu:.2f}")
        rows.append((pair.name, counts[pair.images], *seconds, *cpu, f"{ours.peak:.0f}"))
    about = [
        f"Photos of about 100 kB in {CLASSES} classes, small files for links; start-up included. A ratio of 1 is as",
        "fast as the yardstick, which reads no manifest and writes no card, and no table but where it says so.",
    ]
    if not find_spec("pyarrow"):
        about.append("parquet is left out: pyarrow is not installed here.")
    if not IMG2DATASET.exists():
        about.append("img2dataset's resizer is left out: `make .venv-img2dataset` installs it.")
    about.append(f"Meanwhile the machine had a load of {os.getloadavg()[2]:.1f} on {os.cpu_count()} cores.")
    heads = ("export", "images", "s", "yardstick", "s", "ratio", "goal", "CPU", "its CPU", "ratio", "peak MB")
    return "\n".join(("## Exports\n", *about, _WHY.format(rounds=ROUNDS), table(heads, rows)))

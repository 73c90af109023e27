"""Exports beside what does no more than move the same bytes: `cp -al`, `tar cf`, bare loops over pyarrow and Pillow."""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Final

from benchmarks.measuring import interleave, table, timed
from scraper.manifest.core import Manifest
from tests.standin import photos

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

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
from PIL import Image
side = int(sys.argv[3])
def one(path):
    with Image.open(path) as image:
        factor = side / min(image.size)
        wanted = (round(image.width * factor), round(image.height * factor))
        image.draft("RGB", (2 * wanted[0], 2 * wanted[1]))
        out = io.BytesIO()
        image.convert("RGB").resize(wanted, Image.Resampling.BICUBIC, reducing_gap=2.0).save(out, "JPEG", quality=90)
    with open(f"{sys.argv[2]}/{os.path.basename(path)}", "wb") as file:
        file.write(out.getvalue())
folders = [f"{sys.argv[1]}/{name}" for name in os.listdir(sys.argv[1])]
paths = [f"{folder}/{name}" for folder in folders for name in os.listdir(folder)]
os.mkdir(sys.argv[2])
with ThreadPoolExecutor(os.cpu_count()) as executor:
    list(executor.map(one, paths))
"""


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
        return str(self._folder / f"dest-{self._number}")

    def export(self, *words: str) -> Cost:
        form, *flags = words
        command = [sys.executable, "-m", "scraper", "export", form, self._dest(), *flags]
        return timed([*command, "--manifest", "scraper.db", "--out", "images"], cwd=self._folder)

    def plain(self, *command: str) -> Cost:
        return timed([word.replace("DEST", self._dest()) for word in command], cwd=self._folder)


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    images = IMAGES // 10 if quick else IMAGES
    _make(folder / "photos", images, photos.photo)
    _make(folder / "small", LINKS // 10 if quick else LINKS, str.encode)
    benches = {name: _Bench(folder / name) for name in ("small", "photos")}
    pairs: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "imagefolder, links": (("imagefolder",), ("cp", "-al", "images", "DEST")),
        "imagefolder, copies": (("imagefolder", "--files", "copy"), ("cp", "-a", "images", "DEST")),
        "webdataset": (("webdataset",), ("tar", "cf", "DEST", "images")),
        "parquet": (("parquet",), (sys.executable, "-c", PARQUET, "images", "DEST")),
        f"webdataset, --size {SIDE} --encode jpeg": (
            ("webdataset", "--size", str(SIDE), "--encode", "jpeg"),
            (sys.executable, "-c", RESIZE, "images", "DEST", str(SIDE)),
        ),
    }
    rows: list[Sequence[object]] = []
    for name, (words, command) in pairs.items():
        bench = benches["small" if name.endswith("links") else "photos"]
        subjects: dict[str, Callable[[], Cost]] = {
            "ours": lambda words=words, bench=bench: bench.export(*words),  # type: ignore[misc]  # the default binds the loop's value
            "bare": lambda command=command, bench=bench: bench.plain(*command),  # type: ignore[misc]  # as above
        }
        costs = interleave(subjects, 1 if quick else ROUNDS)
        ours, bare = costs["ours"], costs["bare"]
        yardstick = "a bare loop" if command[0] == sys.executable else " ".join(command[:2])
        rows.append(
            (
                name,
                f"{ours.wall:.2f}",
                yardstick,
                f"{bare.wall:.2f}",
                f"{bare.wall / ours.wall:.2f}",
                f"{ours.peak:.0f}",
            )
        )
    about = (
        f"{images} photos of about 100 kB in {CLASSES} classes, {LINKS} small files for the links; start-up included.\n"
    )
    heads = ("export", "seconds", "yardstick", "seconds", "ratio (1 is as fast)", "peak MB")
    return "\n".join(("## Exports\n", about, table(heads, rows)))

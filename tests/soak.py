"""A long run over small images: `python -m tests.soak --images 200000 --seconds 600`.

The lists come from a folder, the images from the stand-in on loopback; of the fetch process, memory and descriptors are
printed at its start, middle and end. When the time is up it is interrupted, and the figures are of what was done.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image

from tests.command import Scraper
from tests.standin import StandIn, World, photos

if TYPE_CHECKING:
    import subprocess

    from tests.standin import Request, Wire

PER_CLASS: Final = 1000
HOST: Final = "farm1.static.flickr.com"
WARM: Final = 10.0
"""Seconds after which the pools and caches of a run are filled."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process used at some time: resident memory and its peak, in megabytes, descriptors and threads."""

    seconds: float
    rss: float
    peak: float
    descriptors: int
    threads: int
    images: int


def sample(pid: int, seconds: float, images: int) -> Sample:
    """Look at a process through /proc."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    rss, peak = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    descriptors = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - names of descriptors, not of files
    return Sample(seconds, rss, peak, descriptors, int(status["Threads"]), images)


def make_picture() -> photos.Picture:
    """A picture of a few kilobytes that gets its own bytes by a comment."""
    out = io.BytesIO()
    with Image.open(min(photos.FOLDER.glob("*.jpg"))) as image:
        image.convert("RGB").resize((120, 90)).save(out, "JPEG", quality=80)
    return photos._picture(out.getvalue(), "jpg")


def write_lists(folder: Path, images: int) -> list[str]:
    """As many classes as are needed; returns their wnids."""
    folder.mkdir()
    wnids = []
    for first in range(0, images, PER_CLASS):
        wnid = f"n{1000000 + first // PER_CLASS:08d}"
        numbers = range(first, min(first + PER_CLASS, images))
        (folder / f"{wnid}.txt").write_text("".join(f"http://{HOST}/1/{10**8 + i}_ab{i:08x}.jpg\n" for i in numbers))
        wnids.append(wnid)
    return wnids


def watch(scraper: Scraper, process: subprocess.Popen[str], seconds: float) -> list[Sample]:
    """Sample a fetch each second until it ends, or interrupt it when its time is up."""
    began = time.monotonic()
    samples: list[Sample] = []
    asked = False
    while process.poll() is None:
        passed = time.monotonic() - began
        try:
            images = int(scraper.one("SELECT coalesce(sum(candidates), 0) FROM class_outcomes WHERE outcome = 'saved'"))
            samples.append(sample(process.pid, passed, images))
        except (OSError, KeyError, sqlite3.OperationalError):
            pass  # it has just ended
        if passed > seconds and not asked:
            asked = True
            process.send_signal(signal.SIGINT)
        time.sleep(1)
    return samples


def soak(folder: Path, *, images: int, seconds: float, threads: int) -> list[Sample]:
    """Fetch; returns what was seen of the process."""
    picture = make_picture()
    print(f"{images} images of {len(picture.stamped('x' * 40))} bytes, {threads} threads, at most {seconds:g} s")

    async def answer(request: Request, wire: Wire) -> None:
        body = picture.stamped(request.path)
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await wire.flush()

    wnids = write_lists(folder / "lists", images)
    with StandIn(World(1, [])) as standin:
        standin.script(HOST, "*", answer)
        scraper = Scraper(folder, standin)
        names = "\n".join(wnids).encode()
        scraper.done("plan", "-n", str(PER_CLASS), "--oversample", "1", "--source", "lists", stdin=names)
        process = scraper.start_anew("fetch", "--threads", str(threads))
        samples = watch(scraper, process, seconds)
        out, err = process.communicate()
        print(out or err.splitlines()[-1])
    assert process.returncode in (0, 130), err
    files = sum(1 for path in (folder / "images").rglob("*") if path.is_file())
    rows = scraper.one("SELECT count(*) FROM images")
    print(f"exit code {process.returncode}; {rows} rows, {files} files")
    assert files == rows
    return samples


def main() -> int:
    """Soak from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--threads", type=int, default=32)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        samples = soak(folder, images=given.images, seconds=given.seconds, threads=given.threads)
    finally:
        shutil.rmtree(folder)
    samples = [seen for seen in samples if seen.images]  # before that, it was starting
    warm = next((seen for seen in samples if seen.seconds >= WARM), samples[-1])
    middle = samples[len(samples) // 2]
    for name, seen in (("start", samples[0]), ("warm", warm), ("middle", middle), ("end", samples[-1])):
        print(
            f"{name:7} {seen.seconds:6.0f} s  {seen.images:7d} images  RSS {seen.rss:6.1f} MB (peak {seen.peak:6.1f})  "
            f"{seen.descriptors:4d} descriptors  {seen.threads:3d} threads"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

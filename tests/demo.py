"""The whole job in one go, offline: start the stand-in, plan a dozen classes, fetch, report.

`make demo` runs this. It leaves `demo/`: the images, the manifest and the report as a page.
"""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

REPO = Path(__file__).resolve().parent.parent
FOLDER = REPO / "demo"
CLASSES = REPO / "manifests" / "demo.csv"
START_SECONDS = 60


def start_standin(scratch: Path) -> tuple[subprocess.Popen[bytes], list[str]]:
    """Start the stand-in in a process of its own; returns it and the flags that lead to it."""
    ready = scratch / "ready.json"
    command = ["--seed", "1", "--classes", str(CLASSES), "--latency", "0.05", "--ready", str(ready), "--seconds", "600"]
    process = subprocess.Popen([sys.executable, "-m", "tests.standin", *command], cwd=REPO, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    while not ready.exists():
        if process.poll() is not None or time.monotonic() - began > START_SECONDS:
            process.terminate()
            raise SystemExit("the stand-in did not start")
        time.sleep(0.05)
    told = json.loads(ready.read_text())
    return process, ["--connect-to", told["connect_to"], "--ca-certs", told["ca_file"]]


def run(words: Sequence[str], flags: Sequence[str] = (), *, given: Path | None = None) -> None:
    """Show a command as one would type it, and run it."""
    shown = f"scraper {shlex.join(words)}" + (f" < {given.relative_to(REPO)}" if given else "")
    print(f"\n$ {shown}", flush=True)
    with given.open("rb") if given else open("/dev/null", "rb") as stdin:  # noqa: PTH123 - /dev/null is no path of ours
        code = subprocess.run([sys.executable, "-m", "scraper", *words, *flags], cwd=REPO, stdin=stdin, check=False)
    if code.returncode:
        raise SystemExit(f"that ended with exit code {code.returncode}")


def show_dataset(folder: Path) -> None:
    """Open the exported dataset, as a program would that trains on it."""
    for table in sorted(folder.glob("*/metadata.csv")):
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with Image.open(table.parent / rows[0]["file_name"]) as image:
            print(f"{table.parent.name}: {len(rows)} pictures, the first a {rows[0]['label']} of {image.size} pixels")


def main() -> None:
    """Run the demo."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        process, flags = start_standin(Path(scratch))
        print("A stand-in for ImageNet and Flickr serves on this machine; each command below also gets")
        print(f"  {shlex.join(flags)}")
        manifest = ["--manifest", "demo/scraper.db"]
        try:
            run(["plan", "-n", "10", "--labels", "wordnet", *manifest], flags, given=CLASSES)
            run(["fetch", "--threads", "32", "--out", "demo/images", *manifest], flags)
            run(["report", *manifest])
            run(["report", *manifest, "--format", "html", "--output", "demo/report.html"])
            run(
                [
                    "export",
                    "imagefolder",
                    "demo/dataset",
                    "--out",
                    "demo/images",
                    "--split",
                    "train=0.8,test=0.2",
                    *manifest,
                ]
            )
            show_dataset(FOLDER / "dataset")
        finally:
            process.terminate()
            process.wait()
    print("\nTo look at: demo/images, demo/dataset, demo/scraper.db (any SQLite tool), demo/report.html")


if __name__ == "__main__":
    main()

"""What names cost: finding one, choosing all of a preset, and the size of what is shipped for it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measuring import interleave, table, timed

if TYPE_CHECKING:
    from benchmarks.measuring import Cost

ROUNDS: Final = 15
ROOT: Final = Path(__file__).parents[1]


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    lists = folder / "lists"
    lists.mkdir()
    urls = "".join(f"http://farm1.static.flickr.com/1/{number}_abcdef.jpg\n" for number in range(1, 500))
    (lists / "n01440764.txt").write_text(urls)
    commands = {
        "plan n01440764": ["plan", "n01440764", "--source", "lists"],
        "plan tench": ["plan", "tench", "--source", "lists"],
        "plan tnech (refused)": ["plan", "tnech", "--source", "lists"],
        "classes crane --format text": ["classes", "crane", "--format", "text"],
        "classes --preset imagenet-21k": ["classes", "--preset", "imagenet-21k"],
        "classes --under dog --leaves": ["classes", "--under", "dog", "--leaves"],
    }
    subjects = {name: lambda words=words: _timed(folder, words) for name, words in commands.items()}
    costs = interleave(subjects, 3 if quick else ROUNDS)
    bare = costs["plan n01440764"]
    rows = [(f"`{name}`", f"{1000 * c.wall:.0f}", f"{1000 * (c.wall - bare.wall):+.0f}") for name, c in costs.items()]
    about = (
        "Goals: a name is found in under 60 ms on top of the start, a preset of 21,841 classes is chosen in under half "
        f"a second, and the wheel stays below 1 MB. It has {_wheel(folder) / 1e6:.2f} MB.\n"
    )
    return "\n".join(("## Names\n", about, table(("command", "ms", "beside plan by id"), rows)))


def _timed(folder: Path, words: list[str]) -> Cost:
    for path in (folder / "manifests").glob("*"):
        path.unlink()
    return timed([sys.executable, "-m", "scraper", *words], cwd=folder, codes=(0, 2))


def _wheel(folder: Path) -> int:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", str(ROOT)]
    subprocess.run([*pip, "--wheel-dir", str(folder)], check=True)
    (wheel,) = folder.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    if not any(name.endswith("naming/data/names.xz") for name in names):
        raise SystemExit("the wheel lacks the table of names")
    return wheel.stat().st_size

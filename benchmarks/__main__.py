"""Run benchmarks and write what they found to RESULTS.md: `python -m benchmarks [NAME …]`, all of them by default."""

from __future__ import annotations

import argparse
import compileall
import importlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import results

NAMES: Final = ("fetch", "decode", "threads", "lists", "index", "manifest", "exports", "startup", "naming", "pacing")
"""In the order in which they run."""
NEEDY: Final = ("peers", "pythons")
"""Those that need other tools or interpreters installed, and run only when they are named."""


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join((*NAMES, *NEEDY))}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that it runs; not written")
    given = parser.parse_args()
    names = given.names or NAMES
    for name in names:
        if name not in (*NAMES, *NEEDY):
            parser.error(f"no benchmark {name!r}")
    if len(names) == 1:
        run(names[0], quick=given.quick)
        return
    for name in names:  # in processes of their own: a child's peak of memory begins at its parent's
        flags = ["--quick"] if given.quick else []
        subprocess.run([sys.executable, "-m", "benchmarks", name, *flags], check=True)


def run(name: str, *, quick: bool) -> None:
    """Run one benchmark, and write down what it found."""
    for package in ("scraper", "benchmarks"):  # as they are once installed, where Python is told to write no bytecode
        compileall.compile_dir(Path(__file__).parents[1] / package, quiet=1)
    folder = Path(tempfile.mkdtemp(prefix=f"bench-{name}-"))
    try:
        text = importlib.import_module(f"benchmarks.{name}").run(folder, quick=quick)
    finally:
        shutil.rmtree(folder)
    print(text, flush=True)
    if not quick:
        results.write(name, text)
        if name == "pacing":  # users read it too
            results.write(name, text, Path(__file__).parents[1] / "docs" / "pacing.md")


if __name__ == "__main__":
    main()

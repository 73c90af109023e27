"""RESULTS.md: one part for each benchmark, replaced when that benchmark is run again."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Final

from benchmarks.measuring import machine

FILE: Final = Path(__file__).parent / "RESULTS.md"
_HEAD: Final = """\
# Results

Written by the benchmarks themselves; each part names its command, its day and its machine. Seconds mean little on
another machine, ratios within a part mean something: all its rows ran in turn on the same machine, and medians are
shown. Server and client share the cores.
"""


def write(name: str, text: str, file: Path = FILE) -> None:
    """Put the part of one benchmark in its place."""
    before = file.read_text(encoding="utf-8") if file.exists() else _HEAD
    made = f"\n`python -m benchmarks {name}`, {dt.datetime.now(dt.UTC):%Y-%m-%d}, on {machine()}.\n"
    part = f"<!-- {name} -->\n{text.strip()}\n{made}<!-- end of {name} -->\n"
    pattern = re.compile(rf"<!-- {name} -->\n.*?<!-- end of {name} -->\n", re.DOTALL)
    after = pattern.sub(lambda _: part, before) if pattern.search(before) else f"{before}\n{part}"
    file.write_text(after, encoding="utf-8")

"""Figures of the house: `python -m tools.house [FOLDER]`, where FOLDER may be a checkout of another commit.

Modules, files in the largest folders, arrows between rooms (a room is a package of `scraper`, or a module beside them),
and the lengths of functions in lines without their docstrings.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, its docstring and what is above `def` aside."""
    last = function.end_lineno or function.lineno
    first = function.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return last - function.lineno + 1 - ((first.end_lineno or 0) - first.lineno + 1 if told else 0)


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules of `scraper` that a module names, wherever it does."""
    for node in ast.walk(tree):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom) and node.module == "scraper":
            names = [f"scraper.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (name for name in names if name.startswith("scraper."))


def main(folder: Path) -> None:
    """Print them."""
    files = sorted(folder.joinpath("scraper").rglob("*.py"))
    names = {path: path.relative_to(folder).with_suffix("").parts[1:] for path in files}
    rooms, modules, lengths = set(), set(), []
    for path, parts in names.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        lengths += [length(node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        if parts[0] in ("__init__", "__main__"):
            continue
        for name in imported(tree):
            modules.add((parts, name))
            if (there := name.split(".")[1]) != parts[0]:
                rooms.add((parts[0], there))
    sizes = Counter(str(path.parent.relative_to(folder)) for path in files if path.name != "__init__.py")
    lines = sorted((len(path.read_text(encoding="utf-8").splitlines()) for path in files), reverse=True)
    print(f"modules: {sum(sizes.values())} in {len(sizes)} folders, {sum(lines):,} lines, the longest {lines[:3]}")
    print(f"largest folders: {', '.join(f'{name} {count}' for name, count in sizes.most_common(4))}")
    print(f"rooms: {len({parts[0] for parts in names.values()} - {'__init__', '__main__'})}, arrows {len(rooms)}")
    print(f"arrows between modules: {len(modules)}")
    median, p90 = statistics.median(lengths), statistics.quantiles(lengths, n=10)[8]
    print(f"functions: {len(lengths)}, lines of each: {median:g} median, {p90:g} p90, {max(lengths)} at most")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))

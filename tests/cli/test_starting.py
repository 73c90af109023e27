"""What a command does not need is not loaded: most of the time that it takes to start is spent on imports."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

LIBRARIES = {"fire", "humanize", "numpy", "PIL", "rich", "simplejpeg", "sqlite3", "sqlite_utils", "urllib3"}
LOADED = """
import sys
from scraper.cli.main import main
main(sys.argv[1:])
sys.stdout.flush()
print(*sys.modules, file=sys.stderr)
"""


def loaded(folder: Path, *words: str) -> set[str]:
    """The modules that are there when a command has ended, in an interpreter of its own."""
    command = [sys.executable, "-W", "error", "-c", LOADED, *words]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return set(result.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "words", ["", "--help", "--version", "fetch --help", "help plan", "--completion bash", "fetch --nope", "fetch -n"]
)
def test_what_is_told_at_once_takes_no_library(words: str, tmp_path: Path) -> None:
    assert loaded(tmp_path, *words.split()) & LIBRARIES == set()


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("--help", set()),
        ("--version", set()),
        ("classes tench", {"naming"}),
        ("plan no-such-class", {"planning", "web"}),
        ("drop tench", {"planning", "web"}),
        ("fetch", {"fetching", "web"}),
        ("report", {"reporting"}),
        ("survey", {"auditing", "web"}),
        ("trace 1", {"auditing", "web"}),
        ("export csv list", {"exporting"}),
        ("verify", {"auditing", "web"}),
        ("forget 1", {"auditing", "web"}),
    ],
)
def test_a_command_loads_its_own_options_only(words: str, options: set[str], tmp_path: Path) -> None:
    found = {
        name.split(".")[1] for name in loaded(tmp_path, *words.split()) if re.fullmatch(r"scraper\..*\.options", name)
    }
    assert found == options


@pytest.mark.parametrize(
    ("words", "libraries"),
    [
        ("classes tench", {"fire"}),
        ("drop tench", {"fire", "humanize", "sqlite3", "sqlite_utils"}),
        ("report --format json", {"fire", "sqlite3", "sqlite_utils"}),
        ("trace 1", {"fire", "sqlite3", "sqlite_utils"}),
        ("verify", {"fire", "humanize", "rich", "sqlite3", "sqlite_utils"}),
        ("plan tench", {"fire", "humanize", "rich", "sqlite3", "sqlite_utils", "urllib3"}),
    ],
)
def test_a_command_loads_the_libraries_it_uses(words: str, libraries: set[str], tmp_path: Path) -> None:
    """NumPy is none of them, though sqlite-utils takes it where it finds it."""
    assert loaded(tmp_path, *words.split()) & LIBRARIES == libraries


def test_numpy_is_there_for_those_who_need_it(tmp_path: Path) -> None:
    found = loaded(tmp_path, "fetch")
    assert {"sqlite_utils", "simplejpeg", "numpy"} <= found


def test_from_python_sqlite_utils_knows_numpy_as_ever(tmp_path: Path) -> None:
    code = "import scraper.manifest.core, sqlite_utils.db; print(sqlite_utils.db.np.__name__)"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "numpy\n"

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
        ("plan no-such-class", {"planning"}),
        ("drop tench", {"planning"}),
        ("fetch", {"fetching"}),
        ("report", {"reporting"}),
        ("survey", {"auditing"}),
        ("trace 1", {"auditing"}),
        ("export csv list", {"exporting"}),
        ("verify", {"auditing"}),
        ("forget 1", {"auditing"}),
    ],
)
def test_a_command_loads_its_own_options_only(words: str, options: set[str], tmp_path: Path) -> None:
    found = {
        name.split(".")[1] for name in loaded(tmp_path, *words.split()) if re.fullmatch(r"scraper\..*\.options", name)
    }
    assert found == options

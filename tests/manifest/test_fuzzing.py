"""A few manifests changed at random, always the same; `make fuzz` and its longer runs try thousands."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.command import LONGEST

if TYPE_CHECKING:
    from pathlib import Path


def test_a_dozen_manifests_changed_at_random(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.fuzzing.manifests",
        "--seed",
        "12",
        "--cases",
        "12",
        "--keep",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 manifests, " in done.stdout
    assert " 0 promises broken " in done.stdout

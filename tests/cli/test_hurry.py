"""Words for people in a hurry: what was probably meant is said, and help and completion come in every spelling."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from scraper.cli.commands import COMMANDS
from scraper.cli.help import help_text
from scraper.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from tests.command import Scraper


@pytest.mark.parametrize("words", [("help", "fetch"), ("--help", "fetch"), ("-h", "fetch"), ("fetch", "-h")])
def test_help_of_a_command_in_every_spelling(scraper: Scraper, words: tuple[str, ...]) -> None:
    assert scraper.done(*words).out == help_text(COMMANDS["fetch"])


def test_the_version(scraper: Scraper) -> None:
    assert {scraper.done(word).out for word in ("-V", "--version", "version")} == {f"scraper {__version__}\n"}


MEANT = {
    ("-n", "50", "n01440764"): "did you mean `scraper plan -n 50 n01440764`?",
    ("tench", "golden retriever"): "did you mean `scraper plan tench 'golden retriever'`?",
    ("n01440764",): "did you mean `scraper plan n01440764`?",
    ("--manifest", "x.db", "fetch"): "did you mean `scraper fetch --manifest x.db`?",
    ("fecth", "--threads", "3"): "did you mean `scraper fetch --threads 3`?",
    ("great", "white", "shark", "-n", "5"): "did you mean `scraper plan 'great white shark' -n 5`?",
    ("help", "fecth"): "no help on 'fecth': the commands are classes, plan, drop",
    ("quux",): "unknown command 'quux': it is one of classes, plan, drop, fetch",
    (): "no command: it is one of",
    (
        "fetch",
        "giraffe",
    ): "it fetches all that is planned; `scraper plan n02439033` plans giraffe",
    ("fetch", "cow"): "`scraper classes cow` shows the 3 it may mean",
    ("fetch", "sheep"): "`scraper classes sheep` shows the 2 it may mean",
    ("fetch", "monkey"): "`scraper plan n02484322` plans monkey",
    ("fetch", "json"): "unexpected argument 'json'; see `scraper fetch --help`",
    ("--completion", "tcsh"): "--completion must be one of bash, zsh, fish, not 'tcsh'",
}


@pytest.mark.parametrize("words", MEANT)
def test_what_was_meant_is_said_on_one_line(scraper: Scraper, words: tuple[str, ...]) -> None:
    result = scraper.done(*words, code=2)
    assert (result.out, result.err.count("\n")) == ("", 1)
    assert MEANT[words] in result.err
    assert scraper.snapshot() == {}


def test_no_empty_bar_stands_above_an_error(scraper: Scraper) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        scraper.command("plan", "tnech"), cwd=scraper.folder, env=scraper.environment(), stderr=theirs, stdin=theirs
    ) as process:
        process.wait(60)
        os.close(theirs)
        shown = os.read(ours, 100_000).decode()
        os.close(ours)
    assert shown.startswith("scraper: error: tnech: no class has this name")


# --- completion ------------------------------------------------------------------------------------------------------

ASKED = {
    "scraper fe": {"fetch"},
    "scraper plan --pre": {"--preset"},
    "scraper plan --preset image": {"imagenette", "imagewoof", "imagenet-a", "imagenet-21k-p"},
    "scraper report --format ": {"text", "json", "csv", "html"},
    "scraper fetch --no-top": {"--no-top-up"},
}


def ask_bash(folder: Path, typed: str) -> str:
    words = typed.split(" ")
    asked = " ".join(f"'{word}'" for word in words)
    given = f"COMP_WORDS=({asked}); COMP_CWORD={len(words) - 1}"
    return _output(["bash", "-c", f'source {folder}/scraper.bash; {given}; _scraper; echo "${{COMPREPLY[@]}}"'])


def ask_fish(folder: Path, typed: str) -> str:
    return _output(["fish", "--no-config", "-c", f"source {folder}/scraper.fish; complete -C '{typed}'"])


ZSH = r"""
import os, pty, select, sys, time
script, typed = sys.argv[1:]
pid, terminal = pty.fork()
if not pid:
    os.execvp("zsh", ["zsh", "-f"])
def read(until, seconds):
    seen, end = b"", time.monotonic() + seconds
    while until not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65536)
    return seen
setup = f"PS1=; stty cols 200; autoload -Uz compinit; compinit -u -D; source {script}; echo rea''dy\n"
os.write(terminal, setup.encode())
read(b"ready", 20)
os.write(terminal, typed.encode() + b"\t\t")
shown = read(b"never", 3)
os.kill(pid, 9)
sys.stdout.buffer.write(shown)
"""


def ask_zsh(folder: Path, typed: str) -> str:
    """A zsh on a terminal of its own: what it shows when the tabulator is pressed twice."""
    return _output([sys.executable, "-c", ZSH, f"{folder}/scraper.zsh", typed])


def _output(command: list[str]) -> str:
    environment = {**os.environ, "TERM": "dumb"}
    done = subprocess.run(command, capture_output=True, timeout=300, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode(errors="replace")


SHELLS = {"bash": ask_bash, "fish": ask_fish, "zsh": ask_zsh}
INSTALLED = [shell for shell in SHELLS if shutil.which(shell)]


@pytest.mark.parametrize("typed", ASKED)
@pytest.mark.parametrize("shell", INSTALLED)
def test_shells_complete_from_the_options(scraper: Scraper, shell: str, typed: str) -> None:
    script = scraper.done("--completion", shell).out
    (scraper.folder / f"scraper.{shell}").write_text(script, encoding="utf-8")
    shown = SHELLS[shell](scraper.folder, typed)
    assert all(word in shown for word in ASKED[typed]), shown


@pytest.mark.parametrize("shell", SHELLS)
def test_a_completion_has_every_flag(scraper: Scraper, shell: str) -> None:
    script = scraper.done(f"--completion={shell}").out
    for command in COMMANDS.values():
        assert command.name in script
        for flag in command.flags():
            spelt = flag.replace("_", "-")
            assert (f"-l {spelt}" in script or f"-s {spelt}" in script) if shell == "fish" else f"-{spelt}" in script

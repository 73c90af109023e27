"""The library for callers in Python: kind in errors, in what it takes, and in what it shows."""

from __future__ import annotations

import ast
import io
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import scraper
from scraper.errors import InputError, ManifestMissingError, OptionError, ScraperError, in_python
from tests.test_house import MODULES, tree

if TYPE_CHECKING:
    from collections.abc import Callable


def texts(node: ast.AST) -> str:
    """The texts that a piece of code puts together, with a name in place of each value."""
    if isinstance(node, ast.JoinedStr):
        return "".join(texts(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return "VALUE"
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def raised() -> list[str]:
    """The texts inside of every `raise` but those of the command line, which meet only people who type."""
    found = []
    for module in MODULES:
        if module.startswith("cli"):
            continue
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Raise) and node.exc is not None:
                found += [text for each in ast.walk(node.exc) if (text := texts(each))]
    return found


def test_no_error_speaks_of_flags_to_a_caller_in_python() -> None:
    typed = [text for text in raised() if " --" in f" {text}"]
    assert len(typed) > 20
    assert [text for text in typed if "--" in in_python(text)] == []


def test_texts_of_others_stay_as_they_are() -> None:
    for text in ("cannot read /data/a--b/list.txt", "a--b", "'--x", "n02-n03 -- both", "https://h.example/--a", "x --"):
        assert in_python(text) == text


def test_an_error_has_both_readings(tmp_path: Path) -> None:
    with pytest.raises(ManifestMissingError) as caught:
        scraper.fetch(manifest=tmp_path / "none.db")
    assert "give manifest" in str(caught.value)
    assert "give --manifest" in caught.value.as_typed
    assert "`plan()`" in str(caught.value)
    assert "`scraper plan`" in caught.value.as_typed


def test_options_take_what_is_meant() -> None:
    assert scraper.PlanOptions(n="5").n == 5  # type: ignore[arg-type]
    assert scraper.FetchOptions(out="im").out == Path("im")  # type: ignore[arg-type]
    assert scraper.FetchOptions(max_bytes="2MB").max_bytes == 2_000_000  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda api: api.PlanOptions(n="five"), "n must be a whole number, not 'five'"),
        (lambda api: api.FetchOptions(out=3), "out must be a path, not 3"),
        (lambda api: api.FetchOptions(network=3), "network must be NetworkOptions, not 3"),
        (lambda api: api.fetch(api.PlanOptions()), "options must be FetchOptions, not PlanOptions("),
        (lambda api: api.plan(["tench"], api.FetchOptions()), "options must be PlanOptions, not FetchOptions("),
        (lambda api: api.verify("im"), "options must be VerifyOptions, not 'im'"),
        (lambda api: api.PlanOptions(lock="x", n=4), "n contradicts lock, which says how many"),
    ],
)
def test_options_that_cannot_be_meant(call: Callable[[Any], object], said: str) -> None:
    with pytest.raises(OptionError) as caught:
        call(scraper)
    assert str(caught.value).startswith(said)


def test_other_arguments_that_cannot_be_meant(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"form of an export is one of imagefolder, .*, not 'zip'"):
        scraper.export("zip", tmp_path / "dest", manifest=tmp_path / "none.db")
    with pytest.raises(InputError, match="classes holds 5, which is neither"):
        scraper.plan([5], manifest=tmp_path / "none.db")  # type: ignore[list-item]
    assert list(tmp_path.iterdir()) == []


def test_a_class_alone_is_one_class(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="item 1: zzgrmpf") as caught:
        scraper.plan("zzgrmpf", manifest=tmp_path / "new.db")
    assert "item 2" not in str(caught.value)


def test_the_public_names_are_shown_and_there() -> None:
    assert dir(scraper) == sorted(scraper.__all__)
    assert {name for name in scraper.__all__ if getattr(scraper, name, None) is None} == set()
    assert issubclass(scraper.ScraperError, ScraperError)


def test_importing_it_brings_nothing_else() -> None:
    """Names come when they are first used: `import scraper` loads no module of its own but the version."""
    code = "import sys, scraper; print(sorted(name for name in sys.modules if name.startswith('scraper')))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "['scraper', 'scraper.version']"


# --- the bar ---------------------------------------------------------------------------------------------------------

SHOWN = """
import scraper
from scraper import PlanProgress, progress_bar
bar = progress_bar()
for done in range(11):
    bar(PlanProgress(done=done, classes=10, failed=1, candidates=7 * done))
bar.say("something to see")
"""


def on_a_terminal(code: str) -> str:
    """What a program writes where its standard error is a terminal."""
    mine, its = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", code], stderr=its, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(its)
        shown = io.BytesIO()
        while True:
            try:
                shown.write(os.read(mine, 2**16))
            except OSError:  # nobody has the other end any more
                break
    os.close(mine)
    assert process.returncode == 0
    return shown.getvalue().decode()


def test_the_bar_on_a_terminal() -> None:
    shown = on_a_terminal(SHOWN)
    assert "classes 10/10" in shown
    assert "70 candidates" in shown
    assert "something to see" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor was hidden, and is back


def test_the_bar_elsewhere_keeps_a_log_readable() -> None:
    result = subprocess.run([sys.executable, "-c", SHOWN], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("", "something to see\n")


def test_the_bar_takes_no_progress_but_ours() -> None:
    with scraper.progress_bar() as bar, pytest.raises(TypeError, match="'half' is no progress"):
        bar("half")  # type: ignore[arg-type]

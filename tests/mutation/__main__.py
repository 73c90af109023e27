"""Change the pure modules in thousands of small ways and see which changes no test notices: `python -m tests.mutation`.

    python -m tests.mutation                       all of them; writes the table in CONTRIBUTING.md
    python -m tests.mutation pictures values       the groups of these names; shows their table
    python -m tests.mutation --table               none; writes the table by what was found the last times
    python -m tests.mutation --survivors pictures  what survived there the last time, as lines taken and put

mutmut makes the changes and runs the tests, in a copy of the project in `.mutants`. Only tests that start no process
are run, since thousands of runs are needed. A survivor is a hole in the tests, unless it changes nothing that anyone
can see: `equivalents.md` lists those, with the reason.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
WORK: Final = ROOT / ".mutants"
EQUIVALENTS: Final = Path(__file__).with_name("equivalents.md")
COPIED: Final = ("scraper", "tests", "manifests", "docs", "benchmarks", "README.md", "CONTRIBUTING.md", "setup.cfg")
BEGIN: Final = "<!-- made by make mutants -->"
END: Final = "<!-- end -->"


@dataclass(frozen=True, slots=True)
class Group:
    """Modules that are tested together: their names below the package, and the tests of them."""

    modules: Sequence[str]
    tests: Sequence[str]


WITH_COMMANDS: Final = (
    "test_a_run_keeps_no_secret_of_its_user",
    "test_old_manifests_are_cleaned_when_they_are_brought_up",
    "test_a_command_line_that_is_none_is_left_out",
)
"""Tests of `discretion` that start processes."""
OF_THE_FOLDER: Final = (
    "test_the_table_is_as_large_as_told",
    "test_the_files_are_those_of_which_the_sources_are_told",
    "test_what_is_shipped_stays_below_a_megabyte",
)
"""Tests of what is in the folder of a package, where mutmut puts files of its own."""
GROUPS: Final[Mapping[str, Group]] = {
    "pictures": Group(
        [f"pictures.{name}" for name in ("bounds", "formats", "jpeg", "judge")],
        [f"tests/pictures/test_{name}.py" for name in ("bounds", "pictures", "verdicts")],
    ),
    "planning": Group(
        [
            *("planning.classlines", "planning.classlists", "planning.sources.doubts", "planning.sources.known"),
            *(f"planning.lines.{name}" for name in ("encodings", "jsonstream", "listedurls", "oddities")),
            *(f"planning.lines.{name}" for name in ("plainlines", "streams")),
            *(f"planning.forms.{name}" for name in ("detecting", "index", "json_values", "table", "tencent", "urls")),
        ],
        [
            f"tests/planning/test_{name}.py"
            for name in ("classlists", "plainlines", "listings", "forms_alone", "giving_up")
        ],
    ),
    "forecast": Group(["planning.forecasting.forecast"], ["tests/planning/test_forecast.py"]),
    "naming": Group(
        [f"naming.{name}" for name in ("choosing", "finding", "labels", "taking", "wordnet")],
        ["tests/naming", *(f"--deselect=tests/naming/test_table.py::{name}" for name in OF_THE_FOLDER)],
    ),
    "statistics": Group(
        [f"statistics.{name}" for name in ("clusters", "inverse", "quantiles", "surveys", "uploads")],
        [f"tests/statistics/test_{name}.py" for name in ("clusters", "inverse", "quantiles", "surveys", "uploads")],
    ),
    "answers": Group(
        [
            *(f"running.{name}" for name in ("interception", "learning", "looks", "watching")),
            *("fetching.doubts", "auditing.holding"),
        ],
        [
            *(f"tests/running/test_{name}.py" for name in ("interception", "learning", "looks", "watching")),
            *("tests/fetching/test_doubts.py", "tests/auditing/test_holding.py"),
        ],
    ),
    "pacing": Group(
        [
            *(f"pacing.{name}" for name in ("closure", "crowd", "pace", "pacer", "refusals")),
            *("running.queueing", "running.retry", "fetching.classqueue", "fetching.deciding", "fetching.scheduler"),
        ],
        [
            *(f"tests/pacing/test_{name}.py" for name in ("closure", "crowd", "pace", "pacer", "refusals")),
            *("tests/running/test_queueing.py", "tests/running/test_retry.py", "tests/fetching/test_scheduler.py"),
        ],
    ),
    "values": Group(
        ["discretion", "flickr", "kinds", "model", "records", "texts", "urls", "web.proxies"],
        [
            *(f"tests/test_{name}.py" for name in ("discretion", "flickr", "kinds", "model", "texts", "urls")),
            "tests/web/test_proxies.py",
            *(f"--deselect=tests/test_discretion.py::{name}" for name in WITH_COMMANDS),
        ],
    ),
}
SETTINGS: Final = """
[tool.mutmut]
source_paths = ["scraper/"]
only_mutate = {modules}
also_copy = {copied}
pytest_add_cli_args = ["-n0", "-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = {tests}
track_dependencies = false
use_git_change_detection = false
timeout_multiplier = 4.0
on_dependency_change = "ignore"
"""
_UNNOTICED: Final = (0, 33)
"""mutmut's codes of mutants that no test failed for, or reached."""
KILLED: Final = ("killed", "timeout", "segfault")
"""What mutmut calls mutants that a test failed for, or did not end with."""
UNTRIED: Final = "not checked"


def main(words: Sequence[str] | None = None) -> None:
    """Run groups of modules and tell how many of their mutants the tests notice."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all without one")
    parser.add_argument("--table", action="store_true", help="write the table by what was found the last times")
    parser.add_argument("--survivors", action="store_true", help="show what survived the last time")
    parser.add_argument("--seconds", type=float, default=1200.0, help="for each group; what is left is not counted")
    chosen = parser.parse_args(words)
    if unknown := set(chosen.groups) - set(GROUPS):
        parser.error(f"no group is called {', '.join(sorted(unknown))}")
    scores: dict[str, Counter[str]] = {}
    explained = equivalents(EQUIVALENTS.read_text(encoding="utf-8"))
    for name in chosen.groups or GROUPS:
        if not (chosen.survivors or chosen.table):
            run(name, GROUPS[name], chosen.seconds)
        found = list(results(name, GROUPS[name]))
        left = [(module, mutant) for module, mutant, status in found if status not in (*KILLED, UNTRIED)]
        change = changes(name, left)
        for module, mutant, status in found:
            known = (module, change.get(mutant, "")) in explained
            if chosen.survivors and mutant in change and not known:
                print(f"{module}: {mutant.rpartition('.')[2]}, {status}\n{change[mutant]}\n")
            scores.setdefault(module, Counter())["equivalent" if known else status] += 1
    table = "\n".join(rows(scores))
    if not chosen.survivors:
        print(table)
    if not (chosen.groups or chosen.survivors):
        write(ROOT / "CONTRIBUTING.md", table)


def run(name: str, group: Group, seconds: float) -> None:
    """Let mutmut try all mutants of a group, two at a time."""
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    for entry in COPIED:
        source, target = ROOT / entry, folder / entry
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.db*")
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copy2(source, target)
    settings = SETTINGS.format(
        modules=json.dumps([path_of(module) for module in group.modules]),
        copied=json.dumps([entry for entry in COPIED if entry != "scraper"]),
        tests=json.dumps(["tests/mutation/examples.py", *group.tests]),
    )
    _try_again(folder / "mutants")
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8") + settings)
    with (folder / "log.txt").open("w") as log:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", "2"]
        try:
            subprocess.run(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, timeout=seconds, check=True)
        except subprocess.TimeoutExpired:
            print(f"{name}: not all was tried in {seconds:.0f} seconds", file=sys.stderr)
        except subprocess.CalledProcessError:
            sys.exit(f"{name}: the tests fail by themselves, see {folder / 'log.txt'}")


def _try_again(mutants: Path) -> None:
    """Forget what an earlier run found of mutants that no test noticed: there may be more tests by now.

    Those that were noticed are not tried again, as long as their functions are as they were.
    """
    (mutants / "mutmut-stats.json").unlink(missing_ok=True)
    for path in mutants.rglob("*.meta"):
        found = json.loads(path.read_text(encoding="utf-8"))
        codes = found["exit_code_by_key"]
        found["exit_code_by_key"] = {mutant: code if code not in _UNNOTICED else None for mutant, code in codes.items()}
        path.write_text(json.dumps(found), encoding="utf-8")


def results(name: str, group: Group) -> Iterator[tuple[str, str, str]]:
    """The module, name and status of every mutant."""
    for line in mutmut(name, "results", "--all", "true").splitlines():
        mutant, separator, status = line.strip().partition(": ")
        module = next((one for one in group.modules if mutant.startswith(f"scraper.{one}.")), None)
        if separator and module is not None:
            yield module, mutant, status


_SHOW: Final = """
import json, sys
from pathlib import Path
from mutmut.mutation.diff_apply import get_diff_for_mutant
print(json.dumps({mutant: get_diff_for_mutant(mutant, path=Path(path)) for mutant, path in json.load(sys.stdin)}))
"""


def changes(name: str, mutants: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What mutants of modules change: the lines that they take and those that they put in their place."""
    asked = json.dumps([(mutant, path_of(module)) for module, mutant in mutants])
    command = [sys.executable, "-c", _SHOW]
    answer = subprocess.run(command, cwd=WORK / name, input=asked, capture_output=True, text=True, check=True).stdout
    return {
        mutant: "\n".join(
            line[0] + " " + line[1:].strip()
            for line in diff.splitlines()
            if re.match(r"[-+](?![-+]{2} )", line) and line[1:].strip()
        )
        for mutant, diff in json.loads(answer).items()
    }


def mutmut(name: str, *words: str) -> str:
    """What a command of mutmut's says of a group."""
    command = [sys.executable, "-m", "mutmut", *words]
    return subprocess.run(command, cwd=WORK / name, capture_output=True, text=True, check=True).stdout


def path_of(module: str) -> str:
    """The file of a module."""
    return f"scraper/{module.replace('.', '/')}.py"


def equivalents(text: str) -> frozenset[tuple[str, str]]:
    """The mutants that are known to change nothing: modules, and lines taken and put."""
    found = set()
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        module = section.split("\n", 1)[0].strip(" `")
        for change in re.findall(r"^```diff\n(.*?)\n```", section, re.MULTILINE | re.DOTALL):
            found.add((module, change))
    return frozenset(found)


def rows(scores: Mapping[str, Counter[str]]) -> Iterable[str]:
    """The table of scores."""
    yield "| module | mutants | noticed | equivalent | left | not tried |"
    yield "|---|---|---|---|---|---|"
    for module, score in [*sorted(scores.items()), ("all", sum(scores.values(), Counter()))]:
        noticed, equivalent, untried = sum(score[each] for each in KILLED), score["equivalent"], score[UNTRIED]
        left = score.total() - noticed - equivalent - untried
        share = f"{noticed / max(1, score.total() - equivalent):.0%}"  # at least, where some are not tried
        yield f"| `{module}` | {score.total():,} | {noticed:,} ({share}) | {equivalent} | {left} | {untried} |"


def write(path: Path, table: str) -> None:
    """Put the table between its marks."""
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    path.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The house stays in order: imports point down, and few modules know the network or the database."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import pytest

import scraper

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(scraper.__file__).resolve().parent

MAP = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
FLOORS = {
    name: int(number)
    for number, names in re.findall(r"^\| (\d) \| ([^|]+) \|", MAP, re.MULTILINE)
    for name in re.findall(r"`([a-z_]+)`", names)
}
PURE = re.findall(
    r"`([a-z_.]+)`", re.findall(r"^Pure, .*?\(the test looks\): (.*?)\n\n", MAP, re.MULTILINE | re.DOTALL)[0]
)
WORLDLY = {"os", "io", "socket", "ssl", "time", "threading", "subprocess", "tempfile", "shutil", "pathlib", "sqlite3"}
MOST_FILES = 12


def name_of(path: Path) -> str:
    """A file's module, without the package's own name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}
PACKAGES = {module for module, path in MODULES.items() if module and path.name == "__init__.py"}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that a piece of code imports, those named by a string for importlib too."""
    for each in ast.walk(node):
        if isinstance(each, ast.Import):
            yield from (alias.name for alias in each.names)
        elif isinstance(each, ast.ImportFrom):
            assert each.level == 0, "imports are absolute"
            yield each.module or ""
        elif isinstance(each, ast.Constant) and re.fullmatch(r"scraper(\.[a-z_]+)+", str(each.value)):
            yield str(each.value)


def at_run_time(module: str) -> set[str]:
    """The same, without what only the type checker reads."""
    found: set[str] = set()
    for node in tree(module).body:
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            found.update(imported(node))
    return found


def ours(names: Iterator[str]) -> set[str]:
    return {name.partition(".")[2] for name in names if name.partition(".")[0] == "scraper"}


def room(module: str) -> str:
    """The package that a module stands in, or the module itself at the top level."""
    return module.partition(".")[0]


def test_every_package_has_its_floor() -> None:
    assert {room(module) for module in MODULES} - {"", "__main__"} == set(FLOORS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    if module in ("", "__main__"):  # the Python API and the way in: above all
        return
    others = {room(name) for name in ours(imported(tree(module)))} - {room(module)}
    if FLOORS[room(module)]:
        assert {name for name in others if FLOORS[name] >= FLOORS[room(module)]} == set()
    else:
        assert {name for name in others if FLOORS[name]} == set()


def reached(start: str) -> set[str]:
    """The modules that a module leads to when it is imported."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in ours(iter(at_run_time(waiting.pop()))):
            if name in MODULES and name not in found:
                found.add(name)
                waiting.append(name)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_no_import_leads_back(module: str) -> None:
    assert module not in reached(module)


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_folder_is_crowded(package: str) -> None:
    assert len([module for module in MODULES if module.rpartition(".")[0] == package]) <= MOST_FILES
    assert "Must not know" in (ast.get_docstring(tree(package)) or "")


def test_only_the_client_knows_the_network() -> None:
    users = {module: at_run_time(module) for module in MODULES}
    knowing = {module for module, names in users.items() if any(name.split(".")[0] == "urllib3" for name in names)}
    assert knowing == {"web.client", "web.connections", "web.failures", "web.trust", "urls"}
    taken = [node for node in ast.walk(tree("urls")) if isinstance(node, ast.ImportFrom)]  # which only reads URLs
    names = {alias.name for node in taken if str(node.module).startswith("urllib3") for alias in node.names}
    assert names == {"Url", "parse_url"}
    others = {"requests", "http.client", "httpx", "aiohttp"}
    assert {module for module, names in users.items() if names & others} <= {
        "web.client",
        "web.connections",
        "web.failures",
    }


def test_only_the_manifest_opens_databases() -> None:
    database = {"sqlite3", "sqlite_utils"}
    assert {module for module in MODULES if at_run_time(module) & database} == {
        "manifest.core",
        "manifest.database",
        "manifest.migrating",
        "manifest.values",
    }


def test_only_the_manifest_knows_sql() -> None:
    sql = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|BEGIN|COMMIT|ROLLBACK|ALTER|DROP)\b")
    knowing = {
        module
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and sql.match(node.value)
    }
    assert {room(module) for module in knowing} == {"manifest"}


def test_no_value_leaves_sqlite_but_through_the_one_boundary() -> None:
    """What `execute` returns is thrown away, and nothing is fetched, but where a query goes by `Rows.select`."""
    judging = {"manifest.values", "manifest.core", "manifest.database", "manifest.migrating"}
    for module in MODULES.keys() - judging:
        thrown_away = {id(node.value) for node in ast.walk(tree(module)) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in {"fetchone", "fetchall", "fetchmany"}, (module, node.lineno)
                assert not node.func.attr.startswith("execute") or id(node) in thrown_away, (module, node.lineno)


@pytest.mark.parametrize("module", PURE)
def test_decisions_are_pure(module: str) -> None:
    assert {name.split(".")[0] for name in at_run_time(module)} & (WORLDLY - {"pathlib"}) == set()
    # A path is a value; only what it can be asked of a disk is not.
    asked = {node.attr for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute)}
    assert "pathlib" not in at_run_time(module) or not asked & set(dir(Path)) - set(dir(PurePath))


@pytest.mark.parametrize("module", MODULES)
def test_nothing_knows_of_the_tests(module: str) -> None:
    assert not [name for name in imported(tree(module)) if name.split(".")[0] in {"tests", "pytest"}]
    text = MODULES[module].read_text(encoding="utf-8").lower()
    assert not re.search(r"stand-?in\b|tests/|pytest|\bmock", text)


def test_no_group_is_repeated_possessively_without_bound() -> None:
    """Python before 3.11.5 matches too little then (https://github.com/python/cpython/issues/106052)."""
    code = {module: re.sub(r"#.*", "", path.read_text(encoding="utf-8")) for module, path in MODULES.items()}
    assert [module for module, text in code.items() if re.search(r"\)[*+]\+", text)] == []


def public(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions, classes and methods; not what is inside functions or private classes."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If):
            yield from public(child)
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or child.name.startswith("_"):
            continue
        if not any(isinstance(each, ast.Attribute) and each.attr == "setter" for each in child.decorator_list):
            yield child
        if isinstance(child, ast.ClassDef):
            yield from public(child)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_documented(module: str) -> None:
    assert ast.get_docstring(tree(module)) or module == "version"
    assert [node.name for node in public(tree(module)) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("name", ["SECURITY.md", "CONTRIBUTING.md", "README.md"])
def test_the_tests_that_are_named_are_there(name: str) -> None:
    named = re.findall(r"`(tests/[a-z0-9_/]+\.[a-z]+)", (ROOT.parent / name).read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT.parent / path).exists()] == []

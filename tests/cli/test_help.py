"""Help and the table of options: complete, readable, and made from the options themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import scraper as package
from scraper.cli.commands import COMMANDS
from scraper.cli.help import USAGE, help_text, table

if TYPE_CHECKING:
    from tests.command import Scraper

TABLE = Path(__file__).resolve().parents[2] / "docs" / "options.md"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_flag_on_lines_that_fit(scraper: Scraper, name: str) -> None:
    shown = scraper.done(name, "--help").out
    assert shown == help_text(COMMANDS[name])
    assert max(map(len, shown.splitlines())) <= 80
    for flag, spec in COMMANDS[name].flags().items():
        assert f"  -{flag} " in shown or f"  --{flag.replace('_', '-')}" in shown
        assert " ".join(spec.option.help.split())[:30] in " ".join(shown.split())
    assert shown.index("--manifest") < shown.index("connections:") if "--proxy" in shown else True


def test_the_list_of_commands_has_all(scraper: Scraper) -> None:
    shown = scraper.done("--help").out
    assert shown == USAGE
    assert max(map(len, shown.splitlines())) <= 80
    assert [
        line.split()[0] for line in shown.splitlines() if line.startswith("  ") and line.split()[0] in COMMANDS
    ] == list(COMMANDS)


def test_the_table_in_the_docs_is_that_of_the_options() -> None:
    assert TABLE.read_text(encoding="utf-8") == table()  # `make options` writes it


def test_the_package_shows_its_names() -> None:
    assert dir(package) == sorted(package.__all__)
    assert all(getattr(package, name) is not None for name in package.__all__)

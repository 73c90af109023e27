"""The examples in the docstrings of the modules under mutation; `make test` runs them as doctests."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.mutation.__main__ import GROUPS


@pytest.mark.parametrize("module", [module for group in GROUPS.values() for module in group.modules])
def test_examples(module: str) -> None:
    runner = doctest.DocTestRunner()
    for examples in doctest.DocTestFinder().find(importlib.import_module(f"scraper.{module}")):
        if "__mutmut_" not in examples.name:  # the copies that mutmut makes
            runner.run(examples)
    assert runner.failures == 0

"""Bias and coverage of the report's figures through the real scheduler: the table of docs/statistics.md, in small."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.statistics.coverage import CASES, HEAD, Row, measure

if TYPE_CHECKING:
    from tests.statistics.coverage import Case

SIZE = {"requests": 20_000, "worlds": 300}


@cache
def documented() -> dict[str, Row]:
    """The table of the docs, by the names of its cases."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")
    assert HEAD in text
    rows = [line.strip("| ").split(" | ") for line in text.partition(HEAD)[2].splitlines() if line.startswith("| ")]
    return {row[0]: Row(*map(float, row[-5:])) for row in rows}


def test_the_docs_have_every_case_and_none_that_is_off() -> None:
    shown = documented()
    assert list(shown) == [case.name for case in CASES]
    for case in CASES:
        assert case.bounds or abs(shown[case.name].bias) <= 0.003
        assert min(shown[case.name].lists, shown[case.name].mean) > 0.93


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_figures_hold(case: Case) -> None:
    row = measure(case, **SIZE)
    assert row.lists > 0.93
    assert row.mean > case.least_coverage - 0.04  # the pool is small, and has a mean of its own
    if not case.bounds:
        assert abs(row.bias) < case.most_bias + 0.002
    shown = documented()[case.name]
    assert abs(shown.old_bias - row.old_bias) < 0.02
    assert abs(shown.bias - row.bias) < 0.012
    assert abs(shown.lists - row.lists) < 0.06


def test_the_old_figure_did_not() -> None:
    """So that the table shows a difference that is there."""
    found = {
        case.name: measure(case, **SIZE) for case in CASES if case.name in ("most URLs dead", "two kinds of classes")
    }
    assert [row.old_lists for row in found.values()] == [0, 0]
    assert found["most URLs dead"].old_bias > 0.05
    assert found["two kinds of classes"].old_bias > 0.12

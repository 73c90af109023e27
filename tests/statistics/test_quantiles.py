"""Quantiles against printed tables and against SciPy's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from scraper.statistics.quantiles import beta_quantile, incomplete_beta, student_t


@pytest.mark.parametrize(
    ("df", "quantile"),
    # R. A. Fisher's table of t, two-sided 5 %, as in any textbook.
    [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (11, 2.201), (30, 2.042), (120, 1.980)],
)
def test_the_printed_table_of_t(df: int, quantile: float) -> None:
    assert student_t(0.975, df) == pytest.approx(quantile, abs=0.0005)


@given(st.floats(0.5, 50_000), st.floats(0.51, 0.9995))
@settings(max_examples=60, deadline=None)
def test_t_is_scipys(df: float, probability: float) -> None:
    assert student_t(probability, df) == pytest.approx(stats.t.ppf(probability, df), rel=1e-6)


@given(st.floats(0.01, 20_000), st.floats(0.01, 20_000), st.floats(0, 1, allow_subnormal=False))
@settings(max_examples=100, deadline=None)
def test_the_incomplete_beta_function_is_scipys(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-8)


@given(st.floats(0.01, 0.99), st.floats(0.5, 5_000), st.floats(0.5, 5_000))
@settings(max_examples=60, deadline=None)
def test_the_quantile_of_beta_is_scipys(probability: float, a: float, b: float) -> None:
    assert beta_quantile(probability, a, b) == pytest.approx(stats.beta.ppf(probability, a, b), abs=1e-9)

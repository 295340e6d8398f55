"""Histograms: bounded error, and merging loses nothing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusillade.metrics.histogram import RELATIVE_ERROR, Histogram

VALUES = st.lists(st.floats(0.001, 3.6e6), min_size=1, max_size=300)


def of(values: list[float]) -> Histogram:
    histogram = Histogram()
    histogram.record(np.array(values))
    return histogram


@given(VALUES, st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_a_quantile_is_within_one_percent_of_the_exact_one(values: list[float], q: float) -> None:
    (found,) = of(values).quantiles([q])
    ordered = sorted(values)
    rank = max(0, math.ceil(q * len(ordered)) - 1)
    near = {ordered[rank], ordered[min(rank + 1, len(ordered) - 1)], ordered[max(rank - 1, 0)]}
    assert any(abs(found - value) <= 2 * RELATIVE_ERROR * value + 1e-9 for value in near)


@given(VALUES, VALUES)
def test_merged_histograms_are_the_histogram_of_all_values(
    first: list[float], second: list[float]
) -> None:
    merged = of(first)
    merged.merge(of(second))
    whole = of(first + second)
    assert merged.count == whole.count
    assert merged.average == pytest.approx(whole.average)
    assert (merged.lowest, merged.highest) == (whole.lowest, whole.highest)
    assert merged.quantiles([0.1, 0.5, 0.99]) == pytest.approx(whole.quantiles([0.1, 0.5, 0.99]))


def test_an_empty_histogram_has_zeros() -> None:
    assert Histogram().quantiles([0.5, 0.99]) == [0.0, 0.0]
    assert Histogram().average == 0.0

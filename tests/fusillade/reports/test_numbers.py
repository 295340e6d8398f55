"""Numbers as people read them."""

import pytest

from fusillade.durations import parse_duration, show_duration
from fusillade.reports import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 ms"), (0.025, "25 µs"), (0.25, "0.25 ms"), (12.34, "12.3 ms"), (1530, "1.53 s")],
)
def test_a_latency_has_the_unit_that_it_needs(value: float, text: str) -> None:
    assert numbers.milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(999, "999 B"), (1000, "1.0 kB"), (999_990, "1.0 MB"), (2.5e9, "2.5 GB")]
)
def test_data_have_the_unit_that_they_need(value: float, text: str) -> None:
    assert numbers.data(value) == text


def test_a_share_that_is_almost_all_is_not_shown_as_all() -> None:
    assert numbers.share(1.0) == "100.00%"
    assert numbers.share(0.999999) == ">99.99%"
    assert numbers.share(0.000001) == "<0.01%"
    assert numbers.share(0.0) == "0.00%"


@pytest.mark.parametrize("text", ["0s", "500ms", "30s", "1m30s", "2h", "1h0.5s", "1.5s"])
def test_a_duration_is_shown_as_it_may_be_written(text: str) -> None:
    assert show_duration(parse_duration(text)) == text

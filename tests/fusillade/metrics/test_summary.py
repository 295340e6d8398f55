"""A histogram in a few numbers."""

from fusillade.metrics.histogram import RELATIVE_ERROR, Histogram
from fusillade.metrics.summary import LatencyPercentile


def test_percentiles_go_from_the_fastest_to_the_slowest_as_finely_as_there_are_requests() -> None:
    histogram = Histogram.of([float(one) for one in range(1, 1001)])
    shown = {one.percentile: one.latency_ms for one in LatencyPercentile.of(histogram)}
    assert list(shown) == sorted(shown)
    assert (shown[0], shown[100]) == (1, 1000)
    assert max(one for one in shown if one < 100) == 99.9
    for percentile in (25, 50, 97.5, 99.5):
        assert abs(shown[percentile] / (percentile * 10) - 1) <= RELATIVE_ERROR
    assert [one.percentile for one in LatencyPercentile.of(Histogram.of([7.0, 8.0]))] == [
        *(0, 10, 20, 25, 30, 40, 50),
        100,
    ]
    assert LatencyPercentile.of(Histogram()) == []

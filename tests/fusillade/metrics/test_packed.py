"""Histograms on the wire: what is packed comes out as it was."""

from hypothesis import given
from hypothesis import strategies as st

from fusillade.metrics.histogram import Histogram
from fusillade.metrics.packed import pack, unpack

HISTOGRAMS = st.lists(
    st.dictionaries(st.integers(0, 2000), st.integers(1, 2**40), min_size=1, max_size=20),
    max_size=6,
)


@given(HISTOGRAMS)
def test_buckets_and_moments_survive_the_wire(given_counts: list[dict[int, int]]) -> None:
    histograms = []
    for counts in given_counts:
        histogram = Histogram()
        histogram.add(sum(counts.values()), 2.5, 1.0, 2.0, counts.keys(), counts.values())
        histograms.append(histogram)
    unpacked = unpack(pack(histograms))
    assert unpacked.moments.tolist() == [[one.count, 2.5, 1.0, 2.0] for one in histograms]
    pairs = list(zip(unpacked.buckets.tolist(), unpacked.counts.tolist(), strict=True))
    for length, counts in zip(unpacked.lengths.tolist(), given_counts, strict=True):
        assert pairs[:length] == sorted(counts.items())
        pairs = pairs[length:]
    assert pairs == []

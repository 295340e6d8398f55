"""A host's own deltas, however many."""

from fusillade.metrics.kept_deltas import KeptDeltas


def test_every_delta_of_a_long_test_can_be_sent_again() -> None:
    kept = KeptDeltas()
    added = [b"%d" % number * (number % 3 + 1) for number in range(3000)]
    for payload in added:
        kept.add(payload)
    assert len(kept) == 3000
    for first, most in [(0, 60), (590, 60), (1170, 60), (2390, 60), (2990, 60), (3000, 60)]:
        assert kept.some(first, most) == added[first : first + most]
    assert kept.some(0, 3000) == added

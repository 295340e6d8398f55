"""The split of a load over hosts is exact."""

from hypothesis import given
from hypothesis import strategies as st

from fusillade.engine.share import Share

COUNTS = st.integers(1, 60)
TOTALS = st.floats(0, 1e6, allow_nan=False)


@given(COUNTS, TOTALS)
def test_the_parts_sum_to_the_whole_and_differ_by_one_at_most(count: int, total: float) -> None:
    parts = [Share(index, count).of(total) for index in range(count)]
    assert sum(parts) == int(total)
    assert max(parts) - min(parts) <= 1


@given(COUNTS, st.integers(0, 10_000))
def test_offsets_are_the_sums_of_the_parts_before(count: int, total: int) -> None:
    before = 0
    for index in range(count):
        share = Share(index, count)
        assert share.first(total) == before
        before += share.of(total)


@given(COUNTS, st.data(), st.integers(1, 500))
def test_the_total_for_an_amount_is_the_smallest(
    count: int, data: st.DataObject, amount: int
) -> None:
    share = Share(data.draw(st.integers(0, count - 1)), count)
    total = share.total_for(amount)
    assert share.of(total) >= amount
    assert share.of(total - 1) < amount

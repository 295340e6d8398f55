"""The split of a load over hosts is exact, whatever their sizes, for every load model."""

import math

from hypothesis import given
from hypothesis import strategies as st

from fusillade.engine.executors.base import Executor
from fusillade.engine.executors.constant_arrival_rate import ConstantArrivalRate
from fusillade.engine.executors.constant_workers import ConstantWorkers
from fusillade.engine.executors.per_worker_iterations import PerWorkerIterations
from fusillade.engine.executors.ramping_arrival_rate import RampingArrivalRate
from fusillade.engine.executors.ramping_workers import RampingWorkers
from fusillade.engine.executors.shared_iterations import SharedIterations
from fusillade.engine.executors.stage import Stage
from fusillade.engine.share import Share, split

SIZES = st.lists(st.integers(0, 300), min_size=1, max_size=20).filter(any)
AMOUNTS = st.floats(0, 1e6, allow_nan=False)
WORKERS = st.integers(1, 400)
STAGES = st.lists(
    st.builds(Stage, st.floats(0, 100), st.integers(0, 400)), min_size=1, max_size=5
).map(tuple)
EXECUTORS = st.one_of(
    st.builds(ConstantWorkers, WORKERS, st.floats(0.1, 600)),
    st.builds(RampingWorkers, st.integers(0, 400), STAGES),
    st.builds(PerWorkerIterations, WORKERS, st.integers(1, 50), st.floats(0.1, 600)),
    st.builds(SharedIterations, WORKERS, st.integers(1, 5000), st.floats(0.1, 600)),
    st.builds(ConstantArrivalRate, st.floats(0.01, 500), st.floats(0.1, 600), WORKERS),
    st.builds(RampingArrivalRate, st.floats(0, 500), STAGES, WORKERS),
)


@given(SIZES, AMOUNTS)
def test_the_parts_sum_to_the_whole_and_are_near_their_proportions(
    sizes: list[int], amount: float
) -> None:
    whole = math.floor(amount)
    parts = [share.of(amount) for share in split(sizes)]
    assert sum(parts) == whole
    for size, part in zip(sizes, parts, strict=True):
        assert abs(part - whole * size / sum(sizes)) <= 2 + math.log2(sum(sizes)) / 2


@given(st.integers(1, 60), AMOUNTS)
def test_hosts_of_one_size_never_differ_by_more_than_one(count: int, amount: float) -> None:
    parts = [share.of(amount) for share in split([100] * count)]
    assert max(parts) - min(parts) <= 1


@given(SIZES, st.integers(0, 3000))
def test_each_unit_goes_to_one_host_and_stays_there(sizes: list[int], amount: int) -> None:
    before = [share.of(amount) for share in split(sizes)]
    after = [share.of(amount + 1) for share in split(sizes)]
    steps = [now - then for then, now in zip(before, after, strict=True)]
    assert sorted(steps) == [0] * (len(sizes) - 1) + [1]


@given(SIZES, st.integers(1, 3000))
def test_worker_numbers_are_exact_and_have_no_gap(sizes: list[int], workers: int) -> None:
    upto = 0
    for share in split(sizes):
        assert share.first(workers) == upto
        upto += share.of(workers)
    assert upto == workers


@given(SIZES)
def test_a_host_of_so_many_workers_gets_just_these(sizes: list[int]) -> None:
    assert [share.of(sum(sizes)) for share in split(sizes)] == sizes


@given(SIZES, st.data(), st.integers(1, 500))
def test_the_total_for_a_part_is_the_smallest(
    sizes: list[int], data: st.DataObject, part: int
) -> None:
    share = data.draw(st.sampled_from(split(sizes)))
    total = share.total_for(part)
    if share.start == share.end:
        assert total == math.inf
    else:
        assert (share.of(total), share.of(total - 1)) == (part, part - 1)


@given(SIZES, EXECUTORS, st.lists(st.floats(0, 1), max_size=12))
def test_every_load_model_is_split_exactly_at_every_moment(
    sizes: list[int], executor: Executor, moments: list[float]
) -> None:
    parts = [share.among(executor.max_workers) for share in split(sizes)]
    most = [part.of(executor.max_workers) for part in parts]
    begun = [0] * len(parts)
    length = executor.duration_seconds
    for elapsed in sorted(length * moment for moment in [*moments, 0.0, 1.0]):
        workers = [part.of(executor.workers_at(elapsed)) for part in parts]
        assert sum(workers) == executor.workers_at(elapsed)
        # So each host's workers have numbers of its own at any time.
        assert all(now <= limit for now, limit in zip(workers, most, strict=True))
        due = [part.of(executor.iterations_due(elapsed)) for part in parts]
        assert sum(due) == math.floor(executor.iterations_due(elapsed))
        assert all(then <= now for then, now in zip(begun, due, strict=True))
        begun = due
    limits = begun
    if executor.shared_iterations is not None:
        limits = [part.of(executor.shared_iterations) for part in parts]
        assert sum(limits) == executor.shared_iterations
    if executor.iterations_per_worker is not None:
        limits = [workers * executor.iterations_per_worker for workers in most]
        assert sum(limits) == executor.max_workers * executor.iterations_per_worker
    if executor.max_workers > 0:
        # Who has iterations to do has workers to do them.
        assert all(limit == 0 or workers > 0 for limit, workers in zip(limits, most, strict=True))


@given(SIZES, st.builds(ConstantArrivalRate, st.floats(1, 100), st.floats(0.1, 20), WORKERS))
def test_iterations_are_due_on_their_host_when_they_are_due_in_the_whole(
    sizes: list[int], executor: ConstantArrivalRate
) -> None:
    total = math.floor(executor.iterations_due(executor.duration_seconds))
    parts = [share.among(executor.max_workers) for share in split(sizes)]
    times = sorted(
        executor.next_due(part.total_for(number))
        for part in parts
        for number in range(1, part.of(total) + 1)
    )
    assert times == [executor.next_due(number) for number in range(1, total + 1)]


def test_the_default_is_the_whole_load() -> None:
    assert (Share().of(17.9), Share().first(17), Share().total_for(17)) == (17, 0, 17)

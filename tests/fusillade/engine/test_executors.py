"""Load models as functions of elapsed time: no clock needed."""

from hypothesis import given
from hypothesis import strategies as st

from fusillade.engine.executors.constant_workers import ConstantWorkers
from fusillade.engine.executors.ramping_workers import RampingWorkers
from fusillade.engine.executors.stage import Stage


def test_constant_workers_are_there_until_the_end() -> None:
    executor = ConstantWorkers(7, 10.0)
    assert [executor.workers_at(t) for t in (-1, 0, 9.99, 10)] == [0, 7, 7, 0]


def test_ramps_are_straight_lines_between_their_targets() -> None:
    executor = RampingWorkers(2, (Stage(10, 12), Stage(10, 12), Stage(0, 4), Stage(4, 0)))
    assert executor.duration_seconds == 24
    assert executor.max_workers == 12
    times = (0, 5, 10, 19.9, 20, 22, 24)
    assert [executor.workers_at(t) for t in times] == [2, 7, 12, 12, 4, 2, 0]


@given(
    st.integers(0, 50),
    st.lists(st.tuples(st.floats(0, 100), st.integers(0, 50)), min_size=1, max_size=6),
    st.floats(0, 600),
)
def test_a_ramp_never_leaves_its_targets(
    start: int, stages: list[tuple[float, int]], elapsed: float
) -> None:
    executor = RampingWorkers(start, tuple(Stage(*stage) for stage in stages))
    lowest = min(start, *(target for _, target in stages), 0)
    assert lowest <= executor.workers_at(elapsed) <= executor.max_workers

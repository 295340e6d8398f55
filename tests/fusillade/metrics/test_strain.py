"""When hosts are said to have been the limit."""

import random

import pytest

from fusillade.metrics.strain import LASTING_SECONDS, Pressure, Strain

BUSY = Pressure(cpu_share=0.97)
LATE = Pressure(cpu_share=0.4, lag_seconds=0.25)
EASY = Pressure(cpu_share=0.85, lag_seconds=0.05)


def warnings(by_source: dict[int, list[Pressure]], hosts: int, iterations: int = 1000) -> list[str]:
    """Of hosts with these pressures second by second, told of in any order."""
    strain = Strain()
    told = [(n, s, one) for n, pressures in by_source.items() for s, one in enumerate(pressures)]
    random.shuffle(told)
    for source, second, pressure in told:
        strain.add(source, second, pressure)
    return strain.warnings("WorkerActor", hosts, iterations)


def test_a_host_that_could_not_keep_up_for_some_seconds_is_named_with_numbers() -> None:
    (warning,) = warnings({0: [EASY] * 9, 1: [EASY, *[BUSY] * 4, LATE, EASY, BUSY, BUSY]}, 2)
    assert warning.startswith(
        "WorkerActor 2 of 2 could not keep up for 5 s (used up to 97% of one core and saw to "
        "responses up to 0.25 s late): the generator, not the target, may have been the limit."
    )


@pytest.mark.parametrize("pressure", [BUSY, LATE])
def test_a_short_disturbance_is_no_warning(pressure: Pressure) -> None:
    short = [pressure] * (LASTING_SECONDS - 1)
    assert warnings({0: [*short, EASY, *short, EASY]}, 1) == []
    assert len(warnings({0: [*short, pressure]}, 1)) == 1


def test_many_hosts_are_one_warning() -> None:
    busy = dict.fromkeys(range(0, 20, 2), [BUSY] * 4)
    (warning,) = warnings(busy | {2: [BUSY] * 7}, 1000)
    assert warning.startswith(
        "WorkerActors 1, 3, 5, 7, 9 and 5 more of 1,000 could not keep up for up to 7 s ("
    )


def test_hosts_that_ran_one_share_after_the_other_are_one() -> None:
    (warning,) = warnings({1: [BUSY] * 4, 3: [EASY] * 6 + [BUSY] * 3}, 2)
    assert warning.startswith("WorkerActor 2 of 2 could not keep up for 7 s (")


def test_dropped_iterations_are_counted_where_they_are_more_than_a_few() -> None:
    dropping = Pressure(dropped_iterations=30)
    (warning,) = warnings({0: [EASY, dropping, dropping]}, 1, iterations=940)
    assert warning.startswith("WorkerActor 1 of 1 dropped 60 of 1,000 iterations in 2 s, since")
    assert warnings({0: [dropping]}, 1, iterations=10_000) == []

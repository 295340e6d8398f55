"""Counting requests across processes."""

import subprocess
import sys
from pathlib import Path

from fusillade.request_counts import Limit, RequestCounts

LIMIT = Limit("general", 3, 10.0)


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_window_allows_so_many_and_the_next_as_many_again(tmp_path: Path) -> None:
    clock = Clock()
    with RequestCounts(tmp_path / "counts", clock) as counts:
        asked = [counts.count(LIMIT, "a") for _ in range(5)]
        assert [one.allowed for one in asked] == [True, True, True, False, False]
        assert [one.remaining for one in asked] == [2, 1, 0, 0, 0]
        clock.now += 9.5
        late = counts.count(LIMIT, "a")
        assert (late.allowed, late.reset_seconds) == (False, 1)
        clock.now += 0.5
        new = counts.count(LIMIT, "a")
        assert (new.allowed, new.remaining, new.reset_seconds) == (True, 2, 10)


def test_everybody_has_a_count_for_each_limit(tmp_path: Path) -> None:
    other = Limit("authentication", 3, 60.0)
    with RequestCounts(tmp_path / "counts", Clock()) as counts:
        for _ in range(4):
            refused = counts.count(LIMIT, "a")
        assert not refused.allowed
        assert counts.count(LIMIT, "b").allowed
        assert counts.count(other, "a").allowed


def test_counts_outlive_a_restart_of_the_process_but_not_of_the_machine(tmp_path: Path) -> None:
    clock = Clock()
    with RequestCounts(tmp_path / "counts", clock) as counts:
        for _ in range(3):
            counts.count(LIMIT, "a")
    with RequestCounts(tmp_path / "counts", clock) as counts:
        assert not counts.count(LIMIT, "a").allowed
    clock.now = 5.0  # its clock began anew
    with RequestCounts(tmp_path / "counts", clock) as counts:
        assert counts.count(LIMIT, "a").allowed


def test_many_clients_take_no_more_room_than_a_few(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "counts"
    with RequestCounts(path, clock) as counts:
        size = path.stat().st_size
        for number in range(100_000):
            clock.now += 0.0001
            assert counts.count(LIMIT, f"client {number}").allowed
        assert path.stat().st_size == size
        assert counts.count(LIMIT, "client 99999").remaining == 1


_ASK = """
import sys
from pathlib import Path
from fusillade.request_counts import Limit, RequestCounts
with RequestCounts(Path(sys.argv[1])) as counts:
    limit = Limit("general", 1000, 1000.0)
    print(sum(counts.count(limit, "a").allowed for _ in range(800)))
"""


def test_processes_share_one_count_and_lose_none(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _ASK, str(tmp_path / "counts")]
    asking = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    allowed = [int(process.communicate(timeout=60)[0]) for process in asking]
    assert sum(allowed) == 1000
    assert all(allowed)

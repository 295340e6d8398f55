"""A MetricsAggregator that is killed goes on with all that it has acknowledged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actors.metrics_aggregator import MetricsAggregator
from fusillade.metrics import journal
from fusillade.metrics.intake import SUPERSEDED
from fusillade.metrics.recorder import Recorder
from fusillade.metrics.requests import REQUEST_COLUMNS

REGIONS = ["eu-hel1", "us-east-1"]


def delta(number: int, second: int, requests: int) -> bytes:
    recorder = Recorder()
    recorder.define_series(0, {"name": "GET /", "method": "GET", "scenario": "default"})
    rows = np.zeros((requests, len(REQUEST_COLUMNS)))
    rows[:, REQUEST_COLUMNS.index("status")] = 200
    recorder.record_requests(rows)
    recorder.set_active_workers({"default": 3})
    return recorder.take_delta(number, second, 1.0)


def started(directory: Path) -> MetricsAggregator:
    """The one of a process that has just been started."""
    return MetricsAggregator("a-test", REGIONS, [], directory)


async def seconds_told(aggregator: MetricsAggregator, after: int | None) -> list[int]:
    """What a listener is told who comes now."""
    await aggregator.finish()
    return [message["elapsed_seconds"] async for message in aggregator.follow(after)]


async def fill(aggregator: MetricsAggregator) -> Any:
    for number in (1, 2, 3):
        assert await aggregator.push(0, 0, [delta(number, number - 1, 5)]) == number
    assert await aggregator.push(1, 0, [delta(1, 0, 5), delta(2, 1, 5)]) == 2
    await aggregator.lose(1, 0, "node")
    await aggregator.resume(1, 1, 2.5)
    assert await aggregator.push(1, 1, [delta(1, 2, 7)]) == 1
    return await aggregator.result()


@pytest.mark.parametrize("log_bytes", [64 << 20, 500, 0])
async def test_it_starts_again_with_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_bytes: int
) -> None:
    monkeypatch.setattr(journal, "LOG_BYTES", log_bytes)
    before = await fill(started(tmp_path))
    again = started(tmp_path)
    assert await again.result() == before
    assert before.summary["total_requests"] == 3 * 5 + 2 * 5 + 7
    assert [loss["to_seconds"] for loss in before.summary["losses"]] == [2.5]
    assert before.acknowledged == {0: 3, 1: 1}
    # It goes on where it was: what it had is known, what a predecessor sends is not wanted.
    assert await again.push(0, 0, [delta(3, 2, 5), delta(4, 3, 1)]) == 4
    assert await again.push(1, 0, [delta(3, 2, 50)]) == SUPERSEDED
    assert (await again.result()).summary["total_requests"] == 33


@pytest.mark.parametrize("log_bytes", [64 << 20, 500])
async def test_listeners_who_come_back_are_told_what_they_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_bytes: int
) -> None:
    monkeypatch.setattr(journal, "LOG_BYTES", log_bytes)
    await fill(started(tmp_path))
    assert await seconds_told(started(tmp_path), None) == [3]
    assert await seconds_told(started(tmp_path), 0) == [1, 2, 3]
    assert await seconds_told(started(tmp_path), 2) == [3]
    assert await seconds_told(started(tmp_path), 3) == []


async def test_without_a_disk_it_goes_on_without_a_journal(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    assert (await fill(started(tmp_path / "taken"))).summary["total_requests"] == 32

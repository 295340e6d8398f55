"""How many WorkerActors a test needs, and where."""

from collections import Counter
from typing import Any

import pytest

from fusillade.posts import Capacity, in_words, posts_of
from fusillade.storage.models import Test

CAPACITY = Capacity(workers=100, iterations_per_second=1000)


def stored(region: str = "eu-hel1", workers: int = 10, **options: Any) -> Test:
    return Test(region=region, workers=workers, options=options)


@pytest.mark.parametrize(
    ("workers", "options", "count"),
    [
        (1, {}, 1),
        (100, {}, 1),
        (101, {}, 2),
        (50, {"executor": "constant-arrival-rate", "rate": 2500.0}, 3),
        (2, {"executor": "constant-arrival-rate", "rate": 2500.0}, 2),  # more had nobody
        (50, {"rate": 90_000.0, "time_unit": 60.0}, 2),
        (250, {"rate": 1.0}, 3),
        (
            50,
            {
                "executor": "ramping-arrival-rate",
                "start_rate": 10.0,
                "stages": [{"duration": 5, "target": 3500.0}, {"duration": 5, "target": 1.0}],
            },
            4,
        ),
        (50, {"stages": [{"duration": 5, "target": 50.0}]}, 1),
        (
            50,
            {
                "scenarios": {
                    "a": {"executor": "constant-arrival-rate", "rate": 800.0},
                    "b": {"executor": "constant-arrival-rate", "rate": 800.0},
                    "c": {"executor": "constant-workers", "workers": 5},
                }
            },
            2,
        ),
    ],
)
def test_workers_and_arrival_rates_say_how_many_are_needed(
    workers: int, options: dict[str, Any], count: int
) -> None:
    posts = posts_of(stored(workers=workers, **options), CAPACITY)
    assert len(posts) == count
    sizes = [post.workers for post in posts]
    assert sum(sizes) == workers
    assert max(sizes) - min(sizes) <= 1
    assert [post.share.of(workers) for post in posts] == sizes


def test_each_region_has_its_part_of_the_workers_and_of_the_rate() -> None:
    test = stored("eu-hel1:60,us-east-1:39,ap-sin1:1", 1000, rate=30_000.0)
    posts = posts_of(test, CAPACITY)
    assert Counter(post.region for post in posts) == {"eu-hel1": 18, "us-east-1": 12, "ap-sin1": 1}
    workers: Counter[str] = Counter()
    iterations: Counter[str] = Counter()
    for post in posts:
        workers[post.region] += post.share.of(1000)
        iterations[post.region] += post.share.among(1000).of(3000)
    assert workers == {"eu-hel1": 600, "us-east-1": 390, "ap-sin1": 10}
    assert iterations == {"eu-hel1": 1800, "us-east-1": 1170, "ap-sin1": 30}
    assert in_words(posts) == "18 WorkerActors in eu-hel1, 12 in us-east-1 and 1 in ap-sin1"
    assert in_words(posts[-1:]) == "1 WorkerActor in ap-sin1"

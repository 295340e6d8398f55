"""How many WorkerActors a test needs, in which regions, and what each of them does."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fusillade.engine.share import Share, split
from fusillade.regions import workers_by_region
from fusillade.script.options import peak_arrival_rate
from fusillade.settings import Settings
from fusillade.storage.models import Test


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one WorkerActor, which has one core, is given at most."""

    workers: int
    """Virtual users."""
    iterations_per_second: int
    """Of arrival rates: what closed models will do is known to nobody before."""

    @classmethod
    def of(cls, settings: Settings) -> "Capacity":
        """As the settings have it."""
        return cls(settings.workers_per_actor, settings.iterations_per_actor)


@dataclass(frozen=True, slots=True)
class Post:
    """The place of one WorkerActor; it keeps its place, whoever takes it."""

    region: str
    workers: int
    """Virtual users."""
    share: Share


def posts_of(test: Test, capacity: Capacity) -> list[Post]:
    """The posts of a test, by their index: those of its first region come first.

    The regions have virtual users in the ratio of their weights, and the WorkerActors of a region
    as many as each other, give or take one.
    """
    rate = peak_arrival_rate(test.options)
    places = []
    for region, workers in workers_by_region(test.region, test.workers).items():
        by_workers = math.ceil(workers / capacity.workers)
        by_rate = math.ceil(rate * workers / test.workers / capacity.iterations_per_second)
        # Who has no virtual user can do nothing, however high the rate.
        count = min(max(by_workers, by_rate), workers)
        places += [(region, share.of(workers)) for share in split([1] * count)]
    shares = split([workers for _, workers in places])
    return [
        Post(region, workers, share)
        for (region, workers), share in zip(places, shares, strict=True)
    ]


def in_words(posts: Iterable[Post]) -> str:
    """``2 WorkerActors in eu-hel1 and 1 in us-east-1``."""
    counts = Counter(post.region for post in posts)
    words = [f"{count} in {region}" for region, count in counts.items()]
    first = next(iter(counts.values()), 0)
    return _listed(words).replace(" in", f" WorkerActor{'' if first == 1 else 's'} in", 1)


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)

"""One second of a run over all hosts."""

from collections import Counter
from typing import Any

from fusillade.metrics.tally import Tally

_QUANTILES = (0.5, 0.95, 0.99)


class Second:
    """What happened in it. Settled, it takes little memory, and its percentiles stay."""

    __slots__ = ("active", "active_in", "fails", "iterations", "passes", "regions", "requests")

    def __init__(self) -> None:
        self.requests = Tally()
        self.active: Counter[str] = Counter()
        """Workers in the middle of an iteration, by scenario."""
        self.regions: dict[str, Tally] = {}
        """The requests by region, where there are several."""
        self.active_in: Counter[str] = Counter()
        """Workers in the middle of an iteration, by region, where there are several."""
        self.iterations = 0
        self.passes = 0
        self.fails = 0

    def settle(self) -> None:
        """All, or nearly all, has come: what comes now counts in the sums alone."""
        for requests in (self.requests, *self.regions.values()):
            requests.settle(_QUANTILES)

    def describe(self) -> dict[str, Any]:
        """Its own numbers, the same in live messages and in the stored series."""
        return _describe(self.requests, self.active.total())

    def describe_region(self, region: str) -> dict[str, Any]:
        """The same for one of several regions."""
        return _describe(self.regions.get(region) or Tally(), self.active_in[region])

    def point(self, second: int) -> dict[str, Any]:
        """As it is stored with the test; ``second`` counts from the shared start."""
        point = {
            "second": second,
            **self.describe(),
            "requests": self.requests.count,
            "errors": self.requests.failed,
            "iterations": self.iterations,
            "data_sent_bytes": self.requests.sent,
            "data_received_bytes": self.requests.received,
            "checks": {"passes": self.passes, "fails": self.fails},
        }
        if self.regions:
            point["by_region"] = [
                {
                    "region": region,
                    **self.describe_region(region),
                    "requests": requests.count,
                    "errors": requests.failed,
                }
                for region, requests in sorted(self.regions.items())
            ]
        return point


def _describe(requests: Tally, active: int) -> dict[str, Any]:
    p50, p95, p99 = requests.quantiles(_QUANTILES)
    return {
        "active_workers": active,
        "rps": requests.count,
        "avg_latency_ms": round(requests.average, 3),
        "p50_latency_ms": round(p50, 3),
        "p95_latency_ms": round(p95, 3),
        "p99_latency_ms": round(p99, 3),
        "error_rate": round(requests.error_rate, 6),
    }

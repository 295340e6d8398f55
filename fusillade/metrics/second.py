"""One second of a run over all hosts."""

from collections import Counter
from typing import Any

from fusillade.metrics.tally import Tally

_QUANTILES = (0.5, 0.95, 0.99)


class Second:
    """What happened in it. Settled, it takes little memory, and its percentiles stay."""

    __slots__ = ("active", "fails", "iterations", "passes", "requests")

    def __init__(self) -> None:
        self.requests = Tally()
        self.active: Counter[str] = Counter()
        """Workers in the middle of an iteration, by scenario."""
        self.iterations = 0
        self.passes = 0
        self.fails = 0

    def settle(self) -> None:
        """All, or nearly all, has come: what comes now counts in the sums alone."""
        self.requests.settle(_QUANTILES)

    def describe(self) -> dict[str, Any]:
        """Its own numbers, the same in live messages and in the stored series."""
        requests = self.requests
        p50, p95, p99 = requests.quantiles(_QUANTILES)
        return {
            "active_workers": self.active.total(),
            "rps": requests.count,
            "avg_latency_ms": round(requests.average, 3),
            "p50_latency_ms": round(p50, 3),
            "p95_latency_ms": round(p95, 3),
            "p99_latency_ms": round(p99, 3),
            "error_rate": round(requests.error_rate, 6),
        }

    def point(self, second: int) -> dict[str, Any]:
        """As it is stored with the test; ``second`` counts from the shared start."""
        return {
            "second": second,
            **self.describe(),
            "requests": self.requests.count,
            "errors": self.requests.failed,
            "iterations": self.iterations,
            "data_sent_bytes": self.requests.sent,
            "data_received_bytes": self.requests.received,
            "checks": {"passes": self.passes, "fails": self.fails},
        }

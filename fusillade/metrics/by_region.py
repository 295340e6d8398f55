"""The requests of a test by region: of one region they are all there are, and cost nothing."""

from collections.abc import Iterator, Sequence
from typing import Any

from fusillade.metrics.parts import Part, of_region
from fusillade.metrics.second import Second
from fusillade.metrics.summary import RegionResult
from fusillade.metrics.tally import Tally


class ByRegion:
    """``by_share``: the region of each share of the load. Without any, there are no regions."""

    def __init__(self, by_share: Sequence[str] = ()) -> None:
        self._by_share = tuple(by_share)
        self._tallies = {region: Tally() for region in dict.fromkeys(by_share)}

    def of(self, source: int) -> str | None:
        """The region of a host, if there are several. Hosts that run a share one after the other
        have numbers that differ by the number of shares."""
        if len(self._tallies) < 2:
            return None
        return self._by_share[source % len(self._by_share)]

    def tallies(self, region: str | None, second: Second) -> tuple[Tally, ...]:
        """What requests of a region in a second count for besides the whole."""
        if region is None:
            return ()
        return self._tallies[region], second.regions.setdefault(region, Tally())

    def live(self, whole: Tally, second: Second) -> list[dict[str, Any]]:
        """A second, and the run so far, by region."""
        return [
            {
                "region": region,
                **(second.describe() if total is whole else second.describe_region(region)),
                "total_requests": total.count,
                "errors": total.failed,
            }
            for region, total in self._totals(whole)
        ]

    def parts(self, whole: Tally, second: Second) -> Iterator[tuple[str, Part]]:
        """The run so far by region, with the workers of one second."""
        for region, total in self._totals(whole):
            alone = total is whole
            active = second.active.total() if alone else second.active_in[region]
            yield region, of_region(total, active)

    def results(self, whole: Tally, duration_seconds: float) -> list[RegionResult]:
        """The run by region, in the order in which the test names them."""
        return [_result(region, total, duration_seconds) for region, total in self._totals(whole)]

    def _totals(self, whole: Tally) -> list[tuple[str, Tally]]:
        if len(self._tallies) == 1:
            return [(region, whole) for region in self._tallies]
        return list(self._tallies.items())


def _result(region: str, total: Tally, duration_seconds: float) -> RegionResult:
    p50, p95, p99 = total.quantiles([0.5, 0.95, 0.99])
    return RegionResult(
        region=region,
        requests=total.count,
        errors=total.failed,
        error_rate=round(total.error_rate, 6),
        rps=round(total.count / duration_seconds, 3) if duration_seconds else 0.0,
        avg=round(total.average, 3),
        p50=round(p50, 3),
        p95=round(p95, 3),
        p99=round(p99, 3),
    )

"""Regressions by the reference's rules."""

import msgspec
import pytest

from fusillade.comparison import Result, compare


def _result(**more: float) -> Result:
    values = {"avg_latency_ms": 42.5, "p95_latency_ms": 89.2, "error_rate": 0.001, "rps": 1250.0}
    return Result(
        name="API Load Test",
        status="completed",
        workers=100,
        duration_seconds=60,
        region="eu-hel1",
        total_requests=75000,
        **(values | more),
    )


def test_the_references_example() -> None:
    current = _result(avg_latency_ms=48.1, p95_latency_ms=102.4, error_rate=0.002, rps=1180.0)
    found = compare(_result(), current)
    assert msgspec.to_builtins(found.delta) == {
        "avg_latency_ms": 5.6,
        "p95_latency_ms": 13.2,
        "error_rate": 0.001,
        "rps": -70.0,
    }
    assert found.regression
    assert found.regression_reasons == ["p95 latency increased 14.8%"]


@pytest.mark.parametrize(
    ("baseline", "current", "reasons"),
    [
        ({"p95_latency_ms": 100.0}, {"p95_latency_ms": 110.0}, []),
        ({"p95_latency_ms": 100.0}, {"p95_latency_ms": 110.1}, ["p95 latency increased 10.1%"]),
        ({"p95_latency_ms": 100.0}, {"p95_latency_ms": 50.0}, []),
        ({"p95_latency_ms": 0.0}, {"p95_latency_ms": 50.0}, []),
        ({"error_rate": 0.001}, {"error_rate": 0.006}, []),
        (
            {"error_rate": 0.001},
            {"error_rate": 0.008},
            ["error rate increased 0.7 percentage points"],
        ),
        (
            {"error_rate": 0.0, "p95_latency_ms": 10.0},
            {"error_rate": 1.0, "p95_latency_ms": 20.0},
            ["p95 latency increased 100.0%", "error rate increased 100.0 percentage points"],
        ),
    ],
)
def test_only_what_is_beyond_the_limits_is_a_regression(
    baseline: dict[str, float], current: dict[str, float], reasons: list[str]
) -> None:
    found = compare(_result(**baseline), _result(**current))
    assert found.regression_reasons == reasons
    assert found.regression == bool(reasons)

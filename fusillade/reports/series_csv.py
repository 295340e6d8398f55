"""A result's seconds as CSV (RFC 4180, but lines end with a line feed alone)."""

import csv
import io

from fusillade.reports.result import Result

COLUMNS = (
    "second",
    "active_workers",
    "requests",
    "errors",
    "error_rate",
    "avg_latency_ms",
    "p50_latency_ms",
    "p95_latency_ms",
    "p99_latency_ms",
    "iterations",
    "data_sent_bytes",
    "data_received_bytes",
    "checks_passed",
    "checks_failed",
)
"""``second`` counts from 0; counts are of that second alone; ``error_rate`` is between 0 and 1."""


def series_csv(result: Result) -> str:
    """A header, and one row a second."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for point in result.points:
        checks = point["checks"]
        writer.writerow(
            {**point, "checks_passed": checks["passes"], "checks_failed": checks["fails"]}
        )
    return text.getvalue()

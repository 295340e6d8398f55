"""A result's seconds as Parquet: one row a second, the regions of that second in a list.

docs/data.md says what the columns mean.
"""

from datetime import timedelta
from typing import Any

import pyarrow
from pyarrow import parquet

from fusillade.reports.result import Result

_MEASURED = (
    ("active_workers", pyarrow.int64()),
    ("requests", pyarrow.int64()),
    ("errors", pyarrow.int64()),
    ("error_rate", pyarrow.float64()),
    ("avg_latency_ms", pyarrow.float64()),
    ("p50_latency_ms", pyarrow.float64()),
    ("p95_latency_ms", pyarrow.float64()),
    ("p99_latency_ms", pyarrow.float64()),
)
"""Of a second, and of each region in it."""

SCHEMA = pyarrow.schema(
    [
        ("test_id", pyarrow.string()),
        ("test_name", pyarrow.string()),
        ("time", pyarrow.timestamp("ms", tz="UTC")),
        ("second", pyarrow.int64()),
        *_MEASURED,
        ("iterations", pyarrow.int64()),
        ("data_sent_bytes", pyarrow.int64()),
        ("data_received_bytes", pyarrow.int64()),
        ("checks_passed", pyarrow.int64()),
        ("checks_failed", pyarrow.int64()),
        ("by_region", pyarrow.list_(pyarrow.struct([("region", pyarrow.string()), *_MEASURED]))),
    ]
)
"""The same for every run, so that many files are one table."""


def series_parquet(result: Result) -> bytes:
    """The file, compressed. A run that measured nothing has no rows."""
    table = pyarrow.Table.from_pylist([_row(result, point) for point in result.points], SCHEMA)
    file = pyarrow.BufferOutputStream()
    parquet.write_table(table, file, compression="zstd")
    made: bytes = file.getvalue().to_pybytes()
    return made


def _row(result: Result, point: dict[str, Any]) -> dict[str, Any]:
    """Names that the schema does not have are left out."""
    checks = point["checks"]
    return {
        **point,
        "test_id": result.test_id,
        "test_name": result.name.encode("utf-8", "replace").decode(),
        "time": result.started_at + timedelta(seconds=point["second"]),
        "checks_passed": checks["passes"],
        "checks_failed": checks["fails"],
        "by_region": point.get("by_region", []),
    }

"""The exported seconds of many runs, asked with DuckDB and with Ray Data.

    pip install duckdb 'ray[data]'
    python examples/query_runs.py ~/exports

The directory is that of FUSILLADE_EXPORT_URL. docs/data.md has the columns, and says how to do the
same with a bucket.
"""

import sys
from pathlib import Path

import duckdb
import ray
from pyarrow import fs


def by_day_and_test(directory: Path) -> list[tuple[object, ...]]:
    """With DuckDB: a row for each run. ``day`` and ``test`` come from the names of directories."""
    return duckdb.execute(
        """
        SELECT day, test_name, count(*) AS seconds, sum(requests) AS requests,
               sum(errors) / greatest(sum(requests), 1) AS error_rate,
               max(p95_latency_ms) AS worst_p95_ms
        FROM read_parquet($files, hive_partitioning = true)
        GROUP BY day, test, test_name
        ORDER BY day, test_name
        """,
        {"files": f"{directory}/*/*/*.parquet"},
    ).fetchall()


def by_region(directory: Path) -> list[tuple[object, ...]]:
    """With DuckDB: the regions of runs that have several, out of the list in each second."""
    return duckdb.execute(
        """
        SELECT test_name, test, one.region AS region, sum(one.requests) AS requests,
               max(one.p95_latency_ms) AS worst_p95_ms
        FROM (
            SELECT test_name, test, unnest(by_region) AS one
            FROM read_parquet($files, hive_partitioning = true)
        )
        GROUP BY test_name, test, region
        ORDER BY test_name, test, region
        """,
        {"files": f"{directory}/*/*/*.parquet"},
    ).fetchall()


def busiest_seconds(directory: Path, count: int) -> list[dict[str, object]]:
    """With Ray Data, on all machines of a cluster: the seconds with the most requests."""
    seconds = ray.data.read_parquet(
        str(directory),
        filesystem=fs.LocalFileSystem(),
        columns=["test_name", "second", "requests", "p95_latency_ms"],
    )
    return seconds.sort("requests", descending=True).take(count)


def main() -> None:
    directory = Path(sys.argv[1]).expanduser().absolute()
    for run in by_day_and_test(directory):
        print(*run, sep="  ")
    for region in by_region(directory):
        print(*region, sep="  ")
    ray.init(address="local", include_dashboard=False, log_to_driver=False)
    for second in busiest_seconds(directory, 5):
        print(second)


if __name__ == "__main__":
    main()

"""What counting a request costs: a mapped file, or a row in PostgreSQL.

Both are exact across processes. For each, one process counts requests of 50 clients one after the
other, on the bundled PostgreSQL in an UNLOGGED table with one prepared upsert a request and without
waiting for the disk, which is the least that it can be asked for.

    python benchmarks/request_counts.py
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from fusillade.request_counts import Limit, RequestCounts
from fusillade.storage import bundled

REQUESTS = 20_000
CLIENTS = [f"192.0.2.{number}" for number in range(50)]
UPSERT = """
INSERT INTO counts AS c VALUES (%s, now(), 1)
ON CONFLICT (who) DO UPDATE SET
    used = CASE WHEN c.start < now() - interval '10 s' THEN 1 ELSE c.used + 1 END,
    start = CASE WHEN c.start < now() - interval '10 s' THEN now() ELSE c.start END
RETURNING used, start
"""


def measure(name: str, count: Callable[[str], object]) -> None:
    """Print the time of one count."""
    begun = time.perf_counter()
    for number in range(REQUESTS):
        count(CLIENTS[number % len(CLIENTS)])
    each = (time.perf_counter() - begun) / REQUESTS
    print(f"{name:12} {each * 1e6:8.1f} microseconds a request")


def main() -> None:
    """Measure both on the same machine, one after the other."""
    limit = Limit("general", 100, 10.0)
    with tempfile.TemporaryDirectory(prefix="fusi-bench-", dir="/tmp") as directory:
        data_dir = Path(directory)
        with RequestCounts(data_dir / "request_counts") as counts:
            measure("mapped file", lambda who: counts.count(limit, who))
        try:
            url = bundled.start(data_dir).replace("postgresql+psycopg://", "postgresql://")
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("SET synchronous_commit = off")
                connection.execute(
                    "CREATE UNLOGGED TABLE counts "
                    "(who text PRIMARY KEY, start timestamptz, used int)"
                )
                measure(
                    "PostgreSQL",
                    lambda who: connection.execute(UPSERT, (who,), prepare=True).fetchone(),
                )
        finally:
            bundled.stop(data_dir)


if __name__ == "__main__":
    main()

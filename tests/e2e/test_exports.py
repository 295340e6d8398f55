"""The series of runs as files, on a whole platform."""

import time
from pathlib import Path

from client import Client
from platforms import Platform
from pyarrow import parquet
from target import Target


def test_a_run_is_exported_also_after_the_exporter_was_killed(
    platform: Platform, user: Client, target: Target, exported: Path
) -> None:
    (process,) = platform.processes("ExportActor")
    process.kill()
    test = user.run(
        f"export default function () {{ http.get('{target.url}/health'); sleep(0.1); }}",
        name="Exported",
        workers=1,
        duration=1,
    )
    report = user.get(f"/api/v1/tests/{test['id']}/report?format=json")
    assert report["summary"] == {
        name: value for name, value in test["summary"].items() if name != "log"
    }
    deadline = time.monotonic() + 120
    while not (found := list(exported.glob(f"day=*/test={test['id']}/series.parquet"))):
        assert time.monotonic() < deadline, "the run was not exported"
        time.sleep(0.1)
    table = parquet.ParquetFile(found[0]).read()
    assert sum(table["requests"].to_pylist()) == target.counted()["GET /health"]
    assert set(table["test_name"].to_pylist()) == {"Exported"}

"""What is written to the place for exports, whatever becomes of the writer."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.dataset
import pytest
from moto.server import ThreadedMotoServer
from outboxes import organisation
from pyarrow import fs
from stored import measured_test, stored_test

from fusillade.exports.exporter import Exporter
from fusillade.settings import Settings
from fusillade.storage import exports, tests
from fusillade.storage.database import Database, StorageUnavailable
from fusillade.storage.models import User

EXAMPLE = Path(__file__).parents[3] / "examples" / "query_runs.py"
EVENING = datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
async def user(store: Database) -> User:
    owner = await organisation(store)
    async with store.session() as session:
        found = User(
            organisation_id=owner, email="a@acme.test", name="A", role="owner", password_hash=""
        )
        session.add(found)
    return found


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        _, port = server.get_host_and_port()
        query = f"endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
        url = f"s3://key:secret@runs/of/acme?{query}&allow_bucket_creation=true"
        filesystem, _ = fs.FileSystem.from_uri(url)
        filesystem.create_dir("runs")
        yield url
    finally:
        server.stop()


def files_in(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*.*"))


async def test_each_run_is_written_once_by_day_and_test(
    store: Database, user: User, tmp_path: Path
) -> None:
    test = await measured_test(store, user, started_at=EVENING, name="Ünï\ncode")
    other = await measured_test(store, user, started_at=EVENING)
    waiting = {"status": "running", "started_at": EVENING, "finished_at": None}
    await stored_test(store, user, **waiting)
    exporter = Exporter(store, str(tmp_path))
    assert await exporter.look() == 2
    assert await exporter.look() == 0
    assert files_in(tmp_path) == sorted(
        f"day=2026-11-25/test={one.id}/series.parquet" for one in (test, other)
    )
    table = pyarrow.dataset.dataset(tmp_path, partitioning="hive").to_table()
    rows = {row["test"]: row for row in table.to_pylist()}
    row = rows[str(test.id)]
    assert (row["day"], row["test_id"], row["test_name"]) == (
        "2026-11-25",
        str(test.id),
        "Ünï\ncode",
    )
    assert (row["time"], row["requests"], row["checks_passed"]) == (EVENING, 2, 1)


async def test_an_export_that_was_broken_off_is_repeated(
    store: Database, user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = await measured_test(store, user, started_at=EVENING)
    place = tmp_path / "day=2026-11-25" / f"test={test.id}"
    place.mkdir(parents=True)
    (place / ".series.parquet.unfinished").write_bytes(b"half a fi")
    with monkeypatch.context() as patch:

        async def gone(*arguments: Any) -> None:
            raise StorageUnavailable("The database went away.")

        patch.setattr(exports, "note", gone)
        with pytest.raises(StorageUnavailable):
            await Exporter(store, str(tmp_path)).look()
    assert await Exporter(store, str(tmp_path)).look() == 1
    assert files_in(tmp_path) == [f"day=2026-11-25/test={test.id}/series.parquet"]


async def test_runs_wait_for_a_place_that_cannot_be_written_to(
    store: Database, user: User, tmp_path: Path
) -> None:
    await measured_test(store, user)
    place = tmp_path / "exports"
    place.write_text("not a directory")
    exporter = Exporter(store, str(place))
    with pytest.raises(OSError, match="exports"):
        await exporter.look()
    place.unlink()
    assert await exporter.look() == 1


async def test_a_run_that_cannot_be_written_holds_up_no_other(
    store: Database, user: User, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = await measured_test(store, user, days_ago=1)
    async with store.session() as session:
        await tests.save_series(session, broken.id, [{"second": 0}])
    whole = await measured_test(store, user)
    exporter = Exporter(store, str(tmp_path))
    assert await exporter.look() == 1
    assert await exporter.look() == 0
    assert str(whole.id) in files_in(tmp_path)[0]
    assert str(broken.id) in caplog.text


async def test_runs_are_written_to_a_bucket(store: Database, user: User, bucket: str) -> None:
    test = await measured_test(store, user, started_at=EVENING)
    assert await Exporter(store, bucket).look() == 1
    filesystem, prefix = fs.FileSystem.from_uri(bucket)
    assert prefix == "runs/of/acme"
    (row,) = (
        pyarrow.dataset.dataset(prefix, filesystem=filesystem, partitioning="hive")
        .to_table()
        .to_pylist()
    )
    assert (row["test"], row["day"], row["requests"]) == (str(test.id), "2026-11-25", 2)


async def test_the_example_asks_exports_with_duckdb_and_ray_data(
    store: Database, user: User, tmp_path: Path
) -> None:
    await measured_test(store, user, started_at=EVENING, name="Checkout")
    await measured_test(store, user, name="Search")
    await Exporter(store, str(tmp_path)).look()
    variables = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    # Ray's sockets need a shorter path than that of tmp_path.
    with tempfile.TemporaryDirectory(prefix="fusi-") as ray_dir:
        ran = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, EXAMPLE, tmp_path],
            env=variables | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_TMPDIR": ray_dir},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert ran.returncode == 0, ran.stderr
    assert "2026-11-25" in ran.stdout
    assert "eu-hel1" in ran.stdout
    seconds = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    assert len(seconds) == 2
    assert {"Checkout" in seconds[0], "Checkout" in seconds[1]} == {True, False}


def test_a_place_is_a_path_or_a_bucket(tmp_path: Path) -> None:
    assert Settings(export_url="~/runs").export_url == str(Path("~/runs").expanduser())
    assert Settings(export_url="s3://runs/of/acme").export_url == "s3://runs/of/acme"
    for wrong in ("http://localhost/runs", "s3://", "s3:///runs"):
        with pytest.raises(ValueError, match="neither a path nor s3://BUCKET/PREFIX"):
            Settings(export_url=wrong)

"""The schema, and databases that cannot be used."""

import asyncio
import contextlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from fusillade.errors import ValidationFailed
from fusillade.storage import accounts, bundled
from fusillade.storage.database import Database, StorageUnavailable, upgrade
from fusillade.storage.models import Base


def test_the_migrations_make_the_tables_that_the_models_describe(database_url: str) -> None:
    engine = sqlalchemy.create_engine(database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_several_processes_may_migrate_at_once(database_url: str) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(upgrade, [database_url] * 4))


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("nonsense", ValidationFailed, "cannot be read"),
        ("mysql://localhost/x", ValidationFailed, "only PostgreSQL"),
        ("postgresql://u:secret@127.0.0.1:1/x", StorageUnavailable, "127.0.0.1:1/x"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_sentence(
    url: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as raised:
        upgrade(url)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def kill_all(directory: Path) -> None:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "postgres" and process.cwd() == str(directory):
                process.kill()


async def test_what_was_committed_survives_a_kill_of_the_database() -> None:
    with tempfile.TemporaryDirectory(prefix="fusi-test-", dir="/tmp") as directory:
        data_dir = Path(directory)
        try:
            url = await asyncio.to_thread(bundled.start, data_dir)
            await asyncio.to_thread(upgrade, url)
            database = Database(url)
            async with database.session() as session:
                await accounts.create_organisation_with_owner(
                    session, name="Org", email="a@b.c", password="password"
                )
            kill_all(data_dir / "postgres")
            with pytest.raises(StorageUnavailable, match="try again"):
                await database.ping()
            assert await asyncio.to_thread(bundled.start, data_dir) == url
            async with database.session() as session:
                assert await accounts.any_user(session)
            await database.dispose()
        finally:
            bundled.stop(data_dir)

"""Databases for tests: one PostgreSQL for each process that runs tests, emptied between them."""

import contextlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fusillade.storage import bundled, database

_FASTER = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings that only matter when a machine goes down."""
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The bundled PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="fusi-test-", dir="/tmp") as directory:
        data_dir = Path(directory)
        try:
            url = bundled.start(data_dir)
            with _connection(url) as connection:
                for name in _FASTER:
                    connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(_name(name)))
                connection.execute("SELECT pg_reload_conf()")
            yield url
        finally:
            bundled.stop(data_dir)


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> str:
    """Name of a database with all tables, to be copied."""
    name = "migrated"
    with _connection(postgres_url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(_name(name)))
    database.upgrade(_url(postgres_url, name))
    return name


@pytest.fixture(scope="session")
def empty_databases(postgres_url: str, migrated_template: str) -> list[str]:
    """URLs of databases that nobody uses: to copy one takes far longer than to empty it."""
    return []


@pytest.fixture
def database_url(
    postgres_url: str, migrated_template: str, empty_databases: list[str]
) -> Iterator[str]:
    """An empty database of one's own with all tables."""
    url = empty_databases.pop() if empty_databases else _copy(postgres_url, migrated_template)
    yield url
    _empty(url)
    empty_databases.append(url)


@pytest.fixture(scope="module")
def module_database_url(postgres_url: str, migrated_template: str) -> str:
    """A database that all tests of a file share."""
    return _copy(postgres_url, migrated_template)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[database.Database]:
    """A Database on an empty database."""
    opened = database.Database(database_url, pool_size=5)
    yield opened
    await opened.dispose()


def _copy(postgres_url: str, template: str) -> str:
    name = f"test_{next(_numbers)}"
    with _connection(postgres_url) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(_name(name), _name(template))
        )
    return _url(postgres_url, name)


def _empty(url: str) -> None:
    """End all other sessions, delete all rows, and begin all numbers anew."""
    with _connection(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("SET session_replication_role = replica")  # no triggers, in any order
        found = connection.execute(
            "SELECT tablename FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        tables = [_name(name) for (name,) in found]
        deletions = sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(name) for name in tables)
        connection.execute(deletions)
        connection.execute(
            "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
            " FROM pg_sequences"
        )


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _url(postgres_url: str, name: str) -> str:
    return postgres_url.replace("/fusillade?", f"/{name}?")


def _connection(url: str) -> contextlib.AbstractContextManager[psycopg.Connection]:
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    return contextlib.closing(psycopg.connect(plain, autocommit=True))

"""What tests share: a target, PostgreSQL, a platform. Each starts once, where it is needed."""

import contextlib
import importlib.util
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

_HERE = Path(__file__).parent


def _load(name: str) -> None:
    """Make a module that lies beside this file importable, whichever way pytest imports."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--schema-examples``: how many requests are made up for each operation of the schema."""
    parser.addoption("--schema-examples", type=int, default=4, metavar="N")


for _name in (
    "target",
    "secure_target",
    "client",
    "scripts",
    "sockets",
    "driver_bench",
    "platforms",
    "clusters",
    "autoscaling",
    "stored",
    "clocks",
    "scheduler_process",
    "apis",
    "references",
    "resources",
    "outboxes",
    "receivers",
    "browsers",
    "dispatchers",
):
    _load(_name)

from apis import api, owner, poked  # noqa: E402, F401
from target import Target, running_target  # noqa: E402

from fusillade.storage import bundled, database  # noqa: E402


@pytest.fixture(scope="session")
def shared_target() -> Iterator[Target]:
    """A target that others use as well: its counts belong to nobody."""
    with running_target() as started:
        yield started


@pytest.fixture
def target() -> Iterator[Target]:
    """A target of one's own, with counts from zero."""
    with running_target() as started:
        yield started


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The bundled PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="fusi-test-", dir="/tmp") as directory:
        data_dir = Path(directory)
        try:
            yield bundled.start(data_dir)
        finally:
            bundled.stop(data_dir)


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> str:
    """Name of a database with all tables, to be copied."""
    name = "migrated"
    _execute(postgres_url, f"CREATE DATABASE {name}")
    database.upgrade(postgres_url.replace("/fusillade?", f"/{name}?"))
    return name


@pytest.fixture
def database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """An empty database of one's own with all tables."""
    with _copy(postgres_url, migrated_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """A database that all tests of a file share."""
    with _copy(postgres_url, migrated_template) as url:
        yield url


@contextlib.contextmanager
def _copy(postgres_url: str, template: str) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    _execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres_url.replace("/fusillade?", f"/{name}?")
    _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[database.Database]:
    """A Database on an empty database."""
    opened = database.Database(database_url, pool_size=5)
    yield opened
    await opened.dispose()


def _execute(url: str, statement: str) -> None:
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]

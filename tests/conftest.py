"""What tests share: a target, PostgreSQL, a platform. Each starts once, where it is needed."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

_HERE = Path(__file__).parent

# In this process who calls Ray without having joined one gets an error, and not a Ray of its own.
with pytest.MonkeyPatch.context() as patch:
    patch.setenv("RAY_ENABLE_AUTO_CONNECT", "0")
    importlib.import_module("ray")

# A test that was only slow, on a busy machine, has not failed.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")


def _load(name: str) -> None:
    """Make a module that lies beside this file importable, whichever way pytest imports."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much is made up: requests for each operation of the schema, programs to be rewritten."""
    parser.addoption("--schema-examples", type=int, default=2, metavar="N")
    parser.addoption("--random-programs", type=int, default=200, metavar="N")


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
    "failed",
    "clocks",
    "scheduler_process",
    "apis",
    "references",
    "resources",
    "outboxes",
    "receivers",
    "browsers",
    "dispatchers",
    "databases",
    "distribution",
    "commands",
    "recorder",
    "conversions",
    "collectors",
    "otlp",
):
    _load(_name)

from apis import api, owner, poked, user  # noqa: E402, F401
from databases import (  # noqa: E402, F401
    database_url,
    empty_databases,
    migrated_template,
    module_database_url,
    postgres_url,
    store,
)
from distribution import (  # noqa: E402, F401
    pytest_collection_modifyitems,
    pytest_xdist_auto_num_workers,
)
from target import Target, running_target  # noqa: E402


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

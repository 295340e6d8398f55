"""How the whole suite is spread over processes of pytest-xdist; ``tests/conftest.py`` has its hooks.

What shares something dear stays together in one process, in which it is started once. All else goes
wherever there is time, test by test.
"""

import os
from pathlib import Path

import pytest
from _pytest.nodeid import NodeId

_E2E = Path(__file__).parent / "e2e"
_FEWEST_PROCESSES = 3
"""One for each group of whole platforms, which wait most of the time, and one for all else."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many processes ``-n auto`` means: 0, so this one alone, unless everything is run."""
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    chosen = config.option.keyword or config.option.markexpr or config.option.lf
    return max(_FEWEST_PROCESSES, os.cpu_count() or 1) if everything and not chosen else 0


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put tests into groups, each for one process; whole platforms first, since they take longest."""
    items.sort(key=lambda item: not _is_e2e(item))
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        if (group := _group(item)) is not None:
            # What follows the @ is how pytest-xdist tells groups. Its mark xdist_group writes it to
            # an attribute that pytest 9.2 has no longer.
            item._id = NodeId.parse(f"{item.nodeid}@{group}")
            assert item.nodeid.endswith(f"@{group}")


def _group(item: pytest.Item) -> str | None:
    assert isinstance(item, pytest.Function)
    if _is_e2e(item):
        # The others have platforms or clusters of their own, and not all at the same time.
        return "platform" if "platform" in item.fixturenames else "more-platforms"
    definitions = item._fixtureinfo.name2fixturedefs.values()
    shared = any(found[-1].scope == "module" for found in definitions)
    return item.nodeid.partition("::")[0] if shared else None


def _is_e2e(item: pytest.Item) -> bool:
    return _E2E in item.path.parents

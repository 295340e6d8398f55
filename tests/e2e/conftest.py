"""One platform for all tests that only use it."""

from collections.abc import Iterator

import pytest
from client import Client
from platforms import Platform, running_platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """A platform with embedded defaults."""
    with running_platform() as started:
        yield started


@pytest.fixture
def user(platform: Platform) -> Client:
    """A logged-in administrator."""
    return platform.log_in()

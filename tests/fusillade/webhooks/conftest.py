"""A receiver for tests of what is sent to webhooks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from receivers import Receiver, ca_file, running_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A running one."""
    with running_receiver() as started:
        yield started


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    """The file that makes its certificate a trusted one."""
    return ca_file(tmp_path)

"""The data directory: its lock, its notes, and what it says when it cannot be written."""

import stat
from pathlib import Path

import pytest

from fusillade.cli import home
from fusillade.errors import Conflict, ValidationFailed

RUNNING = home.Running(id="0123", url="http://127.0.0.1:8000", runtime_dir="/tmp/fusi-x")


def test_what_runs_is_read_as_it_was_written(tmp_path: Path) -> None:
    home.write_running(tmp_path, RUNNING)
    assert home.read_running(tmp_path) == RUNNING
    home.forget_running(tmp_path)
    assert home.read_running(tmp_path) is None


def test_half_a_note_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "platform.json").write_text('{"id": "01')
    assert home.read_running(tmp_path) is None


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    token = home.ray_token_file(tmp_path)
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert home.ray_token_file(tmp_path).read_text() == token.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["ray_token"]


def test_the_lock_has_one_holder(tmp_path: Path) -> None:
    with (
        home.locked(tmp_path, wait_seconds=0),
        pytest.raises(Conflict, match="Another fusillade up or down is at work"),
        home.locked(tmp_path, wait_seconds=0.2),
    ):
        pass
    with home.locked(tmp_path, wait_seconds=0):
        pass


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    with pytest.raises(ValidationFailed, match=f"{in_the_way}/data cannot be written"):
        home.prepare(in_the_way / "data")


def test_preparing_a_directory_leaves_nothing_in_it(tmp_path: Path) -> None:
    home.prepare(tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []

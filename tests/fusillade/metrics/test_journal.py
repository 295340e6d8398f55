"""Journals of owners that are killed at any moment."""

from pathlib import Path

import pytest

from fusillade.metrics import journal
from fusillade.metrics.journal import Journal


def read(directory: Path) -> tuple[bytes | None, list[bytes]]:
    opened = Journal(directory)
    return opened.state(), list(opened.entries())


def test_entries_are_read_again_in_their_order(tmp_path: Path) -> None:
    first = Journal(tmp_path / "mine")
    first.append([b"one", b"", b"three"])
    first.append([b"4" * 100_000])
    first.close()
    assert read(tmp_path / "mine") == (None, [b"one", b"", b"three", b"4" * 100_000])


@pytest.mark.parametrize("lost", [1, 3, 5, 8])
def test_an_entry_that_is_not_whole_does_not_count_and_the_next_one_does(
    tmp_path: Path, lost: int
) -> None:
    first = Journal(tmp_path)
    first.append([b"one", b"two22"])
    first.close()
    (log,) = tmp_path.glob("*.log")
    log.write_bytes(log.read_bytes()[:-lost])
    second = Journal(tmp_path)
    assert list(second.entries()) == [b"one"]
    second.append([b"three"])
    second.close()
    assert read(tmp_path) == (None, [b"one", b"three"])


def test_a_state_stands_for_all_entries_before_it(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.append([b"one"])
    first.replace(b"state 1")
    first.append([b"two"])
    first.close()
    assert read(tmp_path) == (b"state 1", [b"two"])
    second = Journal(tmp_path)
    assert list(second.entries()) == [b"two"]
    second.append([b"three"])
    second.replace(b"state 2")
    second.close()
    assert read(tmp_path) == (b"state 2", [])
    assert len(list(tmp_path.iterdir())) == 2


def test_a_state_that_is_not_whole_does_not_count(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.append([b"one"])
    first.close()
    (tmp_path / "draft").write_bytes(b"half of a st")
    assert read(tmp_path) == (None, [b"one"])


def test_a_long_log_is_due_for_a_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LOG_BYTES", 1000)
    long = Journal(tmp_path)
    long.append([b"x" * 900])
    assert not long.is_long
    long.append([b"x" * 100])
    assert long.is_long
    long.replace(b"all of it")
    assert not long.is_long
    long.close()


def test_what_nobody_needs_is_removed(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "mine")
    kept.append([b"one"])
    kept.close()
    for _ in range(2):
        journal.remove(tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []

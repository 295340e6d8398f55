"""The data directory as the command line sees it: its lock, and the note on what runs from it.

``<data-dir>/platform.json`` says what ``up`` started, ``<data-dir>/lock`` is held while ``up`` or
``down`` work, ``<data-dir>/ray_token`` is the shared secret of the platform's Ray processes,
``<data-dir>/prometheus_targets.json`` says where their metrics are.
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fusillade.errors import Conflict, ValidationFailed
from fusillade.private_files import read_or_make_secret, write_private

_TARGETS = "prometheus_targets.json"


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """What ``up`` started, written before the first process exists."""

    id: str
    """Random; the mark in the environment of each process (see ``processes``)."""
    url: str
    runtime_dir: str
    """Ray's and HAProxy's sockets and logs; removed with the platform."""
    address: str | None = None
    """The Ray that was joined, if ``up`` did not start one."""
    ray_access: dict[str, str] = {}
    """Variables with which ``up`` was let into it, so that ``down`` is as well; no secret."""
    bundled_database: bool = True


def prepare(data_dir: Path) -> None:
    """Create the directory (mode 0700); raises ValidationFailed if it cannot be written."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = data_dir / f".probe-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValidationFailed(
            f"The data directory {data_dir} cannot be written ({error.strerror}): "
            "give one that can with --data-dir."
        ) from error


@contextlib.contextmanager
def locked(data_dir: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the directory's lock; the kernel releases it however this process ends.

    Raises Conflict if another ``up`` or ``down`` still has it after ``wait_seconds``.
    """
    deadline = time.monotonic() + wait_seconds
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise Conflict(
                        f"Another fusillade up or down is at work on {data_dir}: wait for its end."
                    ) from error
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def read_running(data_dir: Path) -> Running | None:
    """The note of the last ``up``; None if there is none, or none that can be read."""
    try:
        return msgspec.json.decode((data_dir / "platform.json").read_bytes(), type=Running)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None


def write_running(data_dir: Path, running: Running) -> None:
    write_private(data_dir / "platform.json", msgspec.json.encode(running))


def forget_running(data_dir: Path) -> None:
    (data_dir / "platform.json").unlink(missing_ok=True)
    (data_dir / _TARGETS).unlink(missing_ok=True)


def write_prometheus_targets(data_dir: Path, addresses: list[str]) -> None:
    """Say where Prometheus finds the platform's metrics, in the form of its ``file_sd_configs``
    (https://prometheus.io/docs/guides/file-sd/) and with the label that Ray's own file has."""
    groups = [{"labels": {"job": "ray"}, "targets": addresses}]
    # Put in place in one step: Prometheus may read it at any moment.
    written = data_dir / f"{_TARGETS}.new"
    written.write_bytes(msgspec.json.encode(groups))
    written.replace(data_dir / _TARGETS)


def ray_token_file(data_dir: Path) -> Path:
    """The file with the token that Ray asks of whoever speaks to it; made on the first start."""
    path = data_dir / "ray_token"
    read_or_make_secret(path)
    return path

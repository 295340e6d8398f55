"""Which processes count as a platform's, on real ones."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from fusillade.cli import processes

Start = Callable[..., subprocess.Popen[bytes]]

SLEEP = "import time; print(flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
WITH_ORPHAN = f"""
import subprocess, sys, time
orphan = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}], env={{}})"
subprocess.run([sys.executable, "-c", orphan], check=True)
time.sleep(600)
"""
WITH_BARE_CHILD = (
    "import subprocess, sys, time\n"
    f"subprocess.Popen([sys.executable, '-c', {SLEEP!r}], env={{}}, start_new_session=True)\n"
    "time.sleep(600)"
)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a Python program with the mark of a platform and waits for its first line."""
    started: list[subprocess.Popen[bytes]] = []

    def start(program: str, platform_id: str | None) -> subprocess.Popen[bytes]:
        mark = {} if platform_id is None else {processes.MARK: platform_id}
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, **mark},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def platform_id() -> str:
    return secrets.token_hex(8)


def test_processes_with_the_mark_belong_to_the_platform(start: Start, platform_id: str) -> None:
    ours = start(SLEEP, platform_id)
    assert [process.pid for process in processes.belonging_to(platform_id)] == [ours.pid]


def test_a_child_that_shed_the_mark_and_the_session_still_belongs(
    start: Start, platform_id: str
) -> None:
    parent = start(WITH_BARE_CHILD, platform_id)
    child = psutil.Process(parent.pid).children()[0]
    assert {process.pid for process in processes.belonging_to(platform_id)} == {
        parent.pid,
        child.pid,
    }
    processes.end(platform_id)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_an_orphan_without_the_mark_belongs_by_its_session(start: Start, platform_id: str) -> None:
    parent = start(WITH_ORPHAN, platform_id)
    family = {process.pid for process in processes.belonging_to(platform_id)}
    assert parent.pid in family
    assert len(family) == 2
    processes.end(platform_id)
    assert processes.belonging_to(platform_id) == []
    assert not any(psutil.pid_exists(pid) for pid in family - {parent.pid})


def test_ending_a_platform_leaves_another_one_alone(start: Start, platform_id: str) -> None:
    ours, theirs, nobodys = start(SLEEP, platform_id), start(SLEEP, "another"), start(SLEEP, None)
    processes.end(platform_id)
    assert ours.poll() is not None
    assert theirs.poll() is None
    assert nobodys.poll() is None


def test_a_process_that_ignores_sigterm_is_killed(start: Start, platform_id: str) -> None:
    stubborn = start(STUBBORN, platform_id)
    processes.end(platform_id)
    assert stubborn.poll() is not None


def test_a_platform_without_ray_is_not_alive(start: Start, platform_id: str) -> None:
    start(SLEEP, platform_id)
    assert not processes.is_ray_alive(platform_id)

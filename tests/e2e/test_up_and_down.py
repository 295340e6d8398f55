"""``fusillade up`` and ``down``, as their users run them: whole platforms, signals, kill -9."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from client import Client

from fusillade.cli import home, processes

FUSILLADE = Path(sys.executable).with_name("fusillade")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory whose platform is taken down whatever the test did."""
    with tempfile.TemporaryDirectory(prefix="fusi-e2e-", dir="/tmp") as root:
        directory = Path(root) / "data"
        yield directory
        running = home.read_running(directory)
        run("down", "--data-dir", str(directory), check=False)
        if running is not None:
            processes.end(running.id)


@pytest.fixture
def port() -> int:
    return free_port()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(
    *arguments: str, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run(
        [str(FUSILLADE), *arguments],
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        check=check,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )


@contextlib.contextmanager
def in_foreground(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command line beside the test."""
    with subprocess.Popen(
        [str(FUSILLADE), *arguments],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("FUSILLADE_")}


def request(url: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
        return answer.status, json.loads(answer.read())


def log_in(url: str, admin: dict[str, str]) -> int:
    return request(f"{url}/api/v1/auth/login", admin)[0]


def actors_on(dashboard: int, data_dir: Path) -> set[str]:
    """What Ray's dashboard calls the actors."""
    token = (data_dir / "ray_token").read_text().strip()
    asked = urllib.request.Request(
        f"http://127.0.0.1:{dashboard}/api/v0/actors?detail=1",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        actors = json.load(answer)["data"]["result"]["result"]
    return {actor["repr_name"] for actor in actors}


def run_something(url: str, admin: dict[str, str]) -> str:
    """A test that has been running for some seconds and would go on for long."""
    user = Client(url, Client(url).post("/api/v1/auth/login", body=admin)["token"])
    script = "export default () => { sleep(0.1); }"
    test_id = str(user.create(script, duration=600)["test_id"])
    user.post(f"/api/v1/tests/{test_id}/start")
    user.until(test_id, "running")
    time.sleep(3)
    return test_id


def assert_ended_with_what_was_measured(url: str, admin: dict[str, str], test_id: str) -> None:
    user = Client(url, Client(url).post("/api/v1/auth/login", body=admin)["token"])
    test = user.until(test_id, "failed", "completed", "stopped")
    assert test["status"] == "failed"
    assert test["reason"] == "The platform was restarted while the test was running."
    assert test["summary"]["iterations"] > 0
    assert sum(point["iterations"] for point in test["series"]) == test["summary"]["iterations"]


def processes_of(data_dir: Path, running: home.Running) -> list[str]:
    """Command lines of all that belongs to the platform, its database included."""
    family = {process.pid for process in processes.belonging_to(running.id)}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line = " ".join(process.cmdline())
            if process.pid in family or str(data_dir) in line or running.runtime_dir in line:
                found.append(line)
    return found


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.1)


def noted(data_dir: Path) -> home.Running:
    running = home.read_running(data_dir)
    assert running is not None
    return running


def assert_nothing_is_left(data_dir: Path, running: home.Running) -> None:
    assert processes_of(data_dir, running) == []
    assert not Path(running.runtime_dir).exists()
    assert home.read_running(data_dir) is None


def test_a_platform_comes_up_again_with_its_data_and_goes_without_a_trace(
    data_dir: Path, port: int
) -> None:
    where = ("--data-dir", str(data_dir), "--port", str(port))
    url = f"http://127.0.0.1:{port}"

    first = run("up", *where, "--detach")
    admin_file = data_dir / "admin.json"
    admin = json.loads(admin_file.read_text())
    assert stat.S_IMODE(admin_file.stat().st_mode) == 0o600
    assert url in first.stdout
    assert admin["password"] in first.stdout
    assert request(f"{url}/health")[0] == 200
    assert log_in(url, admin) == 200

    test_id = run_something(url, admin)
    second = run("up", *where, check=False)
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert log_in(url, admin) == 200

    running = noted(data_dir)
    run("down", "--data-dir", str(data_dir))
    assert_nothing_is_left(data_dir, running)
    assert "Nothing runs" in run("down", "--data-dir", str(data_dir)).stdout

    dashboard = free_port()
    with in_foreground("up", *where, "--dashboard-port", str(dashboard)) as up:
        assert up.stdout is not None
        lines = [up.stdout.readline()]
        while "Ctrl-C" not in lines[-1]:
            lines.append(up.stdout.readline())
            assert lines[-1], "".join(lines)
        assert f"http://127.0.0.1:{dashboard}" in "".join(lines)
        assert actors_on(dashboard, data_dir) >= {"SchedulerActor", "WebhookDispatcher"}
        assert admin["password"] not in "".join(lines)
        assert_ended_with_what_was_measured(url, admin, test_id)
        running = noted(data_dir)
        up.send_signal(signal.SIGINT)
        assert up.wait(timeout=60) == 0
    assert_nothing_is_left(data_dir, running)


def test_up_works_again_after_everything_was_killed(data_dir: Path, port: int) -> None:
    where = ("--data-dir", str(data_dir), "--port", str(port))
    run("up", *where, "--detach")
    admin = json.loads((data_dir / "admin.json").read_text())
    url = f"http://127.0.0.1:{port}"
    test_id = run_something(url, admin)
    killed = noted(data_dir)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(data_dir) in " ".join(process.cmdline()):
                process.kill()
    for process in processes.belonging_to(killed.id):
        with contextlib.suppress(psutil.Error):
            process.kill()

    run("up", *where, "--detach")
    assert_ended_with_what_was_measured(url, admin, test_id)
    assert not Path(killed.runtime_dir).exists()
    running = noted(data_dir)
    run("down", "--data-dir", str(data_dir))
    assert_nothing_is_left(data_dir, running)


def test_ctrl_c_in_the_middle_of_a_start_leaves_nothing(data_dir: Path, port: int) -> None:
    with in_foreground("up", "--data-dir", str(data_dir), "--port", str(port)) as up:
        wait_until(lambda: home.read_running(data_dir) is not None, "the start was noted")
        running = noted(data_dir)
        wait_until(
            lambda: any("raylet" in line for line in processes_of(data_dir, running)),
            "the raylet ran",
        )
        up.send_signal(signal.SIGINT)
        assert up.wait(timeout=60) == 130
        assert up.stdout is not None
        assert "Traceback" not in up.stdout.read()
    assert_nothing_is_left(data_dir, running)


def test_a_taken_port_is_one_sentence(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = run("up", "--data-dir", str(data_dir), "--port", str(port), check=False)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in refused.stderr
    assert home.read_running(data_dir) is None


def test_an_unreachable_database_is_one_sentence(data_dir: Path, port: int) -> None:
    url = "postgresql+psycopg://somebody:secret@127.0.0.1:1/nowhere"
    where = ("--data-dir", str(data_dir), "--port", str(port))
    refused = run("up", *where, check=False, FUSILLADE_DATABASE_URL=url)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "127.0.0.1:1" in refused.stderr
    assert "secret" not in refused.stderr
    assert home.read_running(data_dir) is None


def test_a_data_directory_that_cannot_be_written_is_one_sentence(data_dir: Path, port: int) -> None:
    data_dir.touch()
    refused = run("up", "--data-dir", str(data_dir), "--port", str(port), check=False)
    data_dir.unlink()
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"{data_dir} cannot be written" in refused.stderr


def test_down_without_a_platform_says_so(data_dir: Path) -> None:
    assert f"Nothing runs on {data_dir}" in run("down", "--data-dir", str(data_dir)).stdout

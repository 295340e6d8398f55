"""The command line against a platform: what a person or a pipeline does with a run."""

import asyncio
import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from client import Client
from commands import fusillade
from platforms import FUSILLADE, Platform
from target import Target


@pytest.fixture
def environment(platform: Platform, tmp_path: Path) -> dict[str, str]:
    """Of a pipeline: address and key, and no login."""
    return {
        "PATH": os.environ["PATH"],
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "FUSILLADE_API_URL": platform.url,
        "FUSILLADE_API_KEY": platform.key("test:create"),
    }


@pytest.fixture
def script(tmp_path: Path, target: Target) -> str:
    """A test of two files with a threshold that holds unless PATHNAME says otherwise."""
    (tmp_path / "lib.ts").write_text(f"export const url: string = '{target.url}';")
    path = tmp_path / "shop.js"
    path.write_text("""
      import { url } from './lib';
      export const options = { thresholds: { http_req_failed: ['rate < 0.5'] } };
      export default function () {
        http.get(url + (__ENV.PATHNAME ?? '/status/200'));
        sleep(0.1);
      }""")
    return str(path)


def spawned(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command in a process of its own, as one that watches has to be."""
    return subprocess.run(
        [str(FUSILLADE), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_a_pipeline_runs_a_test_and_compares_it_by_exit_codes_alone(
    environment: dict[str, str], script: str, target: Target, user: Client, tmp_path: Path
) -> None:
    run = ("run", "--cloud", script, "-w", "2", "-d", "1s", "--wait")
    good = spawned(environment, *run, "--json", "--name", "Good", "--region", "eu-hel1")
    assert good.returncode == 0, good.stderr
    test = json.loads(good.stdout)
    assert (test["name"], test["status"], test["region"]) == ("Good", "completed", "eu-hel1")
    assert test == user.get(f"/api/v1/tests/{test['id']}").body
    assert test["summary"]["total_requests"] == target.counted()["GET /status/200"] > 0
    assert good.stderr.endswith("Good: completed\n")

    junit, page = tmp_path / "junit.xml", tmp_path / "report.html"
    reports = ("--out", f"junit={junit}", "--export-html", str(page))
    bad = spawned(environment, *run[:-1], "-e", "PATHNAME=/status/500", *reports)
    assert bad.returncode == 99, bad.stderr
    assert bad.stderr == ""
    assert "shop: completed" in bad.stdout
    assert "✗ rate < 0.5" in bad.stdout
    assert ElementTree.parse(junit).getroot().get("failures") == "1"
    assert "thresholds crossed" in page.read_text()
    found = re.search(r"/runs/([0-9a-f-]{36})", bad.stdout)
    assert found is not None

    worse = spawned(environment, "compare", found[1], test["id"])
    assert worse.returncode == 99
    assert "error rate increased 100.0 percentage points" in worse.stdout
    same = spawned(environment, "compare", test["id"], test["id"], "--json")
    assert same.returncode == 0
    assert json.loads(same.stdout)["regression"] is False

    failed = spawned(environment, "tests", "watch", found[1])
    assert failed.returncode == 99
    listed = spawned(environment, "tests", "list", "--search", "Good", "--status", "completed")
    assert test["id"] in listed.stdout


async def test_a_running_test_is_paused_looked_into_resumed_and_stopped(
    environment: dict[str, str], script: str, user: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    created = await fusillade("run", "--cloud", script, "-w", "1", "-d", "60s", "--json")
    assert created.code == 0, created.stderr
    test_id = created.json["test_id"]
    await asyncio.to_thread(user.until, test_id, "running")
    workers = await fusillade("tests", "workers", test_id, "--json")
    assert len(workers.json["workers"]) == 1
    assert "is running (paused)" in (await fusillade("tests", "pause", test_id)).stdout
    assert "paused" in (await fusillade("tests", "show", test_id)).stdout
    assert (await fusillade("tests", "resume", test_id)).code == 0
    assert (await fusillade("tests", "logs", test_id)).code == 0
    assert "is stopped" in (await fusillade("tests", "stop", test_id)).stdout
    watched = await asyncio.to_thread(spawned, environment, "tests", "watch", test_id)
    assert watched.returncode == 1
    assert "shop: stopped" in watched.stdout
    refused = await fusillade("tests", "delete", test_id)
    assert refused.code == 1  # the pipeline's key may not
    assert "scope" in refused.stderr


class Relay:
    """Passes connections on to a platform, and can cut them all."""

    def __init__(self, url: str) -> None:
        self._to = ("127.0.0.1", int(url.rpartition(":")[2]))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(self._to)
                self._pairs.append((here, there))
                for one, other in ((here, there), (there, here)):
                    thread = threading.Thread(target=self._pass, args=(one, other))
                    thread.start()
                    self._threads.append(thread)

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        for pair in self._pairs:
            for one in pair:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self.cut()
        for thread in self._threads:
            thread.join()
        self._listener.close()
        for pair in self._pairs:
            for one in pair:
                one.close()


def test_a_lost_connection_is_made_again_and_no_second_is_shown_twice_or_left_out(
    platform: Platform, environment: dict[str, str], script: str
) -> None:
    with contextlib.closing(Relay(platform.url)) as relay:
        process = subprocess.Popen(
            [str(FUSILLADE), "run", "--cloud", script, "-w", "1", "-d", "5s", "--watch"],
            env=environment | {"FUSILLADE_API_URL": relay.url, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            lines, is_cut = [], False
            for line in process.stdout:
                lines.append(line)
                if not is_cut and re.match(r" +\d+ s ", line):
                    is_cut = True
                    relay.cut()
    assert process.returncode == 0, lines
    seconds = [int(found[1]) for line in lines if (found := re.match(r" +(\d+) s ", line))]
    assert seconds == list(range(seconds[0], 6))
    assert any("Connecting again" in line for line in lines)
    assert "shop: completed\n" in lines


@contextlib.contextmanager
def at_a_terminal(environment: dict[str, str], *arguments: str) -> Iterator["Terminal"]:
    """A command whose terminal is ours."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(FUSILLADE), *arguments],
        env=environment | {"TERM": "xterm", "COLUMNS": "110", "LINES": "40"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


class Terminal:
    """A person who reads, types and presses Ctrl-C."""

    def __init__(self, process: "subprocess.Popen[bytes]", descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self.seen = ""

    def until(self, words: str) -> None:
        """Read until that is shown after what was read before."""
        start = len(self.seen)
        while words not in self.seen[start:]:
            assert select.select([self._descriptor], [], [], 60)[0], self.seen
            self.seen += os.read(self._descriptor, 65536).decode(errors="replace")

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def left(self) -> int:
        """The exit code, when all has been read."""
        with contextlib.suppress(OSError):  # how Linux says that nobody writes any more
            while data := os.read(self._descriptor, 65536):
                self.seen += data.decode(errors="replace")
        return self.process.wait(60)


def test_ctrl_c_asks_whether_to_go_on_to_leave_the_test_or_to_stop_it(
    environment: dict[str, str], script: str, user: Client
) -> None:
    with at_a_terminal(
        environment, "run", "--cloud", script, "-w", "1", "-d", "120s", "--watch"
    ) as terminal:
        terminal.until("requests/s")
        terminal.until("rate < 0.5")
        terminal.interrupt()
        terminal.until("go on watching?")
        terminal.type("\n")
        terminal.until("requests/s")
        terminal.interrupt()
        terminal.until("go on watching?")
        terminal.type("d\n")
        assert terminal.left() == 130
    found = re.search(r"fusillade tests stop ([0-9a-f-]{36})", terminal.seen)
    assert found is not None
    assert user.get(f"/api/v1/tests/{found[1]}")["status"] == "running"

    with at_a_terminal(environment, "tests", "watch", found[1]) as terminal:
        terminal.until("requests/s")
        terminal.interrupt()
        terminal.until("go on watching?")
        terminal.type("s\n")
        assert terminal.left() == 1
    assert "shop: stopped" in terminal.seen
    assert user.get(f"/api/v1/tests/{found[1]}")["status"] == "stopped"

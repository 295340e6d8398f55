"""``fusillade demo`` from start to end."""

import contextlib
import os
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path

import psutil

FUSILLADE = Path(sys.executable).with_name("fusillade")


MARK = "TEST_OF_THE_DEMO"


def directories() -> set[Path]:
    """Of all demos, also those that others run at the same time."""
    return set(Path("/tmp").glob("fusi-demo-*"))


def running(token: str) -> tuple[list[str], str]:
    """Command lines of all that this test's demo has started, and of all processes together."""
    started, every = [], []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            every.append(" ".join(process.cmdline()))
            if process.environ().get(MARK) == token:
                started.append(every[-1])
    return started, "\n".join(every)


def leftovers(before: set[Path], token: str) -> list[str]:
    """What a demo has left in /tmp or running."""
    started, every = running(token)
    new = [str(path) for path in directories() - before]
    return started + [path for path in new if path not in every]


def test_the_demo_completes_counts_what_the_target_counted_and_leaves_nothing() -> None:
    before, token = directories(), secrets.token_hex(8)
    demo = subprocess.run(
        [str(FUSILLADE), "demo", "--duration=3", "--workers=5"],
        env=os.environ | {MARK: token},
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert demo.stderr == ""
    assert "Quickstart: completed" in demo.stdout
    assert re.search(r"^ +\d+ s .* requests .*/s .* p95 .* 0 errors", demo.stdout, re.MULTILINE)
    ours = re.search(r"requests +│ +([\d,]+)", demo.stdout)
    theirs = re.search(r"counted by the target +│ +([\d,]+)", demo.stdout)
    assert ours is not None
    assert theirs is not None
    assert ours[1] == theirs[1]
    assert int(ours[1].replace(",", "")) > 0
    deadline = time.monotonic() + 10  # others' demos come and go
    while left := leftovers(before, token):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)

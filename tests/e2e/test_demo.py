"""``fusillade demo`` from start to end."""

import re
import subprocess
import sys
from pathlib import Path

import psutil

FUSILLADE = Path(sys.executable).with_name("fusillade")


def leftovers() -> set[str]:
    """What demos leave in /tmp or run from there."""
    lines = {
        " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])
    }
    running = {line for line in lines if "fusi-demo-" in line or "cli.demo_target" in line}
    return running | {str(path) for path in Path("/tmp").glob("fusi-demo-*")}


def test_the_demo_completes_counts_what_the_target_counted_and_leaves_nothing() -> None:
    before = leftovers()
    demo = subprocess.run(
        [str(FUSILLADE), "demo", "--duration=3", "--workers=5"],
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
    assert leftovers() == before

"""Memory of 10,000 workers that request something and sleep a second, beside k6.

All processes of one engine (its parent excluded) and of k6, in the middle of the run; resident
memory as the kernel counts it (PSS: shared pages divided among those who share them).

    python benchmarks/sleeping_workers.py [--users 10000] [--seconds 20]
"""

import argparse
import asyncio
import contextlib
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from peers import nginx, program

from fusillade.engine.share import Share
from fusillade.hosting.messages import Delta, Overrides
from fusillade.hosting.script_host import ScriptHost
from fusillade.metrics.aggregate import Aggregate

SCRIPT = """
import http from "k6/http";
import {{ check, sleep }} from "k6";
export default function () {{
  const response = http.get("{url}");
  check(response, {{ "status is 200": (r) => r.status === 200 }});
  sleep(1);
}}
"""


def memory_bytes(pid: int) -> int:
    """Proportional set size of a process and all below it."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss
    return total


async def fusillade(script: str, users: int, seconds: int) -> tuple[int, float]:
    """Memory in the middle of the run, in bytes, and requests/s."""
    aggregate = Aggregate()
    memory = 0
    async with ScriptHost() as host:
        overrides = Overrides(workers=users, duration_seconds=seconds)
        await host.load({"script.js": script.encode()}, "script.js", overrides=overrides)
        data = await host.setup()
        async for message in host.run(time.time() + 0.2, Share(), data):
            if isinstance(message, Delta):
                aggregate.merge(0, message.payload)
                memory = max(memory, memory_bytes(host.pid))
    return memory, aggregate.summary().total_requests / seconds


def k6(script: str, users: int, seconds: int) -> int:
    """Memory in the middle of the run, in bytes."""
    memory = 0
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "script.js")
        file.write_text(script)
        process = subprocess.Popen(
            [
                *(program("k6"), "run", "--no-usage-report", "--quiet"),
                *("--vus", str(users), "--duration", f"{seconds}s", str(file)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                memory = max(memory, memory_bytes(process.pid))
            time.sleep(1)
    return memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    users, seconds = arguments.users, arguments.seconds
    with nginx() as port:
        script = SCRIPT.format(url=f"http://127.0.0.1:{port}/")
        ours, rate = asyncio.run(fusillade(script, users, seconds))
        theirs = k6(script, users, seconds)
    print(f"{users:,} workers that sleep 1 s, {seconds} s, highest memory of the process tree\n")
    print("| generator | memory | a worker |")
    print("| --- | ---: | ---: |")
    for name, memory in (("Fusillade", ours), ("k6", theirs)):
        print(f"| {name} | {memory / 1e6:,.0f} MB | {memory / users / 1e3:,.1f} KB |")
    print(f"\nFusillade: {rate:,.0f} requests/s")


if __name__ == "__main__":
    main()

"""Memory of one engine after a million and after ten million requests.

python benchmarks/long_run.py [--requests 10000000] [--users 50]
"""

import argparse
import asyncio
import contextlib
import time

from peers import nginx
from sleeping_workers import memory_bytes

from fusillade.engine.share import Share
from fusillade.hosting.messages import Delta, Overrides
from fusillade.hosting.script_host import ScriptHost
from fusillade.metrics.aggregate import Aggregate

_FIRST = 1_000_000
_SCRIPT = """
import http from "k6/http";
import {{ check }} from "k6";
export default function () {{
  const response = http.get("{url}");
  check(response, {{ "status is 200": (r) => r.status === 200 }});
}}
"""


async def _run(url: str, users: int, requests: int) -> list[tuple[int, int]]:
    """Requests and memory in bytes, after the first million and at the end."""
    aggregate = Aggregate()
    seen: list[tuple[int, int]] = []
    async with ScriptHost() as host:
        overrides = Overrides(workers=users, duration_seconds=3600)
        script = _SCRIPT.format(url=url).encode()
        await host.load({"script.js": script}, "script.js", overrides=overrides)
        data = await host.setup()
        async with contextlib.aclosing(host.run(time.time() + 0.2, Share(), data)) as messages:
            async for message in messages:
                if isinstance(message, Delta):
                    aggregate.merge(0, message.payload)
                    total = aggregate.summary().total_requests
                    if total >= (_FIRST, requests)[len(seen)]:
                        seen.append((total, memory_bytes(host.pid)))
                        if len(seen) == 2:
                            return seen
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--users", type=int, default=50)
    arguments = parser.parse_args()
    with nginx() as port:
        url = f"http://127.0.0.1:{port}/"
        seen = asyncio.run(_run(url, arguments.users, arguments.requests))
    print("| requests | memory |\n| ---: | ---: |")
    for total, memory in seen:
        print(f"| {total:,} | {memory / 1e6:,.1f} MB |")
    print(f"\ngrowth: {(seen[-1][1] - seen[0][1]) / 1e6:,.1f} MB")


if __name__ == "__main__":
    main()

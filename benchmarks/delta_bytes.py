"""Bytes of metrics that one script host sends a second, at different request rates.

Real runs against nginx, with an arrival rate, all metrics on: the size of a delta is that of its
series and of the buckets that hold something, however many requests are in them.

    python benchmarks/delta_bytes.py [--seconds 5]
"""

import argparse
import asyncio
import statistics
import time

from peers import nginx

from fusillade.engine.share import Share
from fusillade.hosting.messages import Delta
from fusillade.hosting.script_host import ScriptHost
from fusillade.metrics.aggregate import Aggregate

_RATES = (100, 1_000, 10_000)
_ENDPOINTS = (1, 50)
_SCRIPT = """
export const options = {{ executor: "constant-arrival-rate", rate: {rate}, workers: 200 }};
export default function () {{
  const response = http.get("{url}?" + __ITER % 7, {{ name: "/part/" + (__ITER % {endpoints}) }});
  check(response, {{ "status is 200": (r) => r.status === 200 }});
}}
"""


async def _run(script: str, seconds: int) -> tuple[float, float]:
    """Requests/s and bytes/s, without the first second."""
    aggregate = Aggregate()
    sizes: list[int] = []
    async with ScriptHost() as host:
        source = f"{script}options.duration = '{seconds}s';\n".encode()
        await host.load({"script.js": source}, "script.js")
        async for message in host.run(time.time() + 0.2, Share(), await host.setup()):
            if isinstance(message, Delta):
                aggregate.merge(0, message.payload)
                sizes.append(len(message.payload))
    requests = [point["requests"] for point in aggregate.series_points()]
    return statistics.mean(requests[1:seconds]), statistics.mean(sizes[1:seconds])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    seconds = parser.parse_args().seconds
    print("| endpoints | requests/s | bytes/s |\n| ---: | ---: | ---: |")
    with nginx() as port:
        url = f"http://127.0.0.1:{port}/"
        for endpoints in _ENDPOINTS:
            for rate in _RATES:
                script = _SCRIPT.format(url=url, rate=rate, endpoints=endpoints)
                requests, size = asyncio.run(_run(script, seconds))
                print(f"| {endpoints} | {requests:,.0f} | {size:,.0f} |")


if __name__ == "__main__":
    main()

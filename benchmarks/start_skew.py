"""How far apart the WorkerActors of one test start, on one machine.

Real WorkerActors on a Ray of this program's own, each with a script host, get one start time. Each
sends its number with its first request; a socket of this program notes when it comes.

    python benchmarks/start_skew.py [--actors 4] [--rounds 5]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from own_ray import own_ray  # isort: skip  (Ray reads its environment when it is imported)
import ray

from actors import metrics_aggregator, names, worker
from actors.config import HostConfig
from fusillade.blocklist import rules
from fusillade.engine.share import split
from fusillade.engine.takeover import FROM_THE_START
from fusillade.hosting.messages import Overrides

_SCRIPT = """
export const options = {{ workers: {workers}, iterations: 1 }};
export default function () {{ http.get("http://127.0.0.1:{port}/" + __WORKER_ID); }}
"""
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
_START_DELAY_SECONDS = 0.5


async def _round(count: int) -> list[float]:
    """Seconds from the start time to the first request of each."""
    came: dict[bytes, float] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        came[line] = time.time()
        writer.write(_ANSWER)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    test_id = str(uuid4())
    config = HostConfig(
        memory_bytes=300 << 20, watchdog_seconds=5.0, blocked=rules([], allow_private=True)
    )
    with tempfile.TemporaryDirectory() as directory:
        aggregator = metrics_aggregator.remote.options(
            **names.options(names.metrics(test_id), **metrics_aggregator.OPTIONS)
        ).remote(test_id, ["here"] * count, [], Path(directory))
        crew = [
            worker.remote.options(
                **names.options(names.worker(test_id, index, 0), **worker.OPTIONS)
            ).remote(test_id, index, 0, config)
            for index in range(count)
        ]
        script = _SCRIPT.format(workers=count, port=port).encode()
        await asyncio.gather(
            *(one.load.remote({"script.js": script}, "script.js", {}, Overrides()) for one in crew)
        )
        start_at = time.time() + _START_DELAY_SECONDS
        await asyncio.gather(
            *(
                one.run.remote(start_at, share, "null", FROM_THE_START)
                for one, share in zip(crew, split([1] * count), strict=True)
            )
        )
        for actor in (*crew, aggregator):
            ray.kill(actor, no_restart=True)
    server.close()
    if len(came) != count:
        raise SystemExit(f"{len(came)} of {count} WorkerActors sent a request")
    return [at - start_at for at in came.values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actors", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with own_ray(cpus=arguments.actors):
        found = [asyncio.run(_round(arguments.actors)) for _ in range(arguments.rounds)]
    apart = [(max(one) - min(one)) * 1000 for one in found]
    late = [max(one) * 1000 for one in found]
    print("| ms | median | largest |\n| --- | ---: | ---: |")
    for name, of in (
        ("first to last WorkerActor's first request", apart),
        ("start time to the last one's first request", late),
    ):
        print(f"| {name} | {statistics.median(of):.1f} | {max(of):.1f} |")


if __name__ == "__main__":
    main()

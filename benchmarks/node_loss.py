"""How soon the share of a lost machine runs again on another one of its region.

A Ray cluster of three nodes on this machine, a platform on it, and a test of two WorkerActors. A
node is killed as a whole or, with ``--vanish``, stopped where it is: its connections stay open and
nobody answers, as when a cable is pulled. A socket of this program notes the requests of each
worker; the gap lies between the last one from the lost machine and the first of its successor.

    python benchmarks/node_loss.py [--rounds 3] [--vanish]
"""

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

# Clusters are started as in the tests, whose directories bear the names of the packages they test.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from client import Client
from clusters import Cluster, platform_on, running_cluster
from platforms import Platform

_REGION = "eu-hel1"
_WORKERS = 20
_WORKERS_PER_ACTOR = 10
_PERIOD_SECONDS = 0.05
_BEFORE_SECONDS = 4.0
_MOST_SECONDS = 60.0
_SCRIPT = """
export default function () {{ http.get("http://127.0.0.1:{port}/" + __WORKER_ID); sleep({pause}); }}
"""
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class _Target:
    """When each worker's newest request came."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.last[head.split(b" ", 2)[1].decode()] = time.monotonic()
                writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def _start(client: Client, port: int) -> str:
    script = _SCRIPT.format(port=port, pause=_PERIOD_SECONDS)
    test_id = str(client.create(script, workers=_WORKERS, duration=300, region=_REGION)["test_id"])
    client.post(f"/api/v1/tests/{test_id}/start")
    client.until(test_id, "running")
    return test_id


async def _round(cluster: Cluster, platform: Platform, vanish: bool) -> float:
    """Seconds without the workers of the lost machine."""
    target = _Target()
    server = await asyncio.start_server(target.serve, "127.0.0.1", 0)
    client = platform.log_in()
    test_id = await asyncio.to_thread(_start, client, server.sockets[0].getsockname()[1])
    await asyncio.sleep(_BEFORE_SECONDS)
    victim = next(node for node in cluster.of(_REGION) if node.processes("ray::WorkerActor"))
    await asyncio.to_thread(victim.freeze if vanish else victim.kill)
    at = time.monotonic()
    await asyncio.sleep(5 * _PERIOD_SECONDS)
    lost = {worker: last for worker, last in target.last.items() if last < at}
    while not any(target.last[worker] > last for worker, last in lost.items()):
        if time.monotonic() > at + _MOST_SECONDS:
            raise SystemExit(f"nobody has taken over within {_MOST_SECONDS:g} s")
        await asyncio.sleep(0.01)
    back = min(target.last[worker] for worker, last in lost.items() if target.last[worker] > last)
    gap = back - max(lost.values())
    await asyncio.to_thread(client.post, f"/api/v1/tests/{test_id}/stop")
    ended = await asyncio.to_thread(client.until, test_id, "stopped", "failed")
    server.close()
    await asyncio.to_thread(cluster.remove, victim)
    await asyncio.to_thread(cluster.add, _REGION)
    (loss,) = ended["summary"]["losses"]
    told = loss["to_seconds"] - loss["from_seconds"]
    print(f"{gap:5.2f} s without {len(lost)} of {_WORKERS} workers; the summary tells {told:.1f} s")
    return gap


async def _rounds(cluster: Cluster, platform: Platform, rounds: int, vanish: bool) -> None:
    gaps = [await _round(cluster, platform, vanish) for _ in range(rounds)]
    print(f"median {statistics.median(gaps):.2f} s, at most {max(gaps):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--vanish", action="store_true", help="stop the machine, do not kill it")
    chosen = parser.parse_args()
    with (
        running_cluster(_REGION, _REGION) as cluster,
        platform_on(cluster, FUSILLADE_WORKERS_PER_ACTOR=str(_WORKERS_PER_ACTOR)) as platform,
    ):
        asyncio.run(_rounds(cluster, platform, chosen.rounds, chosen.vanish))


if __name__ == "__main__":
    main()

"""Requests/s of one load by ``fusillade run`` and on a platform, on the same core.

All of either is pinned to one core: of the platform that is Ray, PostgreSQL, the API, the
TestRunActor, the WorkerActor and the aggregator. nginx, the target, has the other. Rounds are
interleaved; the first second of each run, in which the script is compiled, does not count.

    python benchmarks/platform_overhead.py [--rounds 3] [--seconds 8]
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from own_platform import FUSILLADE, Api, own_platform
from peers import GENERATOR_CORE, nginx

_USERS = 50
_SCRIPT = """
import http from "k6/http";
import {{ check }} from "k6";
export default function () {{
  const response = http.get("{url}");
  check(response, {{ "status is 200": (r) => r.status === 200 }});
}}
"""
_PINNED = ["taskset", "-c", str(GENERATOR_CORE)]


def _alone(script: str, seconds: int) -> float:
    with tempfile.TemporaryDirectory() as directory:
        path, result = Path(directory, "script.js"), Path(directory, "result.json")
        path.write_text(script)
        command = [*_PINNED, str(FUSILLADE), "run", str(path), "-q", f"--out=json={result}"]
        command += [f"--workers={_USERS}", f"--duration={seconds}s"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return _rate(json.loads(result.read_text())["series"], seconds)


def _on_platform(api: Api, script: str, seconds: int) -> float:
    test = api.create("?wait=true", name="Load", script=script, workers=_USERS, duration=seconds)
    path = f"/tests/{test['test_id']}"
    api.call(f"{path}/start", b"")
    time.sleep(seconds)
    while (status := api.call(path)["status"]) in ("pending", "running"):
        time.sleep(0.2)
    if status != "completed":
        raise SystemExit(f"the test is {status}")
    return _rate(api.call(f"{path}/series")["series"], seconds)


def _rate(series: list[dict[str, Any]], seconds: int) -> float:
    return statistics.mean(point["requests"] for point in series[1:seconds])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8)
    arguments = parser.parse_args()
    rates: list[tuple[float, float]] = []
    with nginx() as port, own_platform(_PINNED) as api:
        script = _SCRIPT.format(url=f"http://127.0.0.1:{port}/")
        _on_platform(api, script, 2)
        for _ in range(arguments.rounds):
            time.sleep(9)  # an ended test leaves, and processes for the next are started
            alone = _alone(script, arguments.seconds)
            rates.append((alone, _on_platform(api, script, arguments.seconds)))
    alone, platform = (statistics.median(column) for column in zip(*rates, strict=True))
    ratios = [there / here for here, there in rates]
    print("| | requests/s |\n| --- | ---: |")
    print(f"| `fusillade run` | {alone:,.0f} |\n| on a platform | {platform:,.0f} |")
    print(f"\nratio {statistics.median(ratios):.2f}, by round", end=" ")
    print(", ".join(f"{ratio:.2f}" for ratio in ratios))


if __name__ == "__main__":
    main()

"""How exactly ``constant-arrival-rate`` keeps its rate, by the target's own clock; k6 beside it.

Counts the requests that the target saw, in all and in each second since the first.

    python benchmarks/arrival_rate.py [--rate 2000] [--seconds 60]
"""

import argparse
import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from delay_target import Recorded, delay_target
from engine_rate import engine_run
from peers import program, run_pinned

from fusillade.hosting.messages import Overrides

_SCRIPT = """
import http from "k6/http";
export const options = {{ scenarios: {{ steady: {{ executor: "constant-arrival-rate",
  rate: {rate}, timeUnit: "1s", duration: "{seconds}s", preAllocatedVUs: 100, maxVUs: 100 }} }} }};
export default function () {{ http.get("{url}"); }}
"""


def _run_k6(script: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "script.js")
        file.write_text(script)
        run_pinned(
            [program("k6"), "run", "--no-usage-report", "--quiet", str(file)], GOMAXPROCS="1"
        )


def _describe(recorded: Recorded, rate: int, seconds: int) -> str:
    first = recorded.arrivals[0]
    by_second = Counter(int(moment - first) for moment in recorded.arrivals)
    worst = max(abs(by_second[second] - rate) for second in range(seconds))
    total = len(recorded.arrivals)
    off = (total - rate * seconds) / (rate * seconds)
    return f"{total:,} | {off:+.3%} | {worst / rate:.2%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    rate, seconds = arguments.rate, arguments.seconds
    print(f"{rate:,} iterations/s for {seconds} s\n")
    print("| generator | requests | off the target | worst second off |")
    print("| --- | ---: | ---: | ---: |")
    for name in ("Fusillade", "k6"):
        with delay_target(0) as target:
            script = _SCRIPT.format(rate=rate, seconds=seconds, url=target.url)
            if name == "k6":
                _run_k6(script)
            else:
                asyncio.run(engine_run(script, Overrides()))
        print(f"| {name} | {_describe(target.recorded, rate, seconds)} |", flush=True)


if __name__ == "__main__":
    main()

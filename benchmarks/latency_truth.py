"""Latency as it is reported, against the truth of a target with a known delay; k6 beside it.

For each delay, each generator (pinned to one core, the target on the other) first runs as fast as
its users go; then at half of that rate with an arrival-rate executor, which is what is compared:
the reported p50 and p99 with those that the target itself recorded.

    python benchmarks/latency_truth.py [--seconds 10] [--delays 1 10 100]
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from delay_target import Recorded, delay_target
from engine_rate import engine_run
from peers import program, run_pinned

from fusillade.hosting.messages import Overrides

_USERS = {1: 50, 10: 200, 100: 1000}
_CLOSED = "export const options = {{ vus: {users}, duration: '{seconds}s' }};"
_OPEN = """
export const options = {{ scenarios: {{ half: {{ executor: 'constant-arrival-rate',
  rate: {rate}, timeUnit: '1s', duration: '{seconds}s', preAllocatedVUs: {users},
  maxVUs: {users} }} }} }};
"""
_BODY = """
import http from "k6/http";
export default function () {{ http.get("{url}"); }}
"""
_SUMMARY = """
export function handleSummary(data) {
  const { values } = data.metrics.http_req_duration;
  const { rate } = data.metrics.http_reqs.values;
  return { stdout: JSON.stringify({ p50: values.med, p99: values["p(99)"], rate }) };
}
"""
Measured = tuple[float, float, float]
"""Requests/s, p50 and p99 in milliseconds."""


def fusillade(script: str) -> Measured:
    """One run of the engine."""
    summary = asyncio.run(engine_run(script, Overrides())).summary()
    return summary.rps, summary.med_latency_ms, summary.p99_latency_ms


def k6(script: str) -> Measured:
    """One run of k6."""
    script = script.replace("options = {", "options = { summaryTrendStats: ['med', 'p(99)'],", 1)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "script.js")
        file.write_text(script + _SUMMARY)
        text = run_pinned(
            [program("k6"), "run", "--no-usage-report", "--quiet", str(file)], GOMAXPROCS="1"
        )
    found = json.loads(text[text.index('{"p50"') : text.rindex("}") + 1])
    return found["rate"], found["p50"], found["p99"]


def measure(
    run: Callable[[str], Measured], delay: int, seconds: int
) -> tuple[float, Measured, Recorded]:
    """Rate asked for, what was reported, and what the target recorded."""
    users = _USERS.get(delay, 200)
    with delay_target(delay) as target:
        body = _BODY.format(url=target.url)
        fastest, _, _ = run(_CLOSED.format(users=users, seconds=5) + body)
    rate = int(fastest / 2)
    with delay_target(delay) as target:
        body = _BODY.format(url=target.url)
        reported = run(_OPEN.format(rate=rate, users=users * 2, seconds=seconds) + body)
    return rate, reported, target.recorded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--delays", type=int, nargs="*", default=[1, 10, 100])
    arguments = parser.parse_args()
    print("| delay | generator | requests/s | p50: truth | reported | p99: truth | reported |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for delay in arguments.delays:
        for name, run in (("Fusillade", fusillade), ("k6", k6)):
            rate, (_, p50, p99), recorded = measure(run, delay, arguments.seconds)
            print(
                f"| {delay} ms | {name} | {rate:,} "
                f"| {recorded.quantile(0.5):.3f} ms | {p50:.3f} ms "
                f"| {recorded.quantile(0.99):.3f} ms | {p99:.3f} ms |",
                flush=True,
            )


if __name__ == "__main__":
    main()

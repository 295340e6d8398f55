"""Requests/s of one engine on one core, side by side with k6, wrk and Locust.

The generator has core 0, nginx has core 1; each generator runs alone, one after the other, with
50 users; k6 and Fusillade run the same script with one check. Prints a Markdown table.

    python benchmarks/http_rate.py [--seconds 8] [--users 50] [--rounds 3]
"""

import argparse
import statistics

from engine_rate import engine_rate
from peers import k6_rate, locust_rate, nginx, wrk_rate

SCRIPT = """
import http from "k6/http";
import {{ check }} from "k6";
export default function () {{
  const response = http.get("{url}");
  check(response, {{ "status is 200": (r) => r.status === 200 }});
}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    users, seconds = arguments.users, arguments.seconds
    rates: dict[str, list[float]] = {}
    with nginx() as port:
        url = f"http://127.0.0.1:{port}/"
        script = SCRIPT.format(url=url)
        for _ in range(arguments.rounds):
            for name, measure in (
                ("wrk (C, no script)", lambda: wrk_rate(url, users, seconds)),
                ("Fusillade", lambda: engine_rate(script, users, seconds)),
                ("k6", lambda: k6_rate(script, users, seconds)),
                (
                    "Locust FastHttpUser",
                    lambda: locust_rate(url.rstrip("/"), "/", users, seconds),
                ),
            ):
                rates.setdefault(name, []).append(measure())
    medians = {name: statistics.median(values) for name, values in rates.items()}
    print(f"{users} users, {seconds} s, median of {arguments.rounds} rounds, one core each\n")
    print("| generator | requests/s | ratio to k6 |")
    print("| --- | ---: | ---: |")
    for name, rate in sorted(medians.items(), key=lambda item: -item[1]):
        print(f"| {name} | {rate:,.0f} | {rate / medians['k6']:.1f} |")


if __name__ == "__main__":
    main()

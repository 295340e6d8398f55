"""Requests/s of one engine on one core, side by side with k6, wrk and Locust.

The generator has core 0, nginx has core 1; each generator runs alone, one after the other, and the
rounds are interleaved; k6 and Fusillade run the same script. Prints a Markdown table a case.

    python benchmarks/http_rate.py [CASE ...] [--seconds 6] [--rounds 3]
"""

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from engine_rate import engine_rate
from peers import k6_rate, locust_rate, nginx, wrk_rate

_GET = """
import http from "k6/http";
import { check } from "k6";
export const options = { insecureSkipTLSVerify: true };
export default function () {
  const response = http.get("URL");
  check(response, { "status is 200": (r) => r.status === 200 });
}
"""
_JSON = """
import http from "k6/http";
import { check } from "k6";
export default function () {
  const data = http.get("URLproducts").json();
  check(data, { "the list is there": (d) => d.items.length === 20 && d.items[7].id === 7 });
}
"""
_POST = """
import http from "k6/http";
import { check } from "k6";
export default function () {
  const body = JSON.stringify({ name: "Ada", items: [1, 2, 3], vu: __VU, iteration: __ITER });
  const headers = { "Content-Type": "application/json" };
  const response = http.post("URLorders", body, { headers });
  check(response, { "status is 201": (r) => r.status === 201 });
}
"""
_ITEMS = ",".join(
    f'{{"id":{i},"name":"Product number {i}","price":{i}.99,"tags":["new","sale"],"stock":{i}}}'
    for i in range(20)
)
_PRODUCTS = f'{{"items":[{_ITEMS}],"total":20,"page":1,"comment":"{"x" * 500}"}}'
LOCATIONS = f"""
    location / {{ return 200 '{{"status":"ok"}}'; }}
    location /products {{ return 200 '{_PRODUCTS}'; }}
    location /orders {{ return 201 '{{"id":1}}'; }}
"""


@dataclass(frozen=True)
class Case:
    """One row of the comparison."""

    title: str
    script: str = _GET
    users: int = 50
    protocol: str = "http"
    bare: bool = False
    """Whether wrk and Locust can do the same."""


CASES = {
    "http": Case("GET over http://", bare=True),
    "http-1000": Case("GET over http://, 1,000 users", users=1000, bare=True),
    "https": Case("GET over https:// (HTTP/1.1)", protocol="https"),
    "h2": Case("GET over HTTP/2 and TLS", protocol="h2"),
    "json": Case(f"GET of {len(_PRODUCTS):,} bytes of JSON, parsed by the script", _JSON),
    "post": Case("POST of a JSON body", _POST),
}


def script_of(case: Case, port: int) -> str:
    """The script, for a target on that port of this machine."""
    return case.script.replace("URL", _url(case, port))


def _url(case: Case, port: int) -> str:
    scheme = "http" if case.protocol == "http" else "https"
    return f"{scheme}://127.0.0.1:{port}/"


def _measures(case: Case, port: int, seconds: int) -> dict[str, Callable[[], float]]:
    url, script = _url(case, port), script_of(case, port)
    users = case.users
    measures: dict[str, Callable[[], float]] = {
        "Fusillade": lambda: engine_rate(script, users, seconds),
        "k6": lambda: k6_rate(script, users, seconds),
    }
    if case.bare:
        measures["wrk (C, no script)"] = lambda: wrk_rate(url, users, seconds)
        measures["Locust FastHttpUser"] = lambda: locust_rate(url.rstrip("/"), "/", users, seconds)
    return measures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="*", choices=[*CASES, "all"], default="all")
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for name in CASES if "all" in arguments.case else arguments.case:
        case = CASES[name]
        rates: dict[str, list[float]] = {}
        ratios = []
        with nginx(LOCATIONS, protocol=case.protocol) as port:
            for _ in range(arguments.rounds):
                for who, measure in _measures(case, port, arguments.seconds).items():
                    rates.setdefault(who, []).append(measure())
                ratios.append(rates["Fusillade"][-1] / rates["k6"][-1])
        medians = {who: statistics.median(values) for who, values in rates.items()}
        print(f"\n{case.title}: {case.users:,} users, {arguments.seconds} s, median of", end=" ")
        print(f"{arguments.rounds} rounds, one core each\n")
        print("| generator | requests/s | ratio to k6 |")
        print("| --- | ---: | ---: |")
        for who, rate in sorted(medians.items(), key=lambda item: -item[1]):
            print(f"| {who} | {rate:,.0f} | {rate / medians['k6']:.1f} |")
        print(f"\nFusillade / k6 by round: {', '.join(f'{ratio:.1f}' for ratio in ratios)}")


if __name__ == "__main__":
    main()

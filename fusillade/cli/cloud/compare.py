"""``fusillade compare``: runs beside each other."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusillade.cli.cloud.server import part
from fusillade.cli.cloud.session import Json, session
from fusillade.errors import ValidationFailed

if TYPE_CHECKING:
    from rich.console import Console

REGRESSION = 99
"""Exit code, as that of a threshold that was crossed."""

_LATENCIES = ("avg_latency_ms", "p95_latency_ms")


def compare(
    tests: Annotated[
        list[str],
        typer.Argument(help="A test and its baseline; or up to ten tests.", metavar="ID ID ..."),
    ],
    as_json: Json = False,
) -> None:
    """Compare a run with a baseline; exit code 99 for a regression. Three to ten: side by side."""
    if not 2 <= len(tests) <= 10:
        raise ValidationFailed(
            "Give a test and its baseline, or up to ten tests to see them side by side."
        )
    with session(as_json) as here:
        if len(tests) > 2:
            ids = ",".join(tests)
            answer = here.server.get("/api/v1/analytics/compare", {"test_ids": ids})
            here.show(answer, _side_by_side)
            return
        current, baseline = map(part, tests)
        answer = here.server.get(f"/api/v1/tests/{current}/compare/{baseline}")
        here.show(answer, _pair)
    if answer.data["regression"]:
        raise typer.Exit(REGRESSION)


def _pair(console: "Console", answer: Any) -> None:
    from rich.text import Text

    from fusillade.cli.cloud.tables import clean, table

    before, now, delta = answer["baseline"], answer["current"], answer["delta"]
    rows: list[tuple[object, ...]] = [
        ("name", before["name"], now["name"], ""),
        ("status", before["status"], now["status"], ""),
        ("workers", str(before["workers"]), str(now["workers"]), ""),
        ("seconds", str(before["duration_seconds"]), str(now["duration_seconds"]), ""),
        ("requests", f"{before['total_requests']:,}", f"{now['total_requests']:,}", ""),
        ("requests/s", f"{before['rps']:,.1f}", f"{now['rps']:,.1f}", f"{delta['rps']:+,.1f}"),
    ]
    for name in _LATENCIES:
        label = name.partition("_")[0]
        values = (f"{before[name]:,.1f} ms", f"{now[name]:,.1f} ms", f"{delta[name]:+,.1f} ms")
        rows.append((label, *values))
    name = "error_rate"
    rows.append(
        ("errors", f"{before[name]:.2%}", f"{now[name]:.2%}", f"{delta[name] * 100:+.2f} points")
    )
    table(console, ("", "baseline", "current", "change"), rows)
    if answer["regression"]:
        reasons = "; ".join(map(clean, answer["regression_reasons"]))
        console.print(Text(f"\nRegression: {reasons}", "bold red"), soft_wrap=True)
    else:
        console.print(Text("\nNo regression", "green"))


def _side_by_side(console: "Console", answer: Any) -> None:
    from fusillade.cli.cloud.tables import table

    names = ("total_requests", "rps", "avg_latency_ms", "p95_latency_ms", "p99_latency_ms")
    table(
        console,
        ("id", "name", "status", "workers", "requests", "rate", "avg", "p95", "p99", "errors"),
        [
            (
                one["id"],
                one["name"],
                one["status"],
                one["workers"],
                *((one["metrics"] or {}).get(name) for name in names),
                f"{one['metrics']['error_rate']:.2%}" if one["metrics"] else None,
            )
            for one in answer["tests"]
        ],
    )

"""What the demo shows and sends, without a platform."""

import io
from typing import Any

from rich.console import Console

from fusillade.cli import demo, demo_view

SUMMARY: dict[str, Any] = {
    "total_requests": 1234,
    "failed_requests": 2,
    "error_rate": 2 / 1234,
    "rps": 411.5,
    "avg_latency_ms": 5.0,
    "med_latency_ms": 4.0,
    "p95_latency_ms": 12.3,
    "p99_latency_ms": 20.0,
    "max_latency_ms": 31.0,
    "data_received_bytes": 250_000,
    "iterations": 600,
    "status_codes": {"200": 1232, "500": 2},
    "checks": [{"name": "the list is there", "group": "", "passes": 598, "fails": 2}],
    "thresholds": [
        {"metric": "http_req_failed", "expression": "rate < 0.01", "value": 0.002, "ok": True}
    ],
}


def console() -> Console:
    return Console(file=io.StringIO(), width=100, highlight=False)


def printed(to: Console) -> str:
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue()


def test_the_summary_compares_our_count_with_the_targets() -> None:
    out = console()
    test = {"name": "Quickstart", "status": "completed", "summary": SUMMARY}
    out.print(demo_view.summary_table(test, answered=1234))
    assert "Quickstart: completed" in printed(out)
    assert printed(out).count("1,234") == 2
    assert "598 of 600" in printed(out)
    assert "kept" in printed(out)


def test_a_test_without_a_summary_shows_its_reason() -> None:
    out = console()
    test = {"name": "Quickstart", "status": "failed", "reason": "setup() threw", "summary": None}
    out.print(demo_view.summary_table(test, answered=0))
    assert "setup() threw" in printed(out)


def test_the_demo_sends_the_packaged_example_with_its_own_target() -> None:
    script = demo.script_for("http://127.0.0.1:4711").decode()
    assert "const target = 'http://127.0.0.1:4711';" in script
    assert demo.SCRIPT_TARGET not in script
    assert "export default function" in script

"""A test as the API shows it, in the terminal; and what its end means to a pipeline."""

from collections.abc import Mapping
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from fusillade.cli import run_view
from fusillade.cli.cloud.session import clean
from fusillade.cli.cloud.tables import facts, moment
from fusillade.metrics.summary import Summary

THRESHOLDS_CROSSED = 99
"""Exit code, as k6's."""


def exit_code(test: Mapping[str, Any]) -> int:
    """0 for a test that has run to its end and holds its thresholds; 99 if one is crossed, also
    where that has ended it; 1 for whatever else."""
    crossed = [one for one in test["thresholds"] if not one["ok"]]
    reason = test["reason"] or ""
    ended_by_one = test["status"] == "failed" and any(
        f"{one['metric']}: {one['expression']} was crossed" in reason for one in crossed
    )
    if crossed and (test["status"] == "completed" or ended_by_one):
        return THRESHOLDS_CROSSED
    return 0 if test["status"] == "completed" else 1


def show_test(console: Console, test: Any) -> None:
    """What a test is, and its result if there is one."""
    facts(
        console,
        {
            "id": test["id"],
            "name": test["name"],
            "status": "paused" if test["paused"] else test["status"],
            "reason": test["reason"],
            "workers": test["workers"],
            "seconds": test["duration_seconds"],
            "region": test["region"],
            "targets": test["target_urls"] or None,
            "created": moment(test["created_at"]),
            "started": moment(test["started_at"]),
            "finished": moment(test["finished_at"]),
        },
    )
    _show_summary(console, test)


def show_result(console: Console, test: Any) -> None:
    """How a test has ended."""
    words = clean(f"{test['name']}: {test['status']}")
    console.print(Text(words, "bold" if test["status"] == "completed" else "bold red"))
    if test["reason"]:
        console.print(Text(clean(test["reason"])), soft_wrap=True)
    _show_summary(console, test)


def _show_summary(console: Console, test: Mapping[str, Any]) -> None:
    if test["summary"] is None:
        return
    try:
        summary = msgspec.convert(_clean(test["summary"]), Summary)
    except msgspec.ValidationError:
        # The platform is of another version than this command line.
        facts(console, test["metrics"] or {})
        return
    run_view.show(console, summary)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {clean(name): _clean(one) for name, one in value.items()}
    return value

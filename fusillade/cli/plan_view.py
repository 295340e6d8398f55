"""What a test is going to do, in the terminal."""

from rich.console import Console
from rich.text import Text

from fusillade.durations import show_duration
from fusillade.hosting.messages import Loaded
from fusillade.metrics.thresholds import Threshold
from fusillade.script.planned import counted


def plan_lines(loaded: Loaded) -> list[str]:
    """One line a scenario: name, load model in words, what is not as usual."""
    lines = []
    for scenario in loaded.scenarios:
        words = f"{scenario.name}: {scenario.load}"
        more = []
        if scenario.exec != "default":
            more.append(f"exec {scenario.exec}")
        if scenario.start_seconds:
            more.append(f"starts after {show_duration(scenario.start_seconds)}")
        lines.append(f"{words} ({', '.join(more)})" if more else words)
    return lines


def show_plan(
    console: Console, entry: str, loaded: Loaded, thresholds: list[Threshold], hosts: int
) -> None:
    """Everything that ``--dry-run`` shows."""
    console.print(
        Text(
            f"{entry}: up to {counted(loaded.workers, 'worker')} for at most "
            f"{show_duration(loaded.duration_seconds)} on {counted(hosts, 'core')}"
        )
    )
    for scenario in loaded.scenarios:
        console.print(Text.assemble("\n  ", (scenario.name, "bold cyan")))
        rows = {
            "executor": scenario.executor,
            "load": scenario.load,
            "function": scenario.exec,
            "starts after": show_duration(scenario.start_seconds),
            "grace at the end": show_duration(scenario.grace_seconds),
        }
        for name, value in rows.items():
            console.print(Text.assemble("    ", (f"{name:<18}", "dim"), value))
    if thresholds:
        console.print(Text.assemble("\n  ", ("Thresholds", "bold cyan")))
        for one in thresholds:
            words = f"    {one.metric}: {one.expression}"
            if one.abort:
                words += "  (ends the test when it is crossed)"
            console.print(Text(words))
    if loaded.target_urls:
        console.print(Text.assemble("\n  ", ("Targets", "bold cyan")))
        for url in loaded.target_urls:
            console.print(Text(f"    {url}"))
    functions = [name for name in ("setup", "teardown", "handleSummary") if name in loaded.exports]
    if functions:
        console.print(Text(f"\n  Also exported: {', '.join(functions)}"))

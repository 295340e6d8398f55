"""What log lines look like."""

import json
import logging
import sys

from fusillade.log_lines import JsonLines, TextLines


def record(message: str, *arguments: object, error: bool = False) -> logging.LogRecord:
    found = sys.exc_info() if error else None
    return logging.LogRecord("actors.worker", logging.INFO, "", 1, message, arguments, found)


def test_a_line_of_json_is_one_object_with_what_the_process_is_about() -> None:
    lines = JsonLines({"actor": "worker:an-id:0:0", "test": "an-id", "region": "eu-hel1"})
    text = lines.format(record("two\nlines, %d%%", 7))
    assert "\n" not in text
    line = json.loads(text)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "actors.worker",
        "message": "two\nlines, 7%",
        "actor": "worker:an-id:0:0",
        "test": "an-id",
        "region": "eu-hel1",
    }


def test_a_stack_trace_is_in_its_line() -> None:
    try:
        raise ValueError("of this")
    except ValueError:
        text = JsonLines({}).format(record("it failed", error=True))
        for_people = TextLines().format(record("it failed", error=True))
    assert "\n" not in text
    assert json.loads(text)["error"].endswith("ValueError: of this")
    first, *_, last = for_people.splitlines()
    assert first.endswith("Z INFO actors.worker: it failed")
    assert last == "ValueError: of this"

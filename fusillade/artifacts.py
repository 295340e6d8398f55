"""Artifacts: the texts that a script's ``handleSummary`` returns by name."""

import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from fusillade.paths import relative_path

MOST_ARTIFACTS = 20
MOST_BYTES = 4 << 20
_LONGEST_LOG = 64 << 10

_CONTENT_TYPES = {
    ".csv": "text/csv",
    ".htm": "text/html",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".svg": "image/svg+xml",
    ".xml": "application/xml",
}


@dataclass
class Output:
    """What ``handleSummary`` returned, checked."""

    stdout: str | None = None
    """For the log; ``stderr`` is among the problems."""
    artifacts: dict[str, str] = field(default_factory=dict)
    """By name: a relative path."""
    problems: list[str] = field(default_factory=list)
    """What was left out, and why."""

    def log_lines(self) -> list[str]:
        """As the log of a test has them."""
        lines = [] if self.stdout is None else [f"info: {self.stdout[:_LONGEST_LOG]}"]
        return lines + [f"warn: {problem}" for problem in self.problems]


def read_output(text: str) -> Output:
    """Check the JSON of what ``handleSummary`` returned; what is no use is among the problems."""
    output = Output()
    try:
        returned = json.loads(text)
    except RecursionError:
        returned = False
    if returned is None:
        return output
    if not isinstance(returned, dict):
        output.problems.append("handleSummary() must return an object {name: text}.")
        return output
    size = 0
    for name, content in returned.items():
        if not isinstance(content, str):
            output.problems.append(f"handleSummary(): '{name}' is not a text and was left out.")
        elif name == "stdout":
            output.stdout = content
        elif name == "stderr":
            output.problems.append(content[:_LONGEST_LOG])
        else:
            size += len(content.encode("utf-8", "replace"))
            reason = _keep(output, name, content, size)
            if reason is not None:
                output.problems.append(f"handleSummary(): '{name}' was left out: {reason}.")
    return output


def _keep(output: Output, name: str, content: str, size: int) -> str | None:
    """Add an artifact; the reason why not."""
    try:
        path = relative_path(name)
    except ValueError as error:
        return str(error)
    if len(output.artifacts) >= MOST_ARTIFACTS:
        return f"a test may have {MOST_ARTIFACTS} artifacts"
    if size > MOST_BYTES:
        return f"the artifacts of a test may have {MOST_BYTES >> 20} MiB together"
    output.artifacts[path] = content
    return None


def content_type(name: str) -> str:
    """By the name's ending; text where it says nothing."""
    return _CONTENT_TYPES.get(PurePosixPath(name).suffix.lower(), "text/plain")

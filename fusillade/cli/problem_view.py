"""What is wrong with a script, with its line and a caret under the place."""

from collections.abc import Mapping

from fusillade.hosting.messages import Problem

_WIDTH = 100


def describe(problem: Problem, files: Mapping[str, bytes]) -> str:
    """``file:line:column: message``, and below it the line itself where it is known."""
    where = problem.file
    if problem.line:
        where += f":{problem.line}:{problem.column}"
    sentence = f"{problem.severity}: {problem.message}"
    if where:
        sentence = f"{where}: {sentence}"
    source = _line(files.get(problem.file, b""), problem.line)
    if source is None:
        return sentence
    # A long line is cut around the place, so that the caret stays below it.
    at = max(0, problem.column - 1)
    left = max(0, at - _WIDTH + 20)
    shown = source[left : left + _WIDTH]
    indent = "".join("\t" if character == "\t" else " " for character in shown[: at - left])
    number = f"{problem.line:>6} | "
    return f"{sentence}\n{number}{shown}\n{' ' * (len(number) - 2)}| {indent}^"


def _line(content: bytes, number: int) -> str | None:
    lines = content.decode("utf-8", errors="replace").split("\n")
    if not 1 <= number <= len(lines):
        return None
    return "".join(
        c if c.isprintable() or c == "\t" else "\ufffd" for c in lines[number - 1].rstrip("\r")
    )

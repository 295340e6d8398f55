"""Errors of a script, told at the author's own positions."""

import re

from fusillade.engine.engine import ScriptError
from fusillade.hosting.messages import Problem
from fusillade.script.compiler import CompiledScript

_PLACE = re.compile(r"Error in file (.+), on line (\d+), column (\d+):")
"""How a SpiderMonkeyError begins."""


class ErrorPlaces:
    """Where in the files of a script its errors came from; nowhere before one is compiled."""

    def __init__(self, script: CompiledScript | None = None) -> None:
        self._modules = {} if script is None else {one.path: one for one in script.modules}

    def problem(self, message: str, stack: str, entry: str) -> Problem:
        """At the first frame that is the author's, or else somewhere in ``entry``."""
        position = self._position(stack)
        if position is None:
            return Problem(message=message, file=entry)
        file, line, column = position
        return Problem(message=message, file=file, line=line, column=column)

    def described(self, what: str, error: ScriptError) -> str:
        """That the function ``what`` threw it, and where."""
        return f"{what} threw {error.message}{self.where(error.stack)}"

    def words(self, error: BaseException) -> str:
        """An error that came out of the runtime, with its place if it is the author's."""
        if type(error).__name__ != "SpiderMonkeyError":
            return f"{type(error).__name__}: {error}"
        place = _PLACE.match(str(error))
        stack = str(error) if place is None else f"@{':'.join(place.groups())}\n{error}"
        return f"{thrown(error)}{self.where(stack)}"

    def where(self, stack: str) -> str:
        """`` (file:line:column)``, or nothing."""
        position = self._position(stack)
        return "" if position is None else f" ({position[0]}:{position[1]}:{position[2]})"

    def _position(self, stack: str) -> tuple[str, int, int] | None:
        """The first frame of a SpiderMonkey stack (``name@file:line:column``) that is a module."""
        for text in stack.splitlines():
            place = text.rpartition("@")[2]
            file, _, rest = place.rpartition(":")
            file, _, line = file.rpartition(":")
            if file in self._modules and line.isdigit() and rest.isdigit():
                return file, *self._modules[file].original_position(int(line), int(rest))
        return None


def thrown(error: BaseException) -> str:
    """What the script threw, of a SpiderMonkeyError's report with position and stack."""
    report = str(error).partition("Stack Trace:")[0]
    lines = [line.strip() for line in report.splitlines() if line.strip()]
    words = lines[-1] if lines else "an error that cannot be shown"
    # Where an object of pythonmonkey's lies in memory is nobody's business.
    return re.sub(r" at 0x[0-9a-f]+", "", words)


def is_out_of_memory(text: str) -> bool:
    """Whether SpiderMonkey says so."""
    return "out of memory" in text or "allocation size overflow" in text

"""How the compiler says what is wrong with a script."""

from fusillade.hosting.messages import Problem


class ScriptErrors(Exception):
    """The script cannot be compiled; ``problems`` has each reason with its position."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(_sentence(problem) for problem in problems))
        self.problems = problems


def _sentence(problem: Problem) -> str:
    where = f"{problem.file}:{problem.line}:{problem.column}: " if problem.line else ""
    return where + problem.message

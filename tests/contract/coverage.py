"""Writes docs/api-coverage.md: which tests hold which row of the REST API reference.

python tests/contract/coverage.py > docs/api-coverage.md
"""

import ast
import importlib.util
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]


def reference() -> Any:
    """``reference.py``, however this file was loaded."""
    spec = importlib.util.spec_from_file_location("reference", _HERE / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["reference"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tests_of(path: Path) -> list[str]:
    """Names of the test functions in a file, in order."""
    return [
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]


def covering() -> list[tuple[Any, list[str]]]:
    """Each row with its tests, each as ``file::name``."""
    every = reference().ROWS
    slugs = {row.slug for row in every}
    by_slug: dict[str, list[str]] = {}
    for path in sorted(_HERE.glob("test_*.py")):
        for name in tests_of(path):
            fitting = [
                slug for slug in slugs if f"{name.removeprefix('test_')}_".startswith(f"{slug}_")
            ]
            if fitting:
                test = f"{path.relative_to(_ROOT)}::{name}"
                by_slug.setdefault(max(fitting, key=len), []).append(test)
    return [(row, list(dict.fromkeys([*by_slug.get(row.slug, ()), *row.also]))) for row in every]


def missing() -> list[str]:
    """Tests that ``reference.py`` names and that are not there."""
    named = [test for row in reference().ROWS for test in row.also]
    return [
        test
        for test in named
        if test.partition("::")[2] not in tests_of(_ROOT / test.partition("::")[0])
    ]


def document() -> str:
    """The whole of docs/api-coverage.md."""
    lines = [
        "# The REST API reference, row by row",
        "",
        "Made from the tests by `python tests/contract/coverage.py > docs/api-coverage.md`: each row of",
        "each table and each example of the reference, and the tests that fail if it does not work as",
        "printed. What needs a whole platform, with Ray, is in `tests/e2e`.",
    ]
    for section, covered in groupby(covering(), key=lambda found: found[0].section):
        if (heading := f"## {section}") not in lines:
            lines += ["", heading, "", "| row | tests |", "| --- | --- |"]
        lines += [f"| {row.text} | {_linked(tests)} |" for row, tests in covered]
    return "\n".join(lines) + "\n"


def _linked(tests: list[str]) -> str:
    shown = []
    for test in tests:
        path, _, name = test.partition("::")
        shown.append(f"[`{name.removeprefix('test_')}`](../{path})")
    return "<br>".join(shown) or "none"


if __name__ == "__main__":
    sys.stdout.write(document())

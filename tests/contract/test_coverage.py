"""docs/api-coverage.md: every row of the reference has a test."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def coverage() -> Any:
    spec = importlib.util.spec_from_file_location("api_coverage", _HERE / "coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_row_of_the_reference_has_a_test(coverage: Any) -> None:
    assert [row.text for row, tests in coverage.covering() if not tests] == []


def test_every_test_that_is_named_for_a_row_is_there(coverage: Any) -> None:
    assert coverage.missing() == []


def test_the_document_is_up_to_date(coverage: Any) -> None:
    written = (_HERE.parents[1] / "docs" / "api-coverage.md").read_text()
    assert written == coverage.document(), (
        "run: python tests/contract/coverage.py > docs/api-coverage.md"
    )

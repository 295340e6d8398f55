"""What handleSummary returned, and what of it is kept."""

import json

import pytest

from fusillade.artifacts import MOST_ARTIFACTS, MOST_BYTES, content_type, read_output
from fusillade.paths import relative_path


def test_stdout_is_for_the_log_and_every_other_name_an_artifact() -> None:
    returned = {"stdout": "all is well", "./report/index.html": "<p>", "data.json": "{}"}
    output = read_output(json.dumps(returned))
    assert output.artifacts == {"report/index.html": "<p>", "data.json": "{}"}
    assert output.log_lines() == ["info: all is well"]


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (5, "must return an object"),
        (["a"], "must return an object"),
        ({"a.txt": 5}, "'a.txt' is not a text"),
        ({"../a.txt": "x"}, "must not lead out"),
        ({"/etc/passwd": "x"}, "must be relative"),
        ({"": "x"}, "1 to 200 characters"),
        ({"a\0.txt": "x"}, "control characters"),
        ({"big.txt": "x" * (MOST_BYTES + 1)}, "4 MiB"),
    ],
)
def test_what_cannot_be_an_artifact_is_left_out_with_a_reason(returned: object, words: str) -> None:
    output = read_output(json.dumps(returned))
    assert output.artifacts == {}
    (problem,) = output.problems
    assert words in problem


def test_a_test_has_only_so_many_artifacts() -> None:
    output = read_output(json.dumps({f"{number}.txt": "x" for number in range(MOST_ARTIFACTS + 2)}))
    assert len(output.artifacts) == MOST_ARTIFACTS
    assert len(output.problems) == 2


def test_nothing_returned_is_nothing_wrong() -> None:
    output = read_output("null")
    assert (output.artifacts, output.log_lines()) == ({}, [])


@pytest.mark.parametrize(
    "path", ["a/../../b", "..", "C:/a", "C:\\a", "a\\b", "a//b", "a/", "/", "\x7f", "x" * 201]
)
def test_paths_that_could_mean_something_else_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"^a path must"):
        relative_path(path)


def test_the_content_type_is_told_by_the_name() -> None:
    assert [content_type(name) for name in ("a/b.HTML", "a.json", "html", "a.exe")] == [
        "text/html",
        "application/json",
        "text/plain",
        "text/plain",
    ]

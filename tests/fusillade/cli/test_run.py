"""``fusillade run`` and ``validate``, as their users run them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from target import Target

FUSILLADE = Path(sys.executable).with_name("fusillade")


def fusillade(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(FUSILLADE), *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.fixture
def script(tmp_path: Path, target: Target) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "get.ts").write_text(
        f"export const get = (path: string) => http.get('{target.url}' + path);"
    )
    (tmp_path / "names.csv").write_text("name\nada\n")
    path = tmp_path / "test.js"
    path.write_text("""
      import { get } from './lib/get.ts';
      const names = new SharedCSV('names.csv');
      export const options = { thresholds: { http_reqs: ['count >= 6'] }, wrkers: 2 };
      export default function () {
        check(get('/' + names.get(0).name + (__ENV.SUFFIX ?? '')), { 'it answers': (r) => r.status === 200 });
        console.log('done');
      }""")
    return path


def test_a_run_counts_what_the_target_counted(script: Path, target: Target) -> None:
    done = fusillade(
        "run",
        "test.js",
        "-w",
        "3",
        "-i",
        "2",
        "-e",
        "SUFFIX=!",
        "--out",
        "out.json",
        directory=script.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert target.counted()["GET /ada!"] == 6
    assert "✓ it answers  6 of 6" in done.stdout
    assert "✓ http_reqs: count >= 6  (6)" in done.stdout
    assert "info: done" in done.stdout
    assert "options.wrkers is not an option" in done.stdout
    written = json.loads((script.parent / "out.json").read_text())
    assert written["total_requests"] == 6


def test_a_crossed_threshold_is_exit_code_99(script: Path) -> None:
    done = fusillade("run", "test.js", "-w", "1", "-i", "1", directory=script.parent)
    assert done.returncode == 99
    assert "✗ http_reqs: count >= 6  (1)" in done.stdout


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("export default function () {", "test.js:1:"),
        (
            "export function setup() { throw new Error('no'); } export default () => {};",
            "setup() threw Error: no",
        ),
    ],
)
def test_a_bad_script_is_its_reason_and_exit_code_1(
    tmp_path: Path, source: str, words: str
) -> None:
    (tmp_path / "test.js").write_text(source)
    done = fusillade("run", "test.js", "-d", "1s", directory=tmp_path)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "missing.js"), "no file missing.js"),
        (("run", "test.js", "-d", "soon"), "'soon' is not a duration"),
        (("run", "test.js", "-e", "novalue"), "KEY=VALUE"),
        (("run", "test.js", "--log-level", "loud"), "--log-level must be one of"),
        (("validate", "missing.js"), "no file missing.js"),
    ],
)
def test_a_wrong_argument_is_one_sentence(
    script: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = fusillade(*arguments, directory=script.parent)
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_ctrl_c_ends_the_run_and_shows_what_was_measured(tmp_path: Path) -> None:
    (tmp_path / "test.js").write_text("export default () => { sleep(0.05); };")
    with subprocess.Popen(
        [str(FUSILLADE), "run", "test.js", "-d", "60s"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        while " 1 s" not in line:
            line = process.stdout.readline()
            assert line
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "iterations" in rest
    assert "Interrupted." in errors


def test_validate_says_what_a_script_would_do(script: Path) -> None:
    done = fusillade("validate", "test.js", directory=script.parent)
    assert done.returncode == 0
    assert "test.js is valid: 1 workers for 30 s, exports default" in done.stdout
    script.write_text("class A { get b() { return http.get('u'); } } export default () => {};")
    done = fusillade("validate", "test.js", directory=script.parent)
    assert done.returncode == 1
    assert "test.js:1:28: http.get() waits" in done.stderr

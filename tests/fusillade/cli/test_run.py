"""``fusillade run``, as its users run it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from target import Target

FUSILLADE = Path(sys.executable).with_name("fusillade")


def fusillade(
    *arguments: str, directory: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(FUSILLADE), *arguments],
        cwd=directory,
        env=os.environ | (environment or {}),
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
        "json=out.json",
        "--out",
        "csv=out.csv",
        "--out",
        "junit=out.xml",
        "--export-html",
        "out.html",
        directory=script.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert target.counted()["GET /ada!"] == 6
    assert "✓ it answers  6 of 6" in done.stdout
    assert "✓ count >= 6  6" in done.stdout
    assert "info: done" in done.stdout
    assert "options.wrkers is not an option" in done.stdout
    written = json.loads((script.parent / "out.json").read_text())
    assert written["summary"]["total_requests"] == 6
    assert sum(point["requests"] for point in written["series"]) == 6
    assert (
        sum(int(row["requests"]) for row in csv.DictReader((script.parent / "out.csv").open())) == 6
    )
    assert ElementTree.parse(script.parent / "out.xml").getroot().attrib["tests"] == "2"
    assert "it answers" in (script.parent / "out.html").read_text()


def test_a_crossed_threshold_is_exit_code_99(script: Path) -> None:
    done = fusillade("run", "test.js", "-w", "1", "-i", "1", directory=script.parent)
    assert done.returncode == 99
    assert "✗ count >= 6  1" in done.stdout


def test_a_run_that_a_threshold_ended_is_exit_code_99_and_runs_teardown(tmp_path: Path) -> None:
    (tmp_path / "test.js").write_text("""
      export const options = { thresholds: { iterations: [{ threshold: 'count < 1', abortOnFail: true }] } };
      export default () => { sleep(0.1); };
      export function teardown() { console.log('torn down'); }
    """)
    done = fusillade("run", "test.js", "-d", "60s", "-q", directory=tmp_path)
    assert done.returncode == 99
    assert "The threshold iterations: count < 1 was crossed" in done.stderr
    assert "info: torn down" in done.stdout


def test_a_dry_run_says_what_would_happen_and_sends_nothing(script: Path, target: Target) -> None:
    script.write_text(
        f"""
        export const options = {{
          scenarios: {{
            walk: {{ executor: 'ramping-workers', stages: [{{ duration: '5s', target: 4 }}], exec: 'walk' }},
            run: {{ executor: 'constant-arrival-rate', rate: 20, duration: '10s', workers: 3, startTime: '5s' }},
          }},
          thresholds: {{ http_reqs: [{{ threshold: 'count > 1', abortOnFail: true }}] }},
        }};
        export function setup() {{ http.get('{target.url}/setup'); }}
        export function walk() {{}}
        export default function () {{ http.get('{target.url}/'); }}
        """
    )
    done = fusillade("run", "test.js", "--dry-run", directory=script.parent)
    assert done.returncode == 0, done.stderr
    for words in (
        "up to 7 workers for at most 15s",
        "ramping-workers",
        "0 to 4 (5s) workers over 5s",
        "20 iterations/s for 10s on at most 3 workers",
        "http_reqs: count > 1  (ends the test when it is crossed)",
        target.url,
        "setup",
    ):
        assert words in done.stdout
    assert target.counted()["requests"] == 0
    script.write_text("export const options = { duration: 'soon' }; export default () => {};")
    done = fusillade("run", "test.js", "--dry-run", directory=script.parent)
    assert done.returncode == 1
    assert "options.duration" in done.stderr


def test_a_script_sees_its_variables_and_none_of_fusillades_own(tmp_path: Path) -> None:
    (tmp_path / "test.js").write_text(
        "export default () => { console.log(JSON.stringify(__ENV)); };"
    )
    environment = {
        "FUSILLADE_REGION_NAME": "north",
        "K6_OTHER": "a",
        "FUSILLADE_DATABASE_URL": "secret",
        "fusillade_jwt_secret": "secret",
        "FUSILLADE_Admin_Password": "secret",
        "AWS_SECRET": "secret",
    }
    done = fusillade(
        "run", "test.js", "-i", "1", "-q", "-e", "K6_OTHER=b", "-e", "MORE=c=d",
        directory=tmp_path, environment=environment,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("info: "))
    assert json.loads(line.removeprefix("info: ")) == {
        "FUSILLADE_REGION_NAME": "north",
        "K6_OTHER": "b",
        "MORE": "c=d",
    }


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("export default function () {", "test.js:1:"),
        (
            "export function setup() { throw new Error('no'); } export default () => {};",
            "setup() threw Error: no (test.js:1:33)",
        ),
        (
            "export default () => sleep(0.1); export function teardown() { throw new Error('no'); }",
            "teardown() threw Error: no (test.js:1:69)",
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
        (("run", "test.js", "--out", "out.json"), "json=FILE, csv=FILE or junit=FILE"),
        (("run", "test.js", "--out", "json=no/such/out.json"), "no directory no/such"),
        (("run", "test.js", "--export-html", "."), "is a directory"),
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
    (tmp_path / "test.js").write_text("""
      export default () => { sleep(0.05); };
      export function teardown() { console.log('torn down'); }
    """)
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
    assert process.returncode == 130
    assert "info: torn down" in rest
    assert "iterations" in rest
    assert errors == "Interrupted.\n"


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    (tmp_path / "test.js").write_text("""
      export default () => { sleep(0.05); };
      export function teardown() { console.log('torn down'); while (true) sleep(1); }
    """)
    with subprocess.Popen(
        [str(FUSILLADE), "run", "test.js", "-d", "60s", "--log-level", "none"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while " 1 s" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        # One that comes while the first is still pending would be the same signal.
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "iterations" in rest
    assert errors == "Interrupted.\n"


def test_the_scripts_own_summary_is_printed_and_its_artifacts_are_written(tmp_path: Path) -> None:
    (tmp_path / "test.js").write_text("""
      export const options = { wrkers: 1 };
      export default function () {}
      export function teardown() { console.log('over'); }
      export function handleSummary(data) {
        return { stdout: `${data.metrics.iterations.values.count} in all\\n`, 'reports/a.json': '{"a":"ż"}',
          '/tmp/never.txt': 'no', '../never.txt': 'no' };
      }""")
    done = fusillade("run", "test.js", "-w", "2", "-i", "3", directory=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 in all" in done.stdout
    assert "iteration_total" not in done.stdout
    assert done.stdout.index("over") < done.stdout.index("6 in all")
    assert "test.js:2:32: options.wrkers is not an option" in done.stdout
    assert done.stdout.count("was left out: a path must") == 2
    assert (tmp_path / "reports" / "a.json").read_text() == '{"a":"ż"}'
    assert not (tmp_path.parent / "never.txt").exists()


def test_a_summary_that_throws_leaves_the_usual_one(tmp_path: Path) -> None:
    (tmp_path / "test.js").write_text(
        "export default function () {}\nexport function handleSummary() { throw new Error('x'); }"
    )
    done = fusillade("run", "test.js", "-i", "1", directory=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error: handleSummary() threw Error: x (test.js:2:" in done.stdout
    assert "iteration_total" in done.stdout

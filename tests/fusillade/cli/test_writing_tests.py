"""``fusillade validate``, ``exec`` and ``init``, as people who write tests use them."""

import json
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


WRONG = """\
export default function () {}
class Shop {
\tget list() { return http.get('http://127.0.0.1/'); }
}
"""


def test_validate_shows_the_line_and_a_caret_below_the_place(tmp_path: Path) -> None:
    (tmp_path / "test.js").write_text(WRONG)
    done = fusillade("validate", "test.js", directory=tmp_path)
    assert done.returncode == 1
    sentence, line, caret = done.stderr.splitlines()
    assert sentence.startswith("test.js:3:22: error: http.get() waits")
    assert line == "     3 | \tget list() { return http.get('http://127.0.0.1/'); }"
    assert caret == "       | \t                    ^"


def test_validate_shows_warnings_and_what_the_test_would_do(tmp_path: Path) -> None:
    (tmp_path / "test.js").write_text(
        "export const options = { workrs: 2, iterations: 3 };\nexport default () => {};"
    )
    done = fusillade("validate", "test.js", directory=tmp_path)
    assert done.returncode == 0
    assert "warning: options.workrs is not an option" in done.stdout
    assert "test.js is valid; it exports default." in done.stdout
    assert "3 iterations on each of 1 worker" in done.stdout


def test_validate_says_the_same_as_json(tmp_path: Path) -> None:
    (tmp_path / "test.js").write_text(WRONG)
    done = fusillade("validate", "--json", "test.js", directory=tmp_path)
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["valid"] is False
    (problem,) = document["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("test.js", 3, 22)
    (tmp_path / "test.js").write_text("export default () => {};")
    done = fusillade("validate", "--json", "test.js", directory=tmp_path)
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["valid"] is True
    assert document["scenarios"][0]["executor"] == "constant-workers"


@pytest.fixture
def shop(tmp_path: Path, target: Target) -> Path:
    path = tmp_path / "shop.js"
    path.write_text(f"""\
export function setup() {{ console.log('opens'); return {{ name: 'shop' }}; }}
export default function (data) {{
  const res = http.get('{target.url}/' + data.name);
  check(res, {{ 'it is there': (r) => r.status === 200, 'it is new': (r) => r.status === 201 }});
  return res;
}}
export function broken(data) {{
  throw new Error('no ' + data.name);
}}
export function teardown() {{ console.log('closes'); }}
""")
    return path


def test_exec_runs_a_function_once_and_prints_what_it_returns(shop: Path, target: Target) -> None:
    done = fusillade("exec", "shop.js", directory=shop.parent)
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert value["status"] == 200
    assert value["body"] == '{"status":"ok"}'
    assert target.counted()["requests"] == 1
    assert done.stderr.index("info: opens") < done.stderr.index("info: closes")
    assert "✓ it is there  1 of 1" in done.stderr
    assert "✗ it is new  0 of 1" in done.stderr
    assert f"GET {target.url}/shop" in done.stderr


def test_exec_of_a_function_that_throws_is_its_place_and_exit_code_1(shop: Path) -> None:
    done = fusillade("exec", "shop.js", "--function", "broken", directory=shop.parent)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "info: opens",
        "info: closes",
        "broken() threw Error: no shop (shop.js:8:9)",
    ]


def test_exec_of_setup_has_nothing_around_it(shop: Path) -> None:
    done = fusillade("exec", "shop.js", "--function", "setup", directory=shop.parent)
    assert json.loads(done.stdout) == {"name": "shop"}
    assert done.stderr == "info: opens\n"


def test_exec_of_a_function_that_is_not_there_names_those_that_are(shop: Path) -> None:
    done = fusillade("exec", "shop.js", "--function", "brokn", directory=shop.parent)
    assert done.returncode == 1
    assert "it exports setup, default, broken, teardown" in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_init_writes_runs_as_it_is(tmp_path: Path, target: Target) -> None:
    done = fusillade("init", "--url", f"{target.url}/", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    done = fusillade("run", "test.js", "-d", "1s", directory=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert target.counted()["GET /"] == target.counted()["requests"] > 0


def test_init_makes_the_directory_and_never_writes_over_a_file(tmp_path: Path) -> None:
    assert fusillade("init", "load/first.ts", directory=tmp_path).returncode == 0
    assert fusillade("init", "load", directory=tmp_path).returncode == 0
    file = tmp_path / "load" / "test.js"
    file.write_text("mine")
    done = fusillade("init", "load", directory=tmp_path)
    assert done.returncode == 1
    assert "load/test.js is there already" in done.stderr
    assert file.read_text() == "mine"


@pytest.mark.parametrize("url", ["example.com", "ftp://example.com", "http://"])
def test_init_wants_a_url_that_can_be_tested(tmp_path: Path, url: str) -> None:
    done = fusillade("init", "--url", url, directory=tmp_path)
    assert done.returncode == 1
    assert "write it as https://host" in done.stderr
    assert not list(tmp_path.iterdir())


def test_init_writes_a_hostile_url_as_a_text(tmp_path: Path) -> None:
    url = "http://127.0.0.1/'\";throw\\1"
    assert fusillade("init", "--url", url, directory=tmp_path).returncode == 0
    assert f"const target = {json.dumps(url)};" in (tmp_path / "test.js").read_text()
    assert fusillade("validate", "test.js", directory=tmp_path).returncode == 0


def test_convert_writes_a_test_that_is_valid_and_says_what_to_set(tmp_path: Path) -> None:
    command = "curl -L http://127.0.0.1:9/items -H 'Authorization: Bearer abc'"
    done = fusillade("convert", command, "-o", "made.js", directory=tmp_path)
    assert done.returncode == 0
    assert done.stdout == "Wrote made.js. Run it with: fusillade run made.js\n"
    assert done.stderr.startswith("Set -e TOKEN=... : what follows Bearer")
    assert fusillade("validate", "made.js", directory=tmp_path).returncode == 0
    again = fusillade("convert", command, "-o", "made.js", directory=tmp_path)
    assert again.returncode == 1
    assert again.stderr.endswith("made.js is there already: give another name.\n")


def test_convert_names_the_file_and_the_place_of_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "shop.har").write_text('{"log": {"entries": [{}]}}')
    done = fusillade("convert", "shop.har", directory=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "fusillade: shop.har: log.entries[0] has no 'request'.\n"

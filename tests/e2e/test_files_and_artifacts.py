"""Tests of several files, their variables, and what their handleSummary leaves behind."""

import io
import json
import urllib.request
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from client import Client
from platforms import Platform

MAIN = """
  import { greeting } from './lib/greeting.ts';
  const users = open('./data/users.csv').trim().split('\\n');
  export function setup() { console.log('setup has ' + users.length); return { server: __ENV.PATH ?? null }; }
  export default function (data) {
    check(null, { [`${greeting(__ENV.WHO)} ${users[1]} ${data.server} ${__ENV.FUSILLADE_DATABASE_URL}`]: () => true });
    sleep(0.3);
  }
  export function teardown() { console.log('teardown was here'); }
  export function handleSummary(data) {
    return {
      stdout: `checks: ${data.metrics.checks.values.passes}`,
      'report/index.html': '<h1>żółć</h1>',
      'summary.json': JSON.stringify(data.summary),
      '../outside.txt': 'no',
    };
  }
"""
GREETING = b"export const greeting = (who: string): string => `hello ${who}`;"
USERS = b"name\nada\n"
FORM: dict[str, Any] = {"name": "Files", "workers": 1, "duration": 1}


def zipped(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for path, text in files.items():
            made.writestr(path, text)
    return content.getvalue()


def test_a_test_of_several_files_runs_and_leaves_artifacts(
    platform: Platform, user: Client
) -> None:
    assets = [("lib/greeting.ts", GREETING), ("data/users.csv", USERS)]
    variables = ["WHO=nobody", '{"WHO": "you"}']
    test = user.run(MAIN, assets=assets, env=variables)
    assert test["status"] == "completed"
    summary = test["summary"]
    (check,) = summary["checks"]
    assert check["name"] == "hello you ada null undefined"
    assert "info: setup has 2" in summary["log"]
    assert summary["log"][-3:-1] == ["info: teardown was here", f"info: checks: {check['passes']}"]
    assert "'../outside.txt' was left out: a path must not lead out" in summary["log"][-1]

    path = f"/api/v1/tests/{test['id']}/artifacts"
    reader = Client(platform.url, platform.key("test:read"))
    listed = reader.get(path)["artifacts"]
    assert [(one["name"], one["content_type"]) for one in listed] == [
        ("report/index.html", "text/html"),
        ("summary.json", "application/json"),
    ]
    assert listed[0]["size_bytes"] == len("<h1>żółć</h1>".encode())
    assert reader.get(f"{path}/summary.json")["checks"] == summary["checks"]
    assert reader.get(f"{path}/nothing.json")["code"] == "not_found"
    assert reader.get(f"/api/v1/tests/{uuid4()}/artifacts")["code"] == "not_found"
    assert reader.get(f"/api/v1/tests/{uuid4()}/artifacts/summary.json")["code"] == "not_found"
    assert Client(platform.url).get(f"{path}/summary.json")["code"] == "invalid_auth"
    request = urllib.request.Request(
        f"{platform.url}{path}/report/index.html",
        headers={"Authorization": f"Bearer {reader.token}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        assert answer.read().decode() == "<h1>żółć</h1>"
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''index.html"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "sandbox"


def test_a_summary_that_fails_is_a_line_of_the_log(user: Client) -> None:
    script = """export const options = { warmup: 'http://127.0.0.1:1/' };
      export default function () { sleep(0.2); }
      export function handleSummary() { throw new Error('no report'); }"""
    test = user.run(script)
    assert test["status"] == "completed"
    assert test["summary"]["iterations"] > 0
    assert any(
        "handleSummary() threw Error: no report (test.js:3:" in line
        for line in test["summary"]["log"]
    )
    assert any(line.startswith("warn: options.warmup: 1 of 1") for line in test["summary"]["log"])
    assert user.get(f"/api/v1/tests/{test['id']}/artifacts").body == {"artifacts": []}


def is_accepted(user: Client, form: dict[str, Any]) -> bool:
    """Whether a test is created; it is cancelled at once, since it would hold a machine."""
    created = user.post("/api/v1/tests", form=form)
    if created.status == 201:
        user.post(f"/api/v1/tests/{created['test_id']}/stop")
    return created.status == 201


def test_a_test_may_come_as_one_zip(user: Client) -> None:
    files = {"main.js": MAIN.encode(), "lib/greeting.ts": GREETING, "data/users.csv": USERS}
    assert is_accepted(user, FORM | {"script": ("t.zip", zipped(**files))})
    inner = {f"load/{path}": content for path, content in files.items()}
    script = ("t.zip", zipped(**inner))
    assert user.post("/api/v1/tests", form=FORM | {"script": script})["error"].startswith(
        "entry is"
    )
    assert is_accepted(user, FORM | {"script": script, "entry": "load/main.js"})


EMPTY = b"export default function () {}"


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"assets": [("../a.js", b"")]}, "validation_error", "'../a.js' cannot be a file"),
        ({"assets": [("/etc/passwd", b"")]}, "validation_error", "'/etc/passwd' cannot be a file"),
        ({"assets": [("a\\b.js", b"")]}, "validation_error", "cannot be a file"),
        ({"assets": [("a.csv", b""), ("./a.csv", b"")]}, "validation_error", "'a.csv' more than"),
        ({"assets": [("test.js", b"")]}, "validation_error", "'test.js' more than once"),
        ({"assets": "text"}, "validation_error", "assets: send files"),
        ({"assets": [("a.csv", b"x" * (10 << 20))]}, "script_too_large", "10,485,760"),
        ({"assets": [("a.js", b" " * ((1 << 20) + 1))]}, "script_too_large", "a.js is larger"),
        ({"script": ("t.zip", zipped(**{"../a.js": EMPTY}))}, "validation_error", "'../a.js'"),
        ({"script": ("t.zip", zipped(a=b"x" * (11 << 20)))}, "script_too_large", "together"),
        ({"entry": "other.js"}, "validation_error", "no module 'other.js'"),
        ({"env": "A"}, "validation_error", "KEY=VALUE"),
        ({"env": '{"A": [1]}'}, "validation_error", "env.A must be a text"),
        ({"env": "{"}, "validation_error", "env is not valid JSON"),
        ({"env": "a b=1"}, "validation_error", "'a b' cannot be a variable's name"),
        ({"env": '{"A": "\\ud800"}'}, "validation_error", "the value of A"),
        (
            {"assets": [("a.ts", b"const x = ;")], "script": b"import './a.ts';" + EMPTY},
            "invalid_script",
            "a.ts:1:",
        ),
    ],
)
def test_files_and_variables_that_are_wrong_are_refused(
    user: Client, change: dict[str, Any], code: str, words: str
) -> None:
    answer = user.post("/api/v1/tests", form=FORM | {"script": EMPTY} | change)
    assert (answer.status, answer["code"]) == (400, code)
    assert words in answer["error"]


def test_as_much_data_as_a_test_may_have_can_be_opened(user: Client) -> None:
    script = b"const text = open('a.csv'); export default function () { text.length; }"
    assets = [("a.csv", b"x" * ((10 << 20) - 1000))]
    assert is_accepted(user, FORM | {"script": script, "assets": assets})


def test_the_documented_form_has_the_fields(user: Client) -> None:
    paths = user.get("/openapi.json")["paths"]
    content = paths["/api/v1/tests"]["post"]["requestBody"]["content"]
    properties = content["multipart/form-data"]["schema"]["properties"]
    assert {"assets", "entry", "env"} <= set(properties)
    assert json.dumps(paths).count("/artifacts") >= 1

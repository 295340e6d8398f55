"""A Postman collection becomes a script that sends its requests, by folder."""

import base64
import json
from typing import Any

import pytest
from aiohttp import web
from conversions import converted, sent
from recorder import Received, recording

from fusillade.errors import ValidationFailed


def collection(items: list[Any], version: str = "2.1.0", **more: Any) -> str:
    schema = f"https://schema.getpostman.com/json/collection/v{version}/collection.json"
    return json.dumps({"info": {"name": "Shop", "schema": schema}, "item": items, **more})


def item(name: str, method: str, url: Any, *, tests: str = "", **request: Any) -> Any:
    script = {"listen": "test", "script": {"exec": tests.splitlines()}}
    return {
        "name": name,
        "event": [script] if tests else [],
        "request": {"method": method, "url": url, **request},
    }


async def test_folders_variables_bodies_and_status_checks_are_carried_over() -> None:
    def answer(received: Received) -> web.Response:
        return web.Response(status=201 if received.method == "POST" else 200)

    raw = {"mode": "raw", "options": {"raw": {"language": "json"}}}
    async with recording(answer) as server:
        items = [
            {
                "name": "Users",
                "item": [
                    item(
                        "Add",
                        "POST",
                        {"raw": "{{baseUrl}}/users"},
                        body={**raw, "raw": '{"name": "{{who}}",\n "password": "hunter2", "n": 1}'},
                        tests="pm.test('made', () => {\n  pm.response.to.have.status(201);\n});",
                    ),
                    item(
                        "Get",
                        "GET",
                        {
                            "raw": "{{baseUrl}}/users/:userId/{{who}}?q={{who}}&page=2",
                            "variable": [{"key": "userId", "value": "7"}],
                        },
                        header=[
                            {"key": "X-One", "value": "1"},
                            {"key": "X-Two", "value": "2", "disabled": True},
                        ],
                    ),
                ],
            },
            item(
                "Form",
                "POST",
                "{{baseUrl}}/form",
                body={
                    "mode": "urlencoded",
                    "urlencoded": [
                        {"key": "a", "value": "1 2"},
                        {"key": "b", "value": "3", "disabled": True},
                    ],
                },
            ),
            item(
                "Upload",
                "POST",
                "{{baseUrl}}/upload",
                body={
                    "mode": "formdata",
                    "formdata": [
                        {"key": "t", "value": "x", "type": "text"},
                        {"key": "f", "src": "/tmp/a.txt", "type": "file"},
                    ],
                },
            ),
            item(
                "Query",
                "POST",
                "{{baseUrl}}/graphql",
                body={"mode": "graphql", "graphql": {"query": "{ a }", "variables": '{"x": 1}'}},
            ),
            item("Number", "POST", "{{baseUrl}}/raw", body={**raw, "raw": '{"n": {{number}}}'}),
        ]
        variables = [
            {"key": "baseUrl", "value": "{{scheme}}://" + server.url.partition("://")[2]},
            {"key": "scheme", "value": "http"},
            {"key": "who", "value": "A B"},
            {"key": "number", "value": "5"},
        ]
        script = converted(collection(items, variable=variables))
        assert "hunter2" not in script
        run = await sent(script, {"PASSWORD": "pw"})
    assert server.lines() == [
        "POST /users",
        "GET /users/7/A%20B?q=A%20B&page=2",
        "POST /form",
        "POST /upload",
        "POST /graphql",
        "POST /raw",
    ]
    add, get, form, upload, graphql, number = server.received
    assert json.loads(add.body) == {"name": "A B", "password": "pw", "n": 1}
    assert add.headers["content-type"] == "application/json"
    assert get.headers["x-one"] == "1"
    assert "x-two" not in get.headers
    assert form.body == b"a=1+2"
    assert b'name="f"; filename="a.txt"' in upload.body
    assert json.loads(graphql.body) == {"query": "{ a }", "variables": {"x": 1}}
    assert number.body == b'{"n": 5}'
    checks = {(check.group, check.name): check.fails for check in run.summary.checks}
    assert checks[("Users", "Add: status is 201")] == 0
    assert not any(checks.values())
    assert "GET :baseUrl/users/:userId/:who" in script


@pytest.mark.parametrize("version", ["2.0.0", "2.1.0"])
async def test_each_request_has_the_authentication_of_its_folder_or_its_own(version: str) -> None:
    def auth(kind: str, **settings: str) -> Any:
        listed = [{"key": key, "value": value} for key, value in settings.items()]
        return {"type": kind, kind: settings if version == "2.0.0" else listed}

    async with recording() as server:
        url = server.url
        items = [
            item("Inherits", "GET", f"{url}/a"),
            item(
                "Own",
                "GET",
                f"{url.removeprefix('http://')}/b",
                auth=auth("basic", username="bob", password="hunter2"),
            ),
            item("None", "GET", f"{url}/c", auth={"type": "noauth"}),
            item(
                "Key",
                "GET",
                f"{url}/d?x=1",
                auth=auth("apikey", key="key", value="hunter3", **{"in": "query"}),
            ),
            item("Signed", "GET", f"{url}/e", auth=auth("awsv4", accessKey="x")),
        ]
        source = collection(items, version, auth=auth("bearer", token="{{userToken}}"))
        script = converted(source)
        assert "hunter" not in script
        assert "The authentication of 'Signed' (awsv4) is not carried over." in script
        await sent(script, {"USER_TOKEN": "t", "PASSWORD": "p", "KEY": "k"})
    inherits, own, none, key, signed = server.received
    assert inherits.headers["authorization"] == "Bearer t"
    assert own.headers["authorization"] == f"Basic {base64.b64encode(b'bob:p').decode()}"
    assert "authorization" not in none.headers
    assert key.target == "/d?x=1&key=k"
    assert "authorization" not in signed.headers


def test_what_a_test_script_does_beyond_checks_of_status_is_noted() -> None:
    tests = "pm.test('ok', () => pm.response.to.be.ok);\npm.environment.set('token', x);"
    script = converted(collection([item("Log in", "GET", "http://127.0.0.1/", tests=tests)]))
    assert "'Log in: status is 2xx': (r) => r.status >= 200 && r.status < 300" in script
    assert "The scripts of 'Log in' are more than checks of status" in script


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ([{"name": "x"}], r"source: item\[0\] has neither a 'request' nor an 'item'."),
        ([item("x", "GET", None)], r"source: item\[0\].request has no 'url'."),
        (
            [item("x", "GET", "http://h", body={"mode": "odd"})],
            r"source: item\[0\].request.body has the mode 'odd'",
        ),
    ],
)
def test_what_is_no_collection_is_told_with_its_place(items: list[Any], sentence: str) -> None:
    with pytest.raises(ValidationFailed, match=sentence):
        converted(collection(items))

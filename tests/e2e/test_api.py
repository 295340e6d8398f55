"""The REST API: shapes, scopes, errors."""

from typing import Any

import pytest
from client import Client
from platforms import Platform

SCRIPT = "export default function () { sleep(0.01); }"
UNKNOWN = "/api/v1/tests/550e8400-e29b-41d4-a716-446655440000"


def test_login_gives_a_token_and_its_user(platform: Platform) -> None:
    body = {"email": platform.email.upper(), "password": platform.password}
    answer = Client(platform.url).post("/api/v1/auth/login", body=body)
    assert answer.status == 200
    assert set(answer.body) == {"token", "user"}
    me = Client(platform.url, answer["token"]).get("/api/v1/me")
    assert me.body == answer["user"]
    assert (me["email"], me["role"]) == (platform.email, "owner")


@pytest.mark.parametrize("password", ["wrong", "", "x" * 100])
def test_a_wrong_password_is_invalid_auth(platform: Platform, password: str) -> None:
    body = {"email": platform.email, "password": password}
    answer = Client(platform.url).post("/api/v1/auth/login", body=body)
    assert (answer.status, answer["code"]) == (401, "invalid_auth")


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", "Basic abc", "Bearer fusi_unknown", "Bearer a.b.c"]
)
def test_without_a_valid_token_everything_is_invalid_auth(
    platform: Platform, authorization: str
) -> None:
    client = Client(platform.url)
    for method, path in (("GET", "/api/v1/me"), ("GET", "/api/v1/tests"), ("POST", "/api/v1/keys")):
        answer = client.call(method, path, headers={"Authorization": authorization}, body={})
        assert (answer.status, answer["code"]) == (401, "invalid_auth")


def test_a_key_has_the_fields_of_the_reference_and_works(platform: Platform, user: Client) -> None:
    body = {"name": "CI Agent", "scopes": ["test:create"]}
    answer = user.post("/api/v1/keys", body=body)
    assert answer.status == 201
    assert set(answer.body) == {"key", "id", "name", "scopes"}
    assert answer["key"].startswith("fusi_")
    assert (answer["name"], answer["scopes"]) == ("CI Agent", ["test:create"])
    assert Client(platform.url, answer["key"]).get("/api/v1/tests").status == 200


def test_scopes_are_hierarchical(platform: Platform) -> None:
    answers = {}
    for scope in ("full", "test:create", "test:read", "read"):
        client = Client(platform.url, platform.key(scope))
        answers[scope] = [
            client.get("/api/v1/tests").status,
            client.create("not JavaScript (").status,
            client.post("/api/v1/keys", body={"name": "x", "scopes": []}).status,
        ]
    assert answers == {
        "full": [200, 400, 400],
        "test:create": [200, 400, 403],
        "test:read": [200, 403, 403],
        "read": [200, 403, 403],
    }


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"name": None}, "validation_error", "name is missing"),
        ({"script": None}, "validation_error", "script is missing"),
        ({"workers": None}, "validation_error", "workers is missing"),
        ({"duration": None}, "validation_error", "duration is missing"),
        ({"workers": "many"}, "validation_error", "workers"),
        ({"workers": 0}, "validation_error", "workers"),
        ({"duration": -5}, "validation_error", "duration"),
        ({"workers": 10**9}, "worker_limit_exceeded", "up to"),
        ({"duration": 10**9}, "duration_limit_exceeded", "up to"),
        ({"region": "moon-1"}, "region_restricted", "moon-1"),
        ({"script": b"   "}, "validation_error", "empty"),
        ({"script": b"x" * ((1 << 20) + 1)}, "script_too_large", "1,048,576"),
        ({"script": b"export default function () {"}, "invalid_script", "test.js:1"),
        (
            {"script": b"export const options = {workers: 'x'}; export default () => {};"},
            "invalid_script",
            "options.workers",
        ),
        ({"script": b"throw new Error('at the top');"}, "invalid_script", "at the top"),
        ({"script": b"while (true) {}"}, "invalid_script", "did not end within 2 s"),
        ({"script": b"\xff\xfe"}, "invalid_script", "UTF-8"),
        ({"script": b"export const a = 1;"}, "invalid_script", "default export"),
    ],
)
def test_a_bad_creation_says_what_is_wrong_and_creates_nothing(
    user: Client, change: dict[str, Any], code: str, words: str
) -> None:
    before = user.get("/api/v1/tests")["total"]
    form = {"name": "Bad", "script": SCRIPT.encode(), "workers": 1, "duration": 1} | change
    answer = user.post("/api/v1/tests", form=form)
    assert answer["code"] == code
    assert words in answer["error"]
    assert answer.status in (400, 403)
    assert set(answer.body) == {"error", "code"}
    assert user.get("/api/v1/tests")["total"] == before


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", UNKNOWN, 404, "not_found"),
        ("GET", "/api/v1/tests/not-an-id", 400, "validation_error"),
        ("POST", f"{UNKNOWN}/start", 404, "not_found"),
        ("POST", f"{UNKNOWN}/stop", 404, "not_found"),
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("PUT", "/api/v1/tests", 405, "validation_error"),
        ("GET", "/api/v1/tests?limit=0", 400, "validation_error"),
        ("GET", "/api/v1/tests?cursor=abc", 400, "validation_error"),
    ],
)
def test_errors_have_the_documented_envelope(
    user: Client, method: str, path: str, status: int, code: str
) -> None:
    answer = user.call(method, path)
    assert (answer.status, answer["code"]) == (status, code)
    assert answer["error"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"name": "x", "scopes": ["root"]}', b"{}"])
def test_a_bad_body_is_a_validation_error(user: Client, body: bytes) -> None:
    answer = user.post("/api/v1/keys", body=body)
    assert (answer.status, answer["code"]) == (400, "validation_error")


def test_a_script_may_come_as_text_and_workers_as_vus(user: Client) -> None:
    form = {"name": "As text", "script": SCRIPT, "vus": 3, "duration": 1}
    created = user.post("/api/v1/tests", form=form)
    assert created.status == 201
    assert created["status"] == "provisioning"
    test = user.get(f"/api/v1/tests/{created['test_id']}")
    assert (test["workers"], test["duration_seconds"], test["region"]) == (3, 1, "eu-hel1")
    user.post(f"/api/v1/tests/{created['test_id']}/stop")


def test_the_list_is_newest_first_and_paginated(user: Client) -> None:
    ids = [user.create(SCRIPT, "")["test_id"] for _ in range(3)]
    for test_id in ids:
        user.post(f"/api/v1/tests/{test_id}/stop")
    first = user.get("/api/v1/tests?limit=2")
    assert [test["id"] for test in first["tests"]] == [ids[2], ids[1]]
    second = user.get(f"/api/v1/tests?limit=2&cursor={first['next_cursor']}")
    assert second["tests"][0]["id"] == ids[0]
    assert second["total"] >= 3


def test_states_change_only_as_documented(user: Client) -> None:
    test_id = user.create(SCRIPT)["test_id"]
    assert user.post(f"/api/v1/tests/{test_id}/stop")["status"] == "cancelled"
    for action in ("start", "stop"):
        answer = user.post(f"/api/v1/tests/{test_id}/{action}")
        assert (answer.status, answer["code"]) == (400, "invalid_state")
    assert user.get(f"/api/v1/tests/{test_id}")["reason"] == "Cancelled by a user."


def test_health_needs_no_token(platform: Platform) -> None:
    answer = Client(platform.url).get("/health")
    assert (answer.status, answer["status"]) == (200, "ok")


def test_all_parts_of_a_platform_are_well(user: Client) -> None:
    answer = user.get("/health/deep")
    assert answer.status == 200, answer.body
    assert answer["database"]["status"] == answer["ray"]["status"] == "ok"
    assert answer["ray"]["nodes"] == 1
    assert answer["ray"]["actors"] > 0
    assert answer["redis"]["status"] == "not used"
    assert answer["scheduler"]["status"] == answer["webhooks"]["status"] == "ok"

"""What is wrong with a script, without running it."""

import httpx

GOOD = "export default function () { http.get('https://api.example.com/health'); }"


async def _validate(owner: httpx.AsyncClient, script: str) -> dict[str, object]:
    answer = await owner.post("/api/v1/tests/validate", json={"script_content": script})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_good_script_is_valid(owner: httpx.AsyncClient) -> None:
    found = await _validate(owner, GOOD)
    assert found["valid"] is True
    assert found["problems"] == []
    assert found["target_urls"] == ["https://api.example.com"]


async def test_each_problem_has_its_place(owner: httpx.AsyncClient) -> None:
    found = await _validate(
        owner, "export default function () {\n  [1, 2].sort(() => sleep(1));\n}"
    )
    assert found["valid"] is False
    (problem,) = found["problems"]  # type: ignore[misc]
    assert (problem["line"], problem["severity"]) == (2, "error")  # type: ignore[index]
    assert problem["column"] > 0  # type: ignore[index]
    assert "sort" in problem["message"]  # type: ignore[index]


async def test_syntax_options_and_unknown_names_are_told(owner: httpx.AsyncClient) -> None:
    assert (await _validate(owner, "export default function ( {"))["valid"] is False
    wrong = await _validate(owner, "export const options = { workers: 'many' };\n" + GOOD)
    assert "options.workers" in str(wrong["problems"])
    unknown = await _validate(owner, "export default function () { fetch('/'); }")
    assert unknown["valid"] is True
    assert "'fetch' is not defined" in str(unknown["problems"])


async def test_a_script_may_come_as_a_form_with_its_files(owner: httpx.AsyncClient) -> None:
    files = [
        ("script", ("test.js", b"import { path } from './paths.js';\n" + GOOD.encode())),
        ("assets", ("paths.js", b"export const path = '/';")),
    ]
    answer = await owner.post("/api/v1/tests/validate", files=files)
    assert answer.json()["valid"] is True
    answer = await owner.post("/api/v1/tests/validate", files=files[:1])
    assert answer.json()["valid"] is False
    assert "./paths.js" in answer.json()["problems"][0]["message"]


async def test_a_request_without_a_script_is_a_validation_error(owner: httpx.AsyncClient) -> None:
    for body in ({}, {"script_content": ""}, {"script_content": 1}):
        answer = await owner.post("/api/v1/tests/validate", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

"""What clients see when something is wrong."""

import httpx


async def test_nothing_is_at_an_unknown_path(owner: httpx.AsyncClient) -> None:
    answer = await owner.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.json() == {"error": "There is nothing at /api/v1/nothing.", "code": "not_found"}


async def test_a_body_that_is_not_json_is_a_validation_error(owner: httpx.AsyncClient) -> None:
    answer = await owner.post(
        "/api/v1/keys", content="{", headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json() == {"error": "The body is not valid JSON.", "code": "validation_error"}

"""The schema at ``/openapi.json``."""

import httpx


async def test_every_operation_names_its_scope_and_its_errors(owner: httpx.AsyncClient) -> None:
    schema = (await owner.get("/openapi.json")).json()
    create = schema["paths"]["/api/v1/keys"]["post"]
    assert create["security"] == [{"bearer": ["full"]}]
    assert "Scope: `full`" in create["description"]
    described = {
        code
        for response in create["responses"].values()
        for content in response.get("content", {}).values()
        for code in content.get("examples", {})
    }
    assert described >= {"invalid_auth", "insufficient_scope", "validation_error", "rate_limited"}


async def test_no_operation_announces_a_422(owner: httpx.AsyncClient) -> None:
    schema = (await owner.get("/openapi.json")).json()
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert "422" not in operation["responses"]


async def test_an_email_with_a_nul_character_is_nobodys(owner: httpx.AsyncClient) -> None:
    body = {"email": "a\0@b.test", "password": "x"}
    answer = await owner.post("/api/v1/auth/login", json=body)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_auth")

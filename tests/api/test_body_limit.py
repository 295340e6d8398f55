"""Bodies that are too long."""

from collections.abc import AsyncIterator

import httpx
import pytest

MOST = 6 * (1 << 20) + (256 << 10)
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", ["/api/v1/templates", "/api/v1/schedules", "/api/v1/auth/login"])
async def test_a_body_longer_than_any_script_is_refused(
    owner: httpx.AsyncClient, path: str
) -> None:
    answer = await owner.post(path, content=b"x" * (MOST + 1), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "script_too_large")


async def test_reading_ends_where_a_body_of_unknown_length_gets_too_long(
    owner: httpx.AsyncClient,
) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10 * MOST:
            sent += 1 << 20
            yield b" " * (1 << 20)

    answer = await owner.post("/api/v1/templates", content=body(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "script_too_large")
    assert sent < 2 * MOST


async def test_the_longest_script_fits_however_it_is_escaped(owner: httpx.AsyncClient) -> None:
    script = "export default function () {}//"
    escaped = script + "\\u0061" * ((1 << 20) - len(script))
    body = f'{{"name": "a", "workers": 1, "duration_seconds": 1, "script_content": "{escaped}"}}'
    answer = await owner.post("/api/v1/templates", content=body, headers=JSON)
    assert answer.status_code == 201, answer.text

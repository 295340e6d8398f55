"""What tests of the API share besides the fixtures of ``tests/apis.py``."""

import httpx
import pytest
from apis import Api

from fusillade.storage.models import User


@pytest.fixture
async def user(api: Api, owner: httpx.AsyncClient) -> User:
    """Whom ``owner`` is logged in as."""
    async with api.store.session() as session:
        found = await session.get(User, (await owner.get("/api/v1/me")).json()["id"])
        assert found is not None
        return found

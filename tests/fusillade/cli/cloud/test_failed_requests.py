"""Failed requests of a test on a platform."""

from uuid import UUID, uuid4

import pytest
from apis import Api
from commands import fusillade
from failed import failed_request
from sqlalchemy import select
from stored import stored_test
from target import Target

from fusillade.storage import failures
from fusillade.storage.models import User


@pytest.fixture
async def test_id(api: Api, logged_in: str, target: Target) -> UUID:
    async with api.store.session() as session:
        user = (await session.scalars(select(User))).one()
    test = await stored_test(api.store, user)
    async with api.store.session() as session:
        record = failed_request(f"{target.url}/echo", headers={"X-A": "b"}, body="sent")
        await failures.save(session, test.id, [record])
    return test.id


async def test_the_failed_requests_of_a_test_are_exported_and_sent_again(
    test_id: UUID, target: Target
) -> None:
    done = await fusillade("export", str(test_id))
    assert (done.code, done.stderr) == (0, "")
    assert f"'{target.url}/echo'" in done.stdout
    done = await fusillade("replay", str(test_id))
    assert (done.code, done.stderr) == (0, "")
    assert "1 of 1 succeed now." in done.stdout


async def test_a_test_that_is_not_there_is_what_the_platform_says(logged_in: str) -> None:
    done = await fusillade("replay", str(uuid4()), "--json")
    assert done.code == 1
    assert done.json["code"] == "not_found"

"""Tests in the database: states change as documented, and of two that race one wins."""

import asyncio
from uuid import UUID, uuid4

import pytest

from fusillade.errors import InvalidState, NotFound, ValidationFailed
from fusillade.storage import accounts, artifacts, listing, tests
from fusillade.storage.database import Database
from fusillade.storage.models import Test


async def organisation(store: Database) -> UUID:
    async with store.session() as session:
        user = await accounts.create_organisation_with_owner(
            session, name="Org", email=f"{uuid4()}@example.com", password="password"
        )
        return user.organisation_id


async def new_test(store: Database, owner: UUID, name: str = "A test") -> UUID:
    async with store.session() as session:
        test = Test(
            organisation_id=owner,
            name=name,
            workers=1,
            duration_seconds=1,
            region="eu-hel1",
            entry="a.js",
            options={},
            warnings=[],
            target_urls=[],
        )
        await tests.create(session, test, {"a.js": b"code", "b.js": b"\x00\xff"})
        return test.id


async def move(store: Database, test_id: UUID, *states: str) -> None:
    for state in states:
        async with store.session() as session:
            await tests.transition(session, test_id, state)


WAYS = {
    "provisioning": (),
    "ready": ("ready",),
    "pending": ("ready", "pending"),
    "running": ("ready", "pending", "running"),
    "completed": ("ready", "pending", "running", "completed"),
    "failed": ("failed",),
    "stopped": ("ready", "pending", "running", "stopped"),
    "cancelled": ("cancelled",),
}
ALLOWED = {
    "provisioning": {"ready", "failed", "cancelled"},
    "ready": {"pending", "failed", "cancelled"},
    "pending": {"running", "failed", "cancelled"},
    "running": {"completed", "failed", "stopped"},
}


@pytest.mark.parametrize("state", WAYS)
async def test_only_documented_transitions_are_possible(store: Database, state: str) -> None:
    owner = await organisation(store)
    for target in set(WAYS) - {"provisioning"}:
        test_id = await new_test(store, owner)
        await move(store, test_id, *WAYS[state])
        if target in ALLOWED.get(state, ()):
            await move(store, test_id, target)
            continue
        with pytest.raises(InvalidState, match=f"The test is {state}"):
            await move(store, test_id, target)
        async with store.session() as session:
            assert (await tests.by_id(session, test_id)).status == state


async def test_a_race_for_a_transition_has_one_winner(store: Database) -> None:
    test_id = await new_test(store, await organisation(store))
    await move(store, test_id, "ready")
    results = await asyncio.gather(
        *(move(store, test_id, "pending") for _ in range(5)), return_exceptions=True
    )
    assert [type(result) for result in results].count(InvalidState) == 4


async def test_times_are_noted_with_the_states(store: Database) -> None:
    test_id = await new_test(store, await organisation(store))
    await move(store, test_id, "ready", "pending", "running", "completed")
    async with store.session() as session:
        test = await tests.by_id(session, test_id)
    times = [test.created_at, test.ready_at, test.started_at, test.finished_at]
    assert None not in times
    assert times == sorted(times)  # type: ignore[type-var]


async def test_another_organisations_test_is_not_found(store: Database) -> None:
    test_id = await new_test(store, await organisation(store))
    async with store.session() as session:
        with pytest.raises(NotFound):
            await tests.get(session, test_id, await organisation(store))


async def test_pages_do_not_shift_while_rows_are_added(store: Database) -> None:
    owner = await organisation(store)
    for number in range(7):
        await new_test(store, owner, f"old {number}")
    seen: list[str] = []
    cursor = None
    while True:
        async with store.session() as session:
            page = await listing.page(session, owner, limit=3, cursor=cursor)
        seen += [test.name for test in page.tests]
        await new_test(store, owner, "new")
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"old {number}" for number in reversed(range(7))]


@pytest.mark.parametrize("cursor", ["x", "bm8=", "W10=", "WzEsMl0="])
async def test_a_cursor_that_no_page_gave_is_a_validation_error(
    store: Database, cursor: str
) -> None:
    async with store.session() as session:
        with pytest.raises(ValidationFailed, match="cursor"):
            await listing.page(session, uuid4(), limit=1, cursor=cursor)


async def test_files_and_series_come_back_as_they_were(store: Database) -> None:
    test_id = await new_test(store, await organisation(store))
    async with store.session() as session:
        assert await tests.files(session, test_id) == {"a.js": b"code", "b.js": b"\x00\xff"}
        await tests.save_series(session, test_id, [{"second": 0}])
        await tests.save_series(session, test_id, [{"second": 0, "rps": 1}])
    async with store.session() as session:
        assert await tests.series(session, test_id) == [{"second": 0, "rps": 1}]


async def test_unfinished_tests_are_found_after_a_restart(store: Database) -> None:
    owner = await organisation(store)
    waiting = await new_test(store, owner)
    ended = await new_test(store, owner)
    await move(store, ended, "cancelled")
    async with store.session() as session:
        assert list(await tests.active_names(session)) == [waiting]


async def test_artifacts_are_replaced_as_a_whole(store: Database) -> None:
    test_id = await new_test(store, await organisation(store))
    for saved in ({"a.html": "<p>", "b/ż.txt": "żółć"}, {"b/ż.txt": "żół", "c.txt": ""}):
        async with store.session() as session:
            await artifacts.save(session, test_id, saved)
    async with store.session() as session:
        assert await artifacts.sizes(session, test_id) == [("b/ż.txt", 6), ("c.txt", 0)]
        assert (await artifacts.content(session, test_id, "b/ż.txt")).decode() == "żół"
        with pytest.raises(NotFound, match=r"no artifact a\.html"):
            await artifacts.content(session, test_id, "a.html")
        assert await artifacts.sizes(session, uuid4()) == []


async def test_text_of_any_kind_can_be_stored(store: Database) -> None:
    owner = await organisation(store)
    test_id = await new_test(store, owner, name="a\0b\ud800")
    texts = ["\0", "\ud800", "\\u0000", "\\\0", "😀ż", "\\\\"]
    async with store.session() as session:
        test = await tests.get(session, test_id, owner)
        test.summary = {"log": texts, "\0key": 1}
        test.reason = "why\0"
    async with store.session() as session:
        test = await tests.get(session, test_id, owner)
        assert (test.name, test.reason) == ("a\ufffdb?", "why\ufffd")
        assert test.summary == {
            "log": ["\ufffd", "?", "\\u0000", "\\\ufffd", "😀ż", "\\\\"],
            "\ufffdkey": 1,
        }
        with pytest.raises(NotFound):
            await artifacts.content(session, test_id, "\0")

"""The minutes of tests: by months in UTC, and what is charged."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from stored import stored_test

from fusillade import quota
from fusillade.errors import QuotaExceeded
from fusillade.settings import Settings
from fusillade.storage import accounts, usage
from fusillade.storage.database import Database
from fusillade.storage.models import Test, User
from fusillade.storage.usage import Taken

START = datetime(2026, 1, 31, 23, 50, tzinfo=UTC)
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture
async def user(store: Database) -> User:
    async with store.session() as session:
        return await accounts.create_organisation_with_owner(
            session, name="Org", email=f"{uuid4()}@example.com", password="password"
        )


async def reserved(store: Database, user: User, now: datetime = START, **fields: Any) -> Test:
    """A test of ten minutes, within 15 minutes a month."""
    test = await stored_test(store, user, **({"duration_seconds": 600} | fields))
    async with store.session() as session:
        await usage.reserve(session, test, 15, now)
    return test


async def taken(store: Database, user: User, month: date) -> Taken:
    async with store.session() as session:
        return await usage.of_month(session, user.organisation_id, month)


async def test_each_month_has_its_own_minutes(store: Database, user: User) -> None:
    test = await reserved(store, user, started_at=START, finished_at=START + timedelta(minutes=20))
    with pytest.raises(QuotaExceeded, match="5 are left, and this test needs 10"):
        await reserved(store, user, START + timedelta(minutes=9))
    await reserved(store, user, START + timedelta(minutes=10))
    async with store.session() as session:
        await usage.settle(session, test)  # it ended in February, and was January's
    assert await taken(store, user, JANUARY) == Taken(used=600, reserved=0)
    assert await taken(store, user, FEBRUARY) == Taken(used=0, reserved=600)


def test_months_are_those_of_utc() -> None:
    in_tokyo = datetime(2026, 2, 1, 8, 59, tzinfo=timezone(timedelta(hours=9)))
    assert usage.month_of(in_tokyo) == JANUARY
    assert usage.month_of(in_tokyo + timedelta(minutes=1)) == FEBRUARY


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"finished_at": START + timedelta(seconds=10.2)}, 11),
        ({"finished_at": START + timedelta(seconds=700)}, 600),
        ({"finished_at": START + timedelta(seconds=100), "paused_seconds": 40.0}, 60),
        (
            {
                "finished_at": START + timedelta(seconds=100),
                "paused_seconds": 40.0,
                "paused_at": (START + timedelta(seconds=90)).timestamp(),
            },
            50,
        ),
        ({"started_at": None, "finished_at": START + timedelta(seconds=100)}, 0),
        ({"finished_at": START - timedelta(seconds=1)}, 0),
        ({"finished_at": None}, 30),
        ({"started_at": None, "finished_at": None}, 0),
    ],
)
async def test_a_test_is_charged_for_what_it_ran_and_never_for_more_than_it_reserved(
    store: Database, user: User, fields: dict[str, Any], seconds: int
) -> None:
    test = await reserved(store, user, **({"started_at": START} | fields))
    for later in (30, 60):  # the second time changes nothing
        async with store.session() as session:
            await usage.settle(session, test, START + timedelta(seconds=later))
    assert await taken(store, user, JANUARY) == Taken(used=seconds, reserved=0)


async def test_a_quota_ends_with_the_month_also_in_december(store: Database, user: User) -> None:
    async with store.session() as session:
        found = await quota.look(
            session, user.organisation_id, Settings(), datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
        )
    assert (found.start, found.end) == (
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    )

"""What fires and what is missed, judged by a reading of the fields second by second."""

import functools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from clocks import Simulated, at
from hypothesis import given
from hypothesis import strategies as st

from fusillade import cron
from fusillade.scheduling.due import MOST_MISSED, due
from fusillade.storage import firings
from fusillade.storage.database import Database

START = at("2026-02-06T11:58:00Z")


def values(highest: int) -> st.SearchStrategy[set[int]]:
    return st.sets(st.integers(0, highest), min_size=1, max_size=4)


def named(seconds: set[int], minutes: set[int], length: int) -> list[datetime]:
    """The instants in so many seconds after the start at which these fields fit."""
    every = (START + timedelta(seconds=n) for n in range(1, length + 1))
    return [time for time in every if time.second in seconds and time.minute in minutes]


@given(
    values(59),
    st.sets(st.integers(0, 10) | st.integers(58, 59), min_size=1),
    st.lists(st.integers(0, 200), min_size=1, max_size=8),
    st.integers(0, 200),
)
def test_whenever_it_looks_each_time_is_fired_or_missed_once(
    seconds: set[int], minutes: set[int], pauses: list[int], grace: int
) -> None:
    expression = f"{','.join(map(str, seconds))} {','.join(map(str, minutes))} * * * * *"
    times = named(seconds, minutes, sum(pauses))
    now, following = START, next(cron.times(expression, "UTC", START))
    handled: list[datetime] = []
    for pause in pauses:
        now += timedelta(seconds=pause)
        come = [time for time in times if time <= now and time not in handled]
        assert (following <= now) == bool(come)
        if not come:
            continue
        found = due(expression, "UTC", following, now, timedelta(seconds=grace))
        is_late = (now - come[-1]).total_seconds() > grace
        assert found.fires == (None if is_late else come[-1])
        missed = come if is_late else come[:-1]
        assert [one.instant for one in found.missed] == missed
        for one in found.missed:
            too_late = (now - one.instant).total_seconds() > grace
            assert (" s late, " in one.message) == too_late
        handled += come
        assert found.following is not None
        following = found.following
        assert following > now
    assert handled == times


def test_of_very_many_missed_times_the_first_are_listed_and_the_last_is_fired() -> None:
    now = START + timedelta(days=365)
    found = due("* * * * * * *", "UTC", START, now, timedelta(minutes=5))
    assert found.fires == now
    assert found.following == now + timedelta(seconds=1)
    instants = [one.instant for one in found.missed]
    assert instants == [START + timedelta(seconds=n) for n in range(MOST_MISSED)]
    assert "not listed" in found.missed[-1].message
    assert not any("not listed" in one.message for one in found.missed[:-1])


def test_a_schedule_whose_years_are_over_is_due_no_more() -> None:
    last = at("2026-12-31T23:59:59Z")
    found = due("59 59 23 31 12 * 2026", "UTC", last, last, timedelta(0))
    assert (found.fires, found.missed, found.following) == (last, [], None)


@pytest.mark.parametrize("late", [0, 1, 299, 300])
def test_a_time_may_be_as_late_as_the_grace(late: int) -> None:
    now = START + timedelta(seconds=late)
    found = due("0 58 11 * * * *", "UTC", START, now, timedelta(seconds=300))
    assert (found.fires, found.missed) == (START, [])


# ---- a year --------------------------------------------------------------------------------------

ZONES = ["Europe/Helsinki", "America/New_York", "Australia/Lord_Howe"]
"""Clocks change by an hour at 3, by an hour at 2, by half an hour at 2."""


@functools.cache
def half_hours(zone: str, *, changes_only: bool = False) -> list[datetime]:
    """The instants of 01:00, 01:30 ... 03:30, or what stands for them, on all days of 2026, or on
    the Sundays of months in which clocks change: read off a clock of the zone, half an hour after
    the other."""
    begin = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    first: dict[datetime, datetime] = {}
    for number in range(365 * 48):
        instant = begin + timedelta(minutes=30 * number)
        first.setdefault(instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None), instant)
    found = set()
    for day in (datetime(2026, 1, 1) + timedelta(days=n) for n in range(365)):
        for half_hour in range(2, 8):
            wall = day + timedelta(minutes=30 * half_hour)
            while wall not in first:
                wall += timedelta(minutes=30)
            if not changes_only or (day.weekday() == 6 and day.month in (3, 4, 10, 11)):
                found.add(first[wall])
    return sorted(found)


def test_the_clocks_of_these_zones_change_in_the_year() -> None:
    assert [len(half_hours(zone)) for zone in ZONES] == [2189, 2188, 2189]


@pytest.mark.parametrize("zone", ZONES)
def test_in_a_year_each_time_comes_once_also_where_clocks_change(zone: str) -> None:
    expression = "0 */30 1-3 * * * 2026"
    instant = cron.next_times(expression, zone, at("2025-12-30T00:00Z"), 1)[0]
    fired = []
    following: datetime | None = instant
    while following is not None:
        found = due(expression, zone, following, following, timedelta(0))
        assert (found.fires, found.missed) == (following, [])
        fired.append(following)
        following = found.following
    assert fired == half_hours(zone)


async def test_a_year_of_three_zones_is_claimed_in_its_order_and_each_time_once(
    store: Database,
) -> None:
    simulated = await Simulated.new(store, at("2025-12-30T00:00Z"))
    expression = "0 */30 1-3 * Mar,Apr,Oct,Nov Sun 2026"
    schedules = [await simulated.schedule(expression, zone) for zone in ZONES]
    claimed: list[firings.Key] = []
    async with store.session() as session:
        while (now := await firings.next_time(session)) is not None:
            claimed += (await firings.claim(session, now, timedelta(0), 10)).pending
    for zone, schedule in zip(ZONES, schedules, strict=True):
        times = [key.fire_time for key in claimed if key.schedule_id == schedule.id]
        assert times == half_hours(zone, changes_only=True)
    assert [key.fire_time for key in claimed] == sorted(key.fire_time for key in claimed)

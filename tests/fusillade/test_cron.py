"""The times that a cron expression names, judged by another reading of its fields."""

import functools
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusillade import cron
from fusillade.errors import ValidationFailed

# Friday noon before a night in which clocks change; 30 minutes on Lord Howe, at midnight in Chile.
NOONS = {
    "UTC": ["2026-02-27"],
    "Europe/Helsinki": ["2026-03-28", "2026-10-24"],
    "America/New_York": ["2026-03-07", "2026-10-31"],
    "Australia/Lord_Howe": ["2026-04-04", "2026-10-03"],
    "America/Santiago": ["2026-04-04", "2026-09-05"],
}
NIGHTS = [(zone, day) for zone, days in NOONS.items() for day in days]


def after(zone: str, day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=ZoneInfo(zone))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# ---- an independent reading ----------------------------------------------------------------------

Item = tuple[str, set[int]]
"""What is written, and what it means."""


def items(
    lowest: int, highest: int, names: str = "", first_of_all: int | None = None
) -> st.SearchStrategy[Item]:
    """One item of a field; the field's own range begins with ``first_of_all``."""
    words = names.split()
    begin = lowest if first_of_all is None else first_of_all
    everything = list(range(lowest, highest + 1))

    def written(number: int, as_name: bool) -> str:
        return words[number - lowest] if as_name and words else str(number)

    @st.composite
    def item(draw: st.DrawFn) -> Item:
        form = draw(st.sampled_from(["*", "*/n", "a", "a-b", "a-b/n", "a/n"]))
        first, last = sorted(draw(st.tuples(*[st.sampled_from(everything)] * 2)))
        step = draw(st.integers(1, highest - lowest + 1))
        names = draw(st.booleans())
        a, b = written(first, names), written(last, names)
        return {
            "*": ("*", set(everything)),
            # Steps count from the beginning of the field; the years' lies before the ones here.
            "*/n": (f"*/{step}", {n for n in everything if (n - begin) % step == 0}),
            "a": (a, {first}),
            "a-b": (f"{a}-{b}", {n for n in everything if first <= n <= last}),
            "a-b/n": (
                f"{a}-{b}/{step}",
                {n for n in everything if first <= n <= last and (n - first) % step == 0},
            ),
            "a/n": (
                f"{a}/{step}",
                {n for n in everything if n >= first and (n - first) % step == 0},
            ),
        }[form]

    return item()


def fields(*kind: Any) -> st.SearchStrategy[Item]:
    """A list of one or two items; often just ``*``."""
    lists = st.lists(items(*kind), min_size=1, max_size=2).map(
        lambda found: (",".join(text for text, _ in found), set().union(*(v for _, v in found)))
    )
    return st.just(("*", set(range(kind[0], kind[1] + 1)))) | lists


EXPRESSIONS = st.tuples(
    st.integers(0, 59).map(lambda second: (str(second), {second})),
    fields(0, 59),
    fields(0, 23),
    fields(1, 31),
    fields(1, 12, "Jan feb MAR Apr May Jun Jul Aug Sep Oct Nov Dec"),
    fields(0, 6, "Sun mon TUE Wed Thu Fri Sat"),
    fields(2024, 2028, "", 1970),
)


@functools.cache
def nights(zone: str, day: str) -> tuple[list[datetime], dict[datetime, datetime]]:
    """All minutes of the wall clock in two days, and the first instant of those that exist."""
    begin = after(zone, day)
    first: dict[datetime, datetime] = {}
    for minute in range(2 * 24 * 60):
        instant = begin.astimezone(UTC) + timedelta(minutes=minute)
        first.setdefault(instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0), instant)
    start, end = min(first), max(first)
    length = int((end - start).total_seconds()) // 60
    return [start + timedelta(minutes=n) for n in range(length + 1)], first


def expected(meaning: list[set[int]], zone: str, day: str) -> list[datetime]:
    """The instants that these fields name, one wall-clock minute after the other."""
    seconds, minutes, hours, days, months, weekdays, years = meaning
    (second,) = seconds
    walls, first = nights(zone, day)
    found: list[datetime] = []
    for position, wall in enumerate(walls):
        by_day, by_weekday = wall.day in days, (wall.weekday() + 1) % 7 in weekdays
        both = len(days) < 31 and len(weekdays) < 7
        fits = (by_day or by_weekday) if both else (by_day and by_weekday)
        if not (fits and wall.minute in minutes and wall.hour in hours):
            continue
        if not (wall.month in months and wall.year in years):
            continue
        if wall in first:
            instant = first[wall] + timedelta(seconds=second)
        else:
            instant = next(first[later] for later in walls[position:] if later in first)
        if instant > after(zone, day) and instant not in found:
            found.append(instant)
    return sorted(found)


@given(EXPRESSIONS, st.sampled_from(NIGHTS), st.integers(0, 2 * 24 * 3600))
def test_the_times_are_those_that_the_fields_name(
    expression: tuple[Item, ...], night: tuple[str, str], seconds: int
) -> None:
    text = " ".join(written for written, _ in expression)
    zone, day = night
    start = after(zone, day).astimezone(UTC) + timedelta(seconds=seconds)
    # A gap at the very end of the two days would be one whose end is not seen.
    end = after(zone, day).astimezone(UTC) + timedelta(hours=46)
    due = expected([values for _, values in expression], zone, day)
    found = cron.next_times(text, zone, start, 20)
    assert [t for t in found if t < end] == [t for t in due if start < t < end][:20]


@given(EXPRESSIONS, st.sampled_from(NIGHTS), st.integers(0, 2 * 24 * 3600), st.integers(0, 7200))
def test_the_last_time_is_the_last_of_all_that_have_been(
    expression: tuple[Item, ...], night: tuple[str, str], seconds: int, length: int
) -> None:
    text = " ".join(written for written, _ in expression)
    zone, day = night
    begin = after(zone, day).astimezone(UTC) + timedelta(seconds=seconds)
    end = begin + timedelta(seconds=length)
    been = itertools.takewhile(lambda time: time <= end, cron.times(text, zone, begin))
    assert cron.last_time(text, zone, begin, end) == max(been, default=None)


# ---- by example ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("0 0 2 * * * *", ["2026-02-07T02:00Z", "2026-02-08T02:00Z"]),
        ("0 0 */6 * * * *", ["2026-02-06T18:00Z", "2026-02-07T00:00Z"]),
        ("0 0 9 * * Mon *", ["2026-02-09T09:00Z", "2026-02-16T09:00Z"]),
        ("0 0 0 1 * * *", ["2026-03-01T00:00Z", "2026-04-01T00:00Z"]),
        ("15,45 30 8-9 * Jan-Mar/2 Tue,Thu 2026/2", ["2026-03-03T08:30:15Z", "2026-03-03T08:30:45Z"]),
        ("0 0 12 29 2 * *", ["2028-02-29T12:00Z", "2032-02-29T12:00Z"]),
        ("0 0 0 13 * Fri *", ["2026-02-13T00:00Z", "2026-02-20T00:00Z"]),
        ("0 0 0 ? * sat-sun *", ["2026-02-07T00:00Z", "2026-02-08T00:00Z"]),
        ("0 0 0 * * 7 *", ["2026-02-08T00:00Z", "2026-02-15T00:00Z"]),
        ("0 0 0 1 1 * 2098-2099", ["2098-01-01T00:00Z", "2099-01-01T00:00Z"]),
        ("0 0 0 1 1 * 2099", ["2099-01-01T00:00Z"]),
        ("0 0 0 1 1 * 2020", []),
        ("0 0 0 31 2 * *", []),
    ],
)  # fmt: skip
def test_an_expression_names_these_times(expression: str, times: list[str]) -> None:
    found = cron.next_times(expression, "UTC", at("2026-02-06T12:00Z"), 2)
    assert found == [at(time) for time in times]


def test_a_time_that_does_not_exist_fires_at_the_first_instant_after() -> None:
    found = cron.next_times("0 30 3 * * * *", "Europe/Helsinki", at("2026-03-28T12:00Z"), 2)
    assert found == [at("2026-03-29T01:00Z"), at("2026-03-30T00:30Z")]


def test_a_time_that_exists_twice_fires_once() -> None:
    found = cron.next_times("0 30 3 * * * *", "Europe/Helsinki", at("2026-10-24T12:00Z"), 2)
    assert found == [at("2026-10-25T00:30Z"), at("2026-10-26T01:30Z")]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "seven fields"),
        ("0 2 * * *", "seven fields.* it has 5"),
        ("0 0 2 * * * * *", "it has 8"),
        ("60 0 2 * * * *", "sec: 60 is out of range; it takes 0 to 59"),
        ("0 60 2 * * * *", "min: 60"),
        ("0 0 24 * * * *", "hour: 24"),
        ("0 0 2 0 * * *", "day_of_month: 0"),
        ("0 0 2 32 * * *", "day_of_month: 32"),
        ("0 0 2 * 13 * *", "month: 13"),
        ("0 0 2 * Foo * *", "month: there is no 'foo'; it takes 1 to 12 or Jan to Dec"),
        ("0 0 2 * * 8 *", "day_of_week: 8"),
        ("0 0 2 * * Monday *", "day_of_week: there is no 'monday'"),
        ("0 0 2 * * * 1969", "year: 1969"),
        ("0 0 2 * * * 2100", "year: 2100"),
        ("0 */0 2 * * * *", "min: the step"),
        ("0 30-10 2 * * * *", "min: '30-10' ends before it begins"),
        ("0 ,5 2 * * * *", "min: cannot read ''"),
        ("0 -5 2 * * * *", "min: cannot read"),
        ("0 1.5 2 * * * *", "min: cannot read"),
        ("? 0 2 * * * *", "sec: cannot read"),
        ("0 0 2 L * * *", "day_of_month: there is no 'l'"),
        ("0 0 2 * * Mon#1 *", "day_of_week: cannot read"),
        ("0 H 2 * * * *", "min: there is no 'h'"),
        ("0 ٣ 2 * * * *", "min"),
        ("0 0 2 * * * " + "1" * 600, "500 characters"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_field_and_what_would_be_right(
    expression: str, words: str
) -> None:
    with pytest.raises(ValidationFailed, match=words):
        cron.check(expression)


@given(st.text("0123456789*/-,?LW# \x00é٣monjan", max_size=40) | st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        cron.check(text)
    except ValidationFailed:
        return
    assert len(cron.next_times(text, "UTC", at("2026-02-06T12:00Z"), 3)) <= 3


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Helsinki", "America/Argentina/Ushuaia"])
def test_a_time_zone_of_the_database_is_taken(timezone: str) -> None:
    cron.check_timezone(timezone)


@pytest.mark.parametrize(
    "timezone", ["", "Mars/Phobos", "../etc/passwd", "America", "/UTC", "\x00", "localtime"]
)
def test_any_other_time_zone_is_refused(timezone: str) -> None:
    with pytest.raises(ValidationFailed, match="there is no time zone"):
        cron.check_timezone(timezone)

"""Cron expressions in seven fields, ``sec min hour day_of_month month day_of_week year``, and the
instants that they name in a time zone.

The fields name times of the wall clock. Where the clocks are put forward, a time that does not
exist stands for the first instant after the gap; where they are put back, a time that exists twice
stands for its first instant. So each time of the wall clock fires once, and times that fall on one
instant fire once together.

As in cron, where both the day of month and the day of week restrict, a day that fits either will
do. A field that lists all its values restricts nothing, as ``*`` does.
"""

import functools
import itertools
import re
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from fusillade.errors import ValidationFailed

_MOST_CHARACTERS = 500
_FIRST_YEAR, _LAST_YEAR = 1970, 2099
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM = re.compile(
    r"(?P<all>[*?])(?:/(?P<every>\d+))?"
    r"|(?P<first>\d+|[a-z]+)(?:-(?P<last>\d+|[a-z]+))?(?:/(?P<step>\d+))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the seven: its name in messages, and what it may hold."""

    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()
    """Words for the numbers from ``lowest`` on."""


_FIELDS = (
    _Field("sec", 0, 59),
    _Field("min", 0, 59),
    _Field("hour", 0, 23),
    _Field("day_of_month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day_of_week", 0, 7, _DAYS),
    _Field("year", _FIRST_YEAR, _LAST_YEAR),
)
_DAY_OF_WEEK = 5


def check(expression: str) -> None:
    """Raises :class:`ValidationFailed` naming the field that is wrong, and what would be right."""
    _normal(expression)


def check_timezone(timezone: str) -> None:
    """Raises :class:`ValidationFailed` unless the time zone database has it."""
    if timezone not in _timezones():
        raise ValidationFailed(
            f"timezone: there is no time zone '{_shown(timezone)}'; write it as UTC or "
            "Europe/Helsinki."
        )


@functools.cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def next_times(expression: str, timezone: str, after: datetime, count: int) -> list[datetime]:
    """The first ``count`` instants after ``after``, in UTC; fewer if the years end before.

    Raises :class:`ValidationFailed` as :func:`check` and :func:`check_timezone` do.
    """
    return list(itertools.islice(times(expression, timezone, after), count))


def last_time(expression: str, timezone: str, after: datetime, until: datetime) -> datetime | None:
    """The last instant after ``after`` and not after ``until``, in UTC; None if there is none.

    Reads backwards from ``until``, so that a long time costs little. Raises what
    :func:`next_times` does.
    """
    back = timedelta(seconds=1)
    while True:
        begin = max(after, until - back)
        found = None
        for instant in times(expression, timezone, begin):
            if instant > until:
                break
            found = instant
        if found is not None or begin == after:
            return found
        back *= 2


def times(expression: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """All instants after ``after``, in UTC.

    Raises :class:`ValidationFailed` as :func:`check` and :func:`check_timezone` do.
    """
    check_timezone(timezone)
    zone = ZoneInfo(timezone)
    latest = after.astimezone(UTC)
    wall = _last_passed(latest, zone)
    clock = croniter(
        _normal(expression),
        wall,
        second_at_beginning=True,
        max_years_between_matches=_LAST_YEAR - _FIRST_YEAR,
    )
    while True:
        try:
            wall = clock.get_next(datetime)
        except CroniterBadDateError:
            return
        instant = wall.replace(tzinfo=zone).astimezone(UTC)
        there = instant.astimezone(zone).replace(tzinfo=None)
        if there != wall:
            instant, there = _after_gap(wall, zone)
            clock.set_current(there)
        if instant > latest:
            yield instant
            latest = instant


def _last_passed(instant: datetime, zone: ZoneInfo) -> datetime:
    """The last time of the wall clock that has been, or will never be, at ``instant``."""
    local = instant.astimezone(zone)
    wall = local.replace(tzinfo=None, fold=0)
    if not local.fold:
        return wall
    # All that the clock shows until it has caught up has been before.
    minute = wall.replace(second=0, microsecond=0)
    while _is_ambiguous(minute, zone):
        minute += timedelta(minutes=1)
    return minute - timedelta(microseconds=1)


def _is_ambiguous(wall: datetime, zone: ZoneInfo) -> bool:
    first = wall.replace(tzinfo=zone, fold=0).utcoffset()
    second = wall.replace(tzinfo=zone, fold=1).utcoffset()
    assert first is not None
    assert second is not None
    return first > second


def _after_gap(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first instant after the gap that ``wall`` lies in, in UTC and on the wall clock."""
    # fold=0 reads a time in a gap by the offset before it, fold=1 by the offset after it: the
    # first lies after the change, the second before it.
    late = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset = late.astimezone(zone).utcoffset()
    # Changes are at whole seconds; halve the time between until it is that second.
    before, after = int(early.timestamp()), int(late.timestamp())
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    instant = datetime.fromtimestamp(after, UTC)
    return instant, instant.astimezone(zone).replace(tzinfo=None)


@functools.lru_cache(maxsize=1024)
def _normal(expression: str) -> str:
    """The expression with numbers only: each field ``*`` or a list."""
    parts = expression.split()
    if len(parts) != len(_FIELDS) or len(expression) > _MOST_CHARACTERS:
        raise ValidationFailed(
            "cron_expression must have seven fields, sec min hour day_of_month month day_of_week "
            f"year, such as 0 0 2 * * * *; it has {len(parts)}."
            if len(expression) <= _MOST_CHARACTERS
            else f"cron_expression has more than {_MOST_CHARACTERS} characters."
        )
    fields = []
    for position, (part, field) in enumerate(zip(parts, _FIELDS, strict=True)):
        values = set(_values(part, field))
        highest = field.highest
        if position == _DAY_OF_WEEK:
            values = {value % 7 for value in values}
            highest = 6
        is_all = len(values) == highest - field.lowest + 1
        fields.append("*" if is_all else ",".join(map(str, sorted(values))))
    return " ".join(fields)


def _values(text: str, field: _Field) -> Iterator[int]:
    """All values of a field. Raises :class:`ValidationFailed`."""
    for item in text.lower().split(","):
        found = _ITEM.fullmatch(item)
        if found is None or (found["all"] == "?" and not field.name.startswith("day_")):
            raise _wrong(field, f"cannot read '{_shown(item)}'")
        step = found["every"] or found["step"]
        if step is not None and (len(step) > 4 or int(step) == 0):
            raise _wrong(field, f"the step of '{_shown(item)}' must be from 1 to 9999")
        if found["all"] is not None:
            first, last = field.lowest, field.highest - (field.name == "day_of_week")
        else:
            first = _number(found["first"], field)
            if found["last"] is not None:
                last = _number(found["last"], field)
                if field.name == "day_of_week" and last == 0 < first:
                    last = 7  # Sunday ends a week as well as it begins one
            else:
                last = first if step is None else field.highest - (field.name == "day_of_week")
        if first > last:
            raise _wrong(field, f"'{_shown(item)}' ends before it begins")
        yield from range(first, last + 1, int(step or 1))


def _number(text: str, field: _Field) -> int:
    if text in field.names:
        return field.lowest + field.names.index(text)
    if not text.isdecimal():
        raise _wrong(field, f"there is no '{_shown(text)}'")
    if len(text) > 4 or not field.lowest <= int(text) <= field.highest:
        raise _wrong(field, f"{_shown(text)} is out of range")
    return int(text)


def _wrong(field: _Field, problem: str) -> ValidationFailed:
    right = f"{field.lowest} to {field.highest}"
    if field.names:
        right += f" or {field.names[0].title()} to {field.names[-1].title()}"
    return ValidationFailed(
        f"cron_expression: {field.name}: {problem}; it takes {right}, ranges (a-b), steps (*/n) "
        "and lists (a,b)."
    )


def _shown(text: str) -> str:
    return re.sub(r"[^ -~]", "?", text[:40])

"""Which of the instants that have come are fired, and which were missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fusillade import cron

MOST_MISSED = 100
"""How many missed instants of a schedule are listed at a time."""


@dataclass(frozen=True, slots=True)
class Missed:
    """An instant at which nothing was fired, and why."""

    instant: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Due:
    """What there is to do for a schedule whose time has come. Instants are UTC."""

    fires: datetime | None
    """At most one, however many have come: nobody wants a night's tests all at once in the
    morning."""
    missed: Sequence[Missed]
    """All others that have come, oldest first; of very many the first ones."""
    following: datetime | None
    """The first that is still to come; None if there is none."""


def due(expression: str, timezone: str, first: datetime, now: datetime, grace: timedelta) -> Due:
    """What to do at ``now`` for a schedule that was due at ``first``, which has come.

    The last instant that has come fires, unless it is older than ``grace``. Raises
    ``ValidationFailed`` for times that cannot be read.
    """
    come = [first]
    following = None
    for instant in cron.times(expression, timezone, first):
        if instant > now:
            following = instant
            break
        if len(come) > MOST_MISSED:
            return _very_many(expression, timezone, come, now, grace)
        come.append(instant)
    fires = come.pop() if now - come[-1] <= grace else None
    return Due(fires, _missed(come, now, grace), following)


def _very_many(
    expression: str, timezone: str, come: list[datetime], now: datetime, grace: timedelta
) -> Due:
    """The same without a look at each: ``come`` are the first of them."""
    listed = _missed(come[:MOST_MISSED], now, grace)
    last = cron.last_time(expression, timezone, come[-1], now) or come[-1]
    fires = last if now - last <= grace else None
    more = "Times after this one were missed as well, which are not listed."
    listed[-1] = Missed(listed[-1].instant, f"{listed[-1].message} {more}")
    following = next(cron.times(expression, timezone, now), None)
    return Due(fires, listed, following)


def _missed(instants: Sequence[datetime], now: datetime, grace: timedelta) -> list[Missed]:
    found = []
    for instant in instants:
        late = now - instant
        if late > grace:
            message = too_late(late, grace)
        else:
            message = "A later time of the schedule had come as well, and was fired instead."
        found.append(Missed(instant, message))
    return found


def too_late(late: timedelta, grace: timedelta) -> str:
    """Why an instant is missed that is as late as that."""
    return (
        f"The scheduler came to it {late.total_seconds():.0f} s late, and makes up for no more "
        f"than {grace.total_seconds():g} s."
    )

"""What a test waits for before it is ready, and its place among those that wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fusillade.posts import Post, in_words
from fusillade.storage.models import Test


@dataclass(frozen=True, slots=True)
class Reservation:
    """The machines that the cluster has for one test."""

    is_complete: bool
    placed: frozenset[int]
    """The posts that have a machine, by their index."""
    is_refused: bool = False
    """Whether no machine will be started for the others: there are as many as there may be. Who
    comes later stands behind it, or a smaller test would take the place that becomes free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionQueue:
    """What a test waits for in one of its regions."""

    region: str
    wanted: int
    there: int | None
    """WorkerActors with a machine; None if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """Of one test."""

    waiting: bool
    position: int
    """1 for the next in its region; 0 for a test that does not wait."""
    waiting_for: str | None
    """``2 WorkerActors in eu-hel1``; with the reason where no machine will be started for them."""
    is_region_full: bool
    """Whether it waits for machines that other tests have, since there will be no more of them."""
    waiting_since: datetime | None
    wanted: int
    there: int | None
    """WorkerActors with a machine; None if that is not known."""
    by_region: list[RegionQueue]
    """In the order in which the test names them."""


def stands_behind(before: Sequence[UUID], reservations: Mapping[UUID, Reservation]) -> bool:
    """Whether one of the tests ``before`` is first to get the next machine that becomes free."""
    return any(one in reservations and reservations[one].is_refused for one in before)


def queue_status(
    test: Test,
    before: Sequence[UUID],
    reservations: Mapping[UUID, Reservation] | None,
    posts: Sequence[Post],
) -> QueueStatus:
    """``before``: tests that are being provisioned in one of its regions and came earlier;
    ``reservations``: by test, None if the cluster does not answer."""
    mine = None if reservations is None else reservations.get(test.id)
    placed = frozenset() if mine is None else mine.placed
    there = None if reservations is None else len(placed)
    by_region = [
        RegionQueue(
            region=region,
            wanted=sum(post.region == region for post in posts),
            there=None if there is None else sum(posts[one].region == region for one in placed),
        )
        for region in dict.fromkeys(post.region for post in posts)
    ]
    if test.status != "provisioning" or (mine is not None and mine.is_complete):
        return QueueStatus(
            waiting=False,
            position=0,
            waiting_for=None,
            is_region_full=False,
            waiting_since=None,
            wanted=len(posts),
            there=there,
            by_region=by_region,
        )
    known = reservations or {}
    ahead = [one for one in before if one not in known or not known[one].is_complete]
    waiting_for = in_words(post for index, post in enumerate(posts) if index not in placed)
    is_full = (mine is not None and mine.is_refused) or stands_behind(before, known)
    if is_full:
        where = "where" if len(by_region) == 1 else "and in one of these regions"
        waiting_for += f", {where} no machine is free and no more may be started"
    return QueueStatus(
        waiting=True,
        position=len(ahead) + 1,
        waiting_for=waiting_for,
        is_region_full=is_full,
        waiting_since=test.created_at,
        wanted=len(posts),
        there=there,
        by_region=by_region,
    )
